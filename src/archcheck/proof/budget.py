"""The time that the proofs of a run may take, all together.

A question that does not get its answer in time is undecided, and says so. The budget is a
property of the run, not of a question: it is made once, and only what runs inside of it counts. No
question takes more than half of what is left: one that finds no end leaves the others time::

    budget = ProofBudget(10.0)
    with budget.running():
        answers = [*deadline_budgets(graph)]
    with budget.running():
        answers += cut_sets(graph)
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from archcheck.findings import CannotDecideError

DEFAULT_SECONDS = 10.0
"""What ``archcheck verify`` and ``archcheck prove`` allow unless told otherwise. A choice: a person
waits so long; systems of 1,000 services need about a second (docs/performance.md)."""


class BudgetSpentError(CannotDecideError):
    """The time is up; who asks a question gets no answer to it."""


class ProofBudget:
    """So many seconds for everything that runs inside of :meth:`running`."""

    def __init__(self, seconds: float = DEFAULT_SECONDS) -> None:
        self._seconds = seconds
        self._spent = 0.0
        self._since = 0.0
        self._part = seconds

    @contextmanager
    def running(self, share: float = 0.5) -> Iterator[None]:
        """What happens inside takes from the budget, at most a share of what is left of it."""
        self._since = time.monotonic()
        self._part = share * max(0.0, self._seconds - self._spent)
        token = _budget.set(self)
        try:
            yield
        finally:
            _budget.reset(token)
            self._spent += time.monotonic() - self._since

    def share_spent(self) -> float:
        """The share of the time that is gone, from 0 to 1 and above."""
        spent = self._spent + time.monotonic() - self._since
        return spent / self._seconds if self._seconds > 0 else 1.0

    def left(self) -> float:
        """Seconds that are left. Raises :class:`BudgetSpentError` when there are none."""
        rest = self._part - (time.monotonic() - self._since)
        if rest <= 0:
            raise BudgetSpentError(
                f"more time than its part of the proof budget of {self._seconds:g} s"
            )
        return rest


_budget: ContextVar[ProofBudget | None] = ContextVar("budget", default=None)


def left() -> float | None:
    """Seconds that are left; ``None`` outside of a budget. Raises :class:`BudgetSpentError`."""
    budget = _budget.get()
    return budget.left() if budget is not None else None


def milliseconds_left() -> int | None:
    """The same for z3, which takes whole milliseconds."""
    rest = left()
    return None if rest is None else max(1, int(rest * 1000))


def share_spent() -> float:
    """The share of the budget's time that is gone; 0 outside of a budget."""
    budget = _budget.get()
    return budget.share_spent() if budget is not None else 0.0
