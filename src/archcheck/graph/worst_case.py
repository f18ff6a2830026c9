"""The longest that a step may keep its caller waiting."""

from __future__ import annotations

from dataclasses import dataclass

from archcheck.graph.interactions import Interaction
from archcheck.model import Absent, Retry
from archcheck.units import Duration


@dataclass(frozen=True)
class LongestWait:
    """A time, and the sum that it is made of, written out."""

    total: Duration
    sum: str


def longest_wait(step: Interaction) -> LongestWait | None:
    """Attempts times timeout plus the backoffs between them; ``None`` without a timeout.

    Backoffs count at their longest (jitter draws between zero and that); an undeclared backoff
    counts as zero.
    """
    timeout = step.timeout
    if timeout is None or isinstance(timeout, Absent):
        return None
    retry = getattr(step.step, "retry", None)
    if not isinstance(retry, Retry) or retry.attempts == 1:
        return LongestWait(timeout, f"timeout {timeout}")
    waits = backoffs(retry)
    total = timeout * retry.attempts
    for wait in waits:
        total = total + wait
    terms = [f"{retry.attempts} attempts x {timeout}"]
    if any(waits):
        terms.append(f"backoff {' + '.join(str(wait) for wait in waits)}")
    return LongestWait(total, f"{' + '.join(terms)} = {total}")


def backoffs(retry: Retry) -> list[Duration]:
    """The longest wait after each attempt but the last."""
    if retry.backoff is None:
        return []
    waits = [retry.backoff * retry.factor**n for n in range(retry.attempts - 1)]
    return [min(wait, retry.max_backoff) if retry.max_backoff else wait for wait in waits]
