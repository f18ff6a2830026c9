"""How long steps take under the declared loads: what a timeout has to leave room for."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

from archcheck.capacity import OperationLatencies, advised_timeout, latency_of
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import Rational, exact, longest, two_digits_up
from archcheck.mending.runs import ATTEMPTS, JudgingRuns, judging_runs
from archcheck.model import Datastore, External, ModelError, System
from archcheck.simulation import simulate
from archcheck.simulation.histogram import Histogram
from archcheck.simulation.plan import Outcome, Plan
from archcheck.simulation.trace import Span, SpanKind
from archcheck.units import Duration, s

TAIL = 0.999
"""The share of answers that a timeout lets through: a false timeout in a thousand is the example of
the Amazon Builders' Library (Timeouts, retries and backoff with jitter)."""
MARGIN = 2.0
"""How far a timeout stays above that tail. A choice: a tail doubles when a load rises by a tenth
near its limit, or when one of three replicas is gone."""
SHORTEST = 0.01
"""Seconds that a timeout lasts at least. A choice: a pause of a garbage collector, or a core that
somebody else has, takes as long whatever a step does."""
_UNASKED = (Outcome.REJECTED, Outcome.BROKEN)
"""How attempts end that got no answer because nobody took them: they say nothing of how long one
takes, and thousands of them would hide those that do."""
_FEW = 2_000
"""With fewer attempts, their longest stands for the tail, lengthened as if times were exponential:
the longest of ten is where a tenth is longer, and three times shorter than the tail."""


def shortest_timeouts(system: System) -> dict[str, Rational]:
    """The shortest timeout of each step that waits, in seconds: from runs, else from theory."""
    return estimated_timeouts(system) | measured_timeouts(system, judging_runs(system))


def estimated_timeouts(system: System) -> dict[str, Rational]:
    """The shortest timeouts where no run tells how long a step takes, by the names of steps.

    A new one is what rule RES001 advises. A declared one may be cut to what the declared time of
    its target takes at most, or to the tail of an exponential time of the same mean; where nothing
    is declared, it may not. What an operation takes, its own steps say.
    """
    graph = Graph(system)
    latencies = OperationLatencies(graph)
    found: dict[str, Rational] = {}
    for step in graph.interactions:
        if step.is_synchronous:
            shortest = _estimated(latencies, step)
            found[step.name] = max(shortest, found.get(step.name, shortest))
    return found


def _estimated(latencies: OperationLatencies, step: Interaction) -> Rational:
    declared = step.protection.attempt()
    if declared is None:
        return exact(advised_timeout(latencies, step))
    if step.mode == "call" and not step.deadline_is_kept and not isinstance(step.target, External):
        return min(declared, exact(SHORTEST))
    try:
        mean = latency_of(latencies, step)
    except ModelError:  # operations that call each other without end take any time
        return declared
    if mean.missing:
        return declared
    most = _longest_declared(step)
    tail = math.log(1 / (1 - TAIL)) * mean.seconds if most is None else float(most)
    return min(declared, two_digits_up(exact(max(tail, SHORTEST))))


def _longest_declared(step: Interaction) -> Rational | None:
    """The longest time that the target of a step takes, where the declared one has an end."""
    attribute = "write" if step.mode == "write" else "read"
    if isinstance(step.target, External):
        attribute = "latency"
    time = getattr(step.step, "time", None) or getattr(step.target, attribute, None)
    if time is None:
        return None
    seconds, has_no_end = longest(time)
    return None if has_no_end else seconds


def measured_timeouts(system: System, judging: JudgingRuns) -> dict[str, Rational]:
    """The shortest timeout of each step that lets the declared loads through, in seconds.

    ``judging``: the runs of the system. Of a load that changes, its peak counts.

    By the names of steps, those without load left out. Where attempts time out already, it is the
    longest that was waited: nobody knows how much longer the answer would have taken.
    """
    found: dict[str, Rational] = {}
    steps = {
        f"{step.name}.{'read' if step.mode == 'cache' else step.mode}": step.name
        for step in Graph(system).interactions
        if isinstance(step.target, Datastore)
    }
    for run in judging.runs:
        if not run.is_steady:
            continue
        seconds = run.declared_seconds
        if run.rate:
            seconds = min(seconds, 4 * ATTEMPTS / run.rate)
        attempts = _Attempts(min(1.0, ATTEMPTS / (run.rate * seconds)) if run.rate else 1.0)
        simulate(
            system,
            run.scenario,
            plan=run.plan(system),
            duration=Duration(seconds),
            warmup=0 * s,
            tracer=attempts,
        )
        for site, shortest in attempts.shortest_timeouts():
            name = steps.get(site, site)
            found[name] = max(shortest, found.get(name, shortest))
    return found


class _Attempts:
    """A tracer that keeps how long the attempts of each step took."""

    def __init__(self, share: float) -> None:
        self.share = share
        self._names: tuple[str, ...] = ()
        self._taken: dict[int, Histogram] = defaultdict(Histogram)
        self._given_up: dict[int, int] = defaultdict(int)

    def begin(self, plan: Plan) -> None:
        self._names = tuple(call.name for call in plan.calls)

    def write(self, spans: Sequence[Span]) -> None:
        for span in spans:
            if span.kind == SpanKind.ATTEMPT and span.outcome not in _UNASKED:
                self._taken[span.place].add(span.end - span.start)
                self._given_up[span.place] += span.outcome == Outcome.TIMED_OUT

    def shortest_timeouts(self) -> Iterator[tuple[str, Rational]]:
        """For each step that was tried, by its name."""
        for place, taken in self._taken.items():
            taken.settle()
            if self._given_up[place] > (1 - TAIL) * taken.count:
                seconds = taken.max
            else:
                few = taken.count < _FEW
                seconds = MARGIN * (_tail_of(taken) if few else taken.quantile(TAIL))
            whole = Rational(math.ceil(max(seconds, SHORTEST) * 1e6), 10**6)
            yield self._names[place], two_digits_up(whole)


def _tail_of(taken: Histogram) -> float:
    """The tail that the longest of few attempts lets expect; no shorter than the longest."""
    return taken.max * max(1.0, math.log(1 / (1 - TAIL)) / math.log(taken.count + 1))
