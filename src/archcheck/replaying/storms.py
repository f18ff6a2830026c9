"""Retries: while one element fails, how often does a single request make it work?

It fails in each way that a caller can see: with errors, by being slow, by being cut off, at times.
Requests come one at a time, so long after each other that nothing remembers the one before.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from archcheck.editing import Edit, apply
from archcheck.graph import Graph, Interaction
from archcheck.model import (
    CutLink,
    Empirical,
    Endpoint,
    Errors,
    External,
    Fault,
    Journey,
    Read,
    Repeat,
    Service,
    Slow,
    System,
    Wait,
    Write,
)
from archcheck.model.linking import walk
from archcheck.proof import RetryStorm
from archcheck.proof.feature_flags import configured
from archcheck.proof.retry_storms import BOUND
from archcheck.replaying.experiments import Replay, Spans, alone, first_shown, journey_to, run
from archcheck.simulation.plan import THROUGH_MESH
from archcheck.simulation.trace import SpanKind
from archcheck.units import Duration, Fraction

_REQUESTS = 300
"""Requests of a run: enough to meet a branch or a miss that one in fifty meets."""
_APART = 600.0
"""Seconds between two requests: breakers have closed again."""
_SLOWER = 1_000_000.0
"""How much slower an element is that never answers: a microsecond becomes a second."""
_TIMES = (0.0, 0.9, 4.0)
"""Times of answers by chance, as parts of the timeout."""
_SHARES = (1.0, 0.9, 0.7)
"""Shares of requests that fail: where one that fails ends everything, it must fail only later."""


def replay_storm(graph: Graph, found: RetryStorm) -> Replay:
    """Whether a request makes an element work more often, by the bound, than without failures.

    Asked at the beginning of the path, or where a journey enters it.
    """
    entries = {entry for journey in graph.system.journeys for entry in journey.all_entries()}
    begun = (
        _entry(graph, step)
        for number, step in enumerate(found.path)
        if not number or {step.operation.name, step.source.name} & entries
    )
    starts = [entry for entry in begun if entry is not None]
    if not starts:
        return Replay(None, "no request begins the path")
    return first_shown(_asking(graph, entry, found.path) for entry in dict.fromkeys(starts))


def _asking(graph: Graph, entry: str, path: Sequence[Interaction]) -> Replay:
    journey, target = journey_to(graph, entry), path[-1]
    most, normal = 0, 1
    for system in configured(_once(graph.system)):
        still = alone(system, journey)
        usual = _most_asked(_faultless(still), journey, target.target_name, ())
        for failing, faults in _ways_to_fail(still, path):
            for site, asked in _most_asked(failing, journey, target.target_name, faults).items():
                often = max(1, usual.get(site, 0))
                if asked * normal > most * often:
                    most, normal = asked, often
    usually = "once" if normal == 1 else f"{normal} times"
    return Replay(
        most > BOUND * normal,
        f"a request of {entry} asked {target.target_name} {most} times while it failed, by a step "
        f"that asks {usually} while it does not",
    )


def _once(system: System) -> System:
    """With one round of every loop: what is asked more often is asked by retries."""
    loops = [step for part in system.elements for step in walk(part) if isinstance(step, Repeat)]
    return apply(system, [Edit(loop, {"times": 1}, "a loop") for loop in loops])


def _faultless(system: System) -> System:
    """Without failures by chance: what is asked again after one is not what a step asks usually."""
    parties = [part for part in system.elements if isinstance(part, External)]
    parts: list[External | Endpoint] = [*parties]
    for party in parties:
        parts += party.endpoints
    for service in system.services:
        parts += service.endpoints
    failing = [part for part in parts if part.error_rate]
    return apply(system, [Edit(part, {"error_rate": None}, "errors") for part in failing])


def _ways_to_fail(
    system: System, path: Sequence[Interaction]
) -> Iterator[tuple[System, tuple[Fault, ...]]]:
    """Of the last element, beside failures of those whose fallbacks lead to it."""
    end, start = Duration(_REQUESTS * _APART), Duration(0.0)
    last = path[-1]
    name, steps = last.target.name, Graph(system).interactions
    instead = tuple(
        Errors(step.target.name, rate=Fraction(1.0), start=start, end=end)
        for step in steps
        if step.fallback is not None
        and step.target.name != name
        and step.fallback.name in {each.name for each in path if each.is_fallback}
    )
    errors = [Errors(name, rate=Fraction(share), start=start, end=end) for share in _SHARES]
    for error in errors:
        yield system, (*instead, error)
    yield system, (*instead, Slow(name, factor=_SLOWER, start=start, end=end))
    yield system, (*instead, CutLink(source=last.source.name, target=name, start=start, end=end))
    yield _by_chance(system, steps, last), (*instead, errors[1])


def _by_chance(system: System, steps: Sequence[Interaction], last: Interaction) -> System:
    """With answers at once, late or never, one as often as the other."""
    edits: dict[int, Edit] = {}
    for step in steps:
        attempt = step.protection.attempt()
        if step.target_name != last.target_name or attempt is None:
            continue
        times = Empirical([Duration(float(attempt) * share) for share in _TIMES])
        if step.endpoint is not None and isinstance(step.target, Service):
            edits[id(step.endpoint)] = Edit(step.endpoint, {"steps": [Wait(times)]}, step.name)
        elif isinstance(step.declared, Read | Write):
            edits[id(step.declared)] = Edit(step.declared, {"time": times}, step.name)
    return apply(system, edits.values())


def _most_asked(
    system: System, journey: Journey, name: str, faults: tuple[Fault, ...]
) -> dict[int, int]:
    """The most that one request asks ``name`` at each call site; of the mesh, where it tries again,
    instead of the code."""
    spans = Spans()
    run(system, journey, 1 / _APART, _REQUESTS * _APART, faults=faults, tracer=spans)
    names = [call.name for call in spans.plan.calls]
    meshed = {each.removesuffix(THROUGH_MESH) for each in names if each.endswith(THROUGH_MESH)}
    sites = {
        place
        for place, each in enumerate(names)
        if each not in meshed and _asks(each.removesuffix(THROUGH_MESH), name)
    }
    asked = Counter(
        (span.place, span.root)
        for span in spans.all
        if span.kind == SpanKind.ATTEMPT and span.place in sites
    )
    most: dict[int, int] = {}
    for (place, _), count in asked.items():
        most[place] = max(most.get(place, 0), count)
    return most


def _asks(call: str, name: str) -> bool:
    target = call.rpartition(" -> ")[2]
    return target in (name, f"{name}.read", f"{name}.write")


def _entry(graph: Graph, first: Interaction) -> str | None:
    """The endpoint that begins a path: its first operation, or who sends it the message."""
    waiting, seen = [first.operation.name], {first.operation.name}
    for name in itertools.chain(waiting):
        operation = graph.operations[name]
        if isinstance(operation.part, Endpoint):
            return name
        for step in graph.reaching.get(str(operation.part.topic), ()):
            if step.operation.name not in seen:
                seen.add(step.operation.name)
                waiting.append(step.operation.name)
    return None
