"""Independent parts of any families under names: continuous, whole and other variables in one."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.random import Generator

from cem.families.parametric import is_family
from cem.loss.registry import closed_form_entropy, closed_form_kl, find_entropy, find_kl
from cem.typing import Array, Batch, Family, Vector


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Product:
    """``f(x) = prod_k f_k(x_k)``: ``Product(position=Normal(...), kind=Categorical(...))``.

    The parts are families, each with a name. A batch is one structured array with a field for each
    of them: ``x["position"]`` is a batch of the first part, so ``(n, d)``, and ``x[i]`` one sample
    of all. The parameters are those of the parts, named ``"position.mean"``. A part may be a
    product itself.

    >>> from cem.families import Bernoulli, Normal
    >>> f = Product(position=Normal([0.0, 1.0], [1.0, 1.0]), on=Bernoulli([0.5]))
    >>> x = f.sample(np.random.default_rng(0), 100)
    >>> x["position"].shape, x["on"].shape
    ((100, 2), (100, 1))
    >>> f.replace(**{"on.p": [0.9]}).parts["on"]
    Bernoulli(p=[0.9])
    """

    made_of: (
        bytes  # the types of the parts and what is not fitted in them: a checkpoint compares it
    )

    def __init__(self, /, **parts: Family) -> None:
        if not parts:
            raise ValueError(
                "Product needs at least one part, such as position=Normal([0.0], [1.0]); got none"
            )
        for name, part in parts.items():
            _check(name, part)
        object.__setattr__(self, "_parts", parts)
        object.__setattr__(self, "made_of", b"".join(map(_made_of, parts.values())))

    @property
    def parts(self) -> Mapping[str, Family]:
        """The families by name, in order."""
        return MappingProxyType(vars(self)["_parts"])

    def sample(self, rng: Generator, n: int) -> Batch:
        """``n`` samples as a structured array of shape ``(n,)``; part by part from the stream."""
        columns = {name: np.asarray(part.sample(rng, n)) for name, part in self.parts.items()}
        x = np.empty(
            n, [(name, column.dtype, column.shape[1:]) for name, column in columns.items()]
        )
        for name, column in columns.items():
            x[name] = column
        return x

    def log_density(self, x: Batch) -> Vector:
        """``sum_k ln f_k(x_k)``, shape ``(n,)``; ``-inf`` if a part is off its support."""
        x = self._batch(x)
        terms = np.stack([part.log_density(x[name]) for name, part in self.parts.items()])
        terms[:, (terms == -np.inf).any(axis=0)] = -np.inf  # whatever a collapsed part may say
        return terms.sum(axis=0)

    def fit(self, x: Batch, weights: Vector) -> Self:
        """Every part fitted to its own field: since they are independent, that is best for all."""
        x = self._batch(x)
        return self._each(lambda name, part: part.fit(x[name], weights))

    def smooth(self, towards: Self, alpha: float) -> Self:
        """Every part smoothed towards that of the other."""
        return self._each(lambda name, part: part.smooth(towards.parts[name], alpha))

    def no_narrower_than(self, other: Self) -> Self:
        """Every part no narrower than that of the other."""
        return self._each(lambda name, part: part.no_narrower_than(other.parts[name]))

    def spread(self) -> Array:
        """The spreads of the parts in a row, shape ``(d_1 + d_2 + ...,)``."""
        return np.concatenate([part.spread() for part in self.parts.values()])

    def parameters(self) -> dict[str, Array]:
        """The parameters of all parts, each named ``"part.parameter"``."""
        return {
            f"{name}.{key}": array
            for name, part in self.parts.items()
            for key, array in part.parameters().items()
        }

    def replace(self, **parameters: Array) -> Self:
        """The same families at other parameters: ``replace(**{"position.mean": [0.0, 2.0]})``.

        Raises ValueError for a name that is not one of `parameters`.
        """
        new: dict[str, dict[str, Array]] = {name: {} for name in self.parts}
        for name, array in parameters.items():
            if name not in (known := self.parameters()):
                raise ValueError(f"Product has no parameter {name!r}; expected {', '.join(known)}")
            part, _, key = name.partition(".")
            new[part][key] = array
        return self._each(lambda name, part: part.replace(**new[name]))

    def _each(self, change: Callable[[str, Family], Family]) -> Self:
        return type(self)(**{name: change(name, part) for name, part in self.parts.items()})

    def _batch(self, x: Batch) -> Batch:
        """The batch if it has a field for every part, in order; else ValueError."""
        found = getattr(getattr(x, "dtype", None), "names", None)
        if found != tuple(self.parts) or np.ndim(x) != 1:
            raise ValueError(
                f"Product needs a structured batch of shape (n,) with the fields "
                f"{', '.join(self.parts)}; got {reprlib.repr(x) if found is None else found} of "
                f"shape {np.shape(x)}. A single sample x is the batch np.array([x])"
            )
        return x

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), **self.parts), ()

    def __repr__(self) -> str:
        return f"Product({', '.join(f'{name}={part!r}' for name, part in self.parts.items())})"


def _check(name: str, part: Any) -> None:
    if not (name.isascii() and name.isidentifier()):
        raise ValueError(
            f"the name of a part must be a word of ASCII letters, digits and _; got {name!r}"
        )
    if not is_family(part):
        raise TypeError(
            f"Product.{name} must be a family, such as cem.Normal([0.0], [1.0]); got "
            f"{reprlib.repr(part)} of type {type(part).__name__}"
        )


def _made_of(part: Any) -> bytes:
    """The type of a family, and its fields that are no parameters."""
    own = part.parameters()
    names = [f.name for f in fields(part) if f.name not in own] if is_dataclass(part) else []
    constants = (np.asarray(getattr(part, name)).tobytes() for name in names)
    return b"".join([type(part).__name__.encode(), *constants])


def _entropies_known(f: Product) -> bool:
    return all(find_entropy(part) for part in f.parts.values())


def _divergences_known(f: Product, g: Product) -> bool:
    return tuple(f.parts) == tuple(g.parts) and all(
        find_kl(part, g.parts[name]) for name, part in f.parts.items()
    )


@closed_form_entropy(Product, known=_entropies_known)
def _entropy(f: Product) -> float:
    forms: Any = [(find_entropy(part), part) for part in f.parts.values()]
    return float(sum(form(part) for form, part in forms))


@closed_form_kl(Product, Product, known=_divergences_known)
def _kl(f: Product, g: Product) -> float:
    pairs = [(part, g.parts[name]) for name, part in f.parts.items()]
    forms: Any = [(find_kl(a, b), a, b) for a, b in pairs]
    return float(sum(form(a, b) for form, a, b in forms))
