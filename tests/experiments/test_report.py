"""What the report says, as text: everything of the store is on the page, and nothing else is."""

import dataclasses
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import HOSTILE, LONG, add, optimum, plan, study

from experiments import catalogue, runner
from experiments.report import page, words
from experiments.report.rows import Row
from experiments.report.sketch import HEIGHT, WIDTH, Line, Rule, Sketch
from experiments.report.troubles import troubles
from experiments.store import Store


class Page(HTMLParser):
    """The tags of a page and its text; ValueError if they do not close what they open."""

    VOID = frozenset({"meta", "link", "input", "img", "br"})

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.ids, self.text = [], [], [], []
        self.feed(html)
        self.close()
        if self.open:
            raise ValueError(f"never closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes nothing at {self.getpos()}")

    def handle_data(self, data):
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


@pytest.fixture
def store():
    with Store() as opened:
        yield opened


def report(store, name="slow or fast"):
    runs = store.runs(name)
    plan = store.study(name).plan
    return page.report(runs, store.histories(runs), title=name, busy=store.busy, plan=plan)


def test_a_study_is_one_valid_page_with_what_was_asked_and_every_run(store):
    study(store)
    shown = Page(report(store))
    assert len(shown.ids) == len(set(shown.ids))
    for said in (
        "Is it worth the time?",
        "Maximise maxcut. 2 variations with each of 3 seeds (1 to 3): 6 runs.",
        "The target is a score of 40.",
        "machine a large one",
        'problem = "maxcut"',
        "maxcut-0006",
    ):
        assert said in shown.words
    rows = [tags for tag, tags in shown.tags if tag == "tbody" and "data-state" in tags]
    assert [row["data-state"] for row in rows] == ["done"] * 6


def test_nothing_is_fetched_from_anywhere(store):
    study(store)
    html = report(store)
    sources = [
        value
        for _, tags in Page(html).tags
        for name, value in tags.items()
        if name in {"src", "href", "srcset", "xlink:href", "action", "data"} and value
    ]
    assert all(source.startswith(("#", "data:,")) for source in sources)
    assert "@import" not in html
    assert re.findall(r"url\((?!['\"]?#)", html) == []
    assert "default-src &#39;none&#39;" in html


def test_the_same_store_gives_the_same_bytes(store):
    study(store)
    assert report(store) == report(store)


@pytest.mark.filterwarnings("ignore:Glyph")
def test_hostile_words_stay_words(store):
    run = plan(store, name=HOSTILE, variations=(HOSTILE, LONG), seeds=(1,))[0]
    add(store, run, [1.0], status="failed", error=HOSTILE)
    store.note(run, HOSTILE + LONG)
    store.tag(run, [HOSTILE])
    html = report(store, HOSTILE)
    shown = Page(html)
    assert [tag for tag, _ in shown.tags].count("script") == 2
    assert "img" not in [tag for tag, _ in shown.tags]
    assert " ".join(HOSTILE.split()) in shown.words
    assert LONG in shown.words


def test_runs_that_failed_or_are_not_finished_are_said_before_all_else(store):
    runs = plan(store)
    add(store, runs[0], [1.0], status="failed", error="the disk caught fire")
    add(store, runs[1], [1.0], status="interrupted")
    add(store, runs[2], [1.0])  # and then its process was killed
    result = optimum(30.0, success=False, message="the limit of 3 iterations was reached")
    add(store, runs[3], [1.0], status="done", result=result)
    result = optimum(30.0, warnings=["2 of 100 scores were bad"])
    add(store, runs[4], [1.0], status="done", result=result)
    said = Page(report(store)).words
    first = said[said.index("Look at these first") : said.index("All runs")]
    for trouble in (
        "1 run failed", "the disk caught fire", "1 run interrupted, and can be resumed",
        "1 run cut: begun, but no process is at work on it", "1 run ended without success",
        "the limit of 3 iterations was reached", "1 run with warnings", "2 of 100 scores were bad",
        "1 run not begun",
    ):  # fmt: skip
        assert trouble in first


def test_a_study_without_trouble_has_nothing_to_look_at_first(store):
    study(store)
    assert "Look at these first" not in Page(report(store)).words


def test_troubles_that_differ_in_numbers_only_are_one(store):
    rows = [
        Row.of(
            add(store, run, [1.0], status="failed", error=f"row {i}: 1e-0{i} of 7"),
            (1, 1),
            store.busy,
        )
        for i, run in enumerate(plan(store), 1)
    ]
    (trouble,) = troubles(rows)
    ((said, who),) = trouble.entries
    assert said == "row 1 to 6: 1e-06 to 1e-01 of 7"
    assert who == rows


def test_a_command_repeats_the_run_exactly(store):
    for name, changes in {
        "bridge": ["gamma=1.5", "n_samples=500"],
        "sums": ["rtol=0.05"],
        "maxcut": ["n=30", "m=15", "alpha=none"],
        "network-reliability": ["graph=grid3x3"],
    }.items():
        experiment = catalogue.find(name).changed(changes, seed=7)
        run, _ = runner.begin(experiment, store)
        said = words.command(run).split()
        assert said[:3] == ["cem", "run", name]
        again = catalogue.find(name).changed(said[4:-2:2], seed=int(said[-1]))
        assert again == experiment


def test_a_run_that_no_experiment_leads_to_has_no_command(store):
    run = study(store)[0]
    assert words.command(run) is not None
    assert words.command(dataclasses.replace(run, experiment="mine", problem="mine")) is None
    other = dataclasses.replace(run, settings=run.settings | {"of_another_version": 1})
    assert words.command(other) is None


def test_settings_are_shown_where_they_differ_and_once_where_they_do_not(store):
    study(store)
    shown = Page(report(store)).words
    assert shown.count("Settings that differ alpha 0.3 ") == 3
    assert shown.count("Settings that differ alpha 0.4 ") == 3
    assert "Settings that all runs of maxcut share" in shown


def test_runs_without_a_study_are_reported_too(cem, quick, folder):
    cem("run", "bridge", *quick("bridge"))
    cem("run", "maxcut", *quick("maxcut"))
    said = cem("report", "bridge", "maxcut", "-o", "two.html", "--title", "Two & two")
    assert said.code == 0
    shown = Page((folder / "two.html").read_text(encoding="utf-8"))
    assert "Two & two" in shown.words
    assert "final samples" in shown.words
    assert "cem run maxcut --set n=30 --set m=15 --set n_samples=200 --seed 1" in shown.words


def test_the_command_says_what_it_has_written(cem, store, folder):
    study(store)
    said = cem("report", "slow or fast", "-o", "r.html", "--json")
    size = (folder / "r.html").stat().st_size
    assert json.loads(said.out) == {"file": "r.html", "bytes": size, "runs": 6}
    assert said.err == ""
    assert cem("report", "slow or fast").out == ""
    assert (folder / "report.html").read_bytes() == (folder / "r.html").read_bytes()


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["slow"], "there is no study, experiment or run 'slow'"),
        (["slow or fast", "maxcut-0001"], "'slow or fast' is a study: expected one study, or"),
    ],
)
def test_what_cannot_be_reported_is_refused(cem, store, names, complaint):
    study(store)
    said = cem("report", *names)
    assert said.code == 1
    assert said.err.startswith(f"cem: error: {complaint}")


def test_a_report_is_not_written_to_a_file_that_is_named_as_something_else(cem, store, folder):
    study(store)
    said = cem("report", "slow or fast", "-o", "r.pdf")
    assert (said.code, said.err) == (
        1,
        "cem: error: r.pdf: a report is HTML; expected a name that ends with .html\n",
    )
    assert not (folder / "r.pdf").exists()


def test_two_hundred_runs_are_a_small_page(store):
    study(store, variations=("a", "b", "c", "d"), seeds=range(50))
    assert len(report(store).encode()) < 3_000_000


@given(st.lists(st.tuples(st.floats(), st.floats()), max_size=300), st.floats())
def test_a_plot_of_any_numbers_stays_on_its_paper(points, level):
    drawn = Sketch("x", "y", (Line("a", "level", points),), (Rule("b", level),)).svg()
    assert "nan" not in drawn
    assert "inf" not in drawn
    for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", drawn):
        assert -0.1 <= float(x) <= WIDTH + 0.1
        assert -0.1 <= float(y) <= HEIGHT + 0.1
