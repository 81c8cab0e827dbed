"""The compiled normal numbers are NumPy's, bit for bit, and leave the generator where it does."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from numpy.random import MT19937, PCG64, PCG64DXSM, SFC64, Generator, Philox

from cem import MultivariateNormal, Normal
from cem.families.gaussian import LARGE, _compiled, normals, standard_normals

TAIL = 3.6541528853610088  # where the lowest layer of the ziggurat ends: Marsaglia's other method


def same_place(a, b):
    np.testing.assert_equal(a.bit_generator.state, b.bit_generator.state)


@pytest.mark.parametrize("kind", [PCG64, PCG64DXSM, Philox, SFC64, MT19937])
def test_they_are_numpys_from_every_kind_of_generator(kind):
    a, b = Generator(kind(11)), Generator(kind(11))
    for n in (1, 7, 1000):
        found = _compiled(a, n, np.zeros(5), np.ones(5))
        np.testing.assert_array_equal(found, b.standard_normal((n, 5)))
    same_place(a, b)


def test_they_are_numpys_in_the_tails_and_in_the_wedges():
    a, b = np.random.default_rng(5), np.random.default_rng(5)
    found = standard_normals(a, 2000, 1000)
    np.testing.assert_array_equal(found, b.standard_normal((2000, 1000)))
    same_place(a, b)
    assert (found > TAIL).sum() > 200  # 258 expected
    assert (found < -TAIL).sum() > 200


def test_a_generator_that_holds_half_a_word_keeps_it():
    a, b = np.random.default_rng(5), np.random.default_rng(5)
    for rng in (a, b):
        rng.integers(1000, dtype=np.uint32)
    assert a.bit_generator.state["has_uint32"]
    np.testing.assert_array_equal(standard_normals(a, LARGE, 1), b.standard_normal((LARGE, 1)))
    assert a.integers(1000, dtype=np.uint32) == b.integers(1000, dtype=np.uint32)


@pytest.mark.parametrize("n", [LARGE // 4 - 1, LARGE // 4, LARGE // 4 + 1])
def test_a_batch_on_either_side_of_the_limit_is_the_mean_plus_deviations(n):
    mean, std = np.array([0.3, -1e9, 0.0, 7.0]), np.array([1.1, 3e5, 1e-9, 0.0])
    a, b, c = (np.random.default_rng(8) for _ in range(3))
    expected = mean + std * b.standard_normal((n, 4))
    np.testing.assert_array_equal(normals(a, n, mean, std), expected)
    np.testing.assert_array_equal(Normal(mean, std).sample(c, n), expected)
    same_place(a, b)
    same_place(c, b)


def test_the_full_density_is_sampled_alike_on_either_side_of_the_limit():
    root = np.tril(np.random.default_rng(1).normal(size=(16, 16))) + 4 * np.eye(16)
    f = MultivariateNormal(np.arange(16.0), root @ root.T)
    for n in (LARGE // 16 - 1, LARGE // 16):
        z = np.random.default_rng(8).standard_normal((n, 16))
        np.testing.assert_allclose(
            f.sample(np.random.default_rng(8), n), f.mean + z @ root.T, rtol=1e-12, atol=1e-12
        )


def test_a_generator_that_another_thread_draws_from_is_waited_for():
    rng, found = np.random.default_rng(3), []
    standard_normals(rng, LARGE, 1)  # compiled by now
    draw = threading.Thread(target=lambda: found.append(standard_normals(rng, LARGE, 1)))
    with rng.bit_generator.lock:
        draw.start()
        draw.join(0.1)
        assert draw.is_alive()
    draw.join()
    expected = np.random.default_rng(3).standard_normal((2 * LARGE, 1))[LARGE:]
    np.testing.assert_array_equal(found[0], expected)


def test_small_batches_do_not_load_the_compiler():
    code = (
        "import sys, numpy, cem; rng = numpy.random.default_rng(1)\n"
        "cem.Normal([0.0] * 10, [1.0] * 10).sample(rng, 1000)\n"
        "cem.MultivariateNormal([0.0] * 10, numpy.eye(10)).sample(rng, 1000)\n"
        "print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"
