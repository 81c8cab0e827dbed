"""Opening a store: what is refused, in which words, and that it is left alone."""

import sqlite3
import sys

import pytest

from experiments.complaints import StoreError
from experiments.store import Store


def test_an_absent_file_reads_as_an_empty_store_and_is_not_made(tmp_path):
    with Store(str(tmp_path / "none.db"), create=False) as store:
        assert store.runs() == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, not a database; " * 50)
    with pytest.raises(StoreError, match="is not a store: the file is no SQLite database"):
        Store(str(path))
    assert path.read_text().startswith("these are notes")


def test_a_database_with_other_tables_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("create table songs (title text)")
    other.close()
    with pytest.raises(StoreError, match=r"is not a store: it holds other tables \(songs\)"):
        Store(str(path))
    with sqlite3.connect(path) as other:
        assert other.execute("select name from sqlite_master").fetchall() == [("songs",)]
    other.close()


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("FILE/a.db", "cannot be opened: there is no folder"),
        ("absent/a.db", "cannot be opened: there is no folder"),
        ("sqlite:///.", "cannot be opened: it is a folder"),
        ("nonsense://host/a", "cannot be used: "),
        ("sqlite://user@host:x/", "the store must be a path or a database URL"),
    ],
)
def test_a_store_that_cannot_be_opened_says_why_in_one_line(folder, url, complaint):
    (folder / "FILE").write_text("")
    with pytest.raises(StoreError) as caught:
        Store(url)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_password_is_not_repeated_in_a_message():
    with pytest.raises(StoreError) as caught:
        Store("nonsense://me:secret@host/a")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_url_of_postgresql_is_one(server, scheme):
    url = server.url()
    with Store(url.replace("postgresql+psycopg", scheme)) as store:
        assert store.name.startswith("postgresql+psycopg://")
        assert store.runs() == []


def test_a_missing_driver_is_answered_by_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r'needs a driver: .*; pip install "cemkit\[postgres\]"'):
        Store("postgresql://localhost/cem")


def test_a_server_that_is_not_there_is_said_at_once(tmp_path):
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match=r"the server of the store .* cannot be reached: "):
        Store(f"postgresql://me@/cem?host={tmp_path}")


def test_a_server_without_that_database_is_another_complaint(server):
    url = server.url().replace("@/cem", "@/other")
    with pytest.raises(StoreError, match=r'cannot be used: .*"other[0-9]+" does not exist'):
        Store(url, patience=60)


def test_a_database_on_a_server_may_hold_other_tables_but_none_of_these_names(server):
    url = server.url()
    server.sql(url, "create table songs (title text)")
    with Store(url) as store:
        assert store.runs() == []
    url = server.url()
    server.sql(url, "create table studies (title text)")
    with pytest.raises(StoreError, match=r"is not a store: it holds other tables \(studies\)"):
        Store(url)
