"""cem compare: which runs are meant, what is printed, and how mistakes are answered."""

import json

import pytest
from runs_by_hand import plan, searched

from experiments.store import Store

NAMES = ("rho=0.1", "rho=0.2")


def fill(name, scores, seeds=range(8)):
    """A study of two variations in the default store: the scores by variation and seed."""
    about = {"experiment": name, "problem": "p", "job": "maximize", "versions": {}}
    rows = [
        {**about, "variation": v, "settings": {"rho": float(v[4:])}, "seed": seed}
        for v in NAMES
        for seed in seeds
    ]
    with Store() as store:
        runs = store.plan(name, plan({v: {"rho": float(v[4:])} for v in NAMES}), rows)
        for run in runs:
            made, history = searched(run.variation, run.seed, scores(run.variation, run.seed))
            with store.writer(run) as writer:
                writer.add_all(history, b"", 1.0)
                writer.end("done", 1.0, result=made.result)


@pytest.fixture
def study():
    fill("mine", lambda v, seed: [seed * 1.0, seed + 10.0 * float(v[4:])])


def loose(name, settings, seed, score):
    about = {"experiment": name, "problem": "p", "job": "maximize", "versions": {}}
    with Store() as store:
        run = store.begin(**about, settings=settings, seed=seed)
        made, history = searched("v", seed, [score])
        with store.writer(run) as writer:
            writer.add_all(history, b"", 1.0)
            writer.end("done", 1.0, result=made.result)


@pytest.mark.usefixtures("study")
def test_a_study_is_compared_by_its_name(cem):
    said = cem("compare", "mine")
    assert (said.code, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) <= 100
    lines = said.out.splitlines()
    assert lines[:2] == ["best score:", lines[1]]
    assert lines[1].split()[:4] == ["variation", "done", "best", "5"]
    assert lines[2].split()[:3] == ["rho=0.1", "8", "8"]
    assert "rho=0.2 is better than rho=0.1: difference +1 in the median of 8 seeds" in said.out


@pytest.mark.usefixtures("study")
def test_the_same_runs_print_the_same(cem):
    assert cem("compare", "mine") == cem("compare", "mine")


@pytest.mark.usefixtures("study")
def test_json_is_strict_and_alone(cem):
    said = cem("compare", "mine", "--target", 5, "--json")
    found = json.loads(said.out)
    assert [one["name"] for one in found["variations"]] == list(NAMES)
    assert found["target"] == {"value": 5.0, "why": "as asked for", "given": True}
    assert found["pairs"][0]["verdict"] == "worse"


@pytest.mark.usefixtures("study")
def test_only_the_variations_that_are_named_are_compared(cem):
    said = cem("compare", "mine", "--variation", "rho=0.2")
    assert "rho=0.1" not in said.out
    assert "there is nothing to judge" in said.out
    said = cem("compare", "mine", "--variation", "rho=0.3")
    assert said.code == 1
    assert said.err.startswith("cem: error: no variation 'rho=0.3'; did you mean 'rho=0.")


@pytest.mark.usefixtures("study")
def test_two_studies_are_told_apart_by_their_names(cem):
    fill("other", lambda _, seed: [seed * 2.0])
    said = cem("compare", "mine", "other", "--json")
    names = [one["name"] for one in json.loads(said.out)["variations"]]
    assert names == ["mine: rho=0.1", "mine: rho=0.2", "other: rho=0.1", "other: rho=0.2"]


def test_loose_runs_are_grouped_by_what_differs(cem):
    for rho in (0.1, 0.3):
        for seed in (1, 2):
            loose("onemax", {"rho": rho, "n_samples": 100}, seed, rho + seed)
    found = json.loads(cem("compare", "onemax", "--json").out)
    assert [(one["name"], one["done"]) for one in found["variations"]] == [
        ("rho=0.1", 2),
        ("rho=0.3", 2),
    ]
    found = json.loads(cem("compare", "onemax-0001", "onemax-0003", "--json").out)
    assert [(one["name"], one["done"]) for one in found["variations"]] == [
        ("rho=0.1", 1),
        ("rho=0.3", 1),
    ]


def test_runs_that_differ_in_more_than_they_are_compared_by_are_refused(cem):
    loose("onemax", {"rho": 0.1, "alpha": 0.5}, 1, 1.0)
    loose("onemax", {"rho": 0.2, "alpha": 0.7}, 1, 1.0)
    said = cem("compare", "onemax", "--by", "rho")
    assert said.code == 1
    assert "the runs differ in alpha, too" in said.err
    assert cem("compare", "onemax", "--by", "rho", "--by", "alpha").code == 0
    assert (
        "no setting 'rh' to compare by; did you mean 'rho'"
        in cem("compare", "onemax", "--by", "rh").err
    )


@pytest.mark.usefixtures("study")
def test_the_picture_is_written(cem, folder):
    said = cem("compare", "mine", "--plot", "mine.png")
    assert said.code == 0
    assert (folder / "mine.png").read_bytes().startswith(b"\x89PNG")
    assert said.err == "mine.png: 2 variations\n"


def test_what_is_not_there_is_one_line_of_error(cem):
    said = cem("compare", "nothing")
    assert said.code == 1
    assert said.err.startswith("cem: error: there is no run 'nothing'")
    assert len(said.err.splitlines()) == 1


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("command", ["compare", "report"])
def test_a_misspelt_study_is_answered_by_the_nearest(cem, command):
    said = cem(command, "mien")
    assert said.code == 1
    assert "no study, experiment or run 'mien'" in said.err
    assert "did you mean 'mine'?" in said.err


def test_settings_that_are_nearly_the_same_are_two_variations(cem):
    loose("near", {"rho": 0.1000001}, 1, 1.0)
    loose("near", {"rho": 0.1000002}, 1, 2.0)
    said = cem("compare", "near", "--json")
    names = [one["name"] for one in json.loads(said.out)["variations"]]
    assert names == ["rho=0.1000001", "rho=0.1000002"]
