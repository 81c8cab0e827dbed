"""Study files: what they say, and that every mistake in one is named with its line."""

import json
from pathlib import Path

import pytest

from experiments import catalogue, study
from experiments.toml_file import TomlFile

GOOD = """\
description = "two knobs of the bridge"
problem = "bridge"
seeds = 3
target = 0.05

[settings]
gamma = 3.0

[grid]
rho = [0.1, 0.05]
alpha = [
  1.0,
  0.7,
]

[budget]
max_iterations = 50
"""
CLOSED = """\
experiment = "maxcut"
seeds = [5, 2]

[settings]
n = 20
m = 10

[[variations]]
rho = 0.2

[[variations]]
name = "refined"
method = "ce+refine"
"""


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return study.read(path)

    return read


def refused(read, text):
    with pytest.raises(ValueError, match=r"^mine\.toml") as caught:
        read(text)
    return str(caught.value)


def test_a_grid_is_the_full_product_in_the_order_of_the_file(read):
    found = read(GOOD)
    assert [v.name for v in found.variations] == [
        "rho=0.1, alpha=1.0",
        "rho=0.1, alpha=0.7",
        "rho=0.05, alpha=1.0",
        "rho=0.05, alpha=0.7",
    ]
    assert found.variations[2].changes == {"rho": 0.05, "alpha": 1.0}
    assert found.seeds == (1, 2, 3)
    assert len(found.rows()) == 12


def test_every_variation_has_all_settings_written_down(read):
    found = read(GOOD)
    assert found.job == "estimate"  # as in the catalogue
    settings = found.variations[3].settings
    assert (settings["gamma"], settings["rho"], settings["alpha"]) == (3.0, 0.05, 0.7)
    assert settings["max_iterations"] == 50
    assert settings["method"] == "auto"
    assert settings["n_final"] is None


def test_runs_are_listed_one_of_each_variation_for_a_seed_then_for_the_next(read):
    rows = read(GOOD).rows()
    assert [row["seed"] for row in rows] == [1] * 4 + [2] * 4 + [3] * 4
    assert [row["variation"] for row in rows[:4]] == [v.name for v in read(GOOD).variations]


def test_an_experiment_of_the_catalogue_is_a_base(read):
    found = read(CLOSED)
    assert (found.problem, found.job, found.experiment) == ("maxcut", "maximize", "maxcut")
    assert found.seeds == (5, 2)
    assert found.variations[0].name == "rho=0.2"
    base = catalogue.find("maxcut").settings
    assert found.variations[0].settings == base | {"n": 20, "m": 10, "rho": 0.2}


def test_another_method_forgets_the_plan_of_the_catalogue_but_not_that_of_the_file(read):
    refined = read(CLOSED).variations[1]
    assert refined.name == "refined"
    assert (refined.settings["n_samples"], refined.settings["n"]) == (None, 20)
    kept = read(CLOSED.replace("n = 20", "n = 20\nn_samples = 40")).variations[1]
    assert kept.settings["n_samples"] == 40


def test_one_of_two_settings_that_rule_each_other_out_may_vary(read):
    text = 'problem = "bridge"\n[settings]\nn_final = 900\n[[variations]]\n[[variations]]\nrtol=0.1'
    first, second = read(text).variations
    assert (first.name, first.settings["n_final"], first.settings["rtol"]) == ("base", 900, None)
    assert (second.settings["n_final"], second.settings["rtol"]) == (None, 0.1)


def test_none_is_no_value_as_on_the_command_line(read):
    found = read('experiment = "maxcut"\n[grid]\nalpha = [0.3, "none"]')
    assert [v.settings["alpha"] for v in found.variations] == [0.3, None]
    assert found.variations[1].name == "alpha=none"


def test_without_grid_and_variations_there_is_one(read):
    found = read('problem = "bridge"\nseeds = 2')
    assert [v.name for v in found.variations] == ["base"]
    assert found.variations[0].settings == found.settings


def test_another_method_forgets_the_plan_of_the_experiments_own(read):
    text = 'experiment = "bridge"\n[grid]\nmethod = ["auto", "improved", "markov-chains"]'
    plans = [(v.settings["rho"], v.settings["n_samples"]) for v in read(text).variations]
    assert plans == [(0.1, 1000), (None, None), (None, None)]
    said = read('experiment = "bridge"\n[settings]\nmethod = "markov-chains"\nrho = 0.2')
    assert (said.settings["rho"], said.settings["n_samples"]) == (0.2, None)


def test_the_name_is_that_of_the_file_or_is_given(read):
    assert read(GOOD).name == "mine"
    assert read('name = "other"\n' + GOOD).name == "other"


def test_a_file_whose_name_cannot_be_that_of_a_study_is_told_what_to_do(tmp_path):
    path = tmp_path / "mine (1).toml"
    path.write_text(GOOD)
    with pytest.raises(ValueError, match=r"got 'mine \(1\)': rename the file, or say name = "):
        study.read(path)


def test_the_mark_with_which_some_editors_begin_a_file_is_no_mistake(read):
    assert read("\ufeff" + GOOD).variations == read(GOOD).variations


def test_the_plan_is_strict_json_and_says_everything(read):
    found = read(GOOD)
    plan = json.loads(json.dumps(found.plan(), allow_nan=False))
    assert plan["variations"][0] == {
        "name": "rho=0.1, alpha=1.0",
        "changes": {"rho": 0.1, "alpha": 1.0},
    }
    assert (plan["seeds"], plan["target"], plan["text"]) == ([1, 2, 3], 0.05, GOOD)
    assert plan["settings"]["gamma"] == 3.0


def test_paths_count_from_the_folder_of_the_file(read, tmp_path, monkeypatch):
    (tmp_path / "g.txt").write_text("4 4\n1 2 1\n2 3 1\n3 4 1\n4 1 1\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = read('problem = "maxcut"\n[settings]\ngraph = "g.txt"')
    assert found.settings["graph"] == str(tmp_path / "g.txt")


@pytest.mark.parametrize(
    ("old", "new", "line", "complaint"),
    [
        ("problem =", "porblem =", 2, "no key 'porblem'; did you mean 'problem'?"),
        ('"bridge"', '"brigde"', 2, "there is no problem 'brigde'; did you mean 'bridge'?"),
        ('"bridge"', '"bridge"\njob = "estimat"', 3, "no job 'estimat'; did you mean 'estimate'?"),
        ('problem = "bridge"', 'experiment = "brigde"', 2, "no experiment 'brigde'; did you mean"),
        ("seeds = 3", "seeds = 0", 3, "seeds must be 1 to 10,000, or a list; got 0"),
        ("seeds = 3", 'seeds = "3"', 3, "seeds must be a whole number or a list; got '3'"),
        ("seeds = 3", "seeds = true", 3, "seeds must be a whole number or a list; got True"),
        ("seeds = 3", "seeds = []", 3, "seeds is empty: expected at least one"),
        ("seeds = 3", "seeds = [\n1,\n2,\n1]", 6, "the seed 1 is given twice"),
        ("seeds = 3", "seeds = [1,\n-2]", 4, "a seed must be a whole number of at least 0; got -2"),
        ("seeds = 3", "seeds = [1, 2.0]", 3, "a seed must be a whole number of at least 0; got 2"),
        ("target = 0.05", "target = nan", 4, "target must be a finite number; got nan"),
        ("target = 0.05", "target = false", 4, "target must be a number or a whole number"),
        ("gamma = 3.0", "gama = 3.0", 7, "no setting 'gama'; did you mean 'gamma'?"),
        ("gamma = 3.0", "gamma = 3.0\nseeds = 3", 8, "seeds is no setting: expected it above"),
        ('"bridge"', '"noisy-sphere"', 2, 'expected experiment = "noisy-sphere"'),
        ("gamma = 3.0", 'gamma = "x"', 7, "gamma must be a number; got 'x'"),
        ("gamma = 3.0", 'method = "multilevl"', 7, "no method 'multilevl'; did you mean"),
        ("gamma = 3.0", 'note = """\nrho\n[grid]\n"""', 7, "no setting 'note'"),
        ("rho = [", "roh = [", 10, "no setting 'roh'; did you mean 'rho'?"),
        ("rho = [0.1, 0.05]", "rho = 0.1", 10, "rho in [grid] must be a list of at least one"),
        ("rho = [0.1, 0.05]", "rho = []", 10, "rho in [grid] must be a list of at least one"),
        ("rho = [0.1, 0.05]", "rho = [0.1,\n# two\n'b']", 12, "rho must be a number; got 'b'"),
        ("rho = [0.1, 0.05]", "rho = [0.1, 5.0]", 10, "must lie strictly between 0 and 1; got 5.0"),
        ("  0.7,", "  2.5,", 11, "must lie in (0, 1]; got 2.5"),
        ("max_iterations = 50", "max_iterations = 0", 17, "must be at least 1; got 0"),
        ("gamma = 3.0", "gamma = 3.0\nn_samples = -4", 8, "n_samples must be at least 1; got -4"),
        ("  0.7,", "  inf,", 13, "alpha must be a finite number"),
        ("  0.7,", "  1,", 9, "'rho=0.1, alpha=1.0' and 'rho=0.1, alpha=1' have the same"),
        ("rho = [0.1, 0.05]", "gamma = [3, 4]\nrho=[0.1, 0.1]", 9, "two variations are called"),
        ("max_iterations", "max_iteration", 17, "no budget 'max_iteration'; did you mean"),
        ("max_iterations = 50", "time_limit = true", 17, "time_limit must be a number; got True"),
        ("gamma = 3.0", "max_iterations = 3", 17, "max_iterations is in [settings] too"),
        ("[budget]", "[[variations]]", 16, "expected [grid] or [[variations]]; got both"),
        ("[settings]", 'name = "a/b"\n[settings]', 6, "the name of a study must be at most 100"),
        ("[settings]", "settings = 3\n[other]", 6, "settings must be a table; got 3"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_nearest_word(read, old, new, line, complaint):
    text = GOOD.replace(old, new)
    said = refused(read, text)
    assert said.startswith(f"mine.toml, line {line}: ")
    assert complaint in said


@pytest.mark.parametrize(
    ("old", "new", "line", "complaint"),
    [
        ("rho = 0.2", "roh = 0.2", 9, "no setting 'roh'; did you mean 'rho'?"),
        ('method = "ce+refine"', 'method = "ce+refin"', 13, "no method 'ce+refin'; did you mean"),
        ('name = "refined"', 'name = "  "', 12, "the name of a variation must be a word; got '  '"),
        ('name = "refined"', "name = 3", 12, "the name of a variation must be a word; got 3"),
        ('method = "ce+refine"', "n = -3", 13, "expected 1 <= m < n, both blocks with a node"),
        ('method = "ce+refine"', "rho = 0.2", 11, "'rho=0.2' and 'refined' have the same settings"),
        ('name = "refined"', "rho = 3.0", 12, "must lie strictly between 0 and 1; got 3.0"),
        ("m = 10", 'graph = "G9.txt"', 6, "No such file or directory: G9.txt"),
        ('"maxcut"', '"maxcut"\njob = "estimate"', 2, "the job of the experiment 'maxcut' is"),
        ("[[variations]]", "[[variation]]", 8, "no key 'variation'; did you mean 'variations'?"),
    ],
)
def test_so_it_is_in_a_list_of_variations(read, old, new, line, complaint):
    text = CLOSED.replace(old, new)
    said = refused(read, text)
    assert complaint in said
    assert said.startswith(f"mine.toml, line {line}: ")


def test_a_file_that_is_not_there_is_named_on_its_line_also_with_a_grid(read):
    text = 'problem = "maxcut"\n[settings]\ngraph = "G9.txt"\n[grid]\nrho = [0.1, 0.2]\n'
    assert refused(read, text) == "mine.toml, line 3: No such file or directory: G9.txt"


def test_lines_are_right_in_a_list_of_inline_tables(read):
    text = 'problem = "bridge"\nvariations = [\n  {rho = 0.1},\n  # a remark\n  {roh = 0.2},\n]\n'
    assert refused(read, text).startswith("mine.toml, line 5: no setting 'roh'")
    assert "line 2: a variation must be a table of settings; got 1" in refused(
        read, 'problem = "bridge"\nvariations = [1]'
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("seeds = 3", 'expected either problem or experiment, such as problem = "bridge"; got ne'),
        ('problem = "a"\nexperiment = "b"', "expected either problem or experiment"),
        ('problem = "bridge"\nrho 3', "Expected '=' after a key in a key/value pair (at line 2"),
        ('problem = "bridge"\nseeds = 1\nseeds = 2', "Cannot overwrite a value (at line 3"),
        ('problem = "bridge"\nseeds = ' + "[" * 5000, "nested too deeply"),
        ('problem = "bridge"\nseeds = ' + "9" * 5000, "Exceeds the limit"),
        ('problem = "ackley-2"', "there is no problem 'ackley-2'"),
        ('problem = "bridge"\nvariations = []', "line 2: variations is empty"),
        ('problem = "bridge"\n[grid]', "line 2: [grid] is empty: expected lists"),
    ],
)
def test_what_is_no_study_is_refused(read, text, complaint):
    assert complaint in refused(read, text)


def test_a_problem_of_which_the_catalogue_knows_no_single_job_needs_one(read, add_problem):
    add_problem("mine", "def problem(n=1):\n    return n\n")
    said = refused(read, 'problem = "bridge"')
    assert (
        "line 1: the catalogue does not tell what to do with 'bridge': expected a key job" in said
    )
    assert read('problem = "bridge"\njob = "estimate"').job == "estimate"


def test_thousands_of_runs_by_mistake_are_refused_before_they_are_written_out(read):
    keys = ("rho", "alpha", "n_samples", "n_final", "gamma")
    grid = "\n".join(f"{key} = {[*range(1, 101)]}" for key in keys)
    said = refused(read, f'problem = "bridge"\nseeds = 50\n[grid]\n{grid}')
    assert "it makes 500,000,000,000 runs (10,000,000,000 variations" in said
    assert "100 x 100 x 100 x 100 x 100, with 50 seeds each); expected at most 10,000" in said


def test_the_line_of_every_key_is_found(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('a = 1\n\n[b.c]\n"d e" = """\nf = 2\n"""\n[[g]]\n[[g]]\nh = {i = [\n1,\n2]}\n')
    file = TomlFile.read(path)
    where = {("a",): 1, ("b",): 3, ("b", "c"): 3, ("b", "c", "d e"): 4}
    where |= {("g", 0): 7, ("g", 1): 8, ("g", 1, "h", "i"): 9, ("g", 1, "h", "i", 1): 11}
    assert {keys: file.line(*keys) for keys in where} == where


@pytest.mark.parametrize("name", ["studies/bridge", "studies/maxcut", "howto/studies/rho"])
def test_the_studies_of_the_documentation_can_be_swept(name):
    found = study.read(Path(__file__).parents[2] / "docs" / f"{name}.toml")
    assert len(found.rows()) == len(found.variations) * len(found.seeds) > 0


def test_the_study_of_g1_asks_for_its_graph_by_name():
    with pytest.raises(ValueError, match=r"^g1\.toml, .*No such file or directory: G1\.txt$"):
        study.read(Path(__file__).parents[2] / "docs" / "studies" / "g1.toml")
