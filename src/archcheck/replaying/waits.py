"""Long runs: who is waited for answers just before a timeout, or long after it, or fails so late.

Everything that the operation in question waits for is changed: the endpoints that it calls, its
queries, external parties. Each answer of theirs takes the longest that the caller accepts, or
longer, by chance; where only failures are tried again, every other one fails at that moment. What
is declared of the operation itself stays: retries, backoffs, hedges, fallbacks, the mesh. One
request is there at a time, so that none waits for another; budgets of retries, which other requests
would fill, let all of its own through.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from archcheck.editing import Edit, apply
from archcheck.findings import Subject, subject_name
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import Rational, exact, longest, shown
from archcheck.graph.transfer import round_trip
from archcheck.model import (
    Constant,
    Element,
    Empirical,
    External,
    Journey,
    Network,
    Retry,
    Service,
    System,
    Wait,
    Work,
)
from archcheck.model.linking import walk
from archcheck.proof import LongestRun
from archcheck.proof.feature_flags import configured
from archcheck.proof.limits.ranges import worst_system
from archcheck.replaying.experiments import (
    ROOMY,
    Replay,
    Spans,
    alone,
    first_shown,
    journey_to,
    run,
)
from archcheck.simulation.trace import SpanKind
from archcheck.units import Duration, Fraction

_REQUESTS = 2_000
"""Requests of a run. A choice: ten answers that all come late happen once in a thousand."""
_JUST = Rational(1, 100_000)
"""Seconds before a timeout at which an answer is still in time."""
_TICK = Rational(1, 1_000_000_000)
"""Seconds by which a hedge comes before the end of an attempt that ends at the same moment."""
_LATE = (0.5, 0.2, 0.8)
"""Shares of answers that come too late, tried in this order: breakers open at the larger ones."""
_PARTS = 10
"""Values of a distribution of answers: enough for the shares above."""
_APART = 4
"""Between two requests: so many times the longest run, which leaves time for what is hedged."""


def replay_long_run(graph: Graph, subject: Subject, found: LongestRun) -> Replay:
    """Whether a request takes longer than the limit when those whom it waits for are late."""
    total = sum((part.seconds for part in found.waits), Rational(0))
    return first_shown(
        _run(system, subject, found.limit, total, late)
        for late in _LATE
        for system in configured(worst_system(graph.system))
    )


def _run(system: System, subject: Subject, limit: Rational, total: Rational, late: float) -> Replay:
    graph = Graph(system)
    if isinstance(subject, Interaction):
        names, asked = [subject.target_name], subject.target_name
        journey = journey_to(graph, asked)
    elif isinstance(subject, Journey):
        journey = replace(subject, timeout=None)
        names = [_name_of(graph, entry) for entry in subject.all_entries()]
        asked = journey.name
    else:
        raise TypeError(f"deadlines are of calls and journeys, not of {subject_name(subject)}")
    adversary = _Adversary(graph, late, float(total))
    for name in names:
        adversary.delay(name)
    changed = alone(adversary.system(), journey)
    spans = Spans()
    apart = _APART * float(total)
    run(changed, journey, 1 / apart, _REQUESTS * apart, tracer=spans)
    took = max((end - start for start, end in _times(spans)), default=0.0)
    if isinstance(subject, Interaction):  # who gives up is on the other side of the network
        took += float(round_trip(graph.system, subject)[0])
    said = f"a request of {asked} took {shown(exact(took))}, the limit is {shown(limit)}"
    return Replay(took > float(limit), said)


def _times(spans: Spans) -> Iterator[tuple[float, float]]:
    return ((each.start, each.end) for each in spans.all if each.kind == SpanKind.JOURNEY)


def _name_of(graph: Graph, entry: str) -> str:
    owner, endpoint = graph.system.endpoint(entry)
    return f"{owner.name}.{endpoint.name}" if endpoint else owner.name


@dataclass
class _Adversary:
    """Makes late what an operation waits for."""

    graph: Graph
    late: float
    never: float
    """Seconds that nobody waits for."""
    edits: dict[int, tuple[Element, dict[str, Any]]] = field(default_factory=dict)
    moments: dict[int, list[float]] = field(default_factory=dict)
    """For each part that answers: when it does, to be in time by a hair."""
    seen: set[str] = field(default_factory=set)

    def system(self) -> System:
        """The system with all that was changed."""
        edits = [
            Edit(part, values, subject_name(part) if isinstance(part, Service) else "")
            for part, values in self.edits.values()
        ]
        system = apply(self.graph.system, edits)
        network = system.network
        if network is None or network.delay is None:
            network = replace(network or Network(), delay=Duration(0.0))
        return replace(system, network=network)

    def delay(self, name: str) -> None:
        """Take the longest of what an operation does, and delay whom it waits for."""
        operation = self.graph.operations.get(name)
        if operation is None or name in self.seen:
            return
        self.seen.add(name)
        for step in walk(operation.part):
            if isinstance(step, Work | Wait):
                self._change(step, time=Constant(Duration(float(longest(step.time)[0]))))
        for asked in self.graph.outgoing[name]:
            if asked.is_synchronous:
                self._be_late(asked)
                if asked.fallback is not None:
                    self._be_late(asked.fallback)

    def _be_late(self, step: Interaction) -> None:
        guard = step.protection
        attempt = guard.attempt()
        if attempt is None:
            self.delay(step.target_name)
            return
        if guard.hedge is not None and exact(guard.hedge.after) == attempt:
            # at the very end of an attempt: before or after it, as clocks will have it
            self._change(guard.hedge, after=Duration(float(attempt - _TICK)))
        limits = [attempt, *([exact(guard.per_try_timeout)] if guard.per_try_timeout else [])]
        passage = round_trip(self.graph.system, step)[0]
        in_time = [float(max(_JUST, limit - passage - _JUST)) for limit in limits]
        for retry in guard.retries:
            self._change(retry, budget=None)  # a budget that other requests have filled
        fails = isinstance(guard.retry, Retry) and "timeout" not in guard.retry.on
        if step.mode == "call" and isinstance(step.target, External):
            times = self._times(id(step.target), in_time, fails=fails)
            self._change(step.target, latency=times)
        elif step.mode == "call" and step.endpoint is not None:
            times = self._times(id(step.endpoint), in_time, fails=fails)
            values: dict[str, Any] = {"steps": [Wait(times)]}
            if fails:
                values["error_rate"] = Fraction(0.5)
            self._change(step.endpoint, **values)
            self._change(step.target, runtime=ROOMY)
        elif hasattr(step.declared, "time"):
            self._change(step.declared, time=self._times(id(step.declared), in_time, fails=fails))

    def _times(self, key: int, in_time: list[float], *, fails: bool) -> Empirical:
        """In time by a hair, or far too late; where too late is not tried again, always in time."""
        moments = self.moments.setdefault(key, [])
        moments += in_time
        late = 0 if fails else round(_PARTS * self.late)
        punctual = [
            Duration(each) for each in moments for _ in range((_PARTS - late) // len(moments) or 1)
        ]
        return Empirical([*punctual, *[Duration(4 * self.never)] * late])

    def _change(self, part: Element, **values: Any) -> None:
        _, known = self.edits.setdefault(id(part), (part, {}))
        known.update(values)
