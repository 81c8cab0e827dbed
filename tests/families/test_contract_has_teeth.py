"""The family contract is worth its name: families broken by hand fail it."""

import numpy as np
import pytest

from cem import (
    Bernoulli,
    Categorical,
    Dirichlet,
    Exponential,
    Gamma,
    MultivariateNormal,
    Normal,
    Pareto,
    Poisson,
    Uniform,
)
from cem.loss import closed_form_entropy, closed_form_kl, entropy, kl_divergence
from cem.loss.support import Support


class BiasedSampler(Normal):
    def sample(self, rng, n):
        return super().sample(rng, n) + 0.2 * self.std


class SamplerOfAnotherShape(Normal):
    """Uniform, with the right mean and standard deviation."""

    def sample(self, rng, n):
        return self.mean + self.std * rng.uniform(-(3**0.5), 3**0.5, (n, self.mean.size))


class SamplerWithItsOwnSeed(Bernoulli):
    def sample(self, rng, n):  # noqa: ARG002
        return super().sample(np.random.default_rng(0), n)


class SamplerOutsideItsStream(Bernoulli):
    def sample(self, rng, n):  # noqa: ARG002
        return super().sample(np.random.default_rng(), n)


class SamplerThatRepeatsItself(Bernoulli):
    def sample(self, rng, n):
        return np.repeat(super().sample(rng, n // 2 + 1), 2, axis=0)[:n]


class SamplerThatMiscounts(Exponential):
    def sample(self, rng, n):
        return super().sample(rng, n + n % 2)


class SamplerOfForbiddenValues(Categorical):
    def sample(self, rng, n):
        x = super().sample(rng, n)
        x[0] = 3  # of probability zero
        return x


class WrongConstant(Normal):
    """Its density integrates to two, whatever the parameters."""

    def log_density(self, x):
        return super().log_density(x) + np.log(2)


class MissingNormalisation(Exponential):
    """The term that depends on the parameters is forgotten."""

    def log_density(self, x):
        return super().log_density(x) + np.log(self.mean).sum()


class DensityShiftedByItsBatch(Normal):
    def log_density(self, x):
        log_f = super().log_density(x)
        return log_f - log_f.max(initial=-np.inf)


class DensityEverywhere(Exponential):
    """Negative numbers have a density too."""

    def log_density(self, x):
        return super().log_density(np.abs(x))


class DensityOfTheWholeBatch(Bernoulli):
    def log_density(self, x):
        return super().log_density(x).sum()


class UnweightedFit(Bernoulli):
    def fit(self, x, weights):
        return super().fit(x, np.ones_like(weights))


class SampleDeviationFit(Normal):
    """``n - 1`` in the place of ``n``: unbiased, but not the minimiser."""

    def fit(self, x, weights):
        best = super().fit(x, weights)
        return best.replace(std=best.std * np.sqrt(len(x) / (len(x) - 1)))


class FitThatNeedsNormalisedWeights(Bernoulli):
    def fit(self, x, weights):
        return super().fit(x, weights).replace(p=weights @ x / max(1.0, weights.sum()))


class FitThatHeedsWeightZero(Exponential):
    """Every weight is raised a little above zero."""

    def fit(self, x, weights):
        return super().fit(x, weights + 0.01 * weights.mean())


class FitThatFavoursTheFirst(Normal):
    def fit(self, x, weights):
        return super().fit(x, weights * np.linspace(1.01, 1.0, len(weights)))


class FitOfTheMeanOnly(MultivariateNormal):
    def fit(self, x, weights):
        return self.replace(mean=super().fit(x, weights).mean)


class FitThatSortsItsBatch(Normal):
    def fit(self, x, weights):
        fitted = super().fit(x, weights)
        x.sort(axis=0)
        return fitted


class FitThatNormalisesInPlace(Exponential):
    def fit(self, x, weights):
        weights /= weights.sum()
        return super().fit(x, weights)


class SmoothTheOtherWay(Normal):
    def smooth(self, towards, alpha):
        return super().smooth(towards, 1 - alpha)


class SmoothThatNeverArrives(Bernoulli):
    def smooth(self, towards, alpha):
        return super().smooth(towards, 0.999 * alpha)


class WritableParameters(Exponential):
    def __post_init__(self):
        super().__post_init__()
        self.mean.setflags(write=True)


class ParametersOfTheCaller(Exponential):
    """The caller's own array is kept, and even made read-only."""

    def __post_init__(self):
        mine = self.mean
        super().__post_init__()
        if isinstance(mine, np.ndarray):
            mine.setflags(write=False)
            object.__setattr__(self, "mean", mine)


class ForgottenParameter(Normal):
    def parameters(self):
        return {"mean": self.mean}


class ParametersInSinglePrecision(Normal):
    def parameters(self):
        return {name: a.astype(np.float32) for name, a in super().parameters().items()}


class SpreadIsTheVariance(Normal):
    def spread(self):
        return self.std**2


class SpreadOfTheWholeDensity(Normal):
    def spread(self):
        return np.sqrt((self.std**2).sum())


class ForgetsHalfInAPickle(Normal):
    def __reduce__(self):
        return type(self), (self.mean, np.ones_like(self.std))


class SupportTooSmall(Exponential):
    def support(self):
        whole = super().support()
        return Support(whole.low, 3 * self.mean)


class SupportTooLarge(Exponential):
    def support(self):
        whole = super().support()
        return Support(-whole.high, whole.high)


class SamplerOfHalfTheBox(Uniform):
    def sample(self, rng, n):
        x = super().sample(rng, n)
        return x - (x - self.low) / 2


class FitOfOneEndOnly(Pareto):
    def fit(self, x, weights):
        return super().fit(x, weights).replace(minimum=self.minimum)


class FitByMoments(Gamma):
    def fit(self, x, weights):
        fitted = super().fit(x, weights)
        mean = weights @ x / weights.sum()
        shape = mean**2 / (weights @ (x - mean) ** 2 / weights.sum())
        return fitted.replace(shape=shape, rate=shape / mean)


class SharesThatDoNotSumToOne(Dirichlet):
    def sample(self, rng, n):
        return 0.999 * super().sample(rng, n)


class DensityOfNotANumber(Normal):
    """NaN has the density NaN, and so has whatever it is compared with."""

    def log_density(self, x):
        return np.where(np.isnan(x).any(axis=1), np.nan, super().log_density(x))


class DensityThatBroadcasts(Normal):
    """A batch of one column passes for one of ``d``."""

    def log_density(self, x):
        return super().log_density(x + np.zeros_like(self.mean))


class FitOfAnotherDimension(Normal):
    """It has as many coordinates as its batch."""

    def fit(self, x, weights):
        wide = Normal(np.zeros(x.shape[1]), np.ones(x.shape[1])).fit(x, weights)
        return self.replace(**wide.parameters())


class FitOffTheSupport(Exponential):
    """A negative number counts as zero."""

    def fit(self, x, weights):
        return super().fit(np.maximum(x, 0), weights)


class WrongEntropyOfFits(Poisson):
    """``ln x!`` varies: the loss of a fit is not its entropy."""


class WrongEntropy(Normal):
    """In bits."""


class WrongDivergence(Normal):
    """With its two arguments exchanged."""


class NegativeDivergence(Bernoulli):
    """The term ``q - p`` is left out where it would have been needed: rounding."""


closed_form_entropy(WrongEntropyOfFits, of_fits=True)(lambda f: entropy(Poisson(f.rate)))
closed_form_entropy(WrongEntropy)(lambda f: entropy(Normal(f.mean, f.std)) / np.log(2))
closed_form_kl(WrongDivergence, WrongDivergence)(
    lambda f, g: kl_divergence(Normal(g.mean, g.std), Normal(f.mean, f.std))
)
closed_form_kl(NegativeDivergence, NegativeDivergence)(
    lambda f, g: float((f.p * np.log(f.p / g.p) + (1 - f.p) * np.log((1 - f.p) / (1 - g.p))).sum())
)

COINS, MEANS, POINT = [0.2, 0.5, 0.9], [0.25, 0.4, 3.0], ([0.5, -1.0], [2.0, 0.3])
ROWS = [[0.5, 0.5, 0.0, 0.0], [0.1, 0.2, 0.7, 0.0]]
MUTANTS = [  # the broken family, and a test of the contract that must notice
    (BiasedSampler(*POINT), "sampler_draws_from_the_density"),
    (SamplerOfAnotherShape(*POINT), "a_box_has_the_mass_that_falls_in_it"),
    (SamplerWithItsOwnSeed(COINS), "same_stream_same_sample_and_another_stream_another"),
    (SamplerOutsideItsStream(COINS), "same_stream_same_sample_and_another_stream_another"),
    (SamplerThatRepeatsItself(COINS), "samples_do_not_depend_on_those_before"),
    (SamplerThatMiscounts(MEANS), "a_sample_has_n_points_of_the_support"),
    (SamplerOfForbiddenValues(ROWS), "a_sample_has_n_points_of_the_support"),
    (WrongConstant(*POINT), "a_box_has_the_mass_that_falls_in_it"),
    (MissingNormalisation(MEANS), "density_integrates_to_one"),
    (DensityShiftedByItsBatch(*POINT), "log_density_is_one_finite_number_per_sample"),
    (DensityEverywhere(MEANS), "zero_density_off_the_support"),
    (DensityOfTheWholeBatch(COINS), "log_density_is_one_finite_number_per_sample"),
    (UnweightedFit(COINS), "fit_minimises_the_cross_entropy"),
    (SampleDeviationFit(*POINT), "fit_minimises_the_cross_entropy"),
    (FitThatNeedsNormalisedWeights(COINS), "fit_ignores_the_scale_of_the_weights"),
    (FitThatHeedsWeightZero(MEANS), "fit_ignores_samples_of_weight_zero"),
    (FitThatFavoursTheFirst(*POINT), "fit_does_not_depend_on_the_order_of_the_batch"),
    (FitOfTheMeanOnly([0.0, 1.0], np.eye(2)), "fit_minimises_the_cross_entropy"),
    (FitThatSortsItsBatch(*POINT), "arguments_are_never_changed"),
    (FitThatNormalisesInPlace(MEANS), "arguments_are_never_changed"),
    (SmoothTheOtherWay(*POINT), "smooth_ends_are_the_two_members"),
    (SmoothThatNeverArrives(COINS), "smooth_ends_are_the_two_members"),
    (WritableParameters(MEANS), "is_immutable"),
    (ParametersOfTheCaller(MEANS), "is_immutable"),
    (ForgottenParameter(*POINT), "parameters_and_replace_are_inverse"),
    (ParametersInSinglePrecision(*POINT), "a_checkpoint_keeps_every_bit"),
    (SpreadIsTheVariance(*POINT), "spread_is_one_number_per_coordinate"),
    (SpreadOfTheWholeDensity(*POINT), "spread_is_one_number_per_coordinate"),
    (ForgetsHalfInAPickle(*POINT), "can_be_sent_to_another_process"),
    (SupportTooSmall(MEANS), "the_support_holds_every_sample_and_no_point_outside"),
    (SupportTooLarge(MEANS), "the_support_holds_every_sample_and_no_point_outside"),
    (SamplerOfHalfTheBox([0.0], [1.0]), "sampler_draws_from_the_density"),
    (FitOfOneEndOnly([1.0], [2.0]), "fit_minimises_the_cross_entropy"),
    (FitByMoments([2.0], [1.0]), "fit_minimises_the_cross_entropy"),
    (SharesThatDoNotSumToOne([2.0, 3.0, 4.0]), "a_sample_has_n_points_of_the_support"),
    (DensityOfNotANumber(*POINT), "zero_density_off_the_support"),
    (DensityThatBroadcasts(*POINT), "a_batch_of_another_width_is_refused"),
    (FitOfAnotherDimension(*POINT), "a_batch_of_another_width_is_refused"),
    (FitOffTheSupport(MEANS), "fit_refuses_a_sample_off_the_support"),
    (WrongEntropyOfFits(MEANS), "the_loss_of_a_fit_is_its_entropy_where_that_is_declared"),
    (WrongEntropy(*POINT), "closed_forms_are_the_means_that_they_stand_for"),
    (WrongDivergence(*POINT), "closed_forms_are_the_means_that_they_stand_for"),
    (NegativeDivergence(COINS), "the_divergence_is_never_negative"),
]


@pytest.mark.parametrize(
    ("mutant", "noticed_by"), MUTANTS, ids=[type(mutant).__name__ for mutant, _ in MUTANTS]
)
def test_the_contract_notices_a_broken_family(mutant, noticed_by, failures):
    outside = ([-1.0, 1.0, 1.0],) if isinstance(mutant, Exponential) else ()
    assert noticed_by in failures(mutant, outside=outside)
