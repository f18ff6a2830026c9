"""What replays have in common: what they say, and how one journey of a changed system is run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from archcheck.graph import Graph
from archcheck.model import (
    CustomRuntime,
    Deterministic,
    Fault,
    Journey,
    Load,
    Poisson,
    Scenario,
    System,
)
from archcheck.model import Schedule as Clock
from archcheck.simulation import SimulationResult, simulate
from archcheck.simulation.plan import Plan
from archcheck.simulation.trace import Span
from archcheck.units import Duration, Rate

ROOMY = CustomRuntime(name="roomy", concurrency="lightweight", parallelism=10_000)
"""A runtime in which nobody waits for a thread or a core."""


@dataclass(frozen=True)
class Replay:
    """What a run made of a counterexample; ``is_shown`` is ``None`` where there is no run of it."""

    is_shown: bool | None
    text: str

    def __str__(self) -> str:
        verdicts = {True: "replayed", False: "not shown by a run", None: "not replayed"}
        return f"{verdicts[self.is_shown]}: {self.text}"


class Spans:
    """Keeps everything that ends in a run."""

    share = 1.0

    plan: Plan

    def __init__(self) -> None:
        self.all: list[Span] = []

    def begin(self, plan: Plan) -> None:
        """Remember the names."""
        self.plan = plan

    def write(self, spans: Sequence[Span]) -> None:
        """Keep them."""
        self.all.extend(spans)


def journey_to(graph: Graph, entry: str) -> Journey:
    """A journey of one request to ``entry``, whom nobody's patience ends."""
    taken = {journey.name for journey in graph.system.journeys}
    name = f"request of {entry.replace('.', ' ')}"
    while name in taken or name in graph.system.directory.elements:
        name += " again"
    return Journey(name, entry)


def alone(system: System, journey: Journey) -> System:
    """The system with ``journey`` for all it does: nothing is started by a clock."""
    others = [each for each in system.journeys if each.name != journey.name]
    elements = [each for each in system.elements if not isinstance(each, Clock)]
    return replace(system, elements=elements, journeys=[*others, journey], scenarios=[])


def run(
    system: System,
    journey: Journey,
    rate: float,
    length: float,
    *,
    faults: Iterable[Fault] = (),
    warmup: float = 0.0,
    tracer: Spans | None = None,
    at_random: bool = False,
) -> SimulationResult:
    """Start ``journey`` ``rate`` times a second for ``length`` seconds, like a metronome unless
    ``at_random``."""
    arrivals = Poisson(Rate(rate)) if at_random else Deterministic(Rate(rate))
    load = [Load(journey.name, arrivals)]
    return simulate(
        system,
        Scenario("replay", load=load, faults=tuple(faults)),
        duration=Duration(length),
        warmup=Duration(warmup),
        tracer=tracer,
    )


def first_shown(replays: Iterable[Replay]) -> Replay:
    """The first that shows it, else what the first one says."""
    first: Replay | None = None
    for each in replays:
        first = first or each
        if each.is_shown:
            return each
    return first or Replay(None, "there is nothing to run")
