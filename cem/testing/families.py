"""What every family promises, as a test class."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Sequence
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2

from cem.checkpoint import dumps, loads
from cem.loss import empirical_cross_entropy, kl_divergence
from cem.loss.registry import find_entropy, find_entropy_of_fits, find_kl
from cem.loss.support import support_of
from cem.state import Best, History, State
from cem.testing.boxes import random_box
from cem.typing import Batch, Vector

SIGMAS = 5.0  # standard errors: the false-alarm rate of a statistical test is below 1e-6


class FamilyContract:
    """What every `cem.typing.Family` promises; a subclass sets ``family`` to an instance.

    Choose one of a few coordinates, whose every value ``n`` samples are likely to see. ``outside``
    holds points off the support, beside those with a NaN; ``spread_is_std = False`` says that it is
    another measure, ``fills_boxes = False`` that samples lie on a plane (they sum to one, say).
    ``degrees`` counts the parameters for Wilks' theorem, one that is an end of the support for two.
    ``fitted`` names the method that gives the log-density whose cross-entropy ``fit`` minimises, in
    a family where that is not its own, for good reasons: Wilks' theorem is then of no use, and the
    sampler needs an exact test elsewhere.

    >>> from cem.families import Bernoulli
    >>> class TestTwoCoins(FamilyContract):
    ...     family = Bernoulli([0.2, 0.5])
    ...     outside = [[0, 2]]
    >>> TestTwoCoins().test_zero_density_off_the_support()
    """

    family: Any
    outside: Sequence[Any] = ()
    n: int = 10_000
    rtol: float = 1e-9  # of parameters that differ by rounding only
    loss_rtol: float = 1e-12  # of the loss of a fit, which is its entropy but for rounding
    spread_is_std: bool = True
    fills_boxes: bool = True
    degrees: int | None = None
    fitted: str = "log_density"

    def test_same_stream_same_sample_and_another_stream_another(self) -> None:
        """All randomness of a sample comes from its generator."""
        np.testing.assert_array_equal(self._sample(0), self._sample(0))
        if np.max(self.family.spread()) > 0:
            assert not np.array_equal(self._sample(0), self._sample(1))

    def test_a_sample_has_n_points_of_the_support(self) -> None:
        """``sample(rng, n)`` has length ``n``, and no point of density zero."""
        for n in (1, 2, self.n):
            x = self.family.sample(np.random.default_rng(3), n)
            assert len(x) == n
            assert (self.family.log_density(x) > -np.inf).all()

    def test_samples_do_not_depend_on_those_before(self) -> None:
        """The likelihood ratio to a near member, up to 1, has no autocorrelation along a batch."""
        x = self._sample(0)
        near = self._near().log_density(x)
        ratio = np.exp(np.minimum(near - self.family.log_density(x), 0.0))
        if np.ptp(ratio) > 1e-12:
            lag_one = np.corrcoef(ratio[:-1], ratio[1:])[0, 1]
            assert abs(lag_one) < SIGMAS / np.sqrt(self.n)

    def test_log_density_is_one_finite_number_per_sample(self) -> None:
        """``log_density`` is finite where samples fall, and depends on that sample alone."""
        x = self._sample(0)
        log_f = self.family.log_density(x)
        assert log_f.shape == (self.n,)
        assert np.isfinite(log_f).all()
        parts = [self.family.log_density(part) for part in (x[:1], x[1:7], x[7:])]
        np.testing.assert_allclose(log_f, np.concatenate(parts), rtol=1e-9, atol=1e-9)

    def test_a_batch_may_be_empty(self) -> None:
        """No samples, and the densities of none."""
        assert len(self.family.sample(np.random.default_rng(0), 0)) == 0
        assert self.family.log_density(self._sample(0)[:0]).shape == (0,)

    def test_zero_density_off_the_support(self) -> None:
        """``log_density`` is ``-inf`` at every point of ``outside``."""
        if not (outside := self._outside()):
            pytest.skip("no point is said to lie off the support")
        for point in outside:
            assert self.family.log_density(np.array([point])) == -np.inf

    def test_the_support_holds_every_sample_and_no_point_outside(self) -> None:
        """``support()``, where it is known, has all of a sample and none of ``outside``."""
        if (support := support_of(self.family)) is None:
            pytest.skip("the support is not a box, or not known")
        assert support.holds(self._sample(0)).all()
        assert not any(support.holds(np.asarray(x)) for x in self._outside())

    def test_a_batch_of_another_width_is_refused(self) -> None:
        """``log_density`` and ``fit`` take no batch that would only broadcast."""
        x, w = self._sample(0), self._weights()
        if not self._is_plain(x):
            pytest.skip("a batch is no matrix")
        wide, narrow = np.hstack([x, x[:, :1]]), x[:, :1] if x.shape[1] > 1 else x[:, 0]
        for wrong in (wide, narrow):
            with pytest.raises(ValueError):
                self.family.log_density(wrong)
            with pytest.raises(ValueError):
                self.family.fit(wrong, w)

    def test_density_integrates_to_one(self) -> None:
        """``E_v[f(X; v') / f(X; v)] = 1`` for a near ``v'``."""
        x = self._sample(0)
        ratio = np.exp(self._near().log_density(x) - self.family.log_density(x))
        assert abs(ratio.mean() - 1) < SIGMAS * ratio.std() / np.sqrt(self.n) + 1e-12

    def test_sampler_draws_from_the_density(self) -> None:
        """Wilks: ``2 n (loss at v - loss at the fit)`` is chi-squared if ``x`` came from ``v``."""
        if self.fitted != "log_density":
            pytest.skip("the fit minimises the cross-entropy of another density")
        x = self._sample(0)
        fitted = self.family.fit(x, np.ones(self.n))
        gap = empirical_cross_entropy(self.family.log_density(x))
        gap -= empirical_cross_entropy(fitted.log_density(x))
        free = sum(array.size for array in self.family.parameters().values())
        assert 2 * self.n * gap < chi2.isf(1e-6, self.degrees or free)

    def test_a_box_has_the_mass_that_falls_in_it(self) -> None:
        """The density summed or integrated over a box is the share of the samples there."""
        x, other = self._sample(0), self._sample(1)
        seen, plain = False, self._is_plain(x) and self.fills_boxes
        for share in (0.2, 0.5, 0.8) if plain else ():
            u, inside, log_size = random_box(other, share ** (1 / x.shape[1]), x)
            f = np.exp(self.family.log_density(u) + log_size)
            if f.sum() ** 2 > 0.1 * self.n * (f @ f):  # else a few points carry the sum
                seen = True
                error = np.sqrt((f.var() + inside.var()) / self.n)
                assert abs(f.mean() - inside.mean()) < SIGMAS * error + 1e-9
        if not seen:
            pytest.skip(f"no box is simple and common enough for {self.n} samples")

    def test_fit_minimises_the_cross_entropy(self) -> None:
        """No step from the fit lowers the loss: towards other members, or of one parameter."""
        x, w = self._sample(0), self._weights()
        best = self.family.fit(x, w)
        floor = self._loss(best, x, w)
        rivals = [self.family, *(self.family.fit(x, self._weights(seed)) for seed in range(1, 6))]
        tried = [best.smooth(rival, alpha) for rival in rivals for alpha in (1e-4, 1e-2, 0.3, 1.0)]
        for name, array in best.parameters().items():
            for factor in (0.9, 0.999, 1.001, 1.1):
                with contextlib.suppress(ValueError):  # not every value is allowed
                    tried.append(best.replace(**{name: factor * array}))
        for rival in tried:
            assert self._loss(rival, x, w) >= floor - 1e-12 * max(1.0, abs(floor))

    def test_fit_ignores_the_scale_of_the_weights(self) -> None:
        """Weights count by their ratios."""
        x, w = self._sample(0), self._weights()
        for scale in (1e-6, 1e6):
            self._assert_close(self.family.fit(x, w), self.family.fit(x, scale * w))

    def test_fit_ignores_samples_of_weight_zero(self) -> None:
        """A sample of weight zero might as well not be there."""
        x, w = self._sample(0), self._weights()
        w[::3] = 0.0
        self._assert_close(self.family.fit(x, w), self.family.fit(x[w > 0], w[w > 0]))

    def test_fit_refuses_a_sample_off_the_support(self) -> None:
        """A point of ``outside`` is refused, or the fit is a member that holds it."""
        x, outside = self._sample(0), self._outside()
        if not (self._is_plain(x) and outside):
            pytest.skip("no point is said to lie off the support, or a batch is no matrix")
        for point in outside:
            with_it = np.concatenate([np.array([point]), x[1:]])
            try:
                fitted = self.family.fit(with_it, np.ones(self.n))
            except ValueError:
                continue
            assert fitted.log_density(with_it[:1]) > -np.inf

    def test_fit_counts_a_sample_of_weight_two_twice(self) -> None:
        """Whole weights are repetitions."""
        x = self._sample(0)
        twice = np.concatenate([np.arange(self.n), np.arange(self.n // 2)])
        w = 1.0 + (np.arange(self.n) < self.n // 2)
        self._assert_close(self.family.fit(x, w), self.family.fit(x[twice], np.ones(len(twice))))

    def test_fit_does_not_depend_on_the_order_of_the_batch(self) -> None:
        """A permuted batch has the same fit."""
        x, w = self._sample(0), self._weights()
        order = np.random.default_rng(5).permutation(self.n)
        self._assert_close(self.family.fit(x, w), self.family.fit(x[order], w[order]))

    def test_smooth_ends_are_the_two_members(self) -> None:
        """``smooth(towards, 0)`` stays, ``smooth(towards, 1)`` arrives, and it is the same type."""
        other = self._fitted()
        for alpha, end in ((0.0, self.family), (1.0, other)):
            self._assert_same(self.family.smooth(other, alpha), end)

    def test_parameters_and_replace_are_inverse(self) -> None:
        """A member is its parameters: any member becomes any other by taking them over."""
        other = self._fitted()
        self._assert_same(self.family.replace(**self.family.parameters()), self.family)
        self._assert_same(self.family.replace(**other.parameters()), other)

    def test_spread_is_one_number_per_coordinate(self) -> None:
        """``spread()`` is finite and not negative; by default the standard deviation."""
        spread, x = self.family.spread(), self._sample(0)
        assert (np.isfinite(spread) & (spread >= 0)).all()
        if self._is_plain(x):
            assert spread.shape == x.shape[1:]
        if self.spread_is_std:
            z = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
            error = (z**2).std(axis=0) / np.sqrt(self.n)
            assert (abs((z**2).mean(axis=0) - (spread > 0)) <= SIGMAS * error + 1e-12).all()

    def test_is_immutable(self) -> None:
        """Parameters are read-only, attributes frozen, and the caller's arrays are not kept."""
        mine = {name: array.copy() for name, array in self._fitted().parameters().items()}
        member = self.family.replace(**mine)
        before = {name: array.copy() for name, array in member.parameters().items()}
        for name, array in member.parameters().items():
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
            with pytest.raises(AttributeError):
                setattr(member, name, array)
            mine[name][...] = 0  # the caller's own stays writable, and does not reach in
            np.testing.assert_array_equal(array, before[name])

    def test_arguments_are_never_changed(self) -> None:
        """``log_density``, ``fit`` and ``smooth`` leave batch, weights and members as they were."""
        x, w, other = self._sample(0), self._weights(), self._fitted()
        kept = copy.deepcopy((x, w, self.family, other))
        self.family.log_density(x)
        self.family.fit(x, w)
        self.family.smooth(other, 0.3)
        np.testing.assert_array_equal(x, kept[0])
        np.testing.assert_array_equal(w, kept[1])
        self._assert_same(self.family, kept[2])
        self._assert_same(other, kept[3])

    def test_closed_forms_are_the_means_that_they_stand_for(self) -> None:
        """``H(f) = E_f[-ln f(X)]``, ``D(f || g) = E_f[r - 1 - ln r]`` for ``r = g(X) / f(X)``."""
        x, near = self._sample(0), self._near()
        log_f = self.family.log_density(x)
        log_r = near.log_density(x) - log_f
        entropy, kl = find_entropy(self.family), find_kl(self.family, near)
        if entropy is None and kl is None:
            pytest.skip("no closed form is registered")
        if entropy is not None:
            self._assert_mean(-log_f, entropy(self.family))
        if kl is not None and np.isfinite(log_r).all():
            self._assert_mean(np.expm1(log_r) - log_r, kl(self.family, near))
        elif kl is not None:  # near forbids what happens under the family
            y = near.sample(np.random.default_rng(0), self.n)
            back = near.log_density(y) - self.family.log_density(y)
            assert kl(self.family, near) == np.inf
            self._assert_mean(back, kl(near, self.family))

    def test_the_loss_of_a_fit_is_its_entropy_where_that_is_declared(self) -> None:
        """``-sum_i w_i ln f(x_i) = H(f)`` for the fit: the engine takes its record from there."""
        if (entropy := find_entropy_of_fits(self.family)) is None:
            pytest.skip("the loss of a fit is not its entropy, or is not said to be")
        x, w = self._sample(0), self._weights()
        fit = self.family.fit(x, w)
        loss = empirical_cross_entropy(fit.log_density(x), w)
        assert abs(loss - entropy(fit)) <= self.loss_rtol * max(1.0, abs(loss))

    def test_the_divergence_is_never_negative(self) -> None:
        """``D(f || f) = 0``, and ``D(f || g) >= 0`` however near ``g`` is."""
        if find_kl(self.family, self.family) is None:
            pytest.skip("no closed form of the divergence is registered")
        assert abs(kl_divergence(self.family, self.family)) < 1e-12
        other = self._fitted()
        for alpha in (1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 1.0):
            near = self.family.smooth(other, alpha)
            assert kl_divergence(self.family, near) >= 0
            assert kl_divergence(near, self.family) >= 0

    def test_can_be_sent_to_another_process(self) -> None:
        """A pickled member is the same one, and as frozen."""
        twin = ForkingPickler.loads(ForkingPickler.dumps(self.family))
        self._assert_same(twin, self.family)
        assert not any(array.flags.writeable for array in twin.parameters().values())

    def test_a_checkpoint_keeps_every_bit(self) -> None:
        """A density and a sample come back from a file as they were."""
        member, x = self._fitted(), self._sample(0)
        saved = dumps(State(member, best=Best(x[0], 1.0)), History(), {})
        state = loads(saved, self.family).state
        self._assert_same(state.v, member)
        np.testing.assert_array_equal(np.asarray(state.best.x), np.asarray(x[0]))

    def _sample(self, seed: int) -> Batch:
        return self.family.sample(np.random.default_rng(seed), self.n)

    def _is_plain(self, x: Batch) -> bool:
        return isinstance(x, np.ndarray) and x.ndim == 2

    def _outside(self) -> list[Any]:
        """The points of ``outside``, and a sample with NaN in each coordinate where it can be."""
        x = self._sample(0)
        if not (self._is_plain(x) and x.dtype.kind == "f"):
            return list(self.outside)
        return [*self.outside, *np.where(np.eye(x.shape[1], dtype=bool), np.nan, x[0])]

    def _weights(self, seed: int = 0) -> Vector:
        return np.random.default_rng((17, seed)).standard_exponential(self.n) ** 2

    def _loss(self, member: Any, x: Batch, w: Vector) -> float:
        """What ``fit`` minimises."""
        return empirical_cross_entropy(getattr(member, self.fitted)(x), w)

    def _fitted(self) -> Any:
        return self.family.fit(self._sample(2), self._weights())

    def _near(self) -> Any:
        few = self.family.fit(self._sample(2)[:16], self._weights()[:16])  # further away
        return self.family.smooth(few, 0.5)

    def _assert_mean(self, values: Vector, exact: float) -> None:
        error = values.std() / np.sqrt(self.n)
        assert abs(values.mean() - exact) <= SIGMAS * error + 1e-9 * max(1.0, abs(exact))

    def _assert_close(self, a: Any, b: Any) -> None:
        assert a.parameters().keys() == b.parameters().keys()
        for name, array in a.parameters().items():
            atol = self.rtol * float(np.abs(array).max())
            np.testing.assert_allclose(b.parameters()[name], array, rtol=self.rtol, atol=atol)

    def _assert_same(self, a: Any, b: Any) -> None:  # to the last bit
        assert type(a) is type(b)
        np.testing.assert_equal(a.parameters(), b.parameters())
        x = self._sample(0)
        np.testing.assert_array_equal(a.log_density(x), b.log_density(x))
