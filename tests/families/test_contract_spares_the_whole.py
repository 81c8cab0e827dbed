"""The family contract raises no false alarm: whole families pass it."""

import numpy as np
import pytest

from cem import (
    Bernoulli,
    Beta,
    Categorical,
    Dirichlet,
    Exponential,
    Gamma,
    Geometric,
    Laplace,
    LogNormal,
    MultivariateNormal,
    Normal,
    Pareto,
    Poisson,
    Uniform,
    Weibull,
)
from cem.testing import FamilyContract

POINT = ([0.5, -1.0], [2.0, 0.3])
HEAVY = {"spread_is_std": False, "degrees": 6, "outside": ([0.9, 2.0],)}
WHOLE = [
    (Bernoulli([0.2, 0.5, 0.9]), {}),
    (Categorical([[0.5, 0.5], [0.1, 0.2, 0.7]]), {"spread_is_std": False}),
    (Exponential([0.25, 0.4, 3.0]), {"outside": ([-1.0, 1.0, 1.0],)}),
    (MultivariateNormal([0.0, 1.0], np.eye(2)), {}),
    (Normal(*POINT), {}),
    (Beta([2.0, 0.5], [3.0, 1.5]), {"outside": ([-0.1, 0.5], [0.5, 1.5])}),
    (Dirichlet([2.0, 0.5, 4.0]), {"fills_boxes": False, "outside": ([0.2, 0.2, 0.2],)}),
    (Gamma([2.0, 0.5], [3.0, 1.5]), {"outside": ([-1.0, 1.0],)}),
    (Geometric([0.3, 0.6]), {"outside": ([0, 1], [1.5, 1])}),
    (Laplace([0.5, -1.0], [2.0, 0.3]), {}),
    (LogNormal([0.5, -1.0], [0.2, 0.3]), {"outside": ([-1.0, 1.0],)}),
    (Pareto([1.0, 2.0], [3.0, 5.0]), HEAVY),
    (Poisson([3.0, 0.2]), {"outside": ([-1, 1], [1.5, 1])}),
    (Uniform([0.0, -1.0], [2.0, 3.0]), {"degrees": 8, "outside": ([-0.1, 0.0],)}),
    (Weibull([1.5, 2.8], [2.0, 1.0]), {"outside": ([-1.0, 1.0],)}),
]


@pytest.mark.parametrize(
    ("family", "settings"), WHOLE, ids=[type(family).__name__ for family, _ in WHOLE]
)
@pytest.mark.parametrize("n", [2000, 20_000])
def test_a_whole_family_passes_with_any_number_of_samples(family, settings, n, failures):
    assert failures(family, n=n, **settings) == set()


def test_the_contract_raises_no_false_alarm_on_many_streams():
    class Moved(FamilyContract):
        family = Normal(*POINT)
        first = 0

        def _sample(self, seed):
            return super()._sample(seed + self.first)

    contract = Moved()
    for first in range(100, 400, 3):
        contract.first = first
        contract.test_sampler_draws_from_the_density()
        contract.test_density_integrates_to_one()
        contract.test_a_box_has_the_mass_that_falls_in_it()
        contract.test_samples_do_not_depend_on_those_before()
        contract.test_spread_is_one_number_per_coordinate()
        contract.test_closed_forms_are_the_means_that_they_stand_for()
