"""The judge of the losses: the sums of the textbooks to fifty digits."""

import mpmath
import numpy as np
import pytest

MP = mpmath.mp.clone()
MP.dps = 50


class Exact:
    """Floats or decimal strings in, numbers of fifty digits out, in nats."""

    number = staticmethod(MP.mpf)
    log, log1p, exp = MP.log, MP.log1p, MP.exp

    @classmethod
    def vector(cls, p):
        return [MP.mpf(a if isinstance(a, str) else float(a)) for a in p]

    @classmethod
    def entropy(cls, p):
        return MP.fsum(-a * MP.log(a) for a in cls.vector(p) if a > 0)

    @classmethod
    def cross_entropy(cls, p, q):
        pairs = zip(cls.vector(p), cls.vector(q), strict=True)
        return MP.fsum(-a * MP.log(b) for a, b in pairs if a > 0)

    @classmethod
    def divergence(cls, p, q):
        """The sum of ``p ln(p / q) - p + q``: not moved by what rounded sums differ from one."""
        pairs = zip(cls.vector(p), cls.vector(q), strict=True)
        return MP.fsum((a * (MP.log(a) - MP.log(b)) - a if a > 0 else 0) + b for a, b in pairs)

    @classmethod
    def jensen_shannon(cls, p, q):
        a, b = cls.vector(p), cls.vector(q)
        m = [(x + y) / 2 for x, y in zip(a, b, strict=True)]
        twice = MP.fsum(x * MP.log(x / y) for c in (a, b) for x, y in zip(c, m, strict=True) if x)
        return twice / 2

    @classmethod
    def softmax_loss(cls, z, k):
        """``-ln softmax(z)_k``."""
        z = cls.vector(z)
        return MP.log1p(MP.fsum(MP.exp(a - z[k]) for i, a in enumerate(z) if i != k))

    @classmethod
    def binary_loss(cls, y, z):
        """``y ln(1 + e^-z) + (1 - y) ln(1 + e^z)``."""
        y, z = cls.vector([y, z])
        return y * MP.log1p(MP.exp(-z)) + (1 - y) * MP.log1p(MP.exp(z))

    @staticmethod
    def error(found, expected):
        """How far ``found`` is from the exact number: relative, or in units of the last place.

        Four such units or a relative 1e-15, whichever is more, make 1.
        """
        off = abs(MP.mpf(float(found)) - expected)
        allowed = max(4 * float(np.spacing(abs(float(expected)))), 1e-15 * abs(float(expected)))
        return float(off / MP.mpf(allowed))


@pytest.fixture(scope="session")
def exact():
    """The judge."""
    return Exact
