"""Failures: those of the counterexample last for the whole run, beside a run without them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from archcheck.capacity import journey_rates
from archcheck.editing import Edit, apply
from archcheck.findings import Subject
from archcheck.graph import Graph, Interaction
from archcheck.model import (
    Absent,
    Broker,
    Datastore,
    Endpoint,
    Fault,
    Journey,
    System,
)
from archcheck.proof import FailureSet
from archcheck.proof.feature_flags import configured
from archcheck.replaying.experiments import Replay, alone, first_shown, journey_to, run
from archcheck.units import Duration

_RATE = 10.0
"""Journeys a second where no scenario starts fewer: few, so that what is left carries them."""
_REQUESTS = 1_000
"""Journeys that are counted. A choice: a branch that one in a hundred takes is among them."""
_NOTICED = 60.0
"""Seconds in which callers notice who is gone: probes, breakers and outlier detection have acted by
then at their documented defaults."""
_CHANCE = 3
"""Standard deviations of a count that differ by chance."""
_MOST_SETS = 8
"""Sets of failures that are tried. A choice that bounds the time."""


def replay_failures(graph: Graph, subject: Subject, shown: FailureSet) -> Replay:
    """Whether requests have no good answer while the failures last that have one without them.

    Of a step with a fallback, whether neither of both gives an answer.
    """
    journey = _asked(graph, subject)
    if journey is None:
        return Replay(None, "no request waits for it")
    if isinstance(journey.timeout, Absent | None):
        journey = replace(journey, timeout=Duration(_NOTICED))  # else those who wait are not seen
    step = subject if isinstance(subject, Interaction) else None
    asked = _Asked(journey, step, _rate_of(graph, journey))
    found = first_shown(_runs(configured(_placed(graph.system)), asked, shown))
    brokers = {broker.name for broker in graph.system.of_type(Broker)}
    if not found.is_shown and brokers & shown.marks.keys():
        return Replay(None, "in runs brokers do not fail")
    return found


def _placed(system: System) -> System:
    """The system as claims of survival count its replicas: nothing has been scaled up, and what
    nothing spreads is in one zone.
    """
    edits = []
    for service in system.services:
        place = service.deployment
        if place is not None and getattr(place, "autoscale", None) is not None:
            least = {"replicas": place.fewest_replicas(), "autoscale": None}
            edits.append(Edit(place, least, service.name))
        if place is not None and isinstance(getattr(place, "spread", None), Absent):
            edits.append(Edit(place, {"zones": place.zones[:1]}, service.name))
    return apply(system, edits)


@dataclass(frozen=True)
class _Asked:
    """Whose answers are counted: those of a journey, or of a step of its only operation."""

    journey: Journey
    step: Interaction | None
    rate: float

    @property
    def length(self) -> float:
        """Seconds of a run."""
        return _NOTICED + _REQUESTS / self.rate

    def good(self, system: System, *faults: Fault) -> tuple[int, int]:
        """How many began once the failures were noticed, and how many had a good answer."""
        still = alone(system, self.journey)
        found = run(
            still,
            self.journey,
            self.rate,
            self.length,
            faults=faults,
            warmup=_NOTICED,
            at_random=True,  # turns that are taken in step could miss each other for ever
        )
        if self.step is None:
            counted = found.journey(self.journey.name)
            return counted.started, counted.ok + counted.degraded
        first = [call for call in found.calls if _is_of(call.name, self.step)]
        instead = [call for call in found.calls if _is_of(call.name, self.step.fallback)]
        began = sum(call.calls for call in first)
        good = sum(call.ok + call.degraded for call in (*first, *instead))
        return began, min(began, good)  # what the fallback asks may be asked by other steps, too

    def __str__(self) -> str:
        name = self.journey.name
        return f"requests of {name}" if self.step is None else f"times that {self.step.name} asked"


def _is_of(call: str, step: Interaction | None) -> bool:
    return step is not None and call in (step.name, f"{step.name}.{step.mode}")


def _runs(systems: list[System], asked: _Asked, shown: FailureSet) -> Iterator[Replay]:
    for system in systems:
        began, calm = asked.good(system)
        for number, units in enumerate(shown.sets[:_MOST_SETS]):
            faults = shown.faults(Duration(0.0), Duration(asked.length), number)
            started, good = asked.good(system, *faults)
            names = " and ".join(map(str, units))
            text = (
                f"of {started:,} {asked}, {f'{good:,}' if good else 'none'} had a good answer "
                f"{f'without {names}' if names else 'though nothing was lost'}"
            )
            if units:
                text += f", and {calm:,} of {began:,} with everything"
            if units and not calm:  # then the failures change nothing
                yield Replay(None, text)
                continue
            expected = calm * started / began if began else 0.0
            chance = _CHANCE * math.sqrt(max(0.0, started - good) + max(0.0, began - calm))
            is_less = expected - good > min(chance, started / 2)
            yield Replay(not good or is_less, text)


def _rate_of(graph: Graph, journey: Journey) -> float:
    rates = (
        journey_rates(scenario).get(journey.name, 0.0)
        for scenario in graph.system.scenarios
        if scenario.load
    )
    return min([_RATE, *(rate for rate in rates if rate > 0)])


def _asked(graph: Graph, subject: Subject) -> Journey | None:
    """The journey in question, or one that asks for the step or the store in question."""
    if isinstance(subject, Journey):
        return subject
    if isinstance(subject, Datastore):
        steps = [step for step in graph.synchronous() if step.target.name == subject.name]
    else:
        steps = [subject] if isinstance(subject, Interaction) else []
    for step in steps:
        if isinstance(step.operation.part, Endpoint):
            return journey_to(graph, step.operation.name)
    return None
