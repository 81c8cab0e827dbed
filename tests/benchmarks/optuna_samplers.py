"""CemSampler beside Optuna's own samplers: the median best value after so many trials.

Run ``python tests/benchmarks/optuna_samplers.py [seeds] [trials]``; it prints a table, with the
quartiles over the seeds and the seconds of a study.
"""

import sys
import time
import warnings

import numpy as np
import optuna

from cem.integrations.optuna import CemSampler

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")


def floats(trial, d, low, high):
    return np.array([trial.suggest_float(f"x{i}", low, high) for i in range(d)])


def sphere(trial):
    x = floats(trial, 10, -5, 5)
    return float(((x - 1.5) ** 2).sum())


def rosenbrock(trial):
    x = floats(trial, 5, -5, 5)
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


def rastrigin(trial):
    x = floats(trial, 10, -5, 5) - 1.5
    return float((x**2 - 10 * np.cos(2 * np.pi * x) + 10).sum())


def mixed(trial):
    """A learning rate, sizes, and a choice under which another parameter appears: least 0."""
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


SAMPLERS = {
    "CemSampler": lambda seed: CemSampler(seed=seed),
    "TPE": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "CMA-ES": lambda seed: optuna.samplers.CmaEsSampler(seed=seed),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}
PROBLEMS = (sphere, rosenbrock, rastrigin, mixed)


def best(objective, sampler, n_trials):
    study = optuna.create_study(sampler=sampler)
    study.optimize(objective, n_trials=n_trials)
    return study.best_value


def main(n_seeds=10, n_trials=1000):
    print(f"{n_seeds} seeds x {n_trials} trials: median best (quartiles), seconds of a study")
    for objective in PROBLEMS:
        for name, make in SAMPLERS.items():
            start = time.perf_counter()
            found = [best(objective, make(seed), n_trials) for seed in range(n_seeds)]
            seconds = (time.perf_counter() - start) / n_seeds
            low, middle, high = np.quantile(found, [0.25, 0.5, 0.75])
            print(
                f"{objective.__name__:12} {name:18} {middle:10.3g} ({low:.3g} to {high:.3g}) "
                f"{seconds:6.1f} s",
                flush=True,
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
