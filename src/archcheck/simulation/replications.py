"""Several independent runs of one plan, spread over cores or machines.

Each replication has a seed of its own that depends on nothing but the seed and its number, and
replications are merged in the order of their numbers: what comes out does not depend on how many
cores worked on it, nor on which machine did what. The compiled engine leaves Python's lock alone,
so its runs are threads; those of the reference engine are processes. On a cluster each run is a
task that is made again when its machine is lost.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from archcheck.extras import what_to_install
from archcheck.model import ScenarioError
from archcheck.simulation import engines
from archcheck.simulation.engines import EngineName
from archcheck.simulation.estimates import Estimate, of_replications
from archcheck.simulation.plan import Plan
from archcheck.simulation.randomness import mix
from archcheck.simulation.record import Record
from archcheck.simulation.trace import Tracer

FIRST = 5
"""Replications that are made before the precision is judged for the first time. A choice: the
variance of fewer is little known, and a lucky one would end the runs too early."""
MOST = 200
"""Replications after which a precision is given up. A choice: half the width takes four times as
many, so what is not reached by then is better reached with longer runs."""

_LIVES = 3
"""How often runs are begun anew whose worker has died. A choice: what kills three kills more."""
_LOOK_EVERY = 0.5
"""Seconds between two looks at whether the parent of a worker is there. A choice."""

PILOTS = range(1_000_000, 1_000_003)
"""Numbers of the runs that find the warm-up: none that is measured. An odd number has a middle."""

Progress = Callable[[float], None]
"""Called now and then with the number of runs that are done, parts of runs included."""
Stop = Callable[[], bool]
"""Whether somebody wants to stop."""


class StoppedError(Exception):
    """Somebody wants what is there, or the time is up."""


def seed_of(seed: int, number: int) -> int:
    """The seed of a replication; the first one's is the seed itself."""
    return seed if number == 0 else mix(mix(seed) + number)


@dataclass(frozen=True)
class Replicator:
    """Makes replications of a plan: on which engine, how long, on how many cores, and where.

    ``jobs``: cores (-1: all). ``backend``: a cluster, such as ``dask://HOST:PORT``, or nothing.
    ``tracer`` gets the spans of a single run.
    """

    plan: Plan
    engine: EngineName
    seed: int
    duration: float
    warmup: float
    jobs: int = 1
    backend: str | None = None
    progress: Progress | None = None
    stop: Stop | None = None
    tracer: Tracer | None = None

    def records(self, numbers: range) -> list[Record]:
        """The records of replications, in the order of their numbers.

        When somebody stops, those that are complete; if there is none, the one that is not.
        """
        if self.backend is None and (self.jobs == 1 or len(numbers) == 1):
            found = list(self._one_after_the_other(numbers))
        else:
            found = list(self._by_all(numbers))
        found.sort(key=lambda each: each[0])
        complete = [record for _, record in found if record.is_complete]
        return complete or [record for _, record in found[:1]]

    @property
    def is_stopped(self) -> bool:
        """Whether somebody wants to stop."""
        return self.stop is not None and self.stop()

    def _one_after_the_other(self, numbers: range) -> Iterator[tuple[int, Record]]:
        for number in numbers:
            if self.is_stopped and number > numbers[0]:
                return
            yield self._run(number)

    def _run(self, number: int, *, alone: bool = True) -> tuple[int, Record]:
        def watch(time: float) -> bool:
            if self.progress is not None and alone:
                self.progress(number + time / self.duration)
            return self.is_stopped

        return number, engines.run(
            self.engine,
            self.plan,
            seed=seed_of(self.seed, number),
            duration=self.duration,
            warmup=self.warmup,
            watch=watch,
            tracer=self.tracer,
        )

    def _by_all(self, numbers: range) -> Iterator[tuple[int, Record]]:
        """Each number's run; those of a worker that dies are done again by others.

        Raises :class:`ScenarioError` when workers go on dying.
        """
        from joblib.externals.loky.process_executor import BrokenProcessPool

        missing = [*numbers]
        for _ in range(_LIVES):
            try:
                for number, record in self._spread(
                    missing, numbers[0] + len(numbers) - len(missing)
                ):
                    missing.remove(number)
                    yield number, record
            except BrokenProcessPool:
                continue
            return
        raise ScenarioError(
            f"worker processes died {_LIVES} times, most likely for want of memory; "
            f"{len(missing)} of {len(numbers)} runs are missing: use fewer --jobs"
        )

    def _spread(self, numbers: list[int], before: int) -> Iterator[tuple[int, Record]]:
        import joblib

        threads = self.backend is None and self.engine == "fast"
        task = joblib.delayed(self._run if threads else _run_elsewhere)
        tasks: list[Any] = [task(number, alone=False) for number in numbers] if threads else [
            task(
                self.engine, self.plan, seed_of(self.seed, n), n, self.duration, self.warmup,
                None if self.backend else os.getpid(),
            )
            for n in numbers
        ]  # fmt: skip
        with on_cluster(self.backend) if self.backend else nullcontext():
            pool = joblib.Parallel(
                n_jobs=self.jobs,
                prefer="threads" if threads else None,
                return_as="generator_unordered",
            )
            with _closed_quietly(pool(tasks)) as results:
                for done, (number, record) in enumerate(results, start=before + 1):
                    yield number, record
                    if self.progress is not None:
                        self.progress(done)
                    if self.is_stopped:
                        return


@contextmanager
def _closed_quietly(results: Generator[Any, None, None]) -> Iterator[Iterator[Any]]:
    """The results of tasks; those that are left when somebody stops are nothing to warn of."""
    try:
        yield results
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            results.close()


def _run_elsewhere(
    engine: EngineName,
    plan: Plan,
    seed: int,
    number: int,
    duration: float,
    warmup: float,
    parent: int | None,
) -> tuple[int, Record]:
    """A replication in another process, perhaps on another machine.

    ``parent``: the process that wants it, where that is on this machine.
    """
    if parent is not None:
        _end_with(parent)
    return number, engines.run(engine, plan, seed=seed, duration=duration, warmup=warmup)


@lru_cache(maxsize=1)
def _end_with(parent: int) -> None:
    """Let this process end when its parent has ended, also where that was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_EVERY)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def on_cluster(backend: str) -> AbstractContextManager[Any]:
    """Within it, joblib's tasks run on a cluster.

    Raises :class:`ScenarioError` for an address that means nothing, a scheduler that does not
    answer, or where the package is missing.
    """
    kind, _, address = backend.partition("://")
    if kind != "dask" or not address:
        raise ScenarioError(f"a backend is written dask://HOST:PORT, got {backend!r}")
    try:
        from distributed import Client
    except ImportError:
        raise ScenarioError(what_to_install("distributed")) from None
    import joblib

    try:
        client = Client(address, timeout=5)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise ScenarioError(f"no Dask scheduler answers at {address}: {error}") from None
    config: AbstractContextManager[Any] = joblib.parallel_config(
        backend="dask", client=client, wait_for_workers_timeout=10
    )
    return config


def until_precise(replicator: Replicator, precision: float) -> tuple[list[Record], bool]:
    """Replications until the mean latency of every journey is known to ``precision``.

    ``precision`` is the half width of the 95% interval over the mean. They are made in rounds of
    a size that does not depend on the machine; says whether the precision was reached.
    """
    records = replicator.records(range(FIRST))
    while not _is_precise(records, precision):
        if len(records) >= MOST or replicator.is_stopped:
            return records, False
        following = min(MOST, len(records) + max(FIRST, len(records) // 2))
        more = replicator.records(range(len(records), following))
        records += [record for record in more if record.is_complete]
    return records, True


def _is_precise(records: list[Record], precision: float) -> bool:
    for journey in range(len(records[0].journeys)):
        estimate = mean_latency(records, journey)
        if estimate is not None and estimate.relative > precision:
            return False
    return True


def mean_latency(records: list[Record], journey: int) -> Estimate | None:
    """The mean latency of a journey over the replications; ``None`` if one had none."""
    means = []
    for record in records:
        tally = record.journeys[journey]
        if not tally.finished:
            return None
        means.append(sum(each.sum for each in tally.latency) / tally.finished)
    return of_replications(means)


def checked(replications: int, precision: float | None) -> None:
    """Refuse numbers that mean nothing. Raises :class:`ScenarioError`."""
    if replications < 1:
        raise ScenarioError(f"the number of replications must be at least 1, got {replications}")
    if precision is not None and not 0 < precision < 1:
        raise ScenarioError(
            f"a precision is a share between 0 and 1, such as 2%, got {precision:g}"
        )
