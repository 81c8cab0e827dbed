"""Products: independent parts in one structured batch, exactly what the parts alone would be."""

import math
import subprocess
import sys

import numpy as np
import pytest

import cem
from cem import Bernoulli, Categorical, MultivariateNormal, Normal, Poisson, TruncatedNormal
from cem.checkpoint import dumps, load, loads, settings_of
from cem.families.placements import Placements
from cem.families.product import Product
from cem.loss import cross_entropy, entropy, kl_divergence
from cem.loss.registry import find_entropy, find_kl
from cem.testing import FamilyContract

NORMAL = Normal([0.5, -1.0], [2.0, 0.3])
KINDS = Categorical([[0.5, 0.5], [0.1, 0.2, 0.7]])
ORDER = Placements([[0.5, 0.3, 0.2], [0.1, 0.6, 0.3], [0.4, 0.2, 0.4]])
MIXED = Product(position=NORMAL, count=Poisson([3.0]), kind=KINDS)
ALL = Product(position=NORMAL, count=Poisson([3.0]), kind=KINDS, order=ORDER)


def batch(family, n=200, seed=0):
    return family.sample(np.random.default_rng(seed), n)


def off(name, value):
    """A sample of `MIXED` with one field moved off its support."""
    x = batch(MIXED, 1)
    x[name][0, 0] = value
    return x[0]


class TestProduct(FamilyContract):
    family = MIXED
    outside = (off("count", -1), off("kind", 2), off("position", np.nan))
    spread_is_std = False


class TestProductOfProducts(FamilyContract):
    family = Product(inner=Product(a=NORMAL, on=Bernoulli([0.3])), b=Normal([1.0], [1.0]))
    spread_is_std = False


class TestProductWithABox(FamilyContract):
    family = Product(
        inside=TruncatedNormal([0.2], [0.5], low=[0.0], high=[1.0]),
        free=MultivariateNormal([0.0, 1.0], [[1.0, 0.5], [0.5, 2.0]]),
    )
    spread_is_std = False


def test_a_batch_is_one_structured_array_with_a_field_for_every_part():
    x = batch(ALL, 7)
    assert x.shape == (7,)
    assert x.dtype.names == ("position", "count", "kind", "order")
    assert [x[name].shape for name in x.dtype.names] == [(7, 2), (7, 1), (7, 2), (7, 3)]
    assert [x[name].dtype.kind for name in x.dtype.names] == ["f", "i", "i", "i"]


def test_the_parts_are_drawn_one_after_another_from_the_stream():
    x, rng = batch(ALL, 50, seed=3), np.random.default_rng(3)
    for name, part in ALL.parts.items():
        np.testing.assert_array_equal(x[name], part.sample(rng, 50))


def test_the_log_density_is_the_sum_of_those_of_the_parts():
    x = batch(ALL)
    expected = sum(part.log_density(x[name]) for name, part in ALL.parts.items())
    np.testing.assert_allclose(ALL.log_density(x), expected, rtol=1e-14)


def test_off_the_support_of_one_part_is_off_that_of_all_even_where_another_has_collapsed():
    f = Product(a=Normal([0.0], [0.0]), b=Poisson([1.0]))
    x = np.zeros(3, batch(f, 1).dtype)
    x["a"][:, 0], x["b"][:, 0] = [0.0, 0.0, 1.0], [1, -1, 1]
    assert f.log_density(x).tolist() == [np.inf, -np.inf, -np.inf]


def test_the_fit_is_that_of_every_part_alone():
    x, w = batch(ALL), np.random.default_rng(1).random(200)
    fitted = ALL.fit(x, w)
    for name, part in ALL.parts.items():
        np.testing.assert_equal(fitted.parts[name].parameters(), part.fit(x[name], w).parameters())


def test_a_fit_to_a_sample_off_the_support_of_a_part_is_refused_by_that_part():
    with pytest.raises(
        ValueError, match=r"^Poisson\.fit: samples of positive weight must be whole"
    ):
        MIXED.fit(np.array([off("count", -1)]), np.ones(1))


def test_parameters_have_the_name_of_their_part_and_are_replaced_by_it():
    assert list(ALL.parameters()) == [
        "position.mean",
        "position.std",
        "count.rate",
        "kind.p",
        "order.p",
    ]
    moved = ALL.replace(**{"position.mean": [7.0, 8.0], "count.rate": [9.0]})
    assert moved.parts["position"].mean.tolist() == [7.0, 8.0]
    assert moved.parts["position"].std.tolist() == NORMAL.std.tolist()
    assert moved.parts["count"].rate.tolist() == [9.0]
    assert ALL.parts["count"].rate.tolist() == [3.0]


def test_the_parameters_of_a_nested_product_have_both_names():
    nested = TestProductOfProducts.family
    assert list(nested.parameters()) == [
        "inner.a.mean",
        "inner.a.std",
        "inner.on.p",
        "b.mean",
        "b.std",
    ]
    assert nested.replace(**{"inner.on.p": [0.9]}).parts["inner"].parts["on"].p.tolist() == [0.9]
    assert batch(nested)["inner"]["a"].shape == (200, 2)


def test_the_spread_is_that_of_the_parts_in_a_row():
    expected = [2.0, 0.3, math.sqrt(3), *KINDS.spread(), *ORDER.spread()]
    np.testing.assert_allclose(ALL.spread(), expected, rtol=1e-14)


def test_the_entropy_and_the_divergence_are_the_sums_of_those_of_the_parts():
    other = MIXED.fit(batch(MIXED), np.ones(200))
    pairs = [(part, other.parts[name]) for name, part in MIXED.parts.items()]
    assert entropy(MIXED) == pytest.approx(sum(entropy(a) for a, _ in pairs), rel=1e-14)
    total = sum(kl_divergence(a, b) for a, b in pairs)
    assert kl_divergence(MIXED, other) == pytest.approx(total, rel=1e-14)
    assert cross_entropy(MIXED, other) == pytest.approx(total + entropy(MIXED), rel=1e-14)


def test_a_part_without_a_closed_form_leaves_the_product_without():
    assert find_entropy(ALL) is None
    assert find_kl(ALL, ALL) is None
    assert find_kl(Product(a=NORMAL), Product(a=cem.Gamma([1.0, 1.0], [1.0, 1.0]))) is None
    assert find_kl(Product(a=NORMAL), Product(b=NORMAL)) is None
    with pytest.raises(TypeError, match="no closed form of the entropy of Product is known"):
        entropy(ALL)


def test_no_part_is_narrower_than_that_of_the_other():
    wide = MIXED.replace(**{"position.std": [1.0, 1.0]})
    raised = MIXED.no_narrower_than(wide)
    assert raised.parts["position"].std.tolist() == [2.0, 1.0]
    assert raised.parts["count"].rate.tolist() == [3.0]


def test_the_box_of_a_part_is_kept_by_every_member():
    f = TestProductWithABox.family
    for member in (f.fit(batch(f), np.ones(200)), f.replace(**{"inside.std": [0.1]})):
        assert member.parts["inside"].low.tolist() == [0.0]
        assert member.parts["inside"].high.tolist() == [1.0]


def value(x):
    """Largest, 0, at position (1, -2), kind (1, 2) and order (2, 0, 1)."""
    wrong = (x["kind"] != [1, 2]).sum(axis=1) + (x["order"] != [2, 0, 1]).sum(axis=1)
    return -np.square(x["position"] - [1.0, -2.0]).sum(axis=1) * (1 + wrong) - wrong


START = Product(position=NORMAL.replace(std=[3.0, 3.0]), kind=KINDS, order=ORDER)


def test_maximize_finds_a_structured_optimum():
    found = cem.maximize(value, START, rng=1, n_samples=300)
    assert found.fun == pytest.approx(0, abs=1e-8)
    np.testing.assert_allclose(found.x["position"], [1, -2], atol=1e-4)
    assert found.x["kind"].tolist() == [1, 2]
    assert found.x["order"].tolist() == [2, 0, 1]
    assert found.success


def test_the_best_sample_is_a_copy_of_its_row():
    x = batch(ALL)
    best = cem.Best().or_better(x, np.arange(200.0))
    kept = best.x["position"].copy()
    x["position"][-1] = 99.0
    np.testing.assert_array_equal(best.x["position"], kept)


def test_a_run_cut_and_resumed_has_the_bits_of_an_uncut_one(tmp_path, same_run):
    path = tmp_path / "run.npz"
    settings = {"rng": 4, "n_samples": 200}
    cem.maximize(value, START, **settings, checkpoint=path, max_iterations=4)
    saved = load(path, START)
    assert saved.state.best.x.dtype == batch(START).dtype
    resumed = cem.maximize(value, START, **settings, checkpoint=path, max_iterations=12)
    assert same_run(resumed, cem.maximize(value, START, **settings, max_iterations=12))


def test_workers_score_the_same_bits(same_run):
    settings = {"rng": 4, "n_samples": 200, "max_iterations": 3, "chunk_size": 50}
    alone = cem.maximize(value, START, **settings)
    import multiprocessing

    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert same_run(cem.maximize(value, START, **settings, workers=pool), alone)


def digest(family):
    return settings_of(cem.CrossEntropyMethod(nominal=family, n_samples=9, rng=1))["nominal"]


def box(high, low=0.0):
    return TruncatedNormal([0.2], [0.5], low=[low], high=[high])


def test_the_settings_of_a_checkpoint_know_the_parameters_types_and_constants_of_the_parts():
    different = [
        Product(a=box(1.0)),
        Product(a=box(2.0)),
        Product(a=box(1.0, low=-1.0)),
        Product(b=box(1.0)),
        Product(a=box(1.0), b=Bernoulli([0.5])),
        Product(a=box(1.0), b=cem.Geometric([0.5])),
        Product(a=box(1.0), b=Bernoulli([0.25])),
        Product(c=Product(a=box(1.0))),
        Product(c=Product(a=box(2.0))),
    ]
    digests = [digest(f) for f in different]
    assert len(set(digests)) == len(digests)
    assert digest(Product(a=box(1.0))) == digests[0]


def test_the_settings_of_a_checkpoint_are_the_same_in_another_process():
    code = (
        "from cem import CrossEntropyMethod, TruncatedNormal\n"
        "from cem.checkpoint import settings_of\n"
        "from cem.families.product import Product\n"
        "f = Product(a=TruncatedNormal([0.2], [0.5], low=[0.0], high=[1.0]))\n"
        "print(settings_of(CrossEntropyMethod(nominal=f, n_samples=9, rng=1))['nominal'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == digest(Product(a=box(1.0)))


def test_a_checkpoint_of_other_parts_is_refused():
    data = dumps(cem.State(MIXED), cem.History(), {})
    with pytest.raises(ValueError, match="does not fit the family Product"):
        loads(data, ALL)


def test_every_parameter_may_have_its_own_smoothing():
    alpha = dict.fromkeys(START.parameters(), 0.5) | {"position.mean": 1.0}
    x = batch(START)

    class Fit:
        v_hat = START.fit(x, np.ones(200))

    v, _ = cem.Constant(alpha)(cem.State(START), Fit)
    new, old = Fit.v_hat.parameters(), START.parameters()
    for name, a in alpha.items():
        expected = a * new[name] + (1 - a) * old[name]
        np.testing.assert_allclose(v.parameters()[name], expected, rtol=1e-14)


def test_a_product_is_printed_as_it_is_written():
    f = Product(a=Normal([0.0], [1.0]), on=Bernoulli([0.5]))
    assert repr(f) == "Product(a=Normal(mean=[0.], std=[1.]), on=Bernoulli(p=[0.5]))"


def test_the_parts_cannot_be_changed():
    with pytest.raises(TypeError):
        MIXED.parts["count"] = Poisson([1.0])
    with pytest.raises(AttributeError):
        MIXED.count = Poisson([1.0])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (Product, ValueError, "^Product needs at least one part"),
        (
            lambda: Product(a=[0.5]),
            TypeError,
            r"^Product\.a must be a family.*got \[0\.5\] of type",
        ),
        (lambda: Product(a=Normal), TypeError, r"^Product\.a must be a family.*of type type"),
        (lambda: Product(**{"a.b": NORMAL}), ValueError, "a word of ASCII letters.*got 'a.b'"),
        (lambda: Product(é=NORMAL), ValueError, "a word of ASCII letters"),
        (
            lambda: MIXED.replace(**{"kind.q": [1]}),
            ValueError,
            "no parameter 'kind.q'; expected pos",
        ),
        (lambda: MIXED.replace(count=[1]), ValueError, "no parameter 'count'; expected"),
        (lambda: MIXED.replace(**{"count.rate": [-1]}), ValueError, r"^Poisson\.rate must be"),
        (
            lambda: MIXED.log_density(np.zeros((3, 2))),
            ValueError,
            r"fields position, count, kind; got",
        ),
        (
            lambda: MIXED.log_density(batch(ALL)),
            ValueError,
            r"got \('position', 'count', .*'order'\)",
        ),
        (
            lambda: MIXED.fit(batch(MIXED)[0], np.ones(1)),
            ValueError,
            r"is the batch np\.array\(\[x\]\)",
        ),
        (lambda: MIXED.log_density([1, 2]), ValueError, r"got \[1, 2\] of shape \(2,\)"),
    ],
)
def test_a_mistake_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
