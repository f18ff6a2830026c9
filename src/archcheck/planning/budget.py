"""The time that a plan may take, looked at by every loop of it.

The budget is a property of the run: it is made once, and what runs inside of it looks at the clock
in each round of each analytic solution and in each simulation. A part of the plan may use a share
of what is left, so that a long part leaves time for those after it::

    budget = PlanningBudget(30.0, stop)
    with budget.running(), budget.part(0.5):
        solve_plan(plan)  # raises StoppedError after 15 s
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from archcheck.simulation.replications import Stop, StoppedError


class PlanningBudget:
    """So many seconds from now on; ``stop`` ends it before."""

    def __init__(self, seconds: float, stop: Stop | None = None) -> None:
        self.seconds = seconds
        self._stop = stop
        self._deadline = time.monotonic() + seconds

    @property
    def is_stopped(self) -> bool:
        """Whether somebody wants to stop."""
        return self._stop is not None and self._stop()

    @property
    def is_over(self) -> bool:
        """Whether it is time to stop, for whatever reason."""
        return self.is_stopped or time.monotonic() > self._deadline

    def check(self) -> None:
        """Raise :class:`StoppedError` when it is time."""
        if self.is_over:
            raise StoppedError

    @contextmanager
    def running(self) -> Iterator[None]:
        """What happens inside looks at this budget."""
        token = _budget.set(self)
        try:
            yield
        finally:
            _budget.reset(token)

    @contextmanager
    def at_least(self) -> Iterator[None]:
        """What happens inside is done whoever wants to stop: without it there is nothing to say."""
        stop, self._stop = self._stop, None
        try:
            yield
        finally:
            self._stop = stop

    @contextmanager
    def part(self, share: float) -> Iterator[None]:
        """What happens inside has this share of the time that is left."""
        whole, now = self._deadline, time.monotonic()
        self._deadline = now + share * max(0.0, whole - now)
        try:
            yield
        finally:
            self._deadline = whole


_budget: ContextVar[PlanningBudget | None] = ContextVar("budget", default=None)


def check() -> None:
    """Raise :class:`StoppedError` when the time of the plan that is being made is up."""
    budget = _budget.get()
    if budget is not None:
        budget.check()


@contextmanager
def share_of_time(share: float) -> Iterator[None]:
    """What happens inside has this share of the time that is left to the plan, if it has a budget.

    Raises :class:`StoppedError` when the share is spent.
    """
    budget = _budget.get()
    if budget is None:
        yield
        return
    with budget.part(share):
        yield
