"""The picture of the house: arrows point down, heavy things stay outside, files stay small."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("cem", "problems", "experiments")
LAYERS = (  # of cem, from the ground up: a module imports from lower layers only
    {"typing", "randomness", "processes", "clusters", "arguments"},
    {"scores"},
    {"loss"},
    {"families"},
    {"state", "weights", "selection", "smoothing", "sizes", "tally", "feasibility"}
    | {"proposals", "sensitivity"},
    {"widths", "screening", "archive", "evolution", "treatments", "wrapping"},
    {"indicators", "engine", "stopping", "parallel", "diagnostics", "results"}
    | {"chains", "standard"},
    {"run", "checkpoint", "intermediate", "cooperation", "noise", "arrival", "pooling", "curve"}
    | {"sampling"},
    {"callbacks", "restarts", "race", "borders", "probing", "weighted"},
    {"paired", "logs"},
    {"session", "answer", "presets", "constraints", "measurement", "reliability", "methods"}
    | {"pointwise"},
    {"measured", "refining"},
    {"study"},
    {"optimize", "estimate"},
    {"plot", "testing", "integrations", "replications"},
    {""},  # cem itself, the public names
)
LAYER = {name: height for height, names in enumerate(LAYERS) for name in names}
MOST_LINES = 350
HEAVY = {"matplotlib", "networkx", "numba", "sqlalchemy", "typer", "rich", "pytest"}
UNSAFE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}


def files(*packages):
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path, *, everywhere):
    """The modules that a file imports, absolute; without those that only type checkers see."""
    package = name_of(path) if path.name == "__init__.py" else name_of(path).rpartition(".")[0]
    found = set()

    def visit(node):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(
                [*(above if node.level else []), *([node.module] if node.module else [])]
            )
            for alias in node.names:
                inner = ROOT / base.replace(".", "/") / alias.name
                is_module = inner.is_dir() or inner.with_suffix(".py").exists()
                found.add(f"{base}.{alias.name}" if is_module else base)
        elif everywhere or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for child in ast.iter_child_nodes(node):
                visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def within(modules, package):
    return {m for m in modules if m == package or m.startswith(f"{package}.")}


def part(module):
    """``engine`` for ``cem.engine``, ``families`` for ``cem.families.normal``."""
    return ".".join(module.split(".")[1:2])


ALL = pytest.mark.parametrize("path", files(*PACKAGES), ids=name_of)
LIBRARY = pytest.mark.parametrize("path", files("cem"), ids=name_of)


@LIBRARY
def test_every_module_has_its_place_in_the_picture_and_imports_from_below(path):
    here = part(name_of(path))
    assert here in LAYER, "give the new module its layer"
    for module in within(imports(path, everywhere=True), "cem"):
        there = part(module)
        assert there == here or LAYER[there] < LAYER[here], f"{name_of(path)} imports {module}"


@pytest.mark.parametrize("name", ["engine", "run", "state", "selection", "smoothing", "weights"])
def test_the_method_knows_no_family(name):
    found = imports(ROOT / "cem" / f"{name}.py", everywhere=True)
    assert within(found, "cem.families") == set()


def test_the_method_knows_no_driver_and_no_file():
    for name in ("engine", "run", "state", "pooling", "chains"):
        found = imports(ROOT / "cem" / f"{name}.py", everywhere=True)
        for above in ("optimize", "estimate", "session", "checkpoint", "callbacks", "testing"):
            assert f"cem.{above}" not in found


@LIBRARY
def test_the_library_knows_no_problem_and_no_experiment(path):
    found = imports(path, everywhere=True)
    assert within(found, "problems") | within(found, "experiments") == set()


@pytest.mark.parametrize("path", files("problems"), ids=name_of)
def test_problems_know_families_and_words_only(path):
    found = imports(path, everywhere=True)
    assert within(found, "experiments") == set()
    allowed = {"cem.families", "cem.loss", "cem.typing", "cem.testing"}
    allowed |= {"cem.answer", "cem.paired", "cem.randomness"}  # of noisy problems
    assert {".".join(m.split(".")[:2]) for m in within(found, "cem")} <= allowed


@ALL
def test_nothing_outside_the_tests_imports_the_tests(path):
    assert within(imports(path, everywhere=True), "tests") == set()


@ALL
def test_a_file_can_be_read_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < MOST_LINES


@ALL
def test_a_file_says_in_its_first_line_what_it_is_for(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring
    assert docstring.splitlines()[0].endswith((".", "?"))


@ALL
def test_nothing_is_unpickled_evaluated_or_executed(path):
    found = imports(path, everywhere=True)
    assert {module.split(".")[0] for module in found} & UNSAFE == set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in {"eval", "exec", "compile", "__import__"}
            allowed = {k.arg: ast.unparse(k.value) for k in node.keywords}.get("allow_pickle")
            assert allowed in {None, "False"}


@ALL
def test_numpys_global_generator_is_never_used(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"np.random", "random"}:
            assert node.attr in {"default_rng", "SeedSequence", "Generator", "PCG64"}


def test_pytest_is_imported_by_the_contracts_only():
    users = {
        name_of(path)
        for path in files(*PACKAGES)
        if within(imports(path, everywhere=True), "pytest")
    }
    assert users == {"cem.testing.families", "cem.testing.problems"}


def test_matplotlib_is_imported_by_the_plots_only_and_inside_functions():
    for path in files("cem"):
        assert within(imports(path, everywhere=False), "matplotlib") == set()
        if part(name_of(path)) != "plot":
            assert within(imports(path, everywhere=True), "matplotlib") == set()


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("cem", HEAVY | {"scipy", "asyncio", "concurrent"}),
        ("problems", HEAVY),
        ("problems.maxcut", HEAVY),
        ("problems.tsp", HEAVY),
        ("problems.rare_event", HEAVY | {"scipy"}),
    ],
)
def test_importing_is_light(module, heavy):
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT, text=True
    )
    loaded = set(json.loads(done.stdout))
    assert loaded & heavy == set()
    assert module in loaded


def test_public_names_are_sorted_and_all_there():
    import cem

    assert cem.__all__ == sorted(cem.__all__, key=lambda s: (not s.isupper(), s[0].islower(), s))
    assert all(hasattr(cem, name) for name in cem.__all__)


def test_every_family_has_its_test_that_inherits_the_contract():
    from cem import families

    for name in families.__all__:
        module = getattr(families, name).__module__.rpartition(".")[2]
        test = ROOT / "tests" / "families" / f"test_{module}.py"
        assert test.exists(), f"{name} needs {test.name}"
        assert "(FamilyContract)" in test.read_text(encoding="utf-8")


def test_every_problem_has_its_test_that_inherits_the_contract():
    import problems

    tests = {p.stem: p.read_text(encoding="utf-8") for p in files("tests/problems")}
    for name in problems.names():
        assert "(ProblemContract)" in tests[f"test_{name.replace('-', '_')}"], name


def test_every_module_of_the_library_has_its_test():
    have = {path.stem.removeprefix("test_") for path in files("tests")}
    modules = {part(name_of(path)) for path in files("cem")}
    tested_elsewhere = {"", "typing", "families", "loss"}  # by the doctests, and in folders
    tested_elsewhere |= {
        "scores",
        "session",
        "results",
        "testing",
        "study",
        "wrapping",
    }  # by those who use them
    assert modules - have - tested_elsewhere == set()
