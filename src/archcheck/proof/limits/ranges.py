"""What is uncertain about a system and its load, and the corner of it that is worst.

Everything that a resource is asked for grows with every rate and every time and shrinks with every
hit ratio, so the worst case of all values between is one corner: the highest rates and times, the
lowest hit ratios. Only shares of a mix pull against each other; then the worst load of each
resource is the solution of a small linear program over exact rationals, which z3 solves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archcheck.capacity import OperationLatencies, journey_rates, rates_of_users
from archcheck.editing import Edit, apply
from archcheck.graph import Graph, Operation
from archcheck.graph.exact import Rational, exact, longest, mean
from archcheck.graph.once import once
from archcheck.model import (
    Between,
    Cached,
    Closed,
    Element,
    Fault,
    ModelError,
    Place,
    RateBetween,
    Scenario,
    ShareBetween,
    System,
    Work,
)
from archcheck.model.distributions import Time, distribution_of, times_as_long
from archcheck.model.linking import walk
from archcheck.proof.answers import Gap
from archcheck.proof.budget import BudgetSpentError, milliseconds_left
from archcheck.proof.limits.phases import bursts
from archcheck.units import Duration

_NONE = Rational(0)


# -- times and hit ratios -------------------------------------------------------------------------


def worst_system(system: System) -> System:
    """The system with every uncertain time at its highest and every hit ratio at its lowest.

    Raises :class:`ModelError` when ranges contradict each other or what is declared.
    """
    ranges = _ranges(system)
    if not ranges:
        return system
    return apply(system, (edit for part in ranges.values() for edit in _edits(system, part)))


def _ranges(system: System) -> dict[tuple[str, str], Between]:
    """What is uncertain, by the name and the attribute of it."""
    ranges: dict[tuple[str, str], Between] = {}
    for part in system.uncertain:
        key = str(part.target), part.attribute
        ranges[key] = _narrowed(system, ranges[key], part) if key in ranges else part
    return ranges


@once
def worst_graph(graph: Graph) -> Graph:
    """The graph of :func:`worst_system`."""
    worst = worst_system(graph.system)
    if worst is graph.system:
        return graph
    return Graph(worst, today=graph.today, cold_caches=graph.cold_caches)


class HighestTimes:
    """The longest that times take whose means are uncertain: in proportion to the highest mean."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._ranges = _ranges(graph.system)

    def of(self, holder: str, attribute: str, time: Time | None) -> tuple[Rational, bool] | None:
        """As :func:`longest` has it; ``None``: nobody declares a time, nor a range of it."""
        part = self._ranges.get((holder, attribute))
        if part is None or (time is not None and not mean(time)):
            return None if time is None else longest(time)
        high = exact(part.high)
        if time is None:
            return high, True
        seconds, has_more = longest(time)
        return seconds * high / mean(time), has_more

    def of_work(self, operation: Operation, step: Work) -> tuple[Rational, bool]:
        """The same of computing, all of which grows in proportion."""
        seconds, has_more = longest(step.time)
        part = self._ranges.get((operation.name, "work"))
        if part is None:
            return seconds, has_more
        total = OperationLatencies(self._graph).own_work(operation.name).seconds
        return (seconds * exact(part.high) / exact(total) if total else seconds), has_more


def _narrowed(system: System, first: Between, second: Between) -> Between:
    if first.low > second.high or second.low > first.high:  # type: ignore[operator]  # same kind
        raise ModelError(
            f"{second.target} has a {second.attribute} between {second.low} and {second.high} "
            f"here, but between {first.low} and {first.high} at {system.place(first)}",
            system.place(second),
        )
    low = max(first.low, second.low)
    return Between(second.target, second.attribute, low, min(first.high, second.high))


def _edits(system: System, part: Between) -> Iterator[Edit]:
    name = str(part.target)
    if part.attribute == "hit_ratio":
        yield from _hit_ratios(system, part, name)
        return
    if part.attribute == "work":
        yield from _work(system, part, name)
        return
    member = system.directory.elements.get(name)
    if member is None or not hasattr(member, part.attribute):
        raise ModelError(f"{name!r} has no {part.attribute}", system.place(part))
    declared: Time | None = getattr(member, part.attribute)
    highest: Time | Duration = Duration(float(part.high))
    if declared is not None:
        usual = distribution_of(declared).mean_seconds()
        _inside(system, part, usual)
        highest = times_as_long(declared, float(part.high) / usual) if usual else highest
    yield Edit(member, {part.attribute: highest}, name)


def _hit_ratios(system: System, part: Between, name: str) -> Iterator[Edit]:
    lookups = [
        step
        for whole in system.elements
        for step in walk(whole)
        if isinstance(step, Cached) and str(step.cache) == name
    ]
    if not lookups:
        raise ModelError(f"no step asks {name!r} as a cache", system.place(part))
    for step in lookups:
        if step.hit_ratio is not None:
            _inside(system, part, float(step.hit_ratio))
        yield Edit(step, {"hit_ratio": part.low}, name)


def _work(system: System, part: Between, name: str) -> Iterator[Edit]:
    """All computing of an operation, in proportion."""
    graph = Graph(system)
    owner, endpoint = system.endpoint(name)
    full = f"{owner.name}.{endpoint.name}" if endpoint else name
    total = OperationLatencies(graph).own_work(full).seconds if full in graph.operations else 0.0
    if not total:
        raise ModelError(f"{name!r} computes nothing", system.place(part))
    _inside(system, part, total)
    for step in walk(graph.operations[full].part):
        if isinstance(step, Work):
            yield Edit(step, {"time": times_as_long(step.time, float(part.high) / total)}, full)


def _inside(system: System, part: Between, declared: float) -> None:
    if not exact(part.low) <= exact(declared) <= exact(part.high):
        shown = f"{declared:.0%}" if part.attribute == "hit_ratio" else str(Duration(declared))
        raise ModelError(
            f"{part.target} declares a {part.attribute} of {shown}, which is not between "
            f"{part.low} and {part.high}",
            system.place(part),
        )


# -- loads ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loads:
    """The rates of a scenario's journeys: each between two values, and shares of their sum."""

    scenario: Scenario
    low: Mapping[str, Rational]
    high: Mapping[str, Rational]
    shares: Mapping[str, tuple[Rational, Rational]] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    known: Mapping[str, Rational] = field(default_factory=dict)
    """Rates that surely come, where they are lower than the highest: those of closed users, who
    wait for answers."""
    faults: tuple[Fault, ...] = ()
    """What goes wrong while these rates come."""

    @property
    def sure(self) -> Mapping[str, Rational]:
        """The highest rates that a run is sure to have."""
        return {**self.high, **self.known}

    def worst(self, weights: Mapping[str, Rational]) -> tuple[Rational, dict[str, Rational]]:
        """The largest sum of rates times ``weights``, and the rates that give it.

        Raises :class:`ModelError` when no rates are in all ranges at once.
        """
        if not self.shares:
            return sum((w * self.high[n] for n, w in weights.items()), _NONE), {**self.high}
        return self._solved(weights)

    def _solved(self, weights: Mapping[str, Rational]) -> tuple[Rational, dict[str, Rational]]:
        import z3

        context = z3.Context()  # the same rates whatever the process asked z3 before

        def number(value: Rational) -> Any:
            return z3.Q(value.numerator, value.denominator, context)

        rates = {name: z3.Real(name, context) for name in self.high}
        total = z3.Sum(*rates.values())
        solver = z3.Optimize(ctx=context)
        limit = milliseconds_left()
        if limit is not None:
            solver.set("timeout", limit)
        for name, rate in rates.items():
            solver.add(rate >= number(self.low[name]), rate <= number(self.high[name]))
        for name, (least, most) in self.shares.items():
            solver.add(rates[name] >= number(least) * total, rates[name] <= number(most) * total)
        solver.maximize(z3.Sum(*(number(w) * rates[name] for name, w in weights.items())))
        outcome = solver.check()
        if outcome == z3.unknown:
            raise BudgetSpentError(f"more time for the load of {self.scenario.name!r}")
        if outcome == z3.unsat:
            raise ModelError(
                f"no load is in all ranges of the scenario {self.scenario.name!r} at once; "
                "widen a rate or a share"
            )
        model = solver.model()
        point = {
            name: Rational(str(model.eval(rate, model_completion=True)))
            for name, rate in rates.items()
        }
        return sum((w * point[name] for name, w in weights.items()), _NONE), point


def loads_of(system: System, scenario: Scenario, faults: tuple[Fault, ...] = ()) -> Loads:
    """The rates of a scenario, at its peak where they are not declared as ranges; ``faults``: what
    goes wrong meanwhile.

    Raises :class:`ModelError` when a range contradicts another one or what is declared.
    """
    peaks = {name: exact(rate) for name, rate in journey_rates(scenario).items()}
    low, high = dict(peaks), dict(peaks)
    shares: dict[str, tuple[Rational, Rational]] = {}
    for part in scenario.uncertain:
        name = str(part.journey)
        if name not in peaks:
            raise ModelError(f"the scenario {scenario.name!r} has no load of {name!r}", _at(part))
        if isinstance(part, RateBetween):
            least, most = exact(part.low), exact(part.high)
            if not least <= peaks[name] <= most:
                raise ModelError(
                    f"{name} is started {float(peaks[name]):g} times a second at the peak of "
                    f"{scenario.name!r}, which is not between {part.low} and {part.high}",
                    _at(part),
                )
            low[name], high[name] = least, most
        elif isinstance(part, ShareBetween):
            shares[name] = exact(part.low), exact(part.high)
    _add_up(scenario, shares, all(name in shares for name in peaks))
    unknown = any(stream.arrivals.peak_rate() is None for stream in scenario.load)
    gaps: tuple[Gap, ...] = (Gap(scenario, "load"),) if unknown else ()
    ranged = {str(part.journey) for part in scenario.uncertain if isinstance(part, RateBetween)}
    gaps += tuple(
        Gap(scenario, f"a RateBetween of {name}, whose share is uncertain")
        for name in shares
        if name not in ranged
    )
    known, bound = _of_users(system, scenario, high)
    times = _bursts(scenario, faults)
    low, high, known = (
        {name: rate * times.get(name, 1) for name, rate in rates.items()}
        for rates in (low, {**high, **bound}, known)
    )
    return Loads(scenario, low, high, shares, gaps, known, faults)


def _of_users(
    system: System, scenario: Scenario, high: Mapping[str, Rational]
) -> tuple[dict[str, Rational], dict[str, Rational]]:
    """What surely comes of closed users, and what comes at most, where no range says more."""
    ranged = {str(part.journey) for part in scenario.uncertain}
    if not any(isinstance(stream.arrivals, Closed) for stream in scenario.load):
        return {}, {}
    rates = rates_of_users(Graph(system), scenario)
    found = {name: both for name, both in rates.items() if name in high and name not in ranged}
    least = {name: exact(low) for name, (low, _) in found.items()}
    return least, {name: exact(most) for name, (_, most) in found.items()}


def _bursts(scenario: Scenario, faults: tuple[Fault, ...]) -> dict[str, Rational]:
    """By how much a journey's rate grows: bursts are of whole streams."""
    times = bursts(scenario, faults)
    if not times:
        return {}
    usual: dict[str, float] = defaultdict(float)
    more: dict[str, float] = defaultdict(float)
    for number, stream in enumerate(scenario.load):
        for name, rate in journey_rates(Scenario("one stream", load=[stream])).items():
            usual[name] += rate
            more[name] += rate * times[number]
    return {name: exact(more[name] / rate) for name, rate in usual.items() if rate}


def _at(part: Element) -> Place | None:
    return part.site.place if part.site else None


def _add_up(
    scenario: Scenario, shares: Mapping[str, tuple[Rational, Rational]], complete: bool
) -> None:
    least = sum((low for low, _ in shares.values()), _NONE)
    most = sum((high for _, high in shares.values()), _NONE)
    if least > 1 or (complete and shares and most < 1):
        total, word = (least, "at least") if least > 1 else (most, "at most")
        raise ModelError(
            f"the shares of the scenario {scenario.name!r} add up to {word} {float(total):.0%}; "
            "100% must be possible",
            _at(scenario),
        )
