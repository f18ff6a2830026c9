"""The compiled engine: the same trajectories as the reference engine, at the speed of the machine.

Written in Cython, compiled when archcheck is installed and a C compiler is there. It interprets the
same plan and writes the same record. ``_engine.pyx`` says how it is made.
"""

from __future__ import annotations

from collections.abc import Callable

from archcheck.simulation.engines.stops import deadlock, standstill, too_deep
from archcheck.simulation.plan import Outcome, Plan
from archcheck.simulation.plan.checking import check_plan
from archcheck.simulation.record import Record
from archcheck.simulation.trace import Span, SpanKind

WHY_NOT = ""
"""Why the engine is not there; empty where it is."""

try:
    from archcheck.simulation.engines.fast import _engine
except ImportError as error:  # not compiled on this machine
    WHY_NOT = str(error)

_DEADLOCK, _TOO_DEEP = 2, 3


def is_compiled() -> bool:
    """Whether the engine is there."""
    return not WHY_NOT


def run(
    plan: Plan,
    *,
    seed: int,
    duration: float,
    warmup: float,
    watch: Callable[[float], bool] | None = None,
    spans: list[Span] | None = None,
) -> Record:
    """Simulate ``duration`` seconds; statistics start after ``warmup`` seconds.

    ``watch`` is called every million events, with the simulated seconds, and says whether to stop.
    ``spans``: where what has ended is to be added.
    """
    check_plan(plan)
    made = _engine.Run(plan, seed, duration, warmup, spans is not None)
    try:
        while not made.go_on():
            if watch is not None and watch(made.time):
                break
        record: Record = made.record()
    except _engine.StoppedError as stop:
        if stop.reason == _DEADLOCK:
            raise deadlock(plan, stop.time, stop.stations) from None
        raise (too_deep if stop.reason == _TOO_DEEP else standstill)(stop.time) from None
    if spans is not None:
        spans.extend(
            Span(SpanKind(kind), place, key, start, end, Outcome(outcome))
            for kind, place, key, start, end, outcome in made.spans()
        )
    return record
