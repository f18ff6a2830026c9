"""A capacity plan from beginning to end."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from archcheck.findings import Objective, Reading, State, gravest, objectives_of
from archcheck.model import Scenario, ScenarioError, System
from archcheck.model.unloaded import no_scenario
from archcheck.planning.bottlenecks import Bottleneck, climb
from archcheck.planning.budget import PlanningBudget
from archcheck.planning.changes import at_peak, loaded
from archcheck.planning.costs import Costs, cost_of
from archcheck.planning.curves import Curve, CurvePoint, draw_curve, simulated_point
from archcheck.planning.flow import Flow, solve_plan
from archcheck.planning.probing import PlanSimulator
from archcheck.planning.readings import read_flow, read_result
from archcheck.planning.refusals import not_refused
from archcheck.planning.second_states import SecondState, second_states
from archcheck.planning.sensitivity import Influence, influences, most_first
from archcheck.planning.sizing import MOST_BUSY, Sizing, fewest, size
from archcheck.planning.sustaining import Sustained, analytic_limit, analytic_only, confirmed
from archcheck.simulation import KnifeEdge, LostMessages, SimulationResult, with_knife_edges
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.plan import Assumption, Plan
from archcheck.simulation.replications import Stop, StoppedError
from archcheck.units import Duration, Fraction

_FAR = 1.1
"""How far from the simulated load an analytic one may be of which nobody knows how far it is off. A
choice: what is nearer is as good as most."""
_YEARS = 10
"""Beyond so many years headroom is not stated: nobody knows growth so far ahead."""

Progress = Callable[[str, float], None]
"""Called with what is being worked on and how much of the plan is done, from 0 to 1."""


@dataclass(frozen=True)
class AnalyticComparison:
    """A journey at today's load: the analytic figures beside the simulated ones."""

    journey: str
    """Its name."""
    rate: float
    """Journeys a second."""
    mean: float
    """The analytic mean time in seconds."""
    simulated_mean: float
    """The simulated mean time in seconds."""
    p95: float
    """The analytic 95th percentile in seconds."""
    simulated_p95: float
    """The simulated 95th percentile in seconds."""
    half_width: float
    """The half width of the 95% interval of the simulated p95, in seconds."""

    @property
    def gap(self) -> float:
        """How far the analytic p95 is off."""
        return self.p95 / self.simulated_p95 - 1 if self.simulated_p95 else 0.0


@dataclass(frozen=True)
class Headroom:
    """How long the sustainable load lasts when the load grows each month."""

    growth: float
    """The growth of the load in a month (0.05: 5%)."""
    months: float
    """Months for which the sustainable load lasts."""
    low: float
    """The fewest months, by the interval of the sustainable load."""
    high: float
    """The most months."""


@dataclass(frozen=True)
class MissingPart:
    """A part of a plan that was not worked out, and why."""

    part: str
    """The part."""
    reason: str
    """Why it was not worked out."""


@dataclass
class CapacityPlan:
    """What a system can take under a scenario at its peak; filled part by part.

    ``today``: the objectives at the declared load, simulated. ``sustained``: the factor by which
    all journeys can grow together, ``analytic`` what the analytic solution says of it; ``alone``:
    each journey by itself, the others as declared.
    ``second_states``: in which journeys fail at the same load, by the analytic solution.
    ``missing``: the parts that were not worked out, because somebody stopped the work or the budget
    was spent.
    """

    system: System
    scenario: Scenario
    objectives: tuple[Objective, ...]
    flow: Flow
    assumptions: tuple[Assumption, ...]
    today: tuple[Reading, ...] = ()
    lost: tuple[LostMessages, ...] = ()
    knife_edges: tuple[KnifeEdge, ...] = ()
    second_states: tuple[SecondState, ...] = ()
    compared: tuple[AnalyticComparison, ...] = ()
    sustained: Sustained | None = None
    analytic: Sustained | None = None
    alone: dict[str, Sustained] = field(default_factory=dict)
    bottlenecks: tuple[Bottleneck, ...] = ()
    curve: Curve | None = None
    sizing: Sizing | None = None
    headroom: Headroom | None = None
    influences: tuple[Influence, ...] = ()
    costs: Costs | None = None
    runs: int = 0
    missing: tuple[MissingPart, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every part was worked out."""
        return not self.missing

    @property
    def is_contradicted(self) -> bool:
        """Whether simulations say that the analytic solution is farther off than it claims to be.

        Such as where a system collapses long before anything in its calm state is full.
        """
        ours, said = self.sustained, self.analytic
        if ours is None or said is None or not ours.confirmed or math.isinf(said.factor):
            return False
        low, high = said.low, said.high
        if math.isinf(high):  # nobody knows how far it is off
            low, high = said.factor / _FAR, said.factor * _FAR
        return ours.high < low or high < ours.low

    @property
    def carried(self) -> State:
        """Whether the declared load is carried: all objectives met, no queue without an end.

        By simulation; before there is one, by the analytic solution.
        """
        return gravest(self.today or read_flow(self.objectives, self.flow))

    @property
    def is_fine(self) -> bool:
        """Whether nothing is missed at the declared load, and the wanted one can be carried.

        What was not worked out is not fine.
        """
        reached = self.sizing is not None and not self.sizing.unreachable
        return reached and self.carried != "missed"


def busiest_scenario(system: System) -> Scenario:
    """The scenario that starts the most journeys a second at its peak.

    Raises :class:`ScenarioError` when none declares a load.
    """
    loads = [
        (scenario, _offered(system, scenario)) for scenario in system.scenarios if scenario.load
    ]
    if not loads:
        raise no_scenario(system, "scenario with a load")
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
    seconds for all of it; what was not worked out by then is ``missing``.
    ``confirm_alone``: simulate the growth of each journey by itself as well. ``stop``: ends the
    work with what is there.

    Raises :class:`ScenarioError` for numbers that mean nothing or a load that cannot be planned.
    """
    clock = PlanningBudget(budget, stop)
    try:
        with clock.running():
            return _planned(
                system, scenario, clock, jobs, seed, progress,
                _Asked(target, growth, loses_zone, most_busy, confirm_alone),
            )  # fmt: skip
    except StoppedError:
        raise ScenarioError(
            f"the budget of {Duration(budget)} is too short for one analytic solution of "
            f"{system.name!r}; give the plan more time with --budget"
        ) from None


@dataclass(frozen=True)
class _Asked:
    """What a plan is asked for."""

    target: float
    pace: Fraction | None
    loses_zone: bool
    most_busy: float
    confirm_alone: bool
    growth: float | None = None


def _planned(
    system: System,
    scenario: Scenario | None,
    budget: PlanningBudget,
    jobs: int,
    seed: int,
    progress: Progress | None,
    asked: _Asked,
) -> CapacityPlan:
    """The plan. Raises :class:`StoppedError` where not even the declared load is solved."""
    with budget.at_least():
        chosen = scenario or busiest_scenario(system)
        pace = asked.pace if asked.pace is not None else chosen.growth
        asked = replace(asked, growth=float(pace) if pace is not None else None)
        _check(asked.target, asked.growth, asked.most_busy)
        compiled = compile_plan(system, chosen)
        plan = at_peak(compiled)
        flow = solve_plan(plan)
        if not any(journey.rate > 0 for journey in flow.journeys):
            raise ScenarioError(f"scenario {chosen.name!r} starts no journey")
        objectives = objectives_of(system, [j.name for j in flow.journeys if j.rate > 0])
        objectives += not_refused(plan, objectives)
    found = CapacityPlan(system, chosen, objectives, flow, compiled.assumptions)
    probe = PlanSimulator(system, chosen, jobs, seed, budget)
    work = _Work(found, compiled, plan, probe, asked, progress or (lambda what, done: None))
    with suppress(StoppedError):
        work.go()
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
    """The parts of a plan, in the order in which people ask for them.

    Each may use a share of the time that is left (the last number of its line in :meth:`go`): a
    part that needs more says so, and leaves time for those after it.
    """

    plan: CapacityPlan
    declared: Plan
    steady: Plan
    probe: PlanSimulator
    asked: _Asked
    progress: Progress
    measured: list[CurvePoint] = field(default_factory=list)
    limit: tuple[float, Reading | None] | None = None
    simulated: SimulationResult | None = None

    def go(self) -> None:
        """All parts. Raises :class:`StoppedError` when somebody stops the work."""
        parts: tuple[tuple[str, Callable[[], None], float], ...] = (
            ("costs", self._costs, 1.0),
            ("sustainable load, analytic", self._analytic, 0.35),
            ("today's load, simulated", self._today, 0.5),
            ("bottlenecks", self._bottlenecks, 0.3),
            (f"sizes for x{self.asked.target:g}", self._sizes, 0.5),
            ("sustainable load, simulated", self._sustained, 0.65),
            ("knife edges", self._edges, 0.3),
            ("second states", self._second_states, 0.3),
            ("headroom", self._headroom, 1.0),
            ("capacity curve", self._curve, 0.4),
            ("what to measure", self._influences, 0.5),
            ("each journey alone", self._alone, 1.0),
        )
        for number, (name, work, share) in enumerate(parts):
            self.progress(name, number / len(parts))
            try:
                with self.probe.budget.part(share):
                    work()
            except StoppedError:
                self._misses(name)
            if self.probe.budget.is_stopped:
                for later, _, _ in parts[number + 1 :]:
                    self._misses(later)
                raise StoppedError
        self.progress("done", 1.0)

    def _misses(self, part: str) -> None:
        if part == "headroom" and self.asked.growth is None:
            return
        budget = self.probe.budget
        why = (
            "STOPPED before the end"
            if budget.is_stopped
            else f"the budget of {Duration(budget.seconds)} was too short (--budget)"
        )
        self.plan.missing += (MissingPart(self._so_far(part), why),)

    def _so_far(self, part: str) -> str:
        """A part that is missing; where some of it is there, how much."""
        found = self.plan
        if part == "bottlenecks" and found.bottlenecks:
            return f"bottlenecks after the first {len(found.bottlenecks)}"
        if part == "each journey alone" and found.alone:
            return f"{part}, for all but {', '.join(found.alone)}"
        if part == "what to measure" and found.influences:
            return f"{part}, of the numbers after {found.influences[-1].subject}"
        return part

    def _costs(self) -> None:
        self.plan.costs = cost_of(self.plan.system, self.steady, self.plan.flow)

    def _analytic(self) -> None:
        self.limit = analytic_limit(self.steady, self.plan.objectives)
        self.plan.sustained = self.plan.analytic = analytic_only(self.steady, *self.limit)

    def _today(self) -> None:
        found = self.plan
        result = self.probe.decided(self.steady, found.flow, found.objectives)
        self.simulated = result
        found.today = read_result(found.objectives, result)
        found.lost = result.lost_messages
        found.compared = tuple(_compared(found.flow, result))
        self.measured.append(simulated_point(1.0, result, _load_in(found.today)))

    def _edges(self) -> None:
        """What moves far at the declared load. Raises :class:`StoppedError`, as it is simulated."""
        if self.simulated is None:
            raise StoppedError
        jobs, budget = self.probe.jobs, self.probe.budget
        result = with_knife_edges(
            self.simulated, plan=self.steady, jobs=jobs, stop=lambda: budget.is_over
        )
        budget.check()
        edges = result.knife_edges
        if edges is not None and edges.left_out and not result.overloads:
            self.plan.missing += (MissingPart("knife edges", edges.left_out),)
        self.plan.knife_edges = edges.found if edges is not None else ()

    def _second_states(self) -> None:
        if self.plan.carried != "missed":  # else it fails as it is
            self.plan.second_states = tuple(second_states(self.steady, self.plan.flow))

    def _sustained(self) -> None:
        def note(at: float, result: SimulationResult, readings: tuple[Reading, ...]) -> None:
            self.measured.append(simulated_point(at, result, _load_in(readings)))

        factor, limit = self._needed()
        self.plan.sustained = confirmed(
            self.probe, self.steady, self.plan.objectives, factor, limit, seen=note
        )

    def _needed(self) -> tuple[float, Reading | None]:
        """The analytic limit. Raises :class:`StoppedError` where there was no time for it."""
        if self.limit is None:
            raise StoppedError
        return self.limit

    def _headroom(self) -> None:
        growth, sustained = self.asked.growth, self.plan.sustained
        if growth is None:
            return
        if sustained is None:
            raise StoppedError
        low, months, high = (
            _months(each, growth) for each in (sustained.low, sustained.factor, sustained.high)
        )
        self.plan.headroom = Headroom(growth, months, low, high)

    def _bottlenecks(self) -> None:
        for bottleneck in climb(self.steady, self.plan.objectives):
            self.plan.bottlenecks += (bottleneck,)

    def _sizes(self) -> None:
        found, asked = self.plan, self.asked
        found.sizing = size(
            found.system,
            loaded(self.steady, asked.target),
            asked.target,
            found.objectives,
            self.probe,
            floors=fewest(found.system, self.declared),
            loses_zone=asked.loses_zone,
            most_busy=asked.most_busy,
        )

    def _curve(self) -> None:
        sustained = self.plan.sustained
        top = sustained.factor if sustained is not None else 1.0
        try:
            curve = draw_curve(self.steady, top, self.measured)
            if self.plan.is_contradicted and sustained is not None:
                calm = tuple(each for each in curve.points if each.factor <= sustained.low)
                curve = replace(curve, points=calm, knee=None)
            self.plan.curve = curve
        except StoppedError:
            if self.measured:
                points = sorted(self.measured, key=lambda each: each.factor)
                self.plan.curve = Curve((), tuple(points), None)
            raise

    def _influences(self) -> None:
        factor, _ = self._needed()
        try:
            for influence in influences(self.steady, self.plan.objectives, factor):
                self.plan.influences += (influence,)
        finally:
            self.plan.influences = most_first(self.plan.influences)

    def _alone(self) -> None:
        if any(stream.session is not None for stream in self.steady.streams):
            return  # its users walk from journey to journey: none grows alone
        growing = [journey.name for journey in self.plan.flow.journeys if journey.rate > 0]
        if len(growing) == 1 and self.plan.sustained is not None:
            self.plan.alone[growing[0]] = self.plan.sustained
            return
        names = [planned.name for planned in self.steady.journeys]
        for name in growing:
            self._journey_alone(name, names.index(name))

    def _journey_alone(self, name: str, index: int) -> None:
        found = self.plan
        factor, limit = analytic_limit(self.steady, found.objectives, index)
        if not found.is_contradicted:
            found.alone[name] = analytic_only(self.steady, factor, limit, index)
        if found.is_contradicted or self.asked.confirm_alone:
            found.alone[name] = confirmed(
                self.probe, self.steady, found.objectives, factor, limit, journey=index
            )


def _months(factor: float, growth: float) -> float:
    """After which the load has grown by a factor; infinite when it does not grow."""
    if factor <= 1:
        return 0.0 if factor < 1 or growth > 0 else math.inf
    return math.log(factor) / math.log1p(growth) if growth > 0 else math.inf


def _load_in(readings: tuple[Reading, ...]) -> float:
    return max((r.value for r in readings if r.objective.name == "load"), default=0.0)


def _compared(flow: Flow, result: SimulationResult) -> list[AnalyticComparison]:
    found = []
    for journey in flow.journeys:
        measured = result.journey(journey.name)
        if not journey.rate or not measured.finished:
            continue
        estimate = result.estimate(journey.name, "p95")
        found.append(
            AnalyticComparison(
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
