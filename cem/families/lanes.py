"""Eight words at once inside compiled kernels: one bit of 512 samples in a vector register."""

# mypy: ignore-errors
# numba finds the types of what it compiles by itself
from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable
from numba.np.arrayobj import make_array

WORDS = 8
LANES = 64 * WORDS
VECTOR = ir.VectorType(ir.IntType(64), WORDS)
ZEROS = ir.Constant(ir.VectorType(ir.IntType(32), WORDS), [0] * WORDS)


class Lanes(types.Type):
    """Eight words to the compiler, which splits them where registers are shorter.

    The operators ``^``, ``&``, ``|`` and ``+`` work word by word.
    """

    def __init__(self) -> None:
        super().__init__(name="eight words")


EIGHT = Lanes()


@register_model(Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, VECTOR)


def _address(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    data = make_array(signature.args[0])(context, builder, args[0]).data
    return builder.bitcast(builder.gep(data, [args[1]]), VECTOR.as_pointer())


def _repeated(builder: Any, word: Any) -> Any:
    first = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), word, ZEROS.constant[0])
    return builder.shuffle_vector(first, first, ZEROS)


@intrinsic
def load(_: Any, array: Any, at: Any) -> Any:
    """The eight words of a contiguous uint64 array from place ``at`` on."""

    def write(*code: Any) -> Any:
        return code[1].load(_address(*code), align=8)

    return EIGHT(array, at), write


@intrinsic
def store(_: Any, array: Any, at: Any, lanes: Any) -> Any:
    """Put eight words into a contiguous uint64 array from place ``at`` on."""

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _address(context, builder, signature, args), align=8)
        return context.get_dummy_value()

    return types.void(array, at, lanes), write


@intrinsic
def fill(_: Any, word: Any) -> Any:
    """One word eight times."""
    return EIGHT(word), lambda _c, builder, _s, args: _repeated(builder, args[0])


@intrinsic
def rotated(_: Any, lanes: Any, by: Any) -> Any:
    """Every word with its bits rotated upwards by so many places."""

    def write(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        lanes, by = args
        down = builder.sub(ir.Constant(ir.IntType(64), 64), by)
        high = builder.shl(lanes, _repeated(builder, by))
        return builder.or_(high, builder.lshr(lanes, _repeated(builder, down)))

    return EIGHT(lanes, by), write


@intrinsic
def raised(_: Any, lanes: Any, by: Any) -> Any:
    """Every word shifted upwards by so many places."""

    def write(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.shl(args[0], _repeated(builder, args[1]))

    return EIGHT(lanes, by), write


@intrinsic
def any_bit(_: Any, lanes: Any) -> Any:
    """Whether a bit is set in any of the words."""

    def write(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        wide = ir.IntType(64 * WORDS)
        return builder.icmp_unsigned("!=", builder.bitcast(args[0], wide), ir.Constant(wide, 0))

    return types.boolean(lanes), write


def _word_by_word(sign: Any, instruction: str) -> None:
    @type_callable(sign)
    def typed(_: Any) -> Any:
        def kind(a: Any, b: Any) -> Any:
            return EIGHT if isinstance(a, Lanes) and isinstance(b, Lanes) else None

        return kind

    @lower_builtin(sign, Lanes, Lanes)
    def lowered(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args)


for _instruction, _signs in {
    "xor": (operator.xor, operator.ixor),
    "and_": (operator.and_, operator.iand),
    "or_": (operator.or_, operator.ior),
    "add": (operator.add, operator.iadd),
}.items():
    for _sign in _signs:
        _word_by_word(_sign, _instruction)


@njit(error_model="numpy", nogil=True, cache=True)
def full_add(a: Any, b: Any, c: Any) -> Any:
    """The sum bit and the carry bit of three bits, for each of the 512 lanes."""
    different = a ^ b
    return different ^ c, (a & b) | (different & c)
