"""Batches of every family: another width, and points that are nowhere, are refused alike."""

import re

import numpy as np
import pytest

import cem

TWO = [  # a member of two coordinates of every family
    cem.Bernoulli([0.2, 0.5]),
    cem.Beta([1.0, 2.0], [1.0, 1.0]),
    cem.Categorical([[0.5, 0.5], [0.2, 0.8]]),
    cem.Dirichlet([1.0, 2.0]),
    cem.Exponential([1.0, 2.0]),
    cem.Gamma([1.0, 2.0], [1.0, 1.0]),
    cem.Geometric([0.5, 1.0]),
    cem.Laplace([1.0, 2.0], [1.0, 1.0]),
    cem.LogNormal([0.0, 0.0], [1.0, 1.0]),
    cem.LogNormal([0.0, 0.0], [1.0, 0.0]),
    cem.MultivariateNormal([1.0, 2.0], [[1.0, 0.5], [0.5, 1.0]]),
    cem.MultivariateNormal([1.0, 2.0], np.ones((2, 2))),
    cem.Normal([1.0, 2.0], [1.0, 1.0]),
    cem.Normal([1.0, 2.0], [1.0, 0.0]),
    cem.Pareto([1.0, 2.0], [1.0, 1.0]),
    cem.Poisson([1.0, 0.0]),
    cem.Uniform([1.0, 2.0], [4.0, 5.0]),
    cem.Weibull([1.0, 2.0], [1.0, 1.0]),
]
every_family = pytest.mark.parametrize("f", TWO, ids=repr)


@every_family
@pytest.mark.parametrize("shape", [(3, 1), (3, 3), (2,), (), (1, 2, 1)])
def test_a_batch_of_another_shape_is_refused_in_the_same_words(f, shape):
    words = f"{type(f).__name__} needs a batch of shape (n, 2), a row per sample and a column per "
    words = "^" + re.escape(
        words + f"coordinate; got shape {shape}. A single point x is the batch [x]"
    )
    with pytest.raises(ValueError, match=words):
        f.log_density(np.ones(shape))
    with pytest.raises(ValueError, match=words):
        f.fit(np.ones(shape), np.ones(3))


@every_family
def test_an_empty_batch_has_no_densities(f):
    assert f.log_density(np.ones((0, 2))).shape == (0,)


@every_family
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_nowhere_and_cannot_be_fitted(f, bad):
    for point in ([bad, 2.0], [1.0, bad], [bad, bad], [bad, -bad], [bad, np.nan]):
        x = np.array([point])
        assert f.log_density(x).tolist() == [-np.inf]
        with pytest.raises(ValueError, match=rf"^{type(f).__name__}\.fit: samples of positive wei"):
            f.fit(x, np.ones(1))


@every_family
def test_a_fit_needs_a_sample_of_positive_weight(f):
    with pytest.raises(
        ValueError, match=r"\.fit needs a sample of positive weight; got none of 3$"
    ):
        f.fit(np.ones((3, 2)), np.zeros(3))


@pytest.mark.parametrize(
    ("f", "bad", "must"),
    [
        (cem.Bernoulli([0.5]), 2.0, "be whole numbers from 0 to 1"),
        (cem.Bernoulli([0.5]), 0.5, "be whole numbers from 0 to 1"),
        (cem.Categorical([[0.2, 0.3, 0.5]]), 3.0, "be whole numbers from 0 to 2"),
        (cem.Geometric([0.5]), 0.0, "be whole numbers from 1 on"),
        (cem.Poisson([3.0]), -1.0, "be whole numbers from 0 on"),
        (cem.Poisson([3.0]), 1.5, "be whole numbers from 0 on"),
        (cem.Exponential([1.0]), -1.0, "be finite and not negative"),
    ],
    ids=repr,
)
def test_a_sample_off_the_support_is_refused_unless_its_weight_is_zero(f, bad, must):
    x = np.array([[1.0], [bad]])
    with pytest.raises(ValueError, match=rf" {must}; got {bad:g} at index \(1, 0\)$"):
        f.fit(x, np.ones(2))
    found, expected = f.fit(x, np.array([2.0, 0.0])), f.fit(x[:1], np.ones(1))
    np.testing.assert_equal(found.parameters(), expected.parameters())


def test_whole_numbers_are_taken_from_arrays_of_any_kind():
    for dtype in (bool, np.int8, np.uint64, np.float32, float):
        x = np.array([[1], [0], [0], [0]], dtype=dtype)
        assert cem.Bernoulli([0.5]).fit(x, np.ones(4)).p.tolist() == [0.25]
        log_f = cem.Bernoulli([0.5]).log_density(x)
        assert log_f.tolist() == [np.log(0.5)] * 4


def test_samples_too_far_apart_for_a_difference_still_differ():
    with pytest.raises(
        ValueError, match=r"^Uniform\.low must be below Uniform\.high, at a distance"
    ):
        cem.Uniform([0.0], [1.0]).fit(np.array([[-1e308], [1e308]]), np.ones(2))


@pytest.mark.parametrize("kind", ["normal", "full", "coloured", "low rank", "log"])
@pytest.mark.parametrize("n", [3, 7, 20, 49])
def test_equal_samples_make_a_point_whatever_rounding_does_to_their_mean(kind, n):
    f = {
        "normal": cem.Normal([0.0] * 3, [1.0] * 3),
        "full": cem.MultivariateNormal([0.0] * 3, np.eye(3)),
        "coloured": cem.ColouredNormal([0.0] * 3, [1.0] * 3, 1.0, 3),
        "low rank": cem.LowRankNormal([0.0] * 3, [1.0] * 3, np.zeros((3, 1))),
        "log": cem.LogNormal([0.0] * 3, [1.0] * 3),
    }[kind]
    point = np.array([7.0, 0.1, 1e200])
    v = f.fit(np.tile(point, (n, 1)), np.ones(n))
    assert not v.spread().any()
    assert (v.sample(np.random.default_rng(1), 2) == point).all() or kind == "log"


@pytest.mark.parametrize("power", [-700, 700, 1000])
@pytest.mark.parametrize("kind", ["normal", "coloured", "low rank"])
def test_a_fit_scales_with_its_samples_where_their_squares_are_no_doubles(kind, power):
    f = {
        "normal": cem.Normal([0.0] * 3, [1.0] * 3),
        "coloured": cem.ColouredNormal([0.0] * 3, [1.0] * 3, 1.0, 3),
        "low rank": cem.LowRankNormal([0.0] * 3, [1.0] * 3, np.ones((3, 1))),
    }[kind]
    x, w = f.sample(np.random.default_rng(1), 50), np.ones(50)
    like, unit = f.fit(x, w), 2.0**power
    from_there = f.replace(**{name: unit * a for name, a in f.parameters().items()})
    v = from_there.fit(unit * x, w)
    for name, a in v.parameters().items():
        np.testing.assert_allclose(a / unit, like.parameters()[name], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(v.spread() / unit, like.spread(), rtol=1e-9)
