"""The time that the proofs of a run may take, all together.

A question that does not get its answer in time is undecided, and says so. The budget is a
property of the run, not of a question: it is set once around everything and asked where work may
be long::

    with limited(10.0):
        answers = [*deadlines(graph), *cut_sets(graph)]
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

DEFAULT_SECONDS = 10.0
"""What ``archcheck verify`` and ``archcheck prove`` allow unless told otherwise."""


class BudgetSpentError(Exception):
    """The time is up; whoever asks a question turns this into an undecided answer."""

    def __init__(self) -> None:
        super().__init__(f"the proof budget of {_budget.get().seconds:g} s is spent")


@dataclass(frozen=True)
class _Budget:
    seconds: float
    ends: float


_budget: ContextVar[_Budget] = ContextVar("budget")


@contextmanager
def limited(seconds: float = DEFAULT_SECONDS) -> Iterator[None]:
    """Everything inside shares so many seconds."""
    token = _budget.set(_Budget(seconds, time.monotonic() + seconds))
    try:
        yield
    finally:
        _budget.reset(token)


def left() -> float | None:
    """Seconds that are left; ``None`` without a limit. Raises :class:`BudgetSpentError` at zero."""
    budget = _budget.get(None)
    if budget is None:
        return None
    rest = budget.ends - time.monotonic()
    if rest <= 0:
        raise BudgetSpentError
    return rest
