"""The report in Chromium, from a file: sorted, filtered, opened, dark, on a phone and on paper."""
# ruff: noqa: F811 - a fixture is imported under the name of the argument that it fills

import time
import warnings

import pytest
from browser import browser, chromium  # noqa: F401
from made_up import HOSTILE, LONG, add, optimum, plan

from experiments.report import page
from experiments.store import Store

SCORES = (9.0, 100.0, -2.5, 20.0)  # of the runs of the first variation


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A report of a study with all kinds of runs, and words that are hard to show."""
    here = tmp_path_factory.mktemp("report")
    with Store(str(here / "runs.db")) as store:
        slow = plan(store, variations=("slow", f"fast {HOSTILE}{LONG}"), seeds=(1, 2, 3, 10))
        for run, score in zip(slow, SCORES, strict=False):
            add(store, run, [1.0, 3.0, score], status="done", result=optimum(score))
        add(store, slow[4], [1.0], status="failed", error=f"no luck {HOSTILE}{LONG}")
        warned = optimum(1.0, warnings=["some scores were bad"])
        add(store, slow[5], [1.0], status="done", result=warned)
        store.note(slow[1], f"remarkable {HOSTILE}{LONG}")
        store.tag(slow[1], ["chosen"])
        runs, histories = store.runs(), store.histories(store.runs())
        plan_ = store.study("slow or fast").plan
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph")  # not in the font of who measures
            text = page.report(runs, histories, title="A study", busy=store.busy, plan=plan_)
    path = here / "report.html"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def report(browser, written):
    browser.open(written.as_uri())
    browser.run("localStorage.clear()")
    browser.open(written.as_uri())
    yield browser
    assert browser.complaints() == []
    assert browser.run("return document.title") == "A study"


def column(report, number):
    return report.texts(f"#runs tr.run td:nth-child({number})")


def test_a_click_on_a_head_sorts_numbers_as_numbers_and_another_one_turns_them(report):
    heads = report.texts("#runs th")
    at = next(i for i, head in enumerate(heads, 1) if head.startswith("result"))
    head = f"#runs th:nth-child({at})"
    report.click(f"{head} button")
    assert column(report, at) == ["-2.5", "1", "9", "20", "100", "", "", ""]
    assert (
        report.run("return arguments[0].getAttribute('aria-sort')", *report.all(head))
        == "ascending"
    )
    report.click(f"{head} button")
    assert column(report, at) == ["100", "20", "9", "1", "-2.5", "", "", ""]
    assert len(report.all("#runs th[aria-sort]")) == 1
    report.click("#runs th:first-child button")
    assert column(report, 1) == [f"maxcut-{i:04d}" for i in range(1, 9)]


def test_the_keyboard_sorts_and_opens(report):
    report.run("document.querySelector('#runs th button').focus()")
    active = report.driver.switch_to.active_element
    active.send_keys("\ue007")
    report.driver.switch_to.active_element.send_keys(" ")
    assert column(report, 1)[0] == "maxcut-0008"
    report.run("document.querySelector('#run-1 a').focus()")
    report.driver.switch_to.active_element.send_keys("\ue007")
    assert report.all("#run-1.open")


def test_words_variation_and_status_filter_together(report):
    assert report.texts("#shown") == ["8 runs"]
    report.write("#words", "REMARKABLE chosen")
    assert column(report, 1) == ["maxcut-0002"]
    assert report.texts("#shown") == ["1 of 8 runs"]
    report.driver.find_element("id", "words").clear()
    report.run("arguments[0].dispatchEvent(new Event('input'))", *report.all("#words"))
    report.click("#variation option[value='slow']")
    assert len(column(report, 1)) == 4
    report.click("#state option:last-child")  # with warnings
    assert column(report, 1) == []
    report.click("#variation option:first-child")
    assert column(report, 1) == ["maxcut-0006"]
    for state, shown in (("failed", ["maxcut-0005"]), ("planned", ["maxcut-0007", "maxcut-0008"])):
        next(o for o in report.all("#state option") if o.text == state).click()
        assert column(report, 1) == shown


def test_a_run_opens_on_its_plot_and_closes_again(report):
    assert report.texts("#run-2 .details") == []
    report.click("#run-2 tr.run td:nth-child(3)")
    (said,) = report.texts("#run-2 .details")
    for words in ("known optimum", "alpha", "remarkable", "cem run maxcut", "machine a large one"):
        assert words in said
    (line,) = report.all("#run-2 path.level")
    assert line.rect["width"] > 100
    assert line.rect["height"] > 50
    assert report.all("#run-2 a[aria-expanded='true']")
    report.click("#run-2 a")
    assert report.texts("#run-2 .details") == []


def test_a_link_to_a_run_opens_it(report, written):
    report.click(".attention a[href='#run-5']")
    assert "no luck" in report.text("#run-5 .details")
    report.open("about:blank")
    report.open(f"{written.as_uri()}#run-3")
    assert report.texts("#run-3 .details") != []


def test_dark_is_the_system_s_or_chosen_and_remembered(report, written):
    def paper():
        return report.run("return getComputedStyle(document.body).backgroundColor")

    light = paper()
    report.look(dark=True)
    dark = paper()
    assert dark != light
    report.click("#theme")
    assert paper() == light
    for _ in range(50):  # the browser writes down what was chosen in its own time
        report.open(written.as_uri())
        if paper() == light:
            break
        time.sleep(0.1)
    assert paper() == light
    report.look(dark=False)
    report.click("#theme")
    assert paper() == dark


def test_a_phone_has_nothing_beside_the_page(report, written):
    report.look(width=360)
    report.open(f"{written.as_uri()}#run-2")
    for details in report.all("details"):
        report.run("arguments[0].open = true", details)
    assert report.run("return document.documentElement.scrollWidth") == 360
    (details,) = report.all("#run-2 .details")
    assert details.rect["width"] <= 360
    assert report.run("return arguments[0].scrollWidth <= arguments[0].clientWidth", details)


def test_print_has_all_details_open_and_no_controls(report):
    report.click("#run-2 a")
    report.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    report.run("dispatchEvent(new Event('beforeprint'))")
    assert report.all("details:not([open])") == []
    assert report.texts(".control") == []
    assert report.texts("#run-2 .details") != []
    assert (
        report.run("return getComputedStyle(document.body).backgroundColor") == "rgb(253, 253, 251)"
    )
    report.run("dispatchEvent(new Event('afterprint'))")
    assert report.all("details[open]") == []
    report.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert report.pdf().startswith(b"%PDF-")


def test_without_scripts_the_tables_are_there_and_links_open_runs(report, written):
    report.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        report.open("about:blank")
        report.open(f"{written.as_uri()}#run-2")
        assert len(column(report, 1)) == 8
        assert report.texts(".control") == []
        assert "remarkable" in report.text("#run-2 .details")
        assert report.texts("#run-1 .details") == []
    finally:
        report.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        report.open(written.as_uri())
