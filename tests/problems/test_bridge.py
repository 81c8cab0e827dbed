"""The bridge network: its scores against networkx, its probability against the phase-type chain."""

import networkx as nx
import numpy as np
import pytest
from scipy.linalg import expm

from cem import Exponential
from cem.testing import ProblemContract
from problems.rare_event.bridge import MEAN_LENGTH, Bridge


class TestBridge(ProblemContract):
    problem = Bridge(2.0)


class TestFarBridge(ProblemContract):
    problem = Bridge(4.0)


def shortest_path(lengths):
    graph = nx.Graph()
    for (a, b), length in zip(["AC", "AD", "CD", "CB", "DB"], lengths, strict=True):
        graph.add_edge(a, b, length=length)
    return nx.shortest_path_length(graph, "A", "B", weight="length")


def phase_type_probability(gamma):
    """``P(S >= gamma)``: water enters at A and runs along the edges at speed one.

    By the memorylessness of the lengths the set of wet nodes, {A}, {A, C}, {A, D}, {A, C, D}, is a
    Markov chain until B is wet, and S is the time when that happens.
    """
    a, b, c, d, e = 1 / np.array(MEAN_LENGTH)  # rates of A-C, A-D, C-D, C-B, D-B
    generator = np.array(
        [
            [-(a + b), a, b, 0],
            [0, -(b + c + d), 0, b + c],
            [0, 0, -(a + c + e), a + c],
            [0, 0, 0, -(d + e)],
        ]
    )
    return expm(generator * gamma)[0].sum()


def test_the_score_is_the_length_of_the_shortest_path():
    x = Exponential(MEAN_LENGTH).sample(np.random.default_rng(0), 400)
    x[0] = 0.0
    x[1] = [0.1, 5.0, 0.1, 5.0, 0.1]  # across the bridge one way
    x[2] = [5.0, 0.1, 0.1, 0.1, 5.0]  # and the other
    expected = [shortest_path(lengths) for lengths in x]
    np.testing.assert_allclose(Bridge()(x), expected, rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("gamma", [0.01, 0.5, 1.0, 2.0, 3.0, 4.0])
def test_the_closed_form_is_the_first_passage_of_the_chain(gamma):
    assert Bridge(gamma).exact() == pytest.approx(phase_type_probability(gamma), rel=1e-11)


@pytest.mark.parametrize(
    ("gamma", "probability", "digits"),
    [(2.0, 1.34245974977068e-5, 14), (3.0, 2.05790491e-8, 8), (4.0, 3.10345313e-11, 8)],
)
def test_the_probability_has_its_published_value(gamma, probability, digits):
    assert Bridge(gamma).exact() == pytest.approx(probability, rel=10.0**-digits)


def test_a_path_of_no_length_is_certain():
    assert Bridge(0.0).exact() == pytest.approx(1, abs=1e-14)


def test_crude_monte_carlo_agrees_with_the_closed_form():
    bridge, n = Bridge(0.5), 200_000
    hits = (bridge(bridge.nominal().sample(np.random.default_rng(0), n)) >= 0.5).mean()
    p = bridge.exact()
    assert abs(hits - p) < 5 * np.sqrt(p * (1 - p) / n)


def test_the_nominal_lengths_are_those_of_the_tutorial():
    assert Bridge().nominal().mean.tolist() == [0.25, 0.4, 0.1, 0.3, 0.2]
