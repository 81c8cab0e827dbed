"""The server of the dashboard: it reads, it answers GET, and only to the names it is known by."""

from __future__ import annotations

import errno
import ipaddress
import json
import os
import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

from experiments.dashboard.live import Live
from experiments.database import StoreError
from experiments.report.rows import COLUMNS
from experiments.report.templating import page

PORT = 8501
TRIED = 20  # ports from there on, if none was asked for
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Dashboard(ThreadingHTTPServer):
    """Listens from the moment it is made; a context manager that stops."""

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # where it would let two listen at one port

    def __init__(self, store: str | None, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.asked = host
        self.live = Live(store)
        super().__init__((host, port), Handler)

    def __enter__(self) -> Self:
        return self

    @property
    def url(self) -> str:
        """What to type into a browser on this machine."""
        host = "localhost" if self.asked in {"0.0.0.0", "::"} else self.asked  # noqa: S104
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.server_address[1]}/"

    @property
    def warning(self) -> str | None:
        """What to say if others can reach it."""
        if _is_loopback(self.asked):
            return None
        return f"whoever can reach {self.asked} can look at these runs: nobody is asked who he is"

    def knows(self, header: str) -> bool:
        """Whether a Host header names this server: a page from elsewhere may have a name for it.

        An address cannot be such a name.
        """
        try:
            name = urlsplit(f"//{header}").hostname or ""
        except ValueError:
            return False
        if _is_loopback(self.asked):
            return _is_loopback(name) or name == self.asked
        return _is_address(name) or name in {
            "localhost",
            self.asked.lower(),
            socket.gethostname().lower(),
            socket.getfqdn().lower(),
        }


class Handler(BaseHTTPRequestHandler):
    """Answers one browser."""

    server: Dashboard
    protocol_version = "HTTP/1.1"
    server_version = "cem"
    sys_version = ""
    timeout = 60  # seconds of silence

    def do_GET(self) -> None:
        """The page, what is new since the page asked last, or what is behind a run."""
        asked = urlsplit(self.path)
        if not self.server.knows(self.headers.get("Host", "")):
            self._error(HTTPStatus.MISDIRECTED_REQUEST, "this dashboard does not go by that name")
            return
        try:
            if asked.path == "/":
                html = page("live.html", "table.js", "live.js", title="Runs", columns=COLUMNS)
                self._send(HTTPStatus.OK, "text/html", html)
            elif asked.path == "/state":
                since = parse_qs(asked.query).get("since", [""])[0]
                self._json(HTTPStatus.OK, self.server.live.news(since))
            elif (found := self._run(asked.path)) is not None:
                self._json(HTTPStatus.OK, {"html": found})
            else:
                self._error(HTTPStatus.NOT_FOUND, f"there is nothing at {asked.path}")
        except StoreError as error:
            self._error(HTTPStatus.SERVICE_UNAVAILABLE, str(error))

    def _run(self, path: str) -> str | None:
        folder, _, key = path.rpartition("/")
        known = folder == "/run" and key.isdecimal() and len(key) < 10
        return self.server.live.details(int(key)) if known else None

    def _error(self, status: HTTPStatus, text: str) -> None:
        self._json(status, {"error": text})

    def _json(self, status: HTTPStatus, value: dict[str, object]) -> None:
        self._send(status, "application/json", json.dumps(value, allow_nan=False))

    def _send(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        sent = {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body))}
        for name, value in {**sent, **HEADERS}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def listen(store: str | None, host: str, port: int | None) -> Dashboard:
    """A dashboard at that port, or at the first free one from `PORT` on."""
    wanted = range(PORT, PORT + TRIED) if port is None else [port]
    for candidate in wanted:
        try:
            return Dashboard(store, host, candidate)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise ValueError(
                    f"the dashboard cannot listen at {host}, port {candidate}: {error.strerror}"
                ) from error
    ports = f"port {wanted[0]} is" if len(wanted) == 1 else f"ports {PORT} to {wanted[-1]} are"
    raise ValueError(f"{ports} taken, perhaps by another dashboard: choose one with --port")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)
