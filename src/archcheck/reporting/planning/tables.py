"""The tables of a capacity plan, for a terminal and for a page alike."""

from __future__ import annotations

import math
from collections.abc import Iterator

from archcheck.findings import State
from archcheck.planning import CapacityPlan, Costs, Curve, CurvePoint, Sizing, Sustained
from archcheck.reporting.console import figure
from archcheck.reporting.objectives import objectives_sheet
from archcheck.reporting.sheets import Sheet
from archcheck.units import spoken

_CURVE_ROWS = 9


def headline(plan: CapacityPlan) -> str:
    """What was planned, and from what."""
    total = sum(journey.rate for journey in plan.flow.journeys)
    runs = f"{plan.runs} simulations" if plan.runs else "no simulation"
    return (
        f"{plan.system.name} under {plan.scenario.name} at its peak, {figure(total)} journeys/s: "
        f"an analytic solution and {runs}"
    )


def sheets(plan: CapacityPlan) -> Iterator[Sheet]:
    """All tables for which there is something."""
    if plan.today:
        yield objectives_sheet(plan.today, "objectives at the declared load, simulated")
    yield _sustained(plan)
    if plan.bottlenecks:
        yield _ladder(plan)
    if plan.curve is not None:
        yield _curve(plan.curve)
    if plan.sizing is not None and not plan.sizing.unreachable:
        yield _sizing(plan.sizing)
    if plan.influences:
        yield _influences(plan)
    if plan.costs is not None:
        yield _elements(plan.costs)
        yield _journeys(plan.costs)
    if plan.compared:
        yield _compared(plan)


def verdicts(plan: CapacityPlan) -> Iterator[tuple[State, str]]:
    """The answers in a sentence each, and their states."""
    found = plan.sustained
    if found is not None:
        yield plan.carried, f"declared load: {_carried(plan)}"
        yield plan.carried, f"sustainable load: {interval(found)}{_ended(found)}"
    if plan.is_contradicted and found is not None and plan.analytic is not None:
        yield (
            "open",
            f"simulations contradict the analytic solution, which says {interval(plan.analytic)}: "
            "what breaks first, what to measure, the costs and the analytic points of the curve "
            "are its word alone",
        )
    for lost in plan.lost:
        yield "open", f"declared load: {lost}, of which no objective speaks"
    for edge in plan.knife_edges:
        yield "open", f"knife edge: {edge}"
    for each in plan.second_states:
        yield "open", str(each)
    if plan.headroom is not None:
        room = plan.headroom
        lasts = (
            "does not run out"
            if math.isinf(room.months)
            else f"lasts {room.months:.1f} months ({room.low:.1f} to {room.high:.1f})"
        )
        state: State = "met" if room.low > 0 else "open" if room.high > 0 else "missed"
        yield state, f"growing by {room.growth:.1%} a month it {lasts}"
    sizing = plan.sizing
    if sizing is not None and sizing.unreachable:
        yield "missed", f"x{sizing.factor:g} cannot be reached by sizes: {sizing.unreachable}"
    elif sizing is not None:
        yield sizing.state or "open", _sized(sizing)
    yield from (("open", sentence) for sentence in _missing(plan))


def _missing(plan: CapacityPlan) -> Iterator[str]:
    """What was not worked out, and why."""
    parts: dict[str, list[str]] = {}
    for each in plan.missing:
        parts.setdefault(each.reason, []).append(each.part)
    for reason, missed in parts.items():
        yield f"{reason}, so not worked out: {'; '.join(missed)}"


def _carried(plan: CapacityPlan) -> str:
    if not plan.today:
        return f"{plan.carried} by the analytic solution, not simulated"
    if plan.carried == "met":
        return "all objectives met"
    worst = [str(reading) for reading in plan.today if reading.state == plan.carried]
    return f"{plan.carried}: {'; '.join(worst)}"


def _ended(found: Sustained) -> str:
    return f"; what ends it: {found.limit.objective}" if found.limit is not None else ""


def _sized(sizing: Sizing) -> str:
    least = "the least" if sizing.is_least else f"at most {sizing.cost / sizing.bound - 1:.1%} more"
    agreed = {
        None: "not simulated",
        "met": "a simulation agrees",
        "open": f"a simulation leaves it open: {_worst(sizing)}",
        "missed": f"a simulation does NOT agree: {_worst(sizing)}",
    }[sizing.state]
    return (
        f"x{sizing.factor:g} for {figure(sizing.cost)} {sizing.currency}/h, {least} by the "
        f"analytic solution; {agreed}"
    )


def _worst(sizing: Sizing) -> str:
    return "; ".join(str(each) for each in sizing.readings if each.state == sizing.state)


def interval(found: Sustained) -> str:
    """``x4.93 (4.81 to 4.94 by simulation)``."""
    if math.isinf(found.factor):
        return "without a limit: nothing in the model ends it"
    how = "by simulation" if found.confirmed else "by the analytic solution, not simulated"
    if math.isinf(found.high) and not found.confirmed:
        return f"x{found.factor:.3g} ({how}: nobody knows how far it is off)"
    return f"x{found.factor:.3g} ({found.low:.3g} to {found.high:.3g} {how})"


def trusted(plan: CapacityPlan) -> str:
    """How far the analytic solution of a plan is off, in words."""
    if plan.is_contradicted:
        return "simulations contradict it"
    flow = plan.flow
    off = flow.accuracy
    if off is not None:
        return (
            f"nine of ten like it are within {off.mean:.0%} in the mean, {off.tail:.0%} at the "
            f"95th percentile, {off.load:.0%} in loads"
        )
    why = "" if flow.converged else ": it has not settled"
    return f"nobody knows how far it is off{why}"


def rate(value: float) -> str:
    """``12.9/s``."""
    return "without limit" if math.isinf(value) else f"{figure(value)}/s"


def time(seconds: float) -> str:
    """Milliseconds, or that a queue has no end."""
    if math.isnan(seconds):
        return "-"
    if math.isinf(seconds):
        return "grows"
    return spoken(seconds)


def _sustained(plan: CapacityPlan) -> Sheet:
    rows = []
    for journey in plan.flow.journeys:
        if not journey.rate:
            continue
        together = plan.sustained
        alone = plan.alone.get(journey.name)
        rows.append(
            (
                journey.name,
                rate(journey.rate),
                _range(journey.rate, together),
                _range(journey.rate, alone),
                _simulated(alone),
            )
        )
    return Sheet(
        "sustainable rates",
        ("journey", "declared", "all grow together", "it alone grows", "alone: how known"),
        tuple(rows),
    )


def _range(declared: float, found: Sustained | None) -> str:
    if found is None:
        return "-"
    if math.isinf(found.factor):
        return "without limit"
    if math.isinf(found.high):
        return f"{figure(declared * found.factor)}/s"
    return (
        f"{figure(declared * found.factor)}/s ({figure(declared * found.low)} to "
        f"{figure(declared * found.high)})"
    )


def _simulated(found: Sustained | None) -> str:
    if found is None:
        return "-"
    if found.confirmed:
        return "simulated"
    return "analytic" if found.high < math.inf else "analytic, nobody knows how far off"


def _ladder(plan: CapacityPlan) -> Sheet:
    total = sum(journey.rate for journey in plan.flow.journeys)
    rows = tuple(
        (
            f"{number}. {bottleneck.resource or bottleneck.reason}",
            f"x{bottleneck.factor:.3g}",
            rate(total * bottleneck.factor),
            str(bottleneck.limit.objective),
        )
        for number, bottleneck in enumerate(plan.bottlenecks, start=1)
    )
    return Sheet(
        "what breaks first, and next when that is lifted",
        ("bottleneck", "load", "journeys", "what is missed"),
        rows,
        f"by the analytic solution; {trusted(plan)}",
    )


def _curve(curve: Curve) -> Sheet:
    step = math.ceil(len(curve.points) / _CURVE_ROWS) or 1
    shown = sorted([*curve.points[::step], *curve.measured], key=lambda point: point.factor)
    knee = f"knee at x{curve.knee:.3g}; " if curve.knee is not None else ""
    return Sheet(
        "capacity curve",
        ("load", "offered", "good answers", "p50", "p95", "p99", "errors", "busiest", "how known"),
        tuple(_point(point) for point in shown),
        f"{knee}percentiles are the mean of the journeys', weighted by their rates",
    )


def _half(half_width: float) -> str:
    """The half width of an interval behind its value; nothing where there is none."""
    return f" ±{time(half_width)}" if half_width and math.isfinite(half_width) else ""


def _point(point: CurvePoint) -> tuple[str, ...]:
    half = _half(point.half_width) if math.isfinite(point.p95) else ""
    return (
        f"x{point.factor:.3g}",
        rate(point.offered),
        rate(point.throughput),
        time(point.p50),
        time(point.p95) + half,
        time(point.p99),
        f"{point.errors:.2%}",
        f"{point.load:.0%}",
        "simulated" if point.simulated else "analytic",
    )


def _sizing(sizing: Sizing) -> Sheet:
    rows = [
        (
            change.name,
            change.what,
            str(change.before),
            str(change.after),
            figure(change.cost_before) if change.cost_before else "-",
            figure(change.cost_after) if change.cost_after else "-",
        )
        for change in sizing.changes
        if change.before != change.after
    ]
    same = sum(change.before == change.after for change in sizing.changes)
    rest = "1 element stays as it is" if same == 1 else f"{same} elements stay as they are"
    bound = "" if sizing.is_least else f"; nothing below {figure(sizing.bound)} {sizing.currency}/h"
    return Sheet(
        f"sizes for x{sizing.factor:g}",
        ("element", "of", "now", "needed", f"{sizing.currency}/h now", "needed"),
        tuple(rows),
        f"{rest}; {figure(sizing.cost)} {sizing.currency}/h in all{bound}",
    )


def _influences(plan: CapacityPlan) -> Sheet:
    rows = tuple(
        (
            f"{each.subject}: {each.number}",
            f"{each.effect:+.1%}",
            "something in it is assumed" if each.assumed else "declared",
        )
        for each in plan.influences
    )
    contradicted = "which simulations contradict; " if plan.is_contradicted else ""
    return Sheet(
        "what to measure: 10% more of it moves the sustainable load by",
        ("number", "effect", "known"),
        rows,
        f"by the analytic solution; {contradicted}what is not listed moves it by less than 0.5%",
    )


def _elements(costs: Costs) -> Sheet:
    rows = tuple(
        (
            element.name,
            f"{element.nodes} x {element.copies}" if element.copies > 1 else str(element.nodes),
            figure(element.per_hour),
            f"{element.load:.0%}",
            figure(element.wasted),
            element.assumed or "declared",
        )
        for element in sorted(costs.elements, key=lambda each: -each.per_hour)
    )
    return Sheet(
        "cost of elements",
        ("element", "nodes", f"{costs.currency}/h", "busy", "idle part", "price"),
        rows,
        f"{figure(costs.per_hour)} {costs.currency}/h in all, {figure(costs.wasted)} of it idle by "
        "the analytic solution, autoscalers at their maximum",
    )


def _journeys(costs: Costs) -> Sheet:
    rows = tuple(
        (each.name, f"{each.per_thousand:.3g}", f"{each.used:.3g}") for each in costs.journeys
    )
    unit = f"{costs.currency} for 1,000"
    remark = "elements are shared by the work that journeys cause, by the analytic solution"
    return Sheet("cost of journeys", ("journey", unit, "of it busy servers"), rows, remark)


def _compared(plan: CapacityPlan) -> Sheet:
    rows = tuple(
        (
            each.journey,
            time(each.mean),
            time(each.simulated_mean),
            time(each.p95),
            time(each.simulated_p95) + _half(each.half_width),
            f"{each.gap:+.1%}" if math.isfinite(each.gap) else "-",
        )
        for each in plan.compared
    )
    left_out = "; ".join(plan.flow.left_out)
    return Sheet(
        "how far to trust the analytic solution, at the declared load",
        ("journey", "mean", "simulated", "p95", "simulated", "gap"),
        rows,
        "; ".join([trusted(plan), *([f"not in it: {left_out}"] if left_out else [])]),
    )
