"""Problems are found by name, and an unknown word is answered by the nearest."""

import inspect

import numpy as np
import pytest

import problems
from problems.maxcut import MaxCut
from problems.rare_event.bridge import Bridge


def test_problems_are_found_by_their_files():
    assert problems.names() == sorted(problems.names())
    assert {"binary", "bridge", "continuous", "maxcut"} <= set(problems.names())


def test_a_problem_is_loaded_with_its_settings():
    assert problems.load("bridge") == Bridge(2.0)
    assert problems.load("bridge", gamma=3.5) == Bridge(3.5)
    cut = problems.load("maxcut", n=10, m=5)
    assert type(cut) is MaxCut
    assert cut.optimum == 25.0


@pytest.mark.parametrize("name", problems.names())
def test_every_problem_can_be_made_from_its_defaults_and_is_one(name):
    made = problems.load(name)
    rng = np.random.default_rng(0)
    scoring = made.bind(rng) if hasattr(made, "bind") else made
    score = scoring(made.nominal().sample(np.random.default_rng(0), 5))
    assert score.shape == (5,)


@pytest.mark.parametrize("name", problems.names())
def test_every_setting_has_a_default(name):
    for parameter in problems.settings(name).values():
        assert parameter.default is not inspect.Parameter.empty


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: problems.load("brigde"),
            r"^there is no problem 'brigde'; did you mean 'bridge'\? ",
        ),
        (lambda: problems.load("zzz"), r"^there is no problem 'zzz'; known: .*binary, bridge, "),
        (lambda: problems.load(""), r"^there is no problem ''; known: "),
        (lambda: problems.settings("max-cut"), r"did you mean 'maxcut'\?"),
        (
            lambda: problems.load("bridge", gama=1),
            r"^the problem 'bridge' has no setting 'gama'; did",
        ),
        (lambda: problems.load("maxcut", nodes=9), r"^the problem 'maxcut' has no setting 'nodes'"),
    ],
)
def test_an_unknown_word_is_answered_by_the_nearest_and_by_all_there_are(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("name", "setting", "word", "meant"),
    [
        ("clustering", "data", "irs", "iris"),
        ("flowshop", "instance", "ta01", "ta010"),
        ("jobshop", "instance", "ft6", "ft06"),
        ("qap", "instance", "nug13", "nug12"),
        ("tsp", "instance", "br71", "br17"),
    ],
)
def test_an_unknown_instance_is_answered_by_the_nearest_unless_it_is_a_file(
    name, setting, word, meant, tmp_path, monkeypatch
):
    with pytest.raises(ValueError, match=rf"no instance '{word}' and .* did you mean '{meant}'\?"):
        problems.load(name, **{setting: word})
    monkeypatch.chdir(tmp_path)
    (tmp_path / word).write_text("x")
    with pytest.raises(ValueError, match=f"^{word}(:|, line 1)"):
        problems.load(name, **{setting: word})
