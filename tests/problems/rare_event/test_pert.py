"""Projects: the longest path against networkx, the Markov chain against closed forms and expm."""

import math

import networkx as nx
import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm

import cem
from cem import Exponential, Gamma
from cem.testing import ProblemContract
from problems import load
from problems.rare_event import pert
from problems.rare_event.pert import Pert, problem

BRIDGE = [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3]]


class TestPert(ProblemContract):
    problem = problem()


class TestErlangPert(ProblemContract):
    problem = Pert(BRIDGE, [1.0, 2.0, 0.5, 1.0, 1.5], 20.0, [1, 2, 3, 1, 2])


def random_project(seed, n_nodes=7, share=0.5):
    """A directed graph without cycles, whose nodes are named and given in no order."""
    rng = np.random.default_rng(seed)
    name = rng.permutation(n_nodes)
    graph = nx.DiGraph()
    graph.add_nodes_from(rng.permutation(n_nodes).tolist())
    for j in range(1, n_nodes):
        for i in range(j):
            if rng.random() < share:
                graph.add_edge(int(name[i]), int(name[j]), mean=rng.uniform(0.5, 2.0))
    return graph


@pytest.mark.parametrize("seed", range(5))
def test_the_score_is_the_length_of_the_longest_path(seed):
    graph = random_project(seed)
    project = Pert.of(graph, 10.0)
    x = project.nominal().sample(np.random.default_rng(seed), 50)
    expected = []
    for durations in x:
        for (_, _, about), duration in zip(graph.edges(data=True), durations, strict=True):
            about["weight"] = duration
        expected.append(nx.dag_longest_path_length(graph))
    np.testing.assert_allclose(project(x), expected, rtol=1e-13)


def test_activities_between_the_same_nodes_are_all_waited_for():
    graph = nx.MultiDiGraph()
    for mean in (1.0, 2.0, 3.0):
        graph.add_edge("a", "b", mean=mean)
    project = Pert.of(graph, 9.0)
    assert project(np.array([[1.0, 5.0, 2.0]])).tolist() == [5.0]
    none_late = -np.expm1(-9.0 / np.array([1.0, 2.0, 3.0]))
    assert project.exact() == pytest.approx(1 - none_late.prod(), rel=1e-13)


@pytest.mark.parametrize("gamma", [1.0, 20.0, 60.0])
def test_one_activity_after_another_takes_an_erlang_time(gamma):
    in_line = Pert([[i, i + 1] for i in range(6)], np.full(6, 0.5), gamma)
    assert in_line.exact() == pytest.approx(stats.gamma.sf(gamma, 6, scale=0.5), rel=1e-12)


def test_stages_are_activities_in_line():
    staged = Pert(BRIDGE, [1.0, 2.0, 0.5, 1.0, 1.5], 12.0, [1, 2, 1, 3, 1])
    split = [[0, 1], [0, 4], [4, 2], [1, 2], [1, 5], [5, 6], [6, 3], [2, 3]]
    plain = Pert(split, [1.0, 1.0, 1.0, 0.5, *[1 / 3] * 3, 1.5], 12.0)
    assert staged.exact() == pytest.approx(plain.exact(), rel=1e-13)
    assert staged.nominal().shape.tolist() == [1, 2, 1, 3, 1]
    np.testing.assert_allclose(staged.nominal().shape / staged.nominal().rate, staged.mean)
    assert isinstance(staged.nominal(), Gamma)
    assert isinstance(plain.nominal(), Exponential)


def test_unequal_stages_in_line_take_a_hypoexponential_time():
    r, g = np.array([0.5, 1.0, 2.0]), 30.0  # sum_i exp(-r_i g) prod_(j != i) r_j / (r_j - r_i)
    factor = [np.prod([b / (b - a) for b in r if b != a]) for a in r]
    project = Pert([[0, 1], [1, 2], [2, 3]], 1 / r, g)
    assert project.exact() == pytest.approx(factor @ np.exp(-r * g), rel=1e-12)


@pytest.mark.parametrize("gamma", [0.1, 5.0, 15.0, 25.0])
def test_the_tail_of_the_bridge_is_that_of_the_matrix_exponential(gamma):
    rate = dict(zip("abcde", 1 / np.array([1.0, 2.0, 0.5, 1.0, 1.5]), strict=True))
    after = {  # what is under way: a, b, then c and d after a, and e after b and c
        "ab": ["bcd", "a"],
        "a": ["cd"],
        "bcd": ["cd", "bd", "bc"],
        "cd": ["de", "c"],
        "bd": ["de", "b"],
        "bc": ["c", "b"],
        "de": ["e", "d"],
        "b": ["e"],
        "c": ["e"],
        "d": [],
        "e": [],
    }
    states = list(after)
    generator = np.zeros((len(states), len(states)))
    for i, state in enumerate(states):
        generator[i, i] = -sum(rate[k] for k in state)
        for done, new in zip(state, after[state], strict=False):
            generator[i, states.index(new)] += rate[done]
    expected = expm(generator * gamma)[0].sum()
    project = Pert(BRIDGE, [1.0, 2.0, 0.5, 1.0, 1.5], gamma)
    assert project.exact() == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("seed", range(3))
def test_crude_monte_carlo_agrees_with_the_chain(seed):
    project, n = Pert.of(random_project(seed), 9.0), 100_000
    hits = (project(project.nominal().sample(np.random.default_rng(0), n)) >= 9.0).mean()
    p = project.exact()
    assert abs(hits - p) < 5 * math.sqrt(p * (1 - p) / n)


def test_the_order_in_which_activities_are_named_changes_nothing():
    project = problem(gamma=22.0)
    back = Pert(project.ends[::-1] * 10 + 3, project.mean[::-1], 22.0)
    x = project.nominal().sample(np.random.default_rng(0), 100)
    np.testing.assert_allclose(back(x[:, ::-1]), project(x), rtol=1e-14)
    assert back.exact() == pytest.approx(project.exact(), rel=1e-13)


def test_no_time_is_certain_and_a_project_of_many_states_has_no_exact_value(monkeypatch):
    assert problem(gamma=0.0).exact() == 1.0
    at_once = Pert([[0, 1]] * 10, np.ones(10), 20.0)  # 2^10 - 1 states
    assert at_once.exact() == pytest.approx(-np.expm1(10 * np.log1p(-np.exp(-20))), rel=1e-12)
    monkeypatch.setattr(pert, "MOST_STATES", 1022)
    assert at_once.exact() is None


def test_every_path_of_the_default_project_has_mean_4():
    project = problem()
    graph = nx.DiGraph()
    graph.add_weighted_edges_from(
        [(i, j, m) for (i, j), m in zip(project.ends.tolist(), project.mean, strict=True)]
    )
    paths = list(nx.all_simple_paths(graph, 0, 5))
    assert [nx.path_weight(graph, path, "weight") for path in paths] == [4.0] * 8


@pytest.mark.parametrize(
    "project",
    [problem(gamma=25.0), Pert([[0, 1], [1, 2], [0, 2]], [1.0, 1.0, 0.5], 20.0, [2, 1, 2])],
    ids=["exponential", "erlang"],
)
def test_the_estimate_is_right(project):
    found = cem.estimate(project, n_samples=5000, n_final=50_000, rng=1)
    assert found.success
    assert found.relative_error < 0.06
    assert abs(found.probability - project.exact()) < 4 * found.std_error


def test_it_is_found_by_name():
    assert load("pert", gamma=12.0).gamma == 12.0


LINE = nx.DiGraph([(0, 1, {"mean": 1.0}), (1, 2, {"mean": 1.0})])


@pytest.mark.parametrize(
    ("make", "error", "complaint"),
    [
        (lambda: Pert.of(nx.Graph(LINE), 1.0), TypeError, "directed networkx graph.*got Graph"),
        (lambda: Pert.of([(0, 1)], 1.0), TypeError, "directed networkx graph.*got list"),
        (lambda: Pert.of(nx.DiGraph([("a", "b")]), 1.0), ValueError, "'a' to 'b' has no attribute"),
        (lambda: Pert.of(nx.empty_graph(3, nx.DiGraph), 1.0), ValueError, "the graph has no edges"),
        (lambda: Pert([[0, 1], [1, 2], [2, 1]], [1.0] * 3, 1.0), ValueError, "no cycle.*d 1, 2"),
        (lambda: Pert([[0, 0]], [1.0], 1.0), ValueError, "no cycle"),
        (lambda: Pert([0, 1], [1.0], 1.0), ValueError, r"of shape \(n, 2\).*got shape \(2,\)"),
        (lambda: Pert([[0, 1]], [1.0, 2.0], 1.0), ValueError, "each of 1 activities"),
        (lambda: Pert([[0, 1]], [0.0], 1.0), ValueError, "every mean must be pos.*got 0 for act"),
        (lambda: Pert([[0, 1]], [1.0], 1.0, [1.5]), ValueError, "whole; got 1.5 for activity 0"),
        (lambda: Pert([[0, 1]], [1.0], math.inf), ValueError, "gamma must be finite; got inf"),
    ],
)
def test_what_is_wrong_with_a_project_is_said(make, error, complaint):
    with pytest.raises(error, match=complaint):
        make()
