"""Compiled sums for large arrays: the same values as the NumPy lines beside their users, faster.

Every loop here is plain arithmetic without branches, so that the compiler turns it into vector
instructions; sums run over blocks that fit the first cache, and memory is asked for ahead of its
use. Float32 comes in as it is and is computed in float64. Imported on first use, as numba is heavy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from cem.loss.series import NEAR, R

IN_ORDER = {"error_model": "numpy", "fastmath": {"contract"}, "nogil": True, "cache": True}
ANY_ORDER = {**IN_ORDER, "fastmath": {"contract", "reassoc"}, "forceinline": True}  # for sums only
BLOCK = 128  # elements, or rows, at a time
AHEAD = 512  # elements between what is computed and what is fetched
FEW, FEW_AHEAD = 64, 256  # the same, where two arrays are summed
LINE = 8  # float64s of a cache line

LOG2_E = 1.4426950408889634
LN_2 = 0.6931471805599453
LN_2_HIGH, LN_2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # together ln 2
SHIFT = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to a whole number, in the low bits
ONE_HALF, SQRT_HALF = 1 << 51, 0x3FE6A09E667F3BCD  # as bits: of an exponent, of a float64
UP = 2.0**54  # makes a subnormal number normal
TINY = 2.0**-60
SMALLEST = 1 << 52  # as bits: of a normal number

DIVERGENCE, CROSS_ENTROPY, ENTROPY = 0, 1, 2  # numbers and no closures: those are never cached
Sums = tuple[float, float, float, int]  # of the terms, of p, of q; and how many are negative


@intrinsic
def _bits(_: Any, x: Any) -> Any:  # noqa: ARG001 - numba types the function by it
    """The float64 as the int64 of the same bits."""

    def generate(context: Any, builder: Any, _: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def _float(_: Any, bits: Any) -> Any:  # noqa: ARG001
    """The int64 as the float64 of the same bits."""

    def generate(context: Any, builder: Any, _: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


@intrinsic
def _fetch(_: Any, a: Any, i: Any) -> Any:  # noqa: ARG001
    """Ask for the memory of ``a[i]``, which may lie beyond the end: a hint, not an access."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        start = context.make_array(signature.args[0])(context, builder, args[0]).data
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        hint = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        prefetch = cgutils.get_or_insert_function(builder.module, hint, "llvm.prefetch.p0")
        where = builder.bitcast(builder.gep(start, [args[1]]), byte)
        builder.call(prefetch, [where, word(0), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(a, types.intp), generate


@njit(**IN_ORDER)
def _exp(x: float) -> float:
    """``e^x`` for ``x <= 0``: ``2^k e^r`` with ``|r| <= ln(2) / 2``, by Taylor's series."""
    t = x * LOG2_E + SHIFT
    k = t - SHIFT
    r = (x - k * LN_2_HIGH) - k * LN_2_LOW
    r2 = r * r
    r4 = r2 * r2
    low = (1 / 5040 * r + 1 / 720) * r2 + (1 / 120 * r + 1 / 24)
    middle = (1 / 39916800 * r + 1 / 3628800) * r2 + (1 / 362880 * r + 1 / 40320)
    high = 1 / 6227020800 * r + 1 / 479001600
    series = ((high * r4 + middle) * r4 + low) * r4 + (1 / 6 * r + 0.5) * r2 + r
    scale = _float((_bits(t) + (1023 + 60)) << 52)  # 2^60 too large: it may not be subnormal
    power = (series * scale + scale) * TINY
    return 0.0 if x < -746.0 else power  # and NaN stays NaN


@njit(**IN_ORDER)
def _atanh_tail(z: float) -> float:
    """``(atanh(s) / s - 1) / s^2`` for ``z = s^2 <= 1/9``, as in `cem.loss.series`."""
    z2 = z * z
    even = (((R[1] * z2 + R[3]) * z2 + R[5]) * z2 + R[7]) * z2 + R[9]
    odd = (((R[0] * z2 + R[2]) * z2 + R[4]) * z2 + R[6]) * z2 + R[8]
    return even + odd * z


@njit(**IN_ORDER)
def _log(x: float) -> float:
    """``ln x`` for finite ``x > 0``: ``x = 2^k m``, ``ln m = 2 atanh((m - 1) / (m + 1))``."""
    bits = _bits(x * UP)
    k = (bits - SQRT_HALF) >> 52
    m = _float(bits - (k << 52))
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    e = float(k) - 54.0
    return e * LN_2_HIGH + (2 * s + (2 * s * z * _atanh_tail(z) + e * LN_2_LOW))


@njit(**IN_ORDER)
def _log1p(t: float) -> float:
    """``ln(1 + t)`` for ``t >= 0`` without loss where ``t`` is small."""
    u = t / (1.0 + 0.5 * t)  # 2 s, for s of the smallest t would be zero
    z = 0.25 * u * u
    small = u + u * z * _atanh_tail(z)
    large = _log(1.0 + t)
    return large if t >= 0.4 else small  # and NaN stays NaN


@njit(**IN_ORDER)
def _log1p_of_share(t: float) -> float:
    """``ln(1 + t)`` for ``0 <= t <= 1``: `_log1p` with one division."""
    big = t > 0.41
    u = (t - 1.0 if big else t) / (0.5 * t + (1.5 if big else 1.0))
    z = 0.25 * u * u
    return (LN_2 if big else 0.0) + (u + u * z * _atanh_tail(z))


@njit(**IN_ORDER)
def _divergence_term(p: float, q: float) -> float:
    """``p ln(p / q) - p + q``: for near ``p`` and ``q`` by a series in ``s`` that has no minus."""
    p_bits = max(_bits(p * UP), SMALLEST)  # any number will do where p = 0
    q_bits = _bits(q * UP)
    near = abs(p - q) < NEAR * (p + q)
    k = 0 if near else (p_bits - q_bits + ONE_HALF) >> 52
    m_p, m_q = _float(p_bits), _float(q_bits + (k << 52))  # nearly the same size
    s = (m_p - m_q) / (m_p + m_q)
    z = s * s
    cubic = p * (2 * s * z * _atanh_tail(z) + float(k) * LN_2)
    linear = p * (2 * s) - (p - q)
    square = z * (p + q)
    term = (square if near else linear) + cubic
    return np.inf if (q == 0.0) & (p > 0.0) else term


@njit(**IN_ORDER)
def _surprise_term(p: float, q: float) -> float:
    """``-p ln q``, zero where ``p`` is."""
    term = 0.0 - p * _log(q)
    return np.inf if (q == 0.0) & (p > 0.0) else term


@njit(**ANY_ORDER)
def _divergences_of_few(p: Any, q: Any, n: int) -> Sums:
    total = p_sum = q_sum = 0.0
    n_negative = 0
    for i in range(n):
        x, y = np.float64(p[i]), np.float64(q[i])  # numba's float() of a float32 is one too
        total += _divergence_term(x, y)
        p_sum += x
        q_sum += y
        n_negative += min(x, y) < 0  # NaN shows in the sums
    return total, p_sum, q_sum, n_negative


@njit(**ANY_ORDER)
def _cross_entropies_of_few(p: Any, q: Any, n: int) -> Sums:
    total = p_sum = q_sum = 0.0
    n_negative = 0
    for i in range(n):
        x, y = np.float64(p[i]), np.float64(q[i])
        total += _surprise_term(x, y)
        p_sum += x
        q_sum += y
        n_negative += min(x, y) < 0
    return total, p_sum, q_sum, n_negative


@njit(**ANY_ORDER)
def _entropies_of_few(p: Any, n: int) -> Sums:
    total = p_sum = 0.0
    n_negative = 0
    for i in range(n):
        x = np.float64(p[i])
        total -= x * _log(x)
        p_sum += x
        n_negative += x < 0
    return total, p_sum, p_sum, n_negative


@njit(**ANY_ORDER)
def _of_few(what: int, p: Any, q: Any, n: int) -> Sums:
    if what == DIVERGENCE:
        return _divergences_of_few(p, q, n)
    if what == CROSS_ENTROPY:
        return _cross_entropies_of_few(p, q, n)
    return _entropies_of_few(p, n)


@njit(**IN_ORDER)
def _over_rows(what: int, p: Any, q: Any, out: Any) -> bool:
    """Sum over the rows of two matrices into ``out``; False if a row does not sum to one."""
    n, k = p.shape
    flat_p, flat_q = p.reshape(-1), q.reshape(-1)
    p_rounding = 1e-8 if p.itemsize == 8 else 1e-6
    q_rounding = 1e-8 if q.itemsize == 8 else 1e-6
    fine = True
    for row in range(n):
        total = carry = p_sum = q_sum = 0.0
        n_negative = 0
        for i in range(row * k, row * k + k, FEW):
            stop = min(i + FEW, row * k + k)
            for j in range(i + FEW_AHEAD, stop + FEW_AHEAD, LINE):
                _fetch(flat_p, j)
                _fetch(flat_q, j)
            a, b = flat_p[i:stop], flat_q[i:stop]
            if stop - i == FEW:  # compiled apart, for the length is known
                part, in_p, in_q, negative = _of_few(what, a, b, FEW)
            else:
                part, in_p, in_q, negative = _of_few(what, a, b, stop - i)
            new = total + part  # Neumaier's sum: what new has lost is in carry
            if np.isfinite(new):
                carry += (total - new) + part if total >= part else (part - new) + total
            total = new
            p_sum += in_p
            q_sum += in_q
            n_negative += negative
        out[row] = total + carry
        fine &= n_negative == 0
        fine &= abs(p_sum - 1.0) <= p_rounding and abs(q_sum - 1.0) <= q_rounding
    return fine


def divergences(p: Any, q: Any, out: Any) -> bool:
    """``out[i] = D(p[i] || q[i])``; False if a row is no distribution."""
    return bool(_over_rows(DIVERGENCE, p, q, out))


def cross_entropies(p: Any, q: Any, out: Any) -> bool:
    """``out[i] = H(p[i], q[i])``; False if a row is no distribution."""
    return bool(_over_rows(CROSS_ENTROPY, p, q, out))


def entropies(p: Any, _: Any, out: Any) -> bool:
    """``out[i] = H(p[i])``; False if a row is no distribution."""
    return bool(_over_rows(ENTROPY, p, p, out))


@njit(**IN_ORDER)
def _transpose(z: Any, start: int, n: int, out: Any) -> None:
    for row in range(n):
        for c in range(z.shape[1]):
            out[c, row] = z[start + row, c]


@njit(**IN_ORDER)
def _raise_to(top: Any, z: Any, n: int) -> None:
    for row in range(n):
        top[row] = max(z[row], top[row])


@njit(**IN_ORDER)
def _add_exp(z: Any, top: Any, rest: Any, n_top: Any, n: int) -> None:
    """The classes below the top one are summed apart from it: what they add to 1 is not lost."""
    for row in range(n):
        below = z[row] - top[row]
        n_top[row] += 1.0 if below == 0.0 else 0.0
        power = _exp(below)
        rest[row] += 0.0 if below == 0.0 else power


@njit(**IN_ORDER)
def _add_log1p(out: Any, rest: Any, n_top: Any, n: int) -> None:
    for row in range(n):
        out[row] += _log1p(rest[row] + (n_top[row] - 1.0))


@njit(**IN_ORDER)
def label_surprises(z: Any, labels: Any, out: Any) -> None:
    """``out[i] = ln sum_c e^(z[i, c]) - z[i, labels[i]]``; the labels must be in range.

    Not finite where a row is not, or has no finite entry.
    """
    n, n_classes = z.shape
    flat = z.reshape(-1)
    by_class = np.empty((n_classes, BLOCK))
    top, rest, n_top = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, n, BLOCK):
        m = min(BLOCK, n - start)
        for j in range((start + BLOCK) * n_classes, (start + 2 * BLOCK) * n_classes, LINE):
            _fetch(flat, j)
        _transpose(z, start, m, by_class)
        top[:] = -np.inf
        rest[:] = 0.0
        n_top[:] = 0.0
        for c in range(n_classes):
            _raise_to(top, by_class[c], m)
        for c in range(n_classes):
            _add_exp(by_class[c], top, rest, n_top, m)
        for row in range(m):
            out[start + row] = top[row] - by_class[labels[start + row], row]
        _add_log1p(out[start:], rest, n_top, m)


@njit(**IN_ORDER)
def binary_surprises(y: Any, z: Any, out: Any) -> bool:
    """``out[i] = ln(1 + e^z[i]) - y[i] z[i]``; False if a target is not in [0, 1]."""
    n_outside = 0
    for start in range(0, z.size, BLOCK):
        m = min(BLOCK, z.size - start)
        for j in range(start + AHEAD, start + AHEAD + BLOCK, LINE):
            _fetch(y, j)
            _fetch(z, j)
        n_outside += _binary(y[start : start + m], z[start : start + m], out[start : start + m])
    return n_outside == 0


@njit(**IN_ORDER)
def _binary(y: Any, z: Any, out: Any) -> int:
    n_outside = 0
    for i in range(z.size):
        one, logit = np.float64(y[i]), np.float64(z[i])
        share = 1.0 - one if logit > 0.0 else one
        size = abs(logit)
        linear = share * size
        linear = linear if share > 0.0 else 0.0
        out[i] = linear + _log1p_of_share(_exp(-size))
        n_outside += not ((one >= 0.0) & (one <= 1.0))  # NaN too
    return n_outside
