"""What every problem promises, as a test class."""

from __future__ import annotations

from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np
import pytest

from cem.typing import Batch, Vector


class ProblemContract:
    """What every `cem.typing.Problem` promises; a subclass sets ``problem`` to an instance.

    Batches come from the problem's own ``nominal()``; for one without, set ``nominal`` to a family.
    For a problem that is to be minimised set ``minimised``, which is what its ``optimum`` goes by.

    >>> class TestOnes(ProblemContract):
    ...     from cem.families import Bernoulli
    ...     problem = staticmethod(lambda x: x.sum(axis=1))
    ...     nominal = Bernoulli([0.5] * 8)
    >>> TestOnes().test_scores_are_one_finite_number_per_sample()
    """

    problem: Any
    nominal: Any = None
    minimised: bool = False
    n: int = 300
    rtol: float = 1e-10  # of scores, for rounding

    def test_nominal_is_a_family_to_sample_from(self) -> None:
        """``nominal()`` gives samples that it takes to be possible itself, the same every time."""
        family, again = self._family(), self._family()
        assert (family.log_density(self._sample()) > -np.inf).all()
        assert type(again) is type(family)
        np.testing.assert_equal(again.parameters(), family.parameters())

    def test_scores_are_one_finite_number_per_sample(self) -> None:
        """Scores are real, finite, and as many as there are samples."""
        for n in (1, 2, self.n):
            score = np.asarray(self.problem(self._sample(n)))
            assert score.shape == (n,)
            assert score.dtype.kind in "biuf"
            assert np.isfinite(score).all()

    def test_a_score_does_not_depend_on_the_rest_of_the_batch(self) -> None:
        """A batch has the scores of its parts, a permuted batch permuted ones."""
        x, order = self._sample(), np.random.default_rng(5).permutation(self.n)
        score = self._score(x)
        parts = np.concatenate([self._score(part) for part in (x[:1], x[1:8], x[8:])])
        atol = self.rtol * float(np.abs(score).max())
        np.testing.assert_allclose(parts, score, rtol=self.rtol, atol=atol)
        np.testing.assert_allclose(self._score(x[order]), score[order], rtol=self.rtol, atol=atol)

    def test_scoring_repeats_itself_and_leaves_the_batch_as_it_was(self) -> None:
        """The same batch has the same scores to the last bit, and is not changed by scoring."""
        x = self._sample()
        np.testing.assert_array_equal(self._score(x), self._score(x))
        np.testing.assert_array_equal(x, self._sample())

    def test_scores_the_same_in_another_process(self) -> None:
        """A pickled problem scores the same to the last bit."""
        twin = ForkingPickler.loads(ForkingPickler.dumps(self.problem))
        x = self._sample()
        np.testing.assert_array_equal(twin(x), self._score(x))

    def test_no_score_beats_the_stated_optimum(self) -> None:
        """Where ``optimum`` is stated, it is the largest score there is, or the least."""
        if (optimum := getattr(self.problem, "optimum", None)) is None:
            pytest.skip("no optimum is stated")
        sign = -1 if self.minimised else 1
        best = (sign * self._score(self._sample())).max()
        assert best <= sign * optimum + self.rtol * abs(optimum)

    def _family(self) -> Any:
        return self.problem.nominal() if self.nominal is None else self.nominal

    def _sample(self, n: int | None = None) -> Batch:
        return self._family().sample(np.random.default_rng(0), self.n if n is None else n)

    def _score(self, x: Batch) -> Vector:
        return np.asarray(self.problem(x))
