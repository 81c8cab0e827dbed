"""Defended: its density is a mixture with fixed shares, and its weights are bounded."""

import numpy as np
import pytest
from scipy import stats

from cem import GaussianMixture, Normal
from cem.families.aligned_normals import AlignedNormals
from cem.families.defended import HEAVY, VARIANCES, Defended
from cem.families.defended import WIDE as DEFENSIVE
from cem.families.likelier import Likelier
from cem.families.stretched import Stretched
from cem.testing import FamilyContract

WIDE = Stretched([0.0] * 3, [1.0] * 3, [1.0, 2.0, 3.0], [0.5, 0.3, 0.2])
MEANT = [(1 - DEFENSIVE) * (1 - HEAVY), (1 - DEFENSIVE) * HEAVY, DEFENSIVE]


def unfitted(k=2):
    return Defended.by(WIDE, GaussianMixture.around([0.0] * 3, [1.0] * 3, k))


def far_away(n=400):
    rng = np.random.default_rng(3)
    return rng.standard_normal((n, 3)) * [0.5, 1.0, 0.3] + [4.0, 0.0, -2.0]


def fitted():
    x = far_away()
    return unfitted().fit(x, np.ones(len(x)))


class TestDefended(FamilyContract):
    family = fitted()
    spread_is_std = False  # it is that of the fitted part

    def test_fit_minimises_the_cross_entropy(self):
        x, w = far_away(), np.arange(1.0, 401.0)
        of = self.family.of.fit(x, w)  # which does, as its own tests say
        np.testing.assert_equal(self.family.fit(x, w).of.parameters(), of.parameters())


def test_before_the_first_fit_it_is_the_wide_density():
    f, x = unfitted(), far_away()
    np.testing.assert_array_equal(f.share, [0, 0, 1])
    np.testing.assert_array_equal(f.log_density(x), WIDE.log_density(x))
    assert f.n_coordinates == 3


def test_a_fit_fits_what_it_is_of_and_sets_the_shares():
    x = far_away()
    w = np.random.default_rng(1).exponential(size=len(x))
    f = unfitted().fit(x, w)
    np.testing.assert_allclose(f.share, MEANT, rtol=1e-15)
    alone = GaussianMixture.around([0.0] * 3, [1.0] * 3, 2).fit(x, w)
    np.testing.assert_equal(f.of.parameters(), alone.parameters())
    assert f.wide is WIDE


def test_its_density_is_that_of_three_parts_with_their_variances():
    f, x = fitted(), np.concatenate([far_away(), WIDE.sample(np.random.default_rng(2), 200)])
    exact = MEANT[2] * np.exp(WIDE.log_density(x))
    for share, factor in zip(MEANT, VARIANCES, strict=False):
        for weight, mean, cov in zip(f.of.weight, f.of.mean, f.of.cov, strict=True):
            if weight > 0:
                exact += share * weight * stats.multivariate_normal(mean, factor * cov).pdf(x)
    np.testing.assert_allclose(f.log_density(x), np.log(exact), rtol=1e-10)


def test_samples_have_the_density():
    f, n = fitted(), 40_000
    x = f.sample(np.random.default_rng(5), n)
    assert x.shape == (n, 3)
    one = *(f.of.widened(factor) for factor in VARIANCES), WIDE
    y = np.concatenate([one[j].sample(np.random.default_rng(j), 20_000) for j in range(3)])
    share = np.repeat(MEANT, 20_000)
    for j in range(3):
        at = np.quantile(x[:, j], [0.01, 0.1, 0.5, 0.9, 0.99])
        expected = (share[:, None] * (y[:, [j]] <= at)).sum(axis=0) / 20_000
        found = (x[:, [j]] <= at).mean(axis=0)
        assert (np.abs(found - expected) < 5 * np.sqrt(expected * (1 - expected) / 15_000)).all()


def test_samples_are_in_no_order():
    x = fitted().sample(np.random.default_rng(5), 2000)
    near = np.abs(x[:, 0] - 4.0) < 1.5
    assert abs(near[:1000].mean() - near[1000:].mean()) < 5 * np.sqrt(0.25 / 500)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_so_many_samples_are_drawn_as_asked_for(n):
    assert fitted().sample(np.random.default_rng(0), n).shape == (n, 3)
    assert unfitted().sample(np.random.default_rng(0), n).shape == (n, 3)


def test_no_likelihood_ratio_exceeds_the_inverse_of_the_defensive_share():
    f, u = fitted(), Normal([0.0] * 3, [1.0] * 3)
    x = np.random.default_rng(7).standard_normal((5000, 3)) * 4
    log_w = u.log_density(x) - f.log_density(x)
    assert log_w.max() <= -np.log(DEFENSIVE * 0.5) + 1e-12  # the wide density, and its scale of one
    assert log_w.max() > 0.9 * -np.log(
        DEFENSIVE * 0.5
    )  # far from the fitted part that is what it is


def test_smoothing_moves_the_shares_and_what_it_is_of():
    a, b = unfitted(), fitted()
    half = a.smooth(b, 0.5)
    np.testing.assert_allclose(half.share, (a.share + b.share) / 2, rtol=1e-15)
    expected = a.of.smooth(b.of, 0.5)
    np.testing.assert_equal(half.of.parameters(), expected.parameters())
    whole = a.smooth(b, 1.0)
    np.testing.assert_allclose(whole.share, MEANT, rtol=1e-15)
    x = far_away(50)
    np.testing.assert_allclose(whole.log_density(x), b.log_density(x), rtol=1e-12)


@pytest.mark.parametrize(
    "of",
    [
        GaussianMixture.around([0.0] * 3, [1.0] * 3, 2),
        AlignedNormals.standard_normal(3, 2),
        Likelier(
            (
                GaussianMixture.around([0.0] * 3, [1.0] * 3, 2),
                AlignedNormals.standard_normal(3, 2),
            )
        ),
    ],
    ids=lambda of: type(of).__name__,
)
def test_its_parameters_are_all_that_it_takes_to_make_it_again(of):
    first = Defended.by(WIDE, of)
    x = far_away()
    f = first.fit(x, np.ones(len(x)))
    parameters = f.parameters()
    assert set(parameters) == {"share", *of.parameters()}
    again = first.replace(**parameters)
    np.testing.assert_equal(again.parameters(), parameters)
    np.testing.assert_array_equal(again.log_density(x), f.log_density(x))
    rng = np.random.default_rng
    np.testing.assert_array_equal(again.sample(rng(1), 50), f.sample(rng(1), 50))
    np.testing.assert_array_equal(f.spread(), f.of.spread())


def test_replacing_one_parameter_keeps_the_others():
    f = fitted()
    only = f.replace(share=np.array([1.0, 0.0, 0.0]))
    np.testing.assert_equal(only.of.parameters(), f.of.parameters())
    x = far_away(20)
    expected = f.of.widened(VARIANCES[0]).log_density(x)
    np.testing.assert_allclose(only.log_density(x), expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("share", "message"),
    [
        ([0.5, 0.5], r"^Defended\.share must hold three numbers; got shape \(2,\)"),
        ([0.5, 0.2, 0.2], "must sum to 1; got 0.9"),
        ([1.5, -0.5, 0.0], r"must lie in \[0, 1\]"),
    ],
)
def test_shares_that_are_none_are_refused(share, message):
    with pytest.raises(ValueError, match=message):
        Defended(share, GaussianMixture.around([0.0] * 3, [1.0] * 3, 2), WIDE)


def test_its_shares_cannot_be_changed():
    given = np.array([0.0, 0.0, 1.0])
    f = Defended(given, GaussianMixture.around([0.0] * 3, [1.0] * 3, 2), WIDE)
    given[0] = 7.0
    assert f.share[0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        f.share[0] = 1.0


def test_it_is_shown_as_what_it_is_of():
    f = unfitted()
    assert repr(f) == f"Defended({f.of!r})"
