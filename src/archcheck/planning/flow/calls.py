"""What becomes of a call: its attempts, how long it takes, and how it ends."""

from __future__ import annotations

import math
from dataclasses import dataclass

from archcheck.planning.flow.moments import Moments, mixed
from archcheck.simulation.plan import Outcome, PolicySpec


@dataclass(frozen=True, slots=True)
class AttemptFlow:
    """One attempt, as if nobody gave up: ``time`` until its answer, and how it may end."""

    time: Moments
    rejected: float = 0.0
    failed: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcomes:
    """A call: ``attempts`` on average, ``time`` until it is over, and the chance that it failed."""

    attempts: float
    time: Moments
    failed: float
    timed_out: float


def called(policy: PolicySpec, attempt: AttemptFlow, retries_at_most: float = math.inf) -> Outcomes:
    """Apply a policy to an attempt.

    Attempts are taken for independent: each exceeds the timeout, is rejected or fails with the
    same probability. ``retries_at_most``: retries for each call that a budget allows.
    """
    late = attempt.time.exceeds(policy.timeout)
    rejected = (1 - late) * attempt.rejected
    failed = (1 - late) * (1 - attempt.rejected) * attempt.failed
    bad = late + rejected + failed
    again = sum(
        chance
        for chance, outcome in (
            (late, Outcome.TIMED_OUT),
            (rejected, Outcome.REJECTED),
            (failed, Outcome.FAILED),
        )
        if policy.retried >> outcome & 1
    )
    extra = sum(again**i for i in range(1, policy.attempts))
    if extra > retries_at_most:  # the budget lets only some of the retries through
        again *= retries_at_most / extra
        extra = sum(again**i for i in range(1, policy.attempts))
    good = _in_time(attempt.time, policy.timeout, late)
    lost = Moments(policy.timeout if late else 0.0)
    wrong = mixed([(late / bad, lost), (1 - late / bad, good)]) if bad else Moments()
    cases, waited, reached = [], Moments(), 1.0
    for number in range(policy.attempts):
        last = number == policy.attempts - 1
        stops = bad if last else bad - again
        cases.append((reached * (1 - bad), waited + good))
        cases.append((reached * stops, waited + wrong))
        reached *= again
        waited = waited + wrong + _pause(policy, number)
        if not reached:
            break
    hedges = sum(attempt.time.exceeds(i * policy.hedge_after) for i in range(1, policy.hedges))
    success = (1 - bad) * (1 + extra)
    return Outcomes(1 + extra + hedges, mixed(cases), max(0.0, 1 - success), late)


def _pause(policy: PolicySpec, number: int) -> Moments:
    """The wait before the next attempt; full jitter draws it evenly from nothing to all of it."""
    pause = (
        min(policy.backoff * policy.factor**number, policy.max_backoff) if policy.backoff else 0.0
    )
    return Moments(pause / 2, pause**2 / 12) if policy.jitter else Moments(pause)


def _in_time(time: Moments, timeout: float, late: float) -> Moments:
    """The time of those attempts that end before the timeout."""
    if not late:
        return time
    if math.isinf(time.mean) or late >= 1:
        return Moments(timeout)
    tail = timeout + math.sqrt(time.variance) / 2
    mean = min(timeout, max((time.mean - late * tail) / (1 - late), 0.05 * timeout))
    return Moments(mean, min(time.variance, time.variance * (mean / time.mean) ** 2))
