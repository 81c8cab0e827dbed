"""Experiments are TOML files, checked strictly; their settings come from a flat table."""

import json

import pytest

from experiments import catalogue, summaries
from experiments.settings import parse

GOOD = """
description = "a bridge"
problem = "bridge"
job = "estimate"
[settings]
gamma = 3.0
[method]
rho = 0.2
"""


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return catalogue.read(path)

    return read


@pytest.mark.parametrize("name", catalogue.names())
def test_every_experiment_of_the_catalogue_runs(cem, quick, name):
    said = cem("run", name, *quick(name), "--json")
    result = json.loads(said.out)
    assert said.code == 0
    assert result["status"] == "done"
    assert result["nfev"] > 0
    assert result["message"]


def test_a_file_is_read_with_every_default_written_down(read):
    experiment = read(GOOD)
    assert (experiment.name, experiment.job, experiment.seed) == ("mine", "estimate", 1)
    assert experiment.settings["gamma"] == 3.0
    assert experiment.settings["rho"] == 0.2
    assert experiment.settings["method"] == "auto"
    assert experiment.settings["max_iterations"] is None


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("problem =", "porblem =", "no key 'porblem'; did you mean 'problem'?"),
        ('"bridge"', '"brigde"', "there is no problem 'brigde'; did you mean 'bridge'?"),
        ('"estimate"', '"estimat"', "no job 'estimat'; did you mean 'estimate'?"),
        ("gamma", "gama", "the problem 'bridge' has no setting 'gama'; did you mean 'gamma'?"),
        ("rho =", "roh =", "no setting 'roh'; did you mean 'rho'?"),
        ("rho = 0.2", 'method = "multilevl"', "no method 'multilevl'; did you mean 'multilevel'?"),
        ("rho = 0.2", "method = 2", "method must be a word; got 2"),
        ("rho = 0.2", "gamma = 3.0", "gamma is a setting of the problem: move it to [settings]"),
        ("rho = 0.2", "rho = nan", "rho must be a finite number"),
        ("rho = 0.2", "n_samples = 0.5", "n_samples must be a whole number; got 0.5"),
        ("job =", "seed = -1\njob =", "seed must be at least 0; got -1"),
        ("job =", 'seed = "x"\njob =', "seed must be a whole number; got 'x'"),
        ('description = "a bridge"', "", "the key description is missing"),
        ("job =", "job", "Expected '=' after a key"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_the_file_and_the_nearest_word(read, old, new, complaint):
    with pytest.raises(ValueError, match=r"^mine\.toml(, line \d+)?: ") as caught:
        read(GOOD.replace(old, new))
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("gamma", "gama", 6), ("rho = 0.2", "rho = nan", 8), ("problem =", "porblem =", 3)],
)
def test_a_mistake_in_a_file_is_named_with_its_line(read, old, new, line):
    with pytest.raises(ValueError, match=rf"^mine\.toml, line {line}: "):
        read(GOOD.replace(old, new))


def test_a_new_file_is_all_that_a_new_experiment_needs(cem, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("catalogue")
    for module in (catalogue, summaries):
        monkeypatch.setattr(module, "FOLDER", elsewhere)
    (elsewhere / "mine.toml").write_text(GOOD)
    assert cem("list").out == "mine  a bridge\n"
    assert cem("run", "mine", "--set", "n_final=2000", "--quiet").out == "mine-0001\n"


def test_values_are_toml_where_they_can_be_and_words_otherwise():
    words = [
        "a=1_000",
        "b=0.5",
        "c=true",
        "d=[1, 2]",
        "e=G1.txt",
        "f='1'",
        "g=2020-01-01",
        "h=none",
    ]
    assert parse(words) == {
        "a": 1000,
        "b": 0.5,
        "c": True,
        "d": [1, 2],
        "e": "G1.txt",
        "f": "1",
        "g": "2020-01-01",
        "h": None,
    }


def test_a_value_cannot_smuggle_in_another_key():
    assert parse(["rho=0.1\nalpha=1"]) == {"rho": "0.1\nalpha=1"}


def test_rtol_takes_the_place_of_n_final():
    bridge = catalogue.find("bridge")
    assert bridge.settings["n_final"] == 100_000
    assert bridge.changed(["rtol=0.05"]).settings["n_final"] is None
    assert bridge.changed(["rtol=0.05", "n_final=7"]).settings["n_final"] == 7


def test_a_path_is_kept_absolute_and_counts_from_the_working_directory(folder):
    settings = catalogue.find("maxcut").changed(["graph=sub/G.txt"]).settings
    assert settings["graph"] == str(folder / "sub" / "G.txt")


def test_a_path_in_a_file_counts_from_the_file(tmp_path):
    (tmp_path / "g").touch()
    path = tmp_path / "mine.toml"
    path.write_text(
        'description = "x"\nproblem = "maxcut"\njob = "maximize"\n[settings]\ngraph="g"'
    )
    assert catalogue.read(path).settings["graph"] == str(tmp_path / "g")


def test_a_word_that_is_no_file_is_kept_as_the_name_of_a_graph():
    network = catalogue.find("network-reliability")
    assert network.settings["graph"] == "dodecahedron"
    assert network.changed(["graph=grid3x3"]).settings["graph"] == "grid3x3"


def test_a_graph_file_of_a_network_is_kept_absolute(cem, folder):
    (folder / "grid3x3").write_text("a b 0.5\na b 0.5\n")  # a file has precedence over a name
    words = ["--set", "graph=grid3x3", "--set", "q=none", "--set", "n_final=1000"]
    said = json.loads(cem("run", "network-reliability", *words, "--json").out)
    assert said["settings"]["graph"] == str(folder / "grid3x3")
    assert said["known"] == pytest.approx(0.25)
    assert said["mean"] == pytest.approx(0.25)


def test_a_changed_experiment_leaves_the_other_one_as_it_was():
    bridge = catalogue.find("bridge")
    other = bridge.changed(["gamma=3"], seed=9)
    assert (bridge.settings["gamma"], bridge.seed) == (2.0, 1)
    assert (other.settings["gamma"], other.seed) == (3, 9)
