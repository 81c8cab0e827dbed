"""CemSampler beside Optuna's own samplers: the median best value after so many trials.

Run ``python tests/benchmarks/optuna_samplers.py [seeds] [trials]``; it prints, for every objective
and sampler, the medians over the seeds after 50, 100, 200, 500 and 1000 trials and the seconds of a
study. The defaults of CemSampler were chosen on the objectives of `CHOSEN`, and not on `CHECKED`.
Of a noisy objective the value without noise is told. The least value of all is 0.
"""

import math
import sys
import time
import warnings
from zlib import crc32

import numpy as np
import optuna

from cem.integrations.optuna import CemSampler

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")
AFTER = (50, 100, 200, 500, 1000)


def floats(trial, d, low, high):
    return np.array([trial.suggest_float(f"x{i}", low, high) for i in range(d)])


def choices(trial, d, of):
    return np.array([trial.suggest_categorical(f"c{i}", of) for i in range(d)])


def noise(x):
    return np.random.default_rng(crc32(np.asarray(x, float).tobytes())).normal()


def noisy(trial, value, x, sd):
    trial.set_user_attr("exact", float(value))
    return float(value + sd * noise(x))


def ellipsoid5(trial):
    x = floats(trial, 5, -5, 5) - [-1, 2, 3, -2, 0.5]
    return float((10.0 ** np.linspace(0, 3, 5) * x**2).sum())


def ackley8(trial):
    x = floats(trial, 8, -30, 30) - 7
    return float(
        20
        + math.e
        - 20 * np.exp(-0.2 * np.sqrt((x**2).mean()))
        - np.exp(np.cos(2 * np.pi * x).mean())
    )


def styblinski4(trial):
    x = floats(trial, 4, -5, 5)
    return float((x**4 - 16 * x**2 + 5 * x).sum() / 2 + 39.16616570377142 * 4)


def noisy_sphere6(trial):
    x = floats(trial, 6, -5, 5)
    return noisy(trial, ((x + 2) ** 2).sum(), x, 2.0)


def menu(trial):
    """Eight choices among five, some in pairs, and two floats."""
    c = choices(trial, 8, tuple(range(5)))
    x = floats(trial, 2, 0, 1)
    off = (c != np.array([0, 3, 1, 4, 2, 2, 0, 1])) * np.array([3, 2, 2, 1, 1, 0.5, 0.5, 0.25])
    return float(off.sum() + 2 * (off[0] > 0) * (off[1] > 0) + 4 * ((x - 0.3) ** 2).sum())


def boosting(trial):
    """Like the settings of boosted trees, with a choice that has parameters of its own."""
    rate = trial.suggest_float("rate", 1e-3, 1, log=True)
    trees = trial.suggest_int("trees", 10, 2000, log=True)
    depth = trial.suggest_int("depth", 1, 12)
    l2 = trial.suggest_float("l2", 1e-8, 100, log=True)
    rows = trial.suggest_float("rows", 0.1, 1.0, step=0.05)
    kind = trial.suggest_categorical("kind", ["tree", "linear", "dart"])
    off = (
        np.log10(rate * trees / 30) ** 2 + 0.2 * np.log10(rate / 0.05) ** 2 + ((depth - 6) / 4) ** 2
    )
    off += (np.log10(l2) / 4) ** 2 + (rows - 0.7) ** 2
    if kind == "dart":
        return float(off + 2 * (trial.suggest_float("drop", 0, 1) - 0.1) ** 2)
    return float(off + (0.05 if kind == "tree" else 1.0))


def branin2(trial):
    x, y = trial.suggest_float("x", -5, 10), trial.suggest_float("y", 0, 15)
    a = y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6
    return float(a**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10 - 0.39788735772973816)


def few_of_20(trial):
    """Twenty floats, of which a few matter; the best of some is at the edge."""
    x = floats(trial, 20, 0, 1)
    at = np.array([0.8, 0.0, 0.35, 1.0, 0.6] * 4)
    return float((0.7 ** np.arange(20) * abs(x - at)).sum())


def sphere10(trial):
    x = floats(trial, 10, -5, 5)
    return float(((x - 1.5) ** 2).sum())


def rosenbrock5(trial):
    x = floats(trial, 5, -5, 5)
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


def rastrigin10(trial):
    x = floats(trial, 10, -5, 5) - 1.5
    return float((x**2 - 10 * np.cos(2 * np.pi * x) + 10).sum())


def mixed(trial):
    rate = trial.suggest_float("rate", 1e-6, 1.0, log=True)
    layers = trial.suggest_int("layers", 1, 10)
    width = trial.suggest_int("width", 8, 1024, log=True)
    dropout = trial.suggest_float("dropout", 0, 0.9, step=0.1)
    kind = trial.suggest_categorical("kind", ["sgd", "adam", "rmsprop", "lbfgs"])
    off = np.log10(rate / 3e-4) ** 2 + ((layers - 4) / 3) ** 2 + np.log2(width / 200) ** 2 / 4
    off += 4 * (dropout - 0.3) ** 2
    if kind == "sgd":
        momentum = trial.suggest_float("momentum", 0, 1)
        return float(off + 4 * (momentum - 0.9) ** 2)
    return float(off + {"adam": 0.1, "rmsprop": 0.5, "lbfgs": 2.0}[kind])


A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann6(trial):
    x = floats(trial, 6, 0, 1)
    return float(
        3.322368011415515 - np.array([1, 1.2, 3, 3.2]) @ np.exp(-(A * (x - P) ** 2).sum(1))
    )


Q = np.linalg.qr(np.random.default_rng(8).normal(size=(8, 8)))[0]


def rotated8(trial):
    """An ellipsoid with axes across the parameters, condition 100."""
    x = Q @ (floats(trial, 8, -5, 5) - np.array([2, -3, 0, 1, -1, 3, -2, 0.5]))
    return float((100.0 ** np.linspace(0, 1, 8) * x**2).sum())


def noisy_mixed(trial):
    x = floats(trial, 3, -3, 3)
    k = np.array([trial.suggest_int(f"k{i}", 0, 20) for i in range(2)])
    c = trial.suggest_categorical("c", ["a", "b", "c"])
    value = (abs(x - [1, -1, 2]) ** 1.5).sum() + (abs(k - [4, 13]) / 5).sum() + (c != "b")
    return noisy(trial, value, [*x, *k], 0.5)


FLOW = np.random.default_rng(6).integers(1, 10, (10, 10))


def flags(trial):
    """Ten choices among three that must fit together like the colours of neighbours, weighted."""
    c = choices(trial, 10, ("red", "green", "blue"))
    i, j = np.triu_indices(10, 1)
    own = (c != np.array(["red", "blue"] * 5)) * np.arange(1, 11) / 5
    return float((FLOW[i, j] * (c[i] == c[j]) * (j - i == 1)).sum() / 5 + own.sum())


def decay20(trial):
    """Twenty floats; each matters less than the one before."""
    x = floats(trial, 20, -10, 10) - 3 * np.cos(np.arange(20))
    return float((x**2 / np.arange(1, 21)).sum())


CHOSEN = (ellipsoid5, ackley8, styblinski4, noisy_sphere6, menu, boosting, branin2, few_of_20)
CHECKED = (
    sphere10,
    rosenbrock5,
    rastrigin10,
    mixed,
    hartmann6,
    rotated8,
    noisy_mixed,
    flags,
    decay20,
)

SAMPLERS = {
    "CemSampler": lambda seed: CemSampler(seed=seed),
    "TPE": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "CMA-ES": lambda seed: optuna.samplers.CmaEsSampler(seed=seed),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}


def best(objective, sampler, n_trials):
    """The best value after every number of trials of `AFTER`."""
    study = optuna.create_study(sampler=sampler)
    study.optimize(objective, n_trials=n_trials)
    trials = study.get_trials(deepcopy=False)
    value = np.array([trial.value for trial in trials])
    exact = [trial.user_attrs.get("exact", trial.value) for trial in trials]
    return [exact[value[:n].argmin()] for n in AFTER if n <= n_trials]


def main(n_seeds=10, n_trials=1000):
    print(f"median best of {n_seeds} seeds after", *(n for n in AFTER if n <= n_trials), "trials")
    for title, objectives in {"chosen on": CHOSEN, "checked on": CHECKED}.items():
        print(title)
        for objective in objectives:
            for name, make in SAMPLERS.items():
                start = time.perf_counter()
                found = [best(objective, make(100 + i), n_trials) for i in range(n_seeds)]
                seconds = (time.perf_counter() - start) / n_seeds
                numbers = " ".join(f"{a:9.3g}" for a in np.median(found, axis=0))
                print(f"{objective.__name__:13} {name:10} {numbers} {seconds:6.1f} s", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
