"""A Dask cluster of two processes of this machine, for tests and benchmarks."""

from contextlib import contextmanager

SETTINGS = {
    "distributed.scheduler.allowed-failures": 2,  # a call that kills three workers is given up
    "distributed.scheduler.no-workers-timeout": "120s",  # what would wait for ever is an error
    # Every worker's death sets a clock of so long; should the worker be away when it rings, if only
    # for the restart after another death, it is given up for good.
    "distributed.deploy.lost-worker-timeout": "1h",
}


@contextmanager
def local_cluster():
    """The cluster, with a nanny for each worker that replaces it."""
    import dask
    from distributed import LocalCluster

    with (
        dask.config.set(SETTINGS),
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0",
            silence_logs=50,
        ) as cluster,
    ):  # fmt: skip
        yield cluster
