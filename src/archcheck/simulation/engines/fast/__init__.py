"""The compiled engine: the same trajectories as the reference engine, at the speed of the machine.

Written in Cython, compiled when archcheck is installed and a C compiler is there. It interprets the
same plan and writes the same record. ``_engine.pyx`` says how it is made.
"""

from __future__ import annotations

from collections.abc import Callable

from archcheck.simulation.engines.stops import deadlock, standstill, too_deep
from archcheck.simulation.plan import Outcome, Plan
from archcheck.simulation.plan.checking import check_plan
from archcheck.simulation.record import BUCKETS, Record
from archcheck.simulation.trace import Span, SpanKind, Tracer

WHY_NOT = ""
"""Why the engine is not there; empty where it is."""

try:
    from archcheck.simulation.engines.fast import _engine
except ImportError as error:  # not compiled on this machine
    WHY_NOT = str(error)

_DEADLOCK, _TOO_DEEP = 2, 3
_checked: Plan | None = None


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
    tracer: Tracer | None = None,
) -> Record:
    """Simulate ``duration`` seconds; statistics start after ``warmup`` seconds.

    ``watch`` is called every million events, with the simulated seconds, and says whether to stop.
    ``tracer`` gets what has ended.
    """
    _check_once(plan)
    made = _engine.Run(plan, seed, duration, warmup, tracer.share if tracer else None)
    try:
        is_over = False
        while not is_over:
            is_over = made.go_on()
            if tracer is not None:
                tracer.write(_spans(made))
            if watch is not None and not is_over and watch(made.time):
                break
        record = made.record()
        if plan.drains and record.is_complete:
            _drain(made, duration, watch, tracer)
        made.add_journeys(record)
    except _engine.StoppedError as stop:
        if stop.reason == _DEADLOCK:
            raise deadlock(plan, stop.time, stop.stations) from None
        raise (too_deep if stop.reason == _TOO_DEEP else standstill)(stop.time) from None
    return record


def _drain(
    made: _engine.Run,
    duration: float,
    watch: Callable[[float], bool] | None,
    tracer: Tracer | None,
) -> None:
    """Let those who are under way come to an end, for as long again as the run at most."""
    for bucket in range(1, BUCKETS + 1):
        if not made.in_flight or (watch is not None and watch(duration)):
            return
        made.drain(duration * (1 + bucket / BUCKETS))
        while not made.go_on():
            pass
        if tracer is not None:
            tracer.write(_spans(made))


def _check_once(plan: Plan) -> None:
    """Check a plan, unless it is the one of the last run: replications run the same."""
    global _checked
    if plan is not _checked:
        check_plan(plan)
        _checked = plan


def _spans(made: _engine.Run) -> list[Span]:
    return [
        Span(SpanKind(kind), place, root, key, start, end, Outcome(outcome))
        for kind, place, root, key, start, end, outcome in made.spans()
    ]
