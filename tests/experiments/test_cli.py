"""What the ``cem`` command prints, to people and to programs."""

import csv
import io
import json
import math
import re
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console

import cem as library
from cem.state import Best, Record, State
from cem.tally import Tally
from experiments.watch import Watch

COMMON = {
    "name", "run", "settings", "seed", "success", "message", "warnings", "nfev", "nit", "seconds",
}  # fmt: skip
FIGURES = {
    "bridge": {"probability", "std_error", "relative_error", "confidence_interval"},
    "network-reliability": {"mean", "std_error", "relative_error", "confidence_interval"},
    "maxcut": {"fun", "x"},
}
PARABOLA = """
import cem

def problem():
    def f(x):
        return ((x - 3.0) ** 2).sum(axis=1) + 1.0
    f.nominal = lambda: cem.Normal([0.0, 0.0], [2.0, 2.0])
    return f
"""


def strict(text):
    """The one JSON value that a text is; NaN and Infinity are not JSON."""

    def refuse(word):
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("name", FIGURES)
def test_json_is_one_strict_object_with_all_the_keys_and_nothing_else(cem, quick, name):
    said = cem("run", name, *quick(name), "--json", "--seed", "5")
    result = strict(said.out)
    assert said.out.count("\n") == 1
    assert said.err == ""
    assert COMMON | FIGURES[name] <= result.keys()
    assert (result["name"], result["run"], result["seed"]) == (name, f"{name}-0001", 5)
    assert result["success"] is True


def test_an_estimate_in_json_is_the_library_s(cem, quick):
    result = strict(cem("run", "bridge", *quick("bridge"), "--json").out)
    from problems.rare_event import Bridge

    found = library.estimate(Bridge(), rho=0.1, n_samples=1000, n_final=5000, rng=1)
    assert result["probability"] == found.probability
    assert result["std_error"] == found.std_error
    assert result["relative_error"] == found.relative_error
    assert result["confidence_interval"] == [*found.confidence_interval()]
    assert (result["nfev"], result["nit"]) == (found.nfev, found.nit)
    assert result["known"] == Bridge().exact()


def test_an_optimum_in_json_is_the_library_s(cem, quick):
    result = strict(cem("run", "maxcut", *quick("maxcut"), "--json").out)
    from problems.maxcut import two_blocks

    found = library.maximize(two_blocks(30, 15), n_samples=200, alpha=0.3, rng=1)
    assert result["x"] == found.x.tolist()
    assert result["fun"] == found.fun
    assert result["settings"]["n"] == 30


def test_numbers_that_are_not_finite_are_null_in_json(cem):
    hopeless = ["--set", "gamma=500", "--set", "max_iterations=1", "--set", "n_final=10"]
    said = cem("run", "bridge", *hopeless, "--json")
    result = strict(said.out)
    assert said.code == 0  # it ran to its end
    assert (result["success"], result["probability"], result["std_error"]) == (False, 0.0, None)
    assert "500" in result["message"] or "limit" in result["message"]


def test_a_run_without_success_says_so_in_its_table(cem):
    hopeless = ["--set", "gamma=500", "--set", "max_iterations=1", "--set", "n_final=10"]
    out = cem("run", "bridge", *hopeless).out
    assert "success  NO" in out
    assert "not known: no sample reached the level" in out


def test_the_final_table_has_the_figures(cem, quick):
    said = cem("run", "bridge", *quick("bridge"))
    rows = dict(line.strip().split("  ", 1) for line in said.out.strip().splitlines())
    assert rows["run"].strip() == "bridge-0001"
    assert rows["success"].strip() == "yes"
    assert float(rows["probability"]) == pytest.approx(float(rows["exact"]), rel=0.5)
    assert said.err == ""  # nobody is looking


def test_the_iterations_of_an_estimate_are_a_table_whose_columns_align(cem, quick):
    cem("run", "bridge", *quick("bridge"))
    lines = cem("show", "last").out.splitlines()
    (at,) = [i for i, line in enumerate(lines) if "n_hit" in line]
    header, *rows = (line.rstrip() for line in lines[at:])
    assert header.split() == ["t", "nfev", "gamma", "n_hit", "ess", "max_weight", "variation", "kl"]
    ends = [word.end() for word in re.finditer(r"\S+", header)]
    for row in rows:
        assert [word.end() for word in re.finditer(r"\S+", row)] == ends
    exported = strict(cem("export", "last", "--format", "json").out)
    steered, sampled = (
        [r for r in exported["iterations"] if (r["loss"] is None) == final] for final in (0, 1)
    )
    assert len(rows) == exported["nit"] + 1 == len(steered) + 1
    assert [row.split()[3] for row in rows[:-1]] == [str(r["n_hit"]) for r in steered]
    whole = dict(zip(header.split(), rows[-1].split(), strict=True))
    assert whole["t"] == "final"
    assert int(whole["n_hit"].replace(",", "")) == sum(r["n_hit"] for r in sampled)
    assert int(whole["n_hit"].replace(",", "")) == sampled[-1]["n_elite"]


def test_a_mean_is_shown_with_its_error_and_what_is_known(cem, quick):
    run = strict(cem("run", "network-reliability", *quick("network-reliability"), "--json").out)
    assert COMMON | FIGURES["network-reliability"] <= run.keys()
    assert abs(run["mean"] - run["known"]) < 4 * run["std_error"]
    low, high = run["confidence_interval"]
    assert low < run["mean"] < high
    out = cem("show", "last").out
    rows = dict(line.strip().split("  ", 1) for line in out.splitlines()[:6])
    assert float(rows["mean"]) == pytest.approx(run["mean"], rel=1e-5)
    assert float(rows["exact"]) == pytest.approx(run["known"], rel=1e-5)
    assert f"{run['mean']:.4g} ± {run['relative_error']:.1%}" in cem("runs").out
    assert cem("plot", "last", "-o", "a.png").code == 0


def test_a_problem_too_large_for_its_exact_value_is_run_without(cem):
    large = ["--set", "graph=grid20x20", "--set", "terminals=0,399", "--set", "n_final=1000"]
    run = strict(cem("run", "network-reliability", *large, "--json").out)
    assert run["status"] == "done"
    assert run["known"] is None


def test_a_method_is_named_on_the_command_line(cem, quick):
    words = ["--set", "rho=none", "--set", "method=mixture"]
    run = strict(cem("run", "bridge", *quick("bridge"), *words, "--json").out)
    assert run["settings"]["method"] == "mixture"
    assert run["method"] == "a mixture of normal densities, for 5 standard normal variables"
    said = cem("run", "bridge", "--set", "method=mixtures")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("cem: error: no method 'mixtures'; did you mean 'mixture'?")


def test_quiet_prints_the_name_of_the_run_only(cem, quick):
    assert cem("run", "maxcut", *quick("maxcut"), "--quiet").out == "maxcut-0001\n"


def test_workers_do_not_change_the_bits(cem, quick):
    words = ["run", "bridge", *quick("bridge"), "--json"]
    one, two = (strict(cem(*words, "--workers", n).out) for n in (1, 2))
    assert two["probability"] == one["probability"]


def test_runs_lists_the_same_objects_and_unfinished_ones_with_nulls(cem, quick):
    first = strict(cem("run", "maxcut", *quick("maxcut"), "--json").out)
    cem("run", "bridge", "--set", "rho=2")  # fails
    listed = strict(cem("runs", "--json").out)
    assert listed[0] == first
    assert listed[1].keys() >= COMMON | FIGURES["bridge"] | {"status"}
    assert (listed[1]["status"], listed[1]["success"]) == ("failed", None)
    assert listed[1]["probability"] is None
    table = cem("runs").out.splitlines()
    assert [line.split()[:2] for line in table[1:]] == [
        ["maxcut-0001", "done"],
        ["bridge-0002", "failed"],
    ]


def test_runs_of_a_store_that_is_not_there_are_none(cem, folder):
    assert strict(cem("runs", "--json").out) == []
    said = cem("runs")
    assert (said.code, said.out, said.err) == (0, "", "no runs yet in sqlite:///cem-runs.db\n")
    assert list(folder.iterdir()) == []


def test_show_tells_settings_versions_and_iterations(cem, quick):
    first = cem("run", "bridge", *quick("bridge"), "--json")
    assert cem("show", "bridge", "--json") == first
    out = cem("show", "last").out
    assert "gamma=2.0, method=auto, n_samples=1000, rho=0.1" in out
    assert f"numpy {np.__version__}" in out
    assert "1,000" in out
    assert out.rstrip().splitlines()[-1].split()[1] == f"{strict(first.out)['nfev']:,}"


def test_export_as_csv_has_a_row_per_iteration(cem, quick, folder):
    run = strict(cem("run", "bridge", *quick("bridge"), "--json").out)
    rows = [*csv.DictReader(io.StringIO(cem("export", "last", "--format", "csv").out))]
    assert tuple(rows[0]) == Record._fields
    assert [int(row["t"]) for row in rows] == [*range(1, len(rows) + 1)]
    assert int(rows[-1]["nfev"]) == run["nfev"]
    assert rows[-1]["loss"] == "nan"
    assert math.exp(float(rows[-1]["log_mass"])) == run["probability"]
    assert cem("export", "last", "--format", "csv", "-o", "out.csv").out == ""
    assert len((folder / "out.csv").read_text().splitlines()) == len(rows) + 1


def test_export_as_json_is_the_run_with_its_iterations(cem, quick):
    run = strict(cem("run", "bridge", *quick("bridge"), "--json").out)
    exported = strict(cem("export", "last", "--format", "json").out)
    iterations = exported.pop("iterations")
    assert exported == run
    assert iterations[-1]["nfev"] == run["nfev"]
    assert iterations[-1]["loss"] is None


def test_a_minimum_is_shown_in_the_user_s_own_sign(cem, add_problem):
    add_problem("parabola", PARABOLA, job="minimize")
    run = strict(cem("run", "parabola", "--json").out)
    assert run["fun"] == pytest.approx(1.0)
    assert run["x"] == pytest.approx([3.0, 3.0], abs=1e-4)
    best = [
        row["best"] for row in strict(cem("export", "last", "--format", "json").out)["iterations"]
    ]
    assert best == sorted(best, reverse=True)
    assert best[-1] == run["fun"]


def test_plot_draws_a_picture(cem, quick, folder):
    cem("run", "bridge", *quick("bridge"))
    cem("run", "maxcut", *quick("maxcut"))
    for run in ("bridge", "maxcut"):
        assert cem("plot", run, "-o", f"{run}.png").code == 0
        assert (folder / f"{run}.png").read_bytes().startswith(b"\x89PNG")
    assert cem("plot", "last", "-o", "a.svg").code == 0
    assert "</svg>" in (folder / "a.svg").read_text()


def test_the_store_comes_from_the_option_then_the_variable_then_the_folder(
    cem, quick, folder, monkeypatch
):
    monkeypatch.setenv("CEM_STORE", f"sqlite:///{folder}/variable.db")
    cem("run", "maxcut", *quick("maxcut"))
    cem("run", "maxcut", *quick("maxcut"), "--store", "option.db")
    monkeypatch.delenv("CEM_STORE")
    cem("run", "maxcut", *quick("maxcut"))
    assert {path.name for path in folder.glob("*.db")} == {
        "variable.db",
        "option.db",
        "cem-runs.db",
    }


def test_progress_is_one_line_that_is_rewritten_and_says_level_best_and_evaluations():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    state = State(None, t=3, best=Best([1], 9.0))
    record = Record(*range(len(Record._fields)))._replace(t=3, nfev=3000, gamma=4.5, best=9.0)
    with Watch("mine-0001", "maximize", console=console, seconds=0) as watch:
        watch(state, record)
        watch(state, record._replace(t=4))
    shown = screen.getvalue()
    assert "iteration 3  level 4.5  best 9  3,000 evaluations  0.0 s  mine-0001" in shown
    assert "iteration 4" in shown
    assert Watch("a", "minimize", console=console).words(state, record)[1:3] == [
        "level -4.5",
        "best -9",
    ]


def test_progress_of_a_final_sample_is_the_estimate_and_its_error():
    tally = Tally().add(np.zeros(50), 100)
    state = State(None, memory={"tally": tally.as_array()})
    record = Record(*range(len(Record._fields)))
    words = Watch("a", "estimate", console=Console(file=io.StringIO())).words(state, record)
    assert words[:2] == ["final sample 100", f"estimate 0.5 ± {tally.relative_error:.2%}"]


def test_progress_is_throttled():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with Watch("mine", "maximize", console=console, seconds=3600) as watch:
        for t in range(100):
            watch(State(None), Record(*range(len(Record._fields)))._replace(t=t))
    assert "iteration 0 " in screen.getvalue()
    assert "iteration 1 " not in screen.getvalue()


def test_python_m_experiments_is_the_same_command():
    words = [sys.executable, "-m", "experiments", "--help"]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    for command in ("list", "run", "runs", "show", "plot", "resume", "export"):
        assert command in said.stdout


def test_the_command_is_imported_without_anything_heavy():
    heavy = ["numpy", "scipy", "matplotlib", "networkx", "sqlalchemy", "cem"]
    code = f"import sys, experiments.cli; print([m for m in {heavy} if m in sys.modules])"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout == "[]\n"


def test_a_hybrid_plans_for_itself_whatever_the_file_has_for_the_plain_method(cem):
    options = ("--set", "n=12", "--set", "m=6", "--set", "time_limit=0.2", "--json")
    plain = json.loads(cem("run", "maxcut", *options).out)
    hybrid = json.loads(cem("run", "maxcut", *options, "--set", "method=ce+refine").out)
    small = ("--set", "method=multistart", "--set", "n_samples=5", "--set", "refine=one-flip")
    control = json.loads(cem("run", "maxcut", *options, *small).out)
    assert (plain["settings"]["n_samples"], plain["settings"]["alpha"]) == (2000, 0.3)
    assert hybrid["settings"]["n_samples"] is hybrid["settings"]["alpha"] is None
    assert hybrid["nfev"] / hybrid["nit"] == 20
    assert control["nfev"] / control["nit"] == 5
    assert plain["fun"] == hybrid["fun"] == control["fun"] == 36


def test_an_unknown_method_or_local_search_is_answered_by_those_there_are(cem):
    said = cem("run", "maxcut", "--set", "method=tabu")
    assert said.code == 1
    assert "no method 'tabu'" in said.err
    said = cem("run", "maxcut", "--set", "method=ils", "--set", "refine=tabou")
    assert said.code == 1
    assert "refine must be a function or one of annealing" in said.err
