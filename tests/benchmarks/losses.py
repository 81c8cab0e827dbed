"""Speed and memory of the losses beside SciPy, scikit-learn and PyTorch, in one run, one thread.

    pip install -e ".[bench]" && OMP_NUM_THREADS=1 python tests/benchmarks/losses.py

Times are the CPU times of the best of several calls, taken in turns; a ratio is the fastest peer's
time over ours. "read" is the time to read the inputs once (a dot product), the limit that memory
sets. Memory is the peak of what NumPy allocates during a call, beyond inputs and result.
"""

import argparse
import threading
import time
import timeit
import tracemalloc

import numpy as np
import scipy.special
import scipy.stats
import sklearn.metrics
import torch
from torch.nn import functional

from cem import loss


def cpu_times(calls, repeats):
    """The least CPU time of each call, the calls taking turns."""
    best = dict.fromkeys(calls, np.inf)
    for call in calls.values():
        call()  # compiles, and loads the pages
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.process_time()
            call()
            best[name] = min(best[name], time.process_time() - start)
    return best


def peak_of(call):
    """Bytes that a call allocates at its worst moment."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def two_threads(halves):
    """Wall time of the two halves one after the other, over that of both at once."""
    start = time.perf_counter()
    for half in halves:
        half()
    alone = time.perf_counter() - start
    workers = [threading.Thread(target=half) for half in halves]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return alone / (time.perf_counter() - start)


def cases(n, dtype):
    """Name, our call, the peers' calls, the reading of the inputs, and two halves of the work."""
    rng = np.random.default_rng(0)
    z = (3 * rng.standard_normal((n // 10, 10))).astype(dtype)
    k = rng.integers(0, 10, n // 10)
    z_torch, k_torch = torch.from_numpy(z), torch.from_numpy(k)
    i = np.arange(n // 10)
    half = n // 20

    def sparse(rows):
        return loss.sparse_categorical_cross_entropy(k[rows], z[rows], from_logits=True)

    yield (
        "CE, 10 classes",
        lambda: sparse(slice(None)),
        {
            "torch cross_entropy": lambda: functional.cross_entropy(z_torch, k_torch).item(),
            "scipy log_softmax": lambda: -scipy.special.log_softmax(z, axis=1)[i, k].mean(),
        },
        lambda: z.ravel() @ z.ravel(),
        [lambda: sparse(slice(half)), lambda: sparse(slice(half, None))],
    )
    p, q = (rng.random(n).astype(dtype) for _ in range(2))
    p /= p.sum(dtype=float)
    q /= q.sum(dtype=float)
    p_torch, q_torch = torch.from_numpy(p), torch.from_numpy(q)
    a, b = (x.reshape(2, -1) / x.reshape(2, -1).sum(axis=1, keepdims=True) for x in (p, q))
    a, b = a.astype(dtype), b.astype(dtype)
    yield (
        "KL",
        lambda: loss.kl_divergence(p, q),
        {
            "scipy kl_div": lambda: scipy.special.kl_div(p, q).sum(),
            "scipy rel_entr": lambda: scipy.special.rel_entr(p, q).sum(),
            "scipy entropy": lambda: scipy.stats.entropy(p, q),
            "torch kl_div": lambda: functional.kl_div(
                q_torch.log(), p_torch, reduction="sum"
            ).item(),
        },
        lambda: p @ q,
        [lambda: loss.kl_divergence(a[0], b[0]), lambda: loss.kl_divergence(a[1], b[1])],
    )
    yield (
        "entropy",
        lambda: loss.entropy(p),
        {
            "scipy entr": lambda: scipy.special.entr(p).sum(),
            "scipy entropy": lambda: scipy.stats.entropy(p),
            "torch entr": lambda: torch.special.entr(p_torch).sum().item(),
        },
        lambda: p @ p,
        [lambda: loss.entropy(a[0]), lambda: loss.entropy(a[1])],
    )
    logits = (3 * rng.standard_normal(n)).astype(dtype)
    y = (rng.random(n) < 0.5).astype(dtype)
    y_torch, logits_torch = torch.from_numpy(y), torch.from_numpy(logits)

    def binary(rows):
        return loss.binary_cross_entropy(y[rows], logits[rows], from_logits=True)

    yield (
        "BCE, logits",
        lambda: binary(slice(None)),
        {
            "torch bce_with_logits": lambda: functional.binary_cross_entropy_with_logits(
                logits_torch, y_torch
            ).item(),
            "numpy logaddexp": lambda: np.mean(np.logaddexp(0, logits) - y * logits),
            "sklearn log_loss": lambda: sklearn.metrics.log_loss(y, 1 / (1 + np.exp(-logits))),
        },
        lambda: y @ logits,
        [lambda: binary(slice(n // 2)), lambda: binary(slice(n // 2, None))],
    )


def small():
    """Microseconds of a call with three outcomes."""
    p, q = np.array([0.1, 0.4, 0.5]), np.array([0.8, 0.15, 0.05])
    y, k, rows = np.array([0.0, 1.0, 0.0]), np.array([1]), np.array([[0.1, 0.4, 0.5]])
    calls = {
        "entropy": lambda: loss.entropy(p),
        "cross_entropy": lambda: loss.cross_entropy(p, q),
        "cross_entropy, lists": lambda: loss.cross_entropy([0.1, 0.4, 0.5], [0.8, 0.15, 0.05]),
        "kl_divergence": lambda: loss.kl_divergence(p, q),
        "jensen_shannon": lambda: loss.jensen_shannon(p, q),
        "binary_cross_entropy": lambda: loss.binary_cross_entropy(y, p),
        "categorical_cross_entropy": lambda: loss.categorical_cross_entropy(y, p),
        "sparse_categorical_cross_entropy": lambda: loss.sparse_categorical_cross_entropy(k, rows),
        "scipy.stats.entropy": lambda: scipy.stats.entropy(p, q),
        "sklearn log_loss": lambda: sklearn.metrics.log_loss(["a", "b", "c"], [rows[0]] * 3),
    }
    print(f"\n{'three outcomes':34} {'microseconds':>12}")
    for name, call in calls.items():
        number = 20 if ("s" in name[:1] and "." in name) or "sklearn" in name else 2000
        best = min(timeit.repeat(call, number=number, repeat=5)) / number
        print(f"{name:34} {best * 1e6:12.1f}")


def main():
    """Print one line per case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=10_000_000, help="elements")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    head = f"{'loss':25} {'ms':>7} {'read':>6} {'best peer':>9} {'ratio':>6} {'MB':>6}"
    print(f"{head} {'2 threads':>9}  peers [ms]")
    for dtype in (np.float64, np.float32):
        for name, ours, peers, read, halves in cases(options.n, dtype):
            times = cpu_times({"ours": ours, "read": read, **peers}, options.repeats)
            mine, reading = times.pop("ours"), times.pop("read")
            best = min(times.values())
            both = max(two_threads(halves) for _ in range(5))
            others = ", ".join(f"{peer} {1e3 * t:.0f}" for peer, t in times.items())
            print(
                f"{name + ', float' + np.dtype(dtype).name[-2:]:25} {1e3 * mine:7.1f} "
                f"{1e3 * reading:6.1f} {1e3 * best:9.1f} {best / mine:6.1f} "
                f"{peak_of(ours) / 2**20:6.2f} {both:9.2f}  {others}"
            )
    small()


if __name__ == "__main__":
    main()
