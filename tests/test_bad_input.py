"""Every mistake is answered by one line that says what, what was expected, and what came."""

import networkx as nx
import numpy as np
import pytest

import cem
from cem import Bernoulli, Categorical, Exponential, MultivariateNormal, Normal
from problems import load
from problems.maxcut import MaxCut, two_blocks
from problems.rare_event.bridge import Bridge

COINS = Bernoulli([0.5] * 8)
WIDE = Normal([0.0] * 12, [1.0] * 12)


def ones(x):
    return x.sum(axis=1)


def raising(_):
    raise ZeroDivisionError("division by zero")


def find(problem=ones, family=COINS, **settings):
    return cem.maximize(problem, family, **{"rng": 1, "n_samples": 100, **settings})


def measure(problem=ones, nominal=COINS, gamma=7.0, **settings):
    return cem.estimate(problem, nominal, gamma, **{"rng": 1, "n_samples": 100, **settings})


TABLE = [  # name, call, kind of error, what the message must say
    # the objective
    ("a scalar", lambda: find(lambda _: 1.0), ValueError,
     r"one score per sample: expected shape \(100,\), got \(\); .*cem\.each"),
    ("None", lambda: find(lambda _: None), ValueError, r"expected shape \(100,\), got \(\)"),
    ("too few scores", lambda: find(lambda _: np.ones(3)), ValueError, r"\(100,\), got \(3,\)"),
    ("scores per coordinate", lambda: find(lambda x: x), ValueError, r"got \(100, 8\); reduce"),
    ("ragged scores", lambda: find(lambda _: [[1], [1, 2]]), ValueError,
     r"one score per sample: expected shape \(100,\)"),
    ("complex scores", lambda: find(lambda x: ones(x) * 1j), TypeError,
     r"real numbers: .* got dtype complex128; take the real part"),
    ("text", lambda: find(lambda x: ["high"] * len(x)), TypeError, r"real numbers: .* got dtype <"),
    ("objects", lambda: find(lambda x: [None] * len(x)), TypeError, r"real numbers: .*dtype objec"),
    ("NaN in every sample", lambda: find(lambda x: np.full(len(x), np.nan)), ValueError,
     r"at least one finite score; got 100 NaN and 0 infinite scores of 100 in iteration 1"),
    ("an error", lambda: find(raising), ValueError,
     r"raised ZeroDivisionError: division by zero on sample 0 of iteration 1 \(rng=1\); sample: "),
    ("an error far out", lambda: find(raising, WIDE), ValueError, r"sample 0 of iteration 1"),
    ("an error at many numbers", lambda: find(raising, Bernoulli([0.5] * 3000)), ValueError,
     r"sample 0 of iteration 1 \(rng=1\); sample: .{,200}$"),
    ("a minimum of nothing", lambda: cem.minimize(lambda _: None, COINS, rng=1), ValueError,
     r"expected shape \(6,\), got \(\)"),
    ("complex costs", lambda: cem.minimize(lambda x: ones(x) * 1j, COINS), TypeError, "real numbe"),
    ("no function", lambda: find(3), TypeError, r"problem must be .*got 3 of type int"),
    ("scores of an estimate", lambda: measure(lambda _: 1.0), ValueError, r"\(100,\), got \(\)"),
    # settings of the method
    ("rho 0", lambda: find(rho=0.0), ValueError, r"^rho, .* between 0 and 1; got 0\.0"),
    ("rho 1", lambda: find(rho=1.0), ValueError, r"^rho, .* between 0 and 1; got 1\.0"),
    ("rho NaN", lambda: find(rho=np.nan), ValueError, r"^rho, .* between 0 and 1; got nan"),
    ("rho of text", lambda: find(rho="few"), TypeError, r"^rho, .*got 'few' of type str"),
    ("rho twice", lambda: find(rho=0.1, select=cem.Elite(0.2)), TypeError, "not both: rho makes a"),
    ("a share as select", lambda: find(select=0.1), TypeError, r"select .* such as Elite\(rho"),
    ("a weight as smooth", lambda: find(smooth=0.7), TypeError, "smooth must be a function, such"),
    ("a preset", lambda: find(preset="best"), ValueError, "one of default, .*; got 'best'"),
    ("restarts", lambda: find(restarts=-1), ValueError, "^restarts must be at least 0; got -1"),
    ("no elite", lambda: find(n_samples=9, rho=0.1), ValueError,
     r"rho \* n_samples must be at least 1.* 0"),
    ("alpha 0", lambda: find(alpha=0.0), ValueError, r"^alpha, .* lie in \(0, 1\]; got 0\.0"),
    ("alpha 2", lambda: measure(alpha=2), ValueError, r"^alpha, .* lie in \(0, 1\]; got 2"),
    ("alpha of text", lambda: find(alpha="much"), TypeError, r"^alpha, .*got 'much' of type str"),
    ("no samples", lambda: find(n_samples=0), ValueError, r"^n_samples must be at least 1; got 0"),
    ("half a sample", lambda: find(n_samples=99.5), TypeError, r"^n_samples must be an int; got 9"),
    ("samples of text", lambda: measure(n_samples="1"), TypeError, r"^n_samples must be an int; g"),
    ("chunks of none", lambda: find(chunk_size=0), ValueError, r"^chunk_size must be at least 1"),
    ("a seed of text", lambda: find(rng="one"), TypeError, r"^rng must be an int"),
    ("a negative seed", lambda: find(rng=-1), ValueError, r"^rng: a seed is a non-negative int"),
    ("no workers", lambda: find(workers=0), ValueError, r"^workers must be -1"),
    ("a callback of numbers", lambda: find(callback=[3]), TypeError, r"^callback must be a functi"),
    ("a number as callback", lambda: find(callback=3), TypeError, r"^callback must be a function"),
    ("a number as rule", lambda: find(until=[3]), TypeError, r"^until must .*got"),
    ("no iterations", lambda: find(max_iterations=0), ValueError, r"^max_iterations must be at le"),
    ("no level", lambda: measure(max_iterations=0), ValueError, r"^max_iterations must be at leas"),
    ("iterations of text", lambda: find(max_iterations="9"), TypeError, r"^max_iterations must be"),
    ("no time", lambda: find(time_limit=0), ValueError, r"^time_limit must be positive and finite"),
    ("a small budget", lambda: find(max_evaluations=99), ValueError,
     r"^max_evaluations must allow one iteration of 100 samples; got 99: lower n_samples"),
    ("no room for a final sample", lambda: measure(n_final=1000, max_evaluations=999), ValueError,
     r"one iteration of 100 samples and a final sample of 1000; got 999"),
    ("no room by levels", lambda: measure(method="multilevel", max_evaluations=999), ValueError,
     r"one iteration of 100 samples and a final sample of 1000; got 999"),
    ("no room for a block", lambda: measure(max_evaluations=199), ValueError,
     r"one iteration of 100 samples and a final sample of 100; got 199"),
    ("a target of text", lambda: find(target="high"), TypeError, r"^target must be a number"),
    ("a target of NaN", lambda: find(target=np.nan), ValueError, r"^target must .*got nan"),
    # where to start
    ("no family", lambda: cem.maximize(ones), TypeError, r"^a family is needed to sample from"),
    ("a class", lambda: find(family=Bernoulli), TypeError, r"^expected a family .*got"),
    ("an array", lambda: find(family=np.ones(3)), TypeError, r"^expected a family with sample"),
    ("a class for a cost", lambda: cem.minimize(ones, Normal), TypeError, r"^expected a family .*"),
    ("bounds and family", lambda: find(bounds=[(0, 1)]), TypeError, r"^pass bounds or a family, n"),
    ("bounds of text", lambda: find(family=None, bounds="box"), TypeError, r"^bounds must be pair"),
    ("flat bounds", lambda: find(family=None, bounds=[0, 1]), ValueError, r"one pair \(low, high"),
    ("no bounds", lambda: find(family=None, bounds=[]), ValueError, r"one pair \(low, high\) per"),
    ("crossed bounds", lambda: find(family=None, bounds=[(0, 1), (2, 1)]), ValueError,
     r"^bounds must be finite with low < high; got \(2\.0, 1\.0\) for coordinate 1"),
    ("open bounds", lambda: find(family=None, bounds=[(0, np.inf)]), ValueError, r"pass a family"),
    ("endless bounds", lambda: find(family=None, bounds=[(-1e308, 1e308)]), ValueError, r"^bounds"),
    # estimates
    ("no gamma", lambda: measure(gamma=None), TypeError, r"^a level gamma is needed"),
    ("gamma of text", lambda: measure(gamma="2"), TypeError, r"^gamma must be a number; got '2' o"),
    ("gamma NaN", lambda: measure(gamma=np.nan), ValueError, r"^gamma must be finite; got nan"),
    ("gamma infinite", lambda: measure(gamma=np.inf), ValueError, r"^gamma must be finite; got in"),
    ("two ends", lambda: measure(n_final=9, rtol=0.1), TypeError, r"^pass n_final or rtol, not bo"),
    ("no final sample", lambda: measure(n_final=0), ValueError, r"^n_final must be at least 1; go"),
    ("a half final sample", lambda: measure(n_final=0.5), TypeError, r"^n_final must be an int"),
    ("a negative error", lambda: measure(rtol=-0.1), ValueError, r"^rtol must be positive and fin"),
    ("an error of text", lambda: measure(rtol="1%"), TypeError, r"^rtol must be a number; got '1%"),
    ("an unknown method", lambda: measure(method="best"), ValueError,
     r"^method must be one of auto, multilevel, .*; got 'best'$"),
    ("a normal method for coins", lambda: measure(method="mixture"), ValueError,
     r"^this method needs a nominal density of continuous variables with a method at_normal"),
    ("a useless rho", lambda: measure(method="pooled", rho=0.1), ValueError,
     r'^this method has no use for rho: leave it out, or choose method="multilevel"'),
    ("scores of a normal estimate", lambda: measure(lambda _: 1.0, WIDE), ValueError,
     r"\(100,\), got \(\)"),
    ("an error in a normal estimate", lambda: measure(raising, WIDE), ValueError,
     r"raised ZeroDivisionError: division by zero on sample 0 of iteration 1 \(rng=1\); sample: "),
    ("no function to estimate", lambda: measure(3), TypeError,
     r"problem must be .*got 3 of type int"),
    ("no function in normal variables", lambda: measure(3, Exponential([1.0])), TypeError,
     r"problem must be .*got 3 of type int"),
    ("no function to average", lambda: cem.expectation(3, COINS), TypeError,
     r"problem must be .*got 3 of type int"),
    ("a negative H", lambda: cem.expectation(lambda x: -ones(x), Exponential([1.0]), rng=1),
     ValueError, r"needs H of zero or above; got -\d"),
    ("a sure interval", lambda: measure().confidence_interval(1.0), ValueError, r"^level must lie"),
    # families
    ("a negative mean", lambda: Exponential([1.0, -2.0]), ValueError,
     r"^Exponential\.mean must be positive and finite; got -2 at index 1"),
    ("a mean of zero", lambda: Exponential([0.0]), ValueError, r"^Exponential\.mean must be posit"),
    ("a probability of 1.2", lambda: Bernoulli([1.2]), ValueError, r"^Bernoulli\.p must lie in \["),
    ("a grid of text", lambda: Bernoulli(np.full((30, 30), "x")), TypeError, r"^Bernoulli\.p must"),
    ("rows of 1.1", lambda: Categorical([[0.5, 0.6]]), ValueError, r"^Categorical\.p must hold ro"),
    ("rows of text", lambda: Categorical(np.full((30, 30), "x")), TypeError, r"^Categorical\.p mu"),
    ("a deviation of -1", lambda: Normal([0.0], [-1.0]), ValueError, r"^Normal\.std must be finit"),
    ("half a covariance", lambda: MultivariateNormal([0.0] * 2, [[1.0, 1.0], [0.0, 1.0]]),
     ValueError, r"^MultivariateNormal\.cov must be symmetric"),
    # problems
    ("an unknown problem", lambda: load("brigde"), ValueError, r"'brigde'; did you mean 'bridge'"),
    ("an unknown setting", lambda: load("bridge", gama=2), ValueError, r"'gama'; did you mean 'ga"),
    ("a graph without edges", lambda: MaxCut.of(nx.empty_graph(3)), ValueError, r"at least one, g"),
    ("no graph", lambda: MaxCut([], [], 0), ValueError, r"at least one, got a graph with none"),
    ("a loop", lambda: MaxCut([[1, 1]], [1.0], 3), ValueError, r"self-loop .* at node 1"),
    ("a labelled loop", lambda: MaxCut.of(nx.Graph([("a", "b"), ("b", "b")])), ValueError,
     r"self-loop .* at node 'b'"),
    ("a loop out of range", lambda: MaxCut([[7, 7]], [1.0], 3, tuple("abc")), ValueError, r"7"),
    ("a node out of range", lambda: MaxCut([[0, 3]], [1.0], 3), ValueError, r"in 0\.\.2; got 3"),
    ("a node below zero", lambda: MaxCut([[-1, 1]], [1.0], 3), ValueError, r"in 0\.\.2; got -1"),
    ("half a node", lambda: MaxCut([[0.5, 1.5]], [1.0], 3), TypeError, r"node numbers must be who"),
    ("edges of three ends", lambda: MaxCut([[0, 1, 2], [1, 2, 0]], [1.0] * 3, 3), ValueError,
     r"shape \(m, 2\).*got .*\(2, 3\)"),
    ("too few labels", lambda: MaxCut([[0, 1]], [1.0], 3, ("a",)), ValueError, r"label"),
    ("a weight of NaN", lambda: MaxCut([[0, 1]], [np.nan], 2), ValueError, r"nan on edge \(0, 1\)"),
    ("too few weights", lambda: MaxCut([[0, 1], [1, 2]], [1.0], 3), ValueError, r"\(2,\); got sha"),
    ("a weight of text", lambda: MaxCut.of(nx.Graph([("a", "b", {"weight": "1"})])), TypeError,
     r"real numbers; got '1' on edge \('a', 'b'\)"),
    ("a directed graph", lambda: MaxCut.of(nx.DiGraph([(0, 1)])), ValueError, r"undirected graph"),
    ("one block", lambda: two_blocks(4, 4), ValueError, r"1 <= m < n.*got n=4, m=4"),
    ("crossed weights", lambda: two_blocks(4, 2, low=2, high=1), ValueError, r"low=2, high=1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "error", "message"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_a_mistake_is_answered_by_one_line_that_names_it(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_ratio_of_zero_to_zero_is_named_in_one_line_however_long_the_sample():
    u, v = Exponential([1.0] * 500), Exponential([2.0] * 500)
    with pytest.raises(ValueError, match="likelihood ratio of sample 0 is not a number") as caught:
        cem.likelihood_ratio(u, v, -np.ones((2, 500)))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_problem_without_a_family_is_named_in_one_line():
    class Long:
        def __repr__(self):
            return "Long(\n" + "0.123, " * 10_000 + ")"

        def __call__(self, x):
            return ones(x)

    with pytest.raises(TypeError, match="a family is needed") as caught:
        cem.maximize(Long())
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_sample_of_the_wrong_width_is_an_error_of_the_problem():
    with pytest.raises(ValueError, match=r"^the problem raised ValueError: .* on sample 0 of iter"):
        cem.maximize(Bridge(), Normal([0.0] * 4, [1.0] * 4), rng=1)
