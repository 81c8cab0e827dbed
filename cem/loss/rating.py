"""How good is a cross-entropy? A rule of thumb of tutorials, with what it leaves out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cem.scores import real_number

BELOW = ((0.02, "great"), (0.05, "on the right track"), (0.20, "fine"))  # in nats
UP_TO = ((0.30, "between fine and not great"), (1.00, "not great"), (2.00, "terrible"))


@dataclass(frozen=True)
class Rating:
    """A mean cross-entropy in nats, in words and beside what the words leave out.

    ``probability`` is the geometric mean of the probabilities given to the true classes,
    ``perplexity`` its inverse. ``skill`` is ``1 - nats / ln C``: 0 for guessing all ``C`` classes
    alike, 1 for certainty, negative for worse than guessing; None if ``C`` is not known.
    """

    nats: float
    band: str
    skill: float | None = None

    @property
    def probability(self) -> float:
        """``e^-nats``."""
        return math.exp(-self.nats)

    @property
    def perplexity(self) -> float:
        """``e^nats``."""
        try:
            return math.exp(self.nats)
        except OverflowError:
            return math.inf

    def __str__(self) -> str:
        against = "" if self.skill is None else f", skill {self.skill:.2f}"
        return (
            f"{self.band}: {self.nats:.4g} nats, probability {self.probability:.4g}, "
            f"perplexity {self.perplexity:.4g}{against}"
        )


def rate_score(nats: float, n_classes: int | None = None) -> Rating:
    """The band of a mean cross-entropy: a rule of thumb, for few classes and in nats only.

    0 is "perfect", and then ``[0, .02)`` "great", ``[.02, .05)`` "on the right track", ``[.05,
    .2)`` "fine", ``[.2, .3]`` a gap of the rule, up to 1 "not great", up to 2 "terrible", above
    "broken". The rule states no unit and no number of classes: guessing among two is already "not
    great" (ln 2), among a thousand "broken" (6.9), so look at the skill. Raises ValueError for a
    negative or NaN loss, and for fewer than two classes.

    >>> print(rate_score(0.247, n_classes=2))
    between fine and not great: 0.247 nats, probability 0.7811, perplexity 1.28, skill 0.64
    """
    if not real_number("nats", nats) >= 0:
        raise ValueError(
            f"nats must be a cross-entropy of labels, which is not negative; got {nats!r}"
        )
    if n_classes is not None and not (n_classes >= 2 and n_classes % 1 == 0):
        raise ValueError(f"n_classes must be at least 2; got {n_classes!r}")
    words = [word for top, word in BELOW if nats < top]
    words += [word for top, word in UP_TO if nats <= top]
    band = "perfect" if nats == 0 else [*words, "broken"][0]
    skill = None if n_classes is None else 1 - nats / math.log(n_classes)
    return Rating(float(nats), band, skill)
