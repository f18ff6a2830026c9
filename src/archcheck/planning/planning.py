"""A capacity plan from beginning to end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from archcheck.findings import Objective, Reading, State, gravest, objectives_of
from archcheck.model import Scenario, ScenarioError, System
from archcheck.planning.bottlenecks import Bottleneck, climb
from archcheck.planning.changes import at_peak, loaded
from archcheck.planning.costs import Costs, cost_of
from archcheck.planning.curves import Curve, CurvePoint, draw_curve, simulated_point
from archcheck.planning.flow import Flow, solve_plan
from archcheck.planning.probing import Probe, Stop, StoppedError
from archcheck.planning.readings import read_flow, read_result
from archcheck.planning.refusals import not_refused
from archcheck.planning.sensitivity import Influence, influences
from archcheck.planning.sizing import MOST_BUSY, Sizing, fewest, size
from archcheck.planning.sustaining import Sustained, analytic_limit, analytic_only, confirmed
from archcheck.simulation import SimulationResult
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.plan import Assumption, Plan
from archcheck.units import Fraction

_YEARS = 10
"""Beyond so many years headroom is not stated: nobody knows growth so far ahead."""

Progress = Callable[[str, float], None]
"""Called with what is being worked on and how much of the plan is done, from 0 to 1."""


@dataclass(frozen=True)
class Compared:
    """A journey at today's load: the analytic figures beside the simulated ones, in seconds.

    ``half_width``: of the 95% interval of the simulated p95.
    """

    journey: str
    rate: float
    mean: float
    simulated_mean: float
    p95: float
    simulated_p95: float
    half_width: float

    @property
    def gap(self) -> float:
        """How far the analytic p95 is off."""
        return self.p95 / self.simulated_p95 - 1 if self.simulated_p95 else 0.0


@dataclass(frozen=True)
class Headroom:
    """How long the sustainable load lasts when the load grows by ``growth`` each month."""

    growth: float
    months: float
    low: float
    high: float


@dataclass
class CapacityPlan:
    """What a system can take under a scenario at its peak; filled part by part.

    ``today``: the objectives at the declared load, simulated. ``sustained``: the factor by which
    all journeys can grow together; ``alone``: each journey by itself, the others as declared.
    ``is_complete`` is false when somebody stopped the work; then later parts are missing.
    """

    system: System
    scenario: Scenario
    objectives: tuple[Objective, ...]
    flow: Flow
    assumptions: tuple[Assumption, ...]
    today: tuple[Reading, ...] = ()
    compared: tuple[Compared, ...] = ()
    sustained: Sustained | None = None
    alone: dict[str, Sustained] = field(default_factory=dict)
    bottlenecks: tuple[Bottleneck, ...] = ()
    curve: Curve | None = None
    sizing: Sizing | None = None
    headroom: Headroom | None = None
    influences: tuple[Influence, ...] = ()
    costs: Costs | None = None
    runs: int = 0
    is_complete: bool = False

    @property
    def carried(self) -> State:
        """Whether the declared load is carried: all objectives met, no queue without an end.

        By simulation; before there is one, by the analytic solution.
        """
        return gravest(self.today or read_flow(self.objectives, self.flow))

    @property
    def is_fine(self) -> bool:
        """Whether nothing is missed at the declared load, and the wanted one can be carried."""
        reached = not (self.sizing and self.sizing.unreachable)
        return self.is_complete and self.carried != "missed" and reached


def busiest_scenario(system: System) -> Scenario:
    """The scenario that starts the most journeys a second at its peak.

    Raises :class:`ScenarioError` when none declares a load.
    """
    loads = [
        (scenario, _offered(system, scenario)) for scenario in system.scenarios if scenario.load
    ]
    if not loads:
        raise ScenarioError(
            f"the system {system.name!r} declares no scenario with a load; write one, such as "
            'Scenario("peak", load=[Load("checkout", Poisson(200 / s))])'
        )
    return max(loads, key=lambda each: each[1])[0]


def _offered(system: System, scenario: Scenario) -> float:
    flow = solve_plan(at_peak(compile_plan(system, scenario)))
    return sum(journey.rate for journey in flow.journeys)


def plan_capacity(
    system: System,
    scenario: Scenario | None = None,
    *,
    target: float = 2.0,
    growth: Fraction | None = None,
    loses_zone: bool = False,
    most_busy: float = MOST_BUSY,
    jobs: int = -1,
    seed: int = 1,
    budget: float = 30.0,
    confirm_alone: bool = False,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> CapacityPlan:
    """Plan the capacity of a system.

    ``scenario``: whose load grows (default: the busiest). ``target``: the factor of its load for
    which the cheapest sizes are sought. ``growth``: of the load in a month (default: what the
    scenario declares). ``loses_zone``: the sizes carry the load with a zone gone. ``budget``:
    seconds after which no more simulations are begun, on a machine that is too slow for them.
    ``confirm_alone``: simulate the growth of each journey by itself as well. ``stop``: ends the
    work with what is there.

    Raises :class:`ScenarioError` for numbers that mean nothing or a load that cannot be planned.
    """
    chosen = scenario or busiest_scenario(system)
    pace = growth if growth is not None else chosen.growth
    rate = float(pace) if pace is not None else None
    _check(target, rate, most_busy)
    compiled = compile_plan(system, chosen)
    plan = at_peak(compiled)
    flow = solve_plan(plan)
    if not any(journey.rate > 0 for journey in flow.journeys):
        raise ScenarioError(f"scenario {chosen.name!r} starts no journey")
    objectives = objectives_of(system, [j.name for j in flow.journeys if j.rate > 0])
    objectives += not_refused(plan, objectives)
    found = CapacityPlan(system, chosen, objectives, flow, compiled.assumptions)
    probe = Probe(system, chosen, jobs, seed, stop, time.monotonic() + budget)
    work = _Work(found, compiled, plan, probe, progress or (lambda what, done: None))
    try:
        work.go(target, rate, loses_zone, most_busy, confirm_alone)
        found.is_complete = True
    except StoppedError:
        pass
    found.runs = probe.runs
    return found


def _check(target: float, growth: float | None, most_busy: float) -> None:
    if not 0 < target <= 10_000:
        raise ScenarioError(f"the target load must be above 0 and at most x10000, got x{target:g}")
    if growth is not None and not -0.99 <= growth <= 1:
        raise ScenarioError(
            f"a growth of {growth:.0%} a month cannot be planned with; write one such as 5%"
        )
    if not 0 < most_busy < 1:
        raise ScenarioError(f"resources can be busy between 0% and 100%, got {most_busy:.0%}")


@dataclass
class _Work:
    plan: CapacityPlan
    declared: Plan
    steady: Plan
    probe: Probe
    progress: Progress

    def go(
        self,
        target: float,
        growth: float | None,
        loses_zone: bool,
        most_busy: float,
        confirm_alone: bool,
    ) -> None:
        """All parts, in the order in which people ask for them."""
        found, objectives = self.plan, self.plan.objectives
        measured: list[CurvePoint] = []
        self.progress("today's load", 0.0)
        found.costs = cost_of(found.system, self.steady, found.flow)
        factor, limit = analytic_limit(self.steady, objectives)
        found.sustained = analytic_only(factor, limit)
        self._stoppable()
        self.progress("bottlenecks", 0.05)
        found.bottlenecks = tuple(climb(self.steady, objectives))
        self._stoppable()
        self.progress("sensitivity", 0.12)
        found.influences = influences(self.steady, objectives, factor)
        self._stoppable()
        self.progress("today's load", 0.2)
        self._today(measured)
        self.progress("sustainable load", 0.3)
        self._sustained(factor, limit, measured)
        self._headroom(growth)
        found.curve = draw_curve(self.steady, found.sustained.factor, measured)
        self._sizes(target, loses_zone, most_busy)
        self._alone(confirm_alone)
        self.progress("done", 1.0)

    def _stoppable(self) -> None:
        if self.probe.stop is not None and self.probe.stop():
            raise StoppedError

    def _today(self, measured: list[CurvePoint]) -> None:
        found = self.plan
        result = self.probe.simulated(self.steady, found.flow, found.objectives)
        found.today = read_result(found.objectives, result)
        found.compared = tuple(_compared(found.flow, result))
        measured.append(simulated_point(1.0, result, _load_in(found.today)))

    def _sustained(self, factor: float, limit: Reading | None, measured: list[CurvePoint]) -> None:
        def note(at: float, result: SimulationResult, readings: tuple[Reading, ...]) -> None:
            measured.append(simulated_point(at, result, _load_in(readings)))

        try:
            self.plan.sustained = confirmed(
                self.probe, self.steady, self.plan.objectives, factor, limit, seen=note
            )
        except StoppedError:
            self._stoppable()

    def _headroom(self, growth: float | None) -> None:
        sustained = self.plan.sustained
        if growth is None or sustained is None:
            return
        low, months, high = (
            _months(each, growth) for each in (sustained.low, sustained.factor, sustained.high)
        )
        self.plan.headroom = Headroom(growth, months, low, high)

    def _sizes(self, target: float, loses_zone: bool, most_busy: float) -> None:
        self.progress(f"sizes for x{target:g}", 0.6)
        found = self.plan
        asked = loaded(self.steady, target)
        found.sizing = size(
            found.system,
            asked,
            target,
            found.objectives,
            self.probe,
            floors=fewest(found.system, self.declared),
            loses_zone=loses_zone,
            most_busy=most_busy,
        )
        self._stoppable()

    def _alone(self, confirm: bool) -> None:
        """Each journey by itself."""
        journeys = [journey for journey in self.plan.flow.journeys if journey.rate > 0]
        for number, journey in enumerate(journeys):
            self.progress(f"{journey.name} alone", 0.8 + 0.2 * number / len(journeys))
            index = [planned.name for planned in self.steady.journeys].index(journey.name)
            if any(stream.session is not None for stream in self.steady.streams):
                return  # its users walk from journey to journey: none grows alone
            factor, limit = analytic_limit(self.steady, self.plan.objectives, index)
            self.plan.alone[journey.name] = analytic_only(factor, limit)
            self._stoppable()
            if confirm:
                with suppress(StoppedError):
                    self.plan.alone[journey.name] = confirmed(
                        self.probe, self.steady, self.plan.objectives, factor, limit, journey=index
                    )


def _months(factor: float, growth: float) -> float:
    """After which the load has grown by a factor; infinite when it does not grow."""
    if factor <= 1:
        return 0.0 if factor < 1 or growth > 0 else math.inf
    return math.log(factor) / math.log1p(growth) if growth > 0 else math.inf


def _load_in(readings: tuple[Reading, ...]) -> float:
    return max((r.value for r in readings if r.objective.name == "load"), default=0.0)


def _compared(flow: Flow, result: SimulationResult) -> list[Compared]:
    found = []
    for journey in flow.journeys:
        measured = result.journey(journey.name)
        if not journey.rate or not measured.finished:
            continue
        estimate = result.estimates.get(journey.name, {}).get("p95")
        found.append(
            Compared(
                journey.name,
                journey.rate,
                journey.time.mean,
                measured.latency.mean,
                journey.quantile(0.95),
                measured.latency.p95,
                estimate.half_width if estimate is not None else math.nan,
            )
        )
    return found
