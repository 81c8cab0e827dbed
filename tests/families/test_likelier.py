"""Likelier: the density of the kind that was chosen, and the choice is that of the BIC."""

import math

import numpy as np
import pytest

from cem import GaussianMixture
from cem.families.aligned_normals import AlignedNormals
from cem.families.likelier import Likelier
from cem.testing import FamilyContract

FULL = GaussianMixture.around([0.0] * 3, [1.0] * 3, k=2)
ALIGNED = AlignedNormals.standard_normal(3, k=2)
EITHER = Likelier((FULL, ALIGNED))
FAR = np.array([4.0, 0.0, 0.0])


def round_cloud(n):
    """What an aligned density describes: as wide across its mean as along it, or nearly."""
    return np.random.default_rng(1).normal(FAR, 1.0, (n, 3))


def slanted_cloud(n):
    """What it does not: correlated across its mean."""
    z = np.random.default_rng(1).standard_normal((n, 3))
    z[:, 2] = 0.95 * z[:, 1] + 0.3 * z[:, 2]
    return z + FAR


def free(f):
    """Numbers that a fit may choose, counted by hand, without the weight that the rest leave."""
    k = np.count_nonzero(f.weight)
    each = 1 + 3 + 6 if isinstance(f, GaussianMixture) else 1 + 3 + 2
    return k * each - 1


class TestLikelier(FamilyContract):
    family = EITHER.fit(slanted_cloud(400), np.ones(400))

    def test_fit_minimises_the_cross_entropy(self):
        x, w = round_cloud(400), np.arange(1.0, 401.0)
        kinds = [kind.fit(x, w) for kind in self.family.kinds]  # which do, as their tests say
        for found, kind in zip(self.family.fit(x, w).kinds, kinds, strict=True):
            np.testing.assert_equal(found.parameters(), kind.parameters())


def test_it_is_the_first_kind_until_it_is_fitted():
    x = round_cloud(20)
    assert EITHER.density is FULL
    assert EITHER.n_coordinates == 3
    np.testing.assert_array_equal(EITHER.log_density(x), FULL.log_density(x))
    np.testing.assert_array_equal(EITHER.spread(), FULL.spread())
    rng = np.random.default_rng
    np.testing.assert_array_equal(EITHER.sample(rng(3), 9), FULL.sample(rng(3), 9))


def test_few_samples_of_a_round_cloud_choose_the_kind_of_few_parameters():
    f = EITHER.fit(round_cloud(90), np.ones(90))
    assert type(f.density) is AlignedNormals
    np.testing.assert_array_equal(
        f.log_density(round_cloud(9)), f.kinds[1].log_density(round_cloud(9))
    )


def test_a_slanted_cloud_chooses_the_kind_that_can_slant():
    assert type(EITHER.fit(slanted_cloud(300), np.ones(300)).density) is GaussianMixture


@pytest.mark.parametrize("cloud", [round_cloud, slanted_cloud])
@pytest.mark.parametrize("n", [30, 60, 120, 1000])
def test_the_choice_is_that_of_the_smaller_bic(cloud, n):
    x = cloud(n)
    w = np.random.default_rng(2).exponential(size=n)
    f = EITHER.fit(x, w)
    w /= w.sum()
    size = 1 / (w @ w)
    bic = [free(k) * math.log(size) - 2 * size * (w @ k.log_density(x)) for k in f.kinds]
    assert f.chosen == int(np.argmin(bic))


def test_every_kind_is_fitted_as_it_would_be_alone():
    x, w = round_cloud(200), np.random.default_rng(2).exponential(size=200)
    f = EITHER.fit(x, w)
    for kind, alone in zip(f.kinds, (FULL, ALIGNED), strict=True):
        np.testing.assert_equal(kind.parameters(), alone.fit(x, w).parameters())


@pytest.mark.parametrize("factor", [0.5, 7.0])
def test_the_scale_of_the_weights_does_not_matter(factor):
    x = slanted_cloud(100)
    a, b = EITHER.fit(x, np.ones(100)), EITHER.fit(x, np.full(100, factor))
    assert a.chosen == b.chosen
    for name, array in a.parameters().items():
        np.testing.assert_allclose(b.parameters()[name], array, rtol=1e-9, atol=1e-9)


def test_smoothing_takes_the_choice_of_the_new_one():
    f = EITHER.fit(round_cloud(90), np.ones(90))
    half = EITHER.smooth(f, 0.5)
    assert half.chosen == f.chosen == 1
    for kind, old, new in zip(half.kinds, EITHER.kinds, f.kinds, strict=True):
        np.testing.assert_equal(kind.parameters(), old.smooth(new, 0.5).parameters())


def test_no_kind_is_narrower_than_that_of_the_other():
    f = EITHER.fit(0.1 * round_cloud(90), np.ones(90))
    wide = f.no_narrower_than(EITHER)
    assert wide.chosen == f.chosen
    for kind, narrow, old in zip(wide.kinds, f.kinds, EITHER.kinds, strict=True):
        np.testing.assert_equal(kind.parameters(), narrow.no_narrower_than(old).parameters())


@pytest.mark.parametrize("cloud", [round_cloud, slanted_cloud])
def test_widening_is_that_of_the_one_that_was_chosen(cloud):
    f = EITHER.fit(cloud(300), np.ones(300))
    expected = f.density.widened(3.0)
    assert type(f.widened(3.0)) is type(f.density)
    np.testing.assert_equal(f.widened(3.0).parameters(), expected.parameters())


@pytest.mark.parametrize("cloud", [round_cloud, slanted_cloud])
def test_its_parameters_are_all_that_it_takes_to_make_it_again(cloud):
    f = EITHER.fit(cloud(90), np.ones(90))
    parameters = f.parameters()
    named = {f"{j}.{name}" for j, k in enumerate(EITHER.kinds) for name in k.parameters()}
    assert set(parameters) == {"chosen", *named}
    assert parameters["chosen"].tolist() == [f.chosen]
    again = EITHER.replace(**parameters)
    assert again.chosen == f.chosen
    np.testing.assert_equal(again.parameters(), parameters)
    x = cloud(9)
    np.testing.assert_array_equal(again.log_density(x), f.log_density(x))


def test_replacing_one_parameter_keeps_the_others():
    f = EITHER.fit(round_cloud(90), np.ones(90))
    moved = f.replace(**{"0.mean": f.kinds[0].mean + 1})
    assert moved.chosen == f.chosen
    np.testing.assert_array_equal(moved.kinds[0].mean, f.kinds[0].mean + 1)
    np.testing.assert_array_equal(moved.kinds[0].cov, f.kinds[0].cov)
    np.testing.assert_equal(moved.kinds[1].parameters(), f.kinds[1].parameters())


def test_it_is_shown_as_the_one_that_was_chosen():
    f = EITHER.fit(round_cloud(90), np.ones(90))
    assert repr(f) == repr(f.density)
