"""The dashboard in Chromium, beside a store that changes while somebody looks."""
# ruff: noqa: F811 - a fixture is imported under the name of the argument that it fills

import threading

import pytest
from browser import browser, chromium  # noqa: F401
from made_up import add, plan, record, study

from experiments.dashboard import live, server
from experiments.store import Store


@pytest.fixture
def store(monkeypatch):
    """A store in which a run that has begun is at work, though it is this process that does it."""
    monkeypatch.setattr(Store, "busy", lambda _, run: run.status == "running")
    with Store("live.db") as opened:
        yield opened


@pytest.fixture
def dashboard(browser, monkeypatch):
    monkeypatch.setattr(live, "PAUSE", 0.0)
    with server.listen("live.db", "127.0.0.1", 0) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        browser.open(listening.url)
        yield browser
        browser.open("about:blank")
        listening.shutdown()
        listening.server_close()
        thread.join()


def names(dashboard):
    return dashboard.texts("#runs tr.run td:first-child")


def plotted(dashboard, run):
    """How many points the plot of an open run has."""
    return dashboard.run(
        "const line = document.querySelector(arguments[0]);"
        "return line ? line.getAttribute('d').split('L').length : 0",
        f"#run-{run.id} path.level",
    )


def test_runs_that_are_added_are_seen_and_their_plots_grow(store, dashboard):
    dashboard.until(lambda: "No runs yet" in dashboard.text("#said"))
    run = plan(store, variations=("alone",), seeds=(1, 2))[0]
    dashboard.until(lambda: names(dashboard) == ["maxcut-0002", "maxcut-0001"])
    assert dashboard.texts("#studies h3") == ["slow or fast"]
    assert dashboard.texts("#studies p") == ["0 of 2 runs ended"]
    dashboard.click(f"#run-{run.id} a")
    dashboard.until(lambda: "No iteration yet" in dashboard.text(".details"))
    with store.writer(run) as writer:
        for t in range(1, 4):
            writer.add(record(t, float(t)), b"", 1.0)
            dashboard.until(lambda n=t: plotted(dashboard, run) == n)
        assert dashboard.texts(".state.running") == ["running"]
        writer.end("failed", 1.0, error="out of luck")
    dashboard.until(lambda: dashboard.texts(".state.failed") == ["failed"])
    dashboard.until(lambda: "out of luck" in dashboard.text(".details"))
    assert dashboard.texts("#studies p") == ["1 of 2 runs ended, 1 failed"]
    store.delete([run])
    dashboard.until(lambda: names(dashboard) == ["maxcut-0002"])
    assert dashboard.complaints() == []


def test_order_filter_and_open_runs_survive_an_update(store, dashboard):
    runs = study(store)
    dashboard.until(lambda: len(names(dashboard)) == 6)
    dashboard.click("#runs th:first-child button")
    dashboard.click("#runs th:first-child button")
    dashboard.click("#variation option[value='alpha=0.7']")
    dashboard.click(f"#run-{runs[4].id} a")
    dashboard.until(lambda: plotted(dashboard, runs[4]) == 3)
    shown = ["maxcut-0006", "maxcut-0005", "maxcut-0004"]
    assert names(dashboard) == shown
    for run in runs:
        store.note(run, "seen")
    notes = "#runs tr.run td:last-child"
    dashboard.until(lambda: dashboard.texts(notes) == ["seen"] * 3)
    assert names(dashboard) == shown
    assert dashboard.all("th[aria-sort='descending']")
    assert dashboard.all(f"#run-{runs[4].id}.open a[aria-expanded='true']")
    dashboard.until(lambda: "seen" in dashboard.text(f"#run-{runs[4].id} .details"))
    assert dashboard.complaints() == []


def test_running_runs_are_first_then_the_newest_until_somebody_sorts(store, dashboard):
    runs = plan(store, variations=("alone",), seeds=(1, 2, 3, 4, 5))

    def seen(*order):
        dashboard.until(lambda: names(dashboard) == [runs[k].name for k in order])

    seen(4, 3, 2, 1, 0)
    dashboard.run("arguments[0].focus()", dashboard.all(f"#run-{runs[1].id} a")[0])
    add(store, runs[1], [1.0])  # running
    seen(1, 4, 3, 2, 0)
    with store.writer(runs[2]) as writer:
        seen(2, 1, 4, 3, 0)
        assert dashboard.run("return document.activeElement.textContent") == runs[1].name
        writer.end("failed", 1.0, error="out of luck")
    seen(1, 2, 4, 3, 0)  # what is only planned comes last
    dashboard.click("#runs th:first-child button")
    assert names(dashboard) == [run.name for run in runs]


def test_a_store_that_is_away_is_said_until_it_is_back(store, dashboard, folder):
    run = study(store)[0]
    dashboard.until(lambda: len(names(dashboard)) == 6)
    for path in folder.glob("live.db*"):
        path.rename(folder / f"away-{path.name}")
    (folder / "live.db").write_text("this is no database")
    dashboard.until(lambda: "is not a store" in dashboard.text("#said.trouble"))
    assert len(names(dashboard)) == 6
    for path in folder.glob("away-*"):
        path.replace(folder / path.name.removeprefix("away-"))
    dashboard.until(lambda: dashboard.texts("#said:not(.trouble)") != [])
    add(store, run, [])
    dashboard.until(lambda: dashboard.texts(".state.running") == ["running"])


def test_a_thousand_runs_are_shown_and_filtered_at_once_and_fit_a_phone(store, dashboard):
    plan(store, variations=[f"v{i}" for i in range(10)], seeds=range(100))
    dashboard.until(lambda: dashboard.texts("#shown") == ["1,000 runs"])
    dashboard.write("#words", "v7")
    assert dashboard.texts("#shown") == ["100 of 1,000 runs"]
    dashboard.look(width=360)
    assert dashboard.run("return document.documentElement.scrollWidth") == 360
