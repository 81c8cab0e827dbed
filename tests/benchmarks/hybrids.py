"""How good are the hybrids, and what is the method's share of it? Each beside its controls.

python tests/benchmarks/hybrids.py cuts|tours FOLDER [--seeds 20] [--first 0] [--limit 2]
    [--only G1 ...] [--methods ce+refine multistart ils] [--refine NAME] [--peers]

FOLDER holds graphs of the G-set, or TSPLIB files. A run ends at the best value known, or at the
limit (wall-clock seconds of one thread; kernels are compiled before). Columns: the mean and the
worst gap to the best known in per cent, how many runs reached it, the median CPU time to the best
value of a run, and the longest run. ``--peers`` adds the simulated annealing of dwave-samplers
and the random partition of networkx (cuts), and LKH by elkai, fast_tsp, the routing library of
OR-Tools, Christofides' tours of networkx and the local search of python-tsp (tours), as far as they
are installed.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

import cem
import problems

BEST = {  # known, of the G-set; then the optima of TSPLIB
    "G1": 11624, "G2": 11620, "G6": 2178, "G11": 564, "G14": 3064, "G22": 13359, "G32": 1410,
    "G43": 6660, "G51": 3848, "G55": 10299,
    "a280": 2579, "att48": 10628, "bayg29": 1610, "bays29": 2020, "berlin52": 7542, "br17": 39,
    "brazil58": 25395, "burma14": 3323, "d198": 15780, "dantzig42": 699, "eil101": 629,
    "eil51": 426, "fri26": 937, "ft53": 6905, "ft70": 38673, "ftv170": 2755, "ftv33": 1286,
    "ftv38": 1530, "ftv47": 1776, "ftv55": 1608, "gil262": 2378, "gr137": 69853, "gr17": 2085,
    "gr202": 40160, "gr21": 2707, "gr48": 5046, "gr96": 55209, "hk48": 11461, "kroA150": 26524,
    "kroB200": 29437, "kroD100": 21294, "lin105": 14379, "p43": 5620, "pr136": 96772,
    "pr144": 58537, "pr226": 80369, "pr264": 49135, "pr299": 48191, "rat195": 2323, "rat99": 1211,
    "rbg323": 1326, "rd100": 7910, "ry48p": 14422, "st70": 675, "swiss42": 1273, "tsp225": 3916,
    "ulysses16": 6859, "ulysses22": 7013,
}  # fmt: skip
SUFFIXES = {".txt", ".tsp", ".atsp"}
COLUMNS = "gap %", "worst", "best", "CPU s", "longest"


class Clock:
    """The CPU time at which the best value of a run was found."""

    def __init__(self):
        self.start, self.found, self.best = time.process_time(), 0.0, -np.inf

    def __call__(self, _, record):
        if record.best > self.best:
            self.best, self.found = record.best, time.process_time() - self.start


def ours(problem, search, best, seed, method, options):
    clock, wall = Clock(), time.perf_counter()
    found = search(problem, method=method, target=best, rng=seed, callback=clock, **options)
    return abs(found.fun - best) / best, clock.found, time.perf_counter() - wall


def annealing(cut, best, seed, reads, sweeps):
    """One call of dwave-samplers, in units of CPU time; the model is built before."""
    from dwave.samplers import SimulatedAnnealingSampler

    edges = {(int(i), int(j)): w for (i, j), w in zip(cut.ends, cut.weight, strict=True)}
    start = time.process_time()
    found = SimulatedAnnealingSampler().sample_ising(
        {}, edges, num_reads=reads, num_sweeps=sweeps, seed=seed
    )
    spent = time.process_time() - start
    value = (cut.weight.sum() - found.first.energy) / 2
    return (best - value) / best, spent, spent


def lkh(tsp, best, seed):
    import elkai

    start = time.process_time()
    tour = elkai.DistanceMatrix(tsp.distance.astype(int).tolist()).solve_tsp(runs=1)
    spent = time.process_time() - start
    del seed
    return float(tsp(np.array([tour[:-1]]))[0]) / best - 1, spent, spent


def fast(tsp, best, seed):
    import fast_tsp

    del seed
    if not tsp.symmetric:
        raise ValueError("for symmetric distances only")
    start, wall = time.process_time(), time.perf_counter()
    tour = fast_tsp.find_tour(tsp.distance.astype(int).tolist(), duration_seconds=0.2)
    spent = time.process_time() - start
    return float(tsp(np.array([tour]))[0]) / best - 1, spent, time.perf_counter() - wall


def routing(tsp, best, seed):
    """OR-Tools' first local optimum: the cheapest arc, then its local search."""
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    del seed
    d = tsp.distance.astype(int).tolist()
    start = time.process_time()
    manager = pywrapcp.RoutingIndexManager(len(d), 1, 0)
    model = pywrapcp.RoutingModel(manager)
    index = model.RegisterTransitCallback(
        lambda i, j: d[manager.IndexToNode(i)][manager.IndexToNode(j)]
    )
    model.SetArcCostEvaluatorOfAllVehicles(index)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
    found = model.SolveWithParameters(parameters)
    spent = time.process_time() - start
    return found.ObjectiveValue() / best - 1, spent, spent


def christofides(tsp, best, seed):
    import networkx as nx

    del seed
    if not tsp.symmetric:
        raise ValueError("for symmetric distances only")
    graph = nx.complete_graph(tsp.n)
    for i, j, data in graph.edges(data=True):
        data["weight"] = float(tsp.distance[i, j])
    start = time.process_time()
    tour = nx.approximation.christofides(graph)
    spent = time.process_time() - start
    return float(tsp(np.array([tour[:-1]]))[0]) / best - 1, spent, spent


def python_tsp(tsp, best, seed):
    import random

    from python_tsp.heuristics import solve_tsp_local_search

    random.seed(seed)
    start = time.process_time()
    tour, _ = solve_tsp_local_search(tsp.distance.astype(float), max_processing_time=0.5)
    spent = time.process_time() - start
    return float(tsp(np.array([tour]))[0]) / best - 1, spent, spent


def partitioning(cut, best, seed):
    import networkx as nx

    graph = nx.Graph()
    graph.add_weighted_edges_from(
        (*e, w) for e, w in zip(cut.ends.tolist(), cut.weight, strict=True)
    )
    start = time.process_time()
    value, _ = nx.approximation.randomized_partitioning(graph, seed=seed, weight="weight")
    spent = time.process_time() - start
    return (best - value) / best, spent, spent


PEERS = {
    "cuts": {
        "networkx": partitioning,
        "dwave SA 1 x 1000": lambda *a: annealing(*a, 1, 1000),
        "dwave SA 10 x 1000": lambda *a: annealing(*a, 10, 1000),
    },
    "tours": {
        "LKH (elkai)": lkh,
        "fast_tsp .2 s": fast,
        "OR-Tools": routing,
        "networkx": christofides,
        "python-tsp": python_tsp,
    },
}


def row(name, method, runs):
    gap, found, longest = np.array(runs).T
    figures = (
        f"{100 * gap.mean():8.3f} {100 * gap.max():8.3f} {(gap < 1e-12).sum():4d}/{len(gap)} "
        f"{np.median(found):8.3f} {longest.max():8.3f}"
    )
    print(f"{name:>10} {method:>20} {figures}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=PEERS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--limit", type=float, default=2.0)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--methods", nargs="*", default=["ce+refine", "multistart", "ils"])
    parser.add_argument("--refine")
    parser.add_argument("--peers", action="store_true")
    asked = parser.parse_args()
    files = {p.stem: p for p in sorted(asked.folder.iterdir()) if p.suffix in SUFFIXES}
    seeds = range(asked.first, asked.first + asked.seeds)
    options = {"time_limit": asked.limit, "refine": asked.refine}
    print(f"{'':>10} {'method':>20} " + " ".join(f"{c:>8}" for c in COLUMNS))
    for name in asked.only or [name for name in files if name in BEST]:
        if asked.what == "cuts":
            problem, search = problems.load("maxcut", graph=str(files[name])), cem.maximize
        else:
            problem, search = problems.load("tsp", instance=str(files[name])), cem.minimize
        for method in asked.methods:
            chosen = options if method != "ce" else {"time_limit": asked.limit}
            ours(problem, search, BEST[name], 10**6, method, chosen | {"time_limit": 0.1})
            row(name, method, [ours(problem, search, BEST[name], s, method, chosen) for s in seeds])
        for peer, solve in PEERS[asked.what].items() if asked.peers else ():
            try:
                solve(problem, BEST[name], 10**6)
                row(name, peer, [solve(problem, BEST[name], seed) for seed in seeds])
            except (ImportError, ValueError) as error:
                print(f"{name:>10} {peer:>20} {error}")


if __name__ == "__main__":
    main()
