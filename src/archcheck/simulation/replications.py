"""Several independent runs of one plan, spread over cores.

Each replication has a seed of its own that depends on nothing but the seed and its number, and
replications are merged in the order of their numbers: what comes out does not depend on how many
cores worked on it.
"""

from __future__ import annotations

from collections.abc import Callable

from archcheck.model import ScenarioError
from archcheck.simulation.engines import reference
from archcheck.simulation.estimates import Estimate, of_replications
from archcheck.simulation.plan import Plan
from archcheck.simulation.randomness import mix
from archcheck.simulation.record import Record

FIRST = 5
"""Replications that are made before the precision is judged for the first time."""
MOST = 200
"""Replications after which a precision is given up."""


def seed_of(seed: int, number: int) -> int:
    """The seed of a replication; the first one's is the seed itself."""
    return seed if number == 0 else mix(mix(seed) + number)


def replicate(
    plan: Plan, seed: int, duration: float, warmup: float, jobs: int, numbers: range
) -> list[Record]:
    """The records of replications, in the order of their numbers."""
    seeds = [seed_of(seed, number) for number in numbers]
    if jobs == 1 or len(seeds) == 1:
        return [reference.run(plan, seed=s, duration=duration, warmup=warmup) for s in seeds]
    from joblib import Parallel, delayed

    run = delayed(reference.run)
    tasks = [run(plan, seed=s, duration=duration, warmup=warmup) for s in seeds]
    records: list[Record] = Parallel(n_jobs=jobs)(tasks)
    return records


def until_precise(
    more: Callable[[range], list[Record]], precision: float
) -> tuple[list[Record], bool]:
    """Replications until the mean latency of every journey is known to ``precision``.

    ``precision`` is the half width of the 95% interval over the mean. They are made in rounds of
    a size that does not depend on the machine; says whether the precision was reached.
    """
    records = more(range(FIRST))
    while not _is_precise(records, precision):
        if len(records) >= MOST:
            return records, False
        following = min(MOST, len(records) + max(FIRST, len(records) // 2))
        records += more(range(len(records), following))
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
