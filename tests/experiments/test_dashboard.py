"""What the dashboard answers, over HTTP: what is new, what is behind a run, and to whom."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse
from contextlib import contextmanager

import pytest
from made_up import HOSTILE, add, optimum, plan, study

from experiments.dashboard import live, server
from experiments.report.rows import Row
from experiments.store import Store


@pytest.fixture
def store():
    with Store("live.db") as opened:
        yield opened


@contextmanager
def dashboard(host="127.0.0.1", url="live.db"):
    with server.listen(url, host, 0) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


@pytest.fixture
def live_page(monkeypatch):
    monkeypatch.setattr(live, "PAUSE", 0.0)
    with dashboard() as listening:
        yield listening


def get(listening, path, host=None, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", listening.server_address[1], timeout=30)
    connection.request(method, path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, json.loads(body) if body.startswith("{") else body


def news(listening, since=""):
    status, found = get(listening, f"/state?since={urllib.parse.quote(since)}")
    assert status == 200
    return found


def test_the_first_answer_has_every_run_and_the_next_one_only_what_has_changed(store, live_page):
    runs = study(store)
    first = news(live_page)
    assert (first["all"], len(first["rows"]), first["gone"]) == (True, 6, [])
    assert "6 of 6 runs ended" in first["studies"]
    again = news(live_page, first["since"])
    assert (again["since"], again["rows"], again["studies"]) == (first["since"], [], None)
    store.note(runs[2], "look here")
    (row,) = news(live_page, first["since"])["rows"]
    assert f'id="run-{runs[2].id}"' in row
    assert "look here" in row


def test_a_run_that_goes_on_is_new_each_time_and_a_deleted_one_is_gone(store, live_page):
    first, second, *_ = plan(store)
    since = news(live_page)["since"]
    add(store, first, [1.0, 2.0])
    found = news(live_page, since)
    assert len(found["rows"]) == 1
    assert 'data-value="200"' in found["rows"][0]  # evaluations
    store.delete([second])
    after = news(live_page, found["since"])
    assert (after["rows"], after["gone"]) == ([], [second.id])
    assert news(live_page, since)["gone"] == [second.id]


def test_numbers_of_another_dashboard_count_for_nothing(store, live_page):
    study(store)
    for since in ("0123abcd-7", "-", "x", f"{live_page.live.begun}-x", "é" * 100):
        found = news(live_page, since)
        assert (found["all"], len(found["rows"])) == (True, 6)


def test_behind_a_run_is_its_plot_and_its_command(store, live_page):
    run = study(store)[0]
    status, found = get(live_page, f"/run/{run.id}")
    assert status == 200
    assert '<path class="level" d="M' in found["html"]
    assert "cem run maxcut --set n=30" in found["html"]


def test_hostile_words_stay_words(store, live_page):
    run = plan(store, name=HOSTILE, variations=(HOSTILE,), seeds=(1,))[0]
    store.note(add(store, run, [1.0], status="failed", error=HOSTILE), HOSTILE)
    found = news(live_page)
    for html in (*found["rows"], found["studies"], get(live_page, f"/run/{run.id}")[1]["html"]):
        assert "&lt;script&gt;" in html
        assert "<script" not in html
        assert "<img" not in html


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("path", ["/run/", "/run/7", "/run/x", "/run/-1", f"/run/{'9' * 30}", "/a"])
def test_what_is_not_there_is_not_found(live_page, path):
    assert get(live_page, path) == (404, {"error": f"there is nothing at {path}"})


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_it_only_answers_get(live_page, method):
    assert get(live_page, "/state", method=method)[0] == 501


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "192.168.0.1", "0.0.0.0:80", "[::", ""]
)
def test_a_name_that_is_not_its_own_is_refused(live_page, host):
    status, found = get(live_page, "/state", host=host or " ")
    assert (status, found) == (421, {"error": "this dashboard does not go by that name"})


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("host", ["localhost", "localhost:1234", "127.0.0.1:8501", "[::1]:8501"])
def test_its_own_names_lead_to_it_whatever_the_port(live_page, host):
    assert get(live_page, "/state", host=host)[0] == 200


@pytest.mark.usefixtures("store")
def test_on_another_address_it_warns_and_goes_by_addresses_and_its_own_name():
    with dashboard("0.0.0.0") as listening:  # noqa: S104
        assert "nobody is asked who he is" in listening.warning
        for host in ("10.1.2.3:8501", socket.gethostname(), "localhost"):
            assert get(listening, "/", host=host)[0] == 200
        assert get(listening, "/", host="evil.example")[0] == 421


def test_a_store_that_is_away_is_said_and_it_goes_on_when_it_is_back(store, live_page, folder):
    study(store)
    since = news(live_page)["since"]
    for path in folder.glob("live.db*"):
        path.rename(folder / f"away-{path.name}")
    (folder / "live.db").write_text("this is no database")
    status, found = get(live_page, "/state")
    assert status == 503
    assert "live.db is not a store" in found["error"]
    for path in folder.glob("away-*"):
        path.replace(folder / path.name.removeprefix("away-"))
    assert news(live_page, since)["rows"] == []


def test_a_store_that_does_not_exist_yet_is_empty_until_it_does(live_page):
    assert news(live_page)["said"].startswith("No runs yet in ")
    with Store("live.db") as store:
        study(store)
    assert len(news(live_page)["rows"]) == 6


def test_the_store_is_read_once_for_many_pages(store, monkeypatch):
    study(store)
    monkeypatch.setattr(live, "PAUSE", 3600.0)
    with dashboard() as listening:
        assert len(news(listening)["rows"]) == 6
        monkeypatch.setattr(Store, "stamps", None)
        assert len(news(listening)["rows"]) == 6


def test_progress_says_how_far_a_study_is_and_how_long_it_takes(store):
    runs = plan(store)
    add(store, runs[0], [1.0], seconds=10.0, status="done", result=optimum(1.0))
    add(store, runs[1], [1.0], seconds=20.0, status="failed", error="x")
    add(store, runs[2], [1.0], seconds=5.0)
    rows = tuple(Row.of(run, (1, 1), lambda _: True) for run in store.runs())
    found = live.Progress("s", rows)
    assert found.parts == [("done", 1), ("failed", 1), ("running", 1), ("", 3)]
    assert found.left == 3 * 15.0 + 10.0  # one after the other
    assert found.sentence == "2 of 6 runs ended, 1 failed, 1 running, about 55 s left"


def test_studies_at_which_somebody_is_are_first_and_then_the_newest(store, live_page, monkeypatch):
    monkeypatch.setattr(Store, "busy", lambda _, run: run.status == "running")
    first, *_ = [plan(store, name=name)[0] for name in ("one", "two", "three")]
    assert re.findall("<h3>(.*)</h3>", news(live_page)["studies"]) == ["three", "two", "one"]
    add(store, first, [1.0])
    assert re.findall("<h3>(.*)</h3>", news(live_page)["studies"]) == ["one", "three", "two"]


def test_a_port_that_is_taken_is_said_and_the_default_goes_to_the_next(monkeypatch):
    with dashboard() as listening:
        taken = listening.server_address[1]
        with pytest.raises(ValueError, match=f"port {taken} is taken"):
            server.listen(None, "127.0.0.1", taken)
        monkeypatch.setattr(server, "PORT", taken)
        with server.listen(None, "127.0.0.1", None) as other:
            assert taken < other.server_address[1] < taken + server.TRIED
            other.server_close()


def test_an_address_that_is_not_ours_is_said():
    with pytest.raises(ValueError, match=r"the dashboard cannot listen at 192\.0\.2\.1, port 0"):
        server.listen(None, "192.0.2.1", 0)


def test_ctrl_c_ends_the_command_quietly(folder):
    words = [sys.executable, "-m", "experiments", "dashboard", "--port", "0"]
    begun = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert begun.stdout.readline().startswith("http://127.0.0.1:")
    begun.send_signal(signal.SIGINT)
    out, err = begun.communicate(timeout=60)
    assert (begun.returncode, out, err) == (0, "", "")
    assert not (folder / "cem-runs.db").exists()
