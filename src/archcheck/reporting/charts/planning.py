"""A capacity plan as charts: the capacity curve, and the bottlenecks."""

from __future__ import annotations

import math
from typing import Any

from archcheck.planning import CapacityPlan, CurvePoint
from archcheck.reporting.charts.base import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    WIDTH,
    Chart,
    data,
    millis,
)
from archcheck.reporting.console import figure

_DECADE = 10
"""An axis that spans more than this factor is logarithmic."""
_SHADES = {"p50": GREEN, "p95": ORANGE, "p99": RED}


def capacity_chart(plan: CapacityPlan) -> Chart:
    """The curve, and below it the bottlenecks where there are any."""
    import altair as alt

    charts = [curve_chart(plan), *([bottleneck_chart(plan)] if plan.bottlenecks else [])]
    title = f"{plan.system.name} under {plan.scenario.name}"
    return alt.vconcat(*charts, title=title).resolve_scale(color="independent", x="independent")


def curve_chart(plan: CapacityPlan) -> Chart:
    """Good answers and percentiles over the offered load; points are simulated."""
    import altair as alt

    curve = plan.curve
    points = [*curve.points, *curve.measured] if curve is not None else []
    good = [
        {"offered": p.offered, "value": p.throughput, "what": "good answers", "how": _how(p)}
        for p in points
    ]
    bad = [
        {"offered": p.offered, "value": p.offered * p.errors, "what": "errors", "how": _how(p)}
        for p in points
    ]
    answers = good + (bad if any(row["value"] for row in bad) else [])
    latency: list[dict[str, Any]] = [
        {"offered": p.offered, "value": millis(value), "what": name, "how": _how(p)}
        for p in points
        for name in _SHADES
        if math.isfinite(value := getattr(p, name))
    ]
    seen = [float(row["value"]) for row in latency if row["value"] > 0]
    is_wide = bool(seen) and max(seen) > _DECADE * min(seen)
    scale = alt.Scale(type="log") if is_wide else alt.Scale(zero=True)
    colours = {"good answers": BLUE, "errors": RED}
    return alt.vconcat(
        _curves(plan, answers, colours, alt.Scale(zero=True), "journeys / s"),
        _curves(plan, latency, _SHADES, scale, "latency, ms"),
    ).resolve_scale(color="independent")


def _how(point: CurvePoint) -> str:
    return "simulated" if point.simulated else "analytic"


def _curves(
    plan: CapacityPlan,
    rows: list[dict[str, Any]],
    colours: dict[str, str],
    scale: Any,
    label: str,
) -> Chart:
    import altair as alt

    used = [word for word in colours if any(row["what"] == word for row in rows)]
    scale_of_colours = alt.Scale(domain=used, range=[colours[word] for word in used])
    both = alt.Chart(data(rows)).encode(
        x=alt.X("offered:Q", title="journeys offered / s", scale=alt.Scale(zero=True)),
        y=alt.Y("value:Q", title=label, scale=scale),
        color=alt.Color("what:N", scale=scale_of_colours, legend=alt.Legend(title=None)),
        tooltip=[
            "what:N",
            "how:N",
            alt.Tooltip("offered:Q", title="offered / s", format=",.4~g"),
            alt.Tooltip("value:Q", title=label, format=",.4~g"),
        ],
    )
    is_simulated = alt.FieldEqualPredicate(field="how", equal="simulated")
    lines = both.transform_filter(alt.FieldEqualPredicate(field="how", equal="analytic"))
    points = both.transform_filter(is_simulated)
    shown = _marks(plan) + lines.mark_line()
    if any(row["how"] == "simulated" for row in rows):  # Vega warns of a layer without rows
        shown += points.mark_point(filled=True, size=45)
    return shown.properties(width=WIDTH, height=190)


def _marks(plan: CapacityPlan) -> Chart:
    """Today's load, the knee and the sustainable load with its interval."""
    import altair as alt

    total = sum(journey.rate for journey in plan.flow.journeys)
    marks = [(1.0, "declared")]
    if plan.curve is not None and plan.curve.knee is not None:
        marks.append((plan.curve.knee, "knee"))
    found = plan.sustained
    spans = []
    if found is not None and 0 < found.factor < math.inf:
        marks.append((found.factor, "sustainable"))
        spans = [{"low": total * found.low, "high": total * found.high}]
    rows = [{"offered": total * factor, "mark": name} for factor, name in marks]
    base = alt.Chart(data(rows)).encode(x="offered:Q")
    shade = alt.Chart(data(spans)).mark_rect(color=RED, opacity=0.12).encode(x="low:Q", x2="high:Q")
    names = base.mark_text(align="left", angle=270, dx=4, dy=-6, fontSize=10)
    return (
        shade
        + base.mark_rule(strokeDash=[4, 3], color=GREY)
        + names.encode(text="mark:N", y=alt.value(190))
    )


def bottleneck_chart(plan: CapacityPlan) -> Chart:
    """What breaks first, and next when that is lifted."""
    import altair as alt

    total = sum(journey.rate for journey in plan.flow.journeys)
    rows = [
        {
            "bottleneck": f"{number}. {bottleneck.resource or bottleneck.reason.partition(':')[0]}",
            "load": total * bottleneck.factor,
            "text": f"{figure(total * bottleneck.factor)}/s",
            "missed": str(bottleneck.limit.objective),
        }
        for number, bottleneck in enumerate(plan.bottlenecks, start=1)
    ]
    bars = alt.Chart(data(rows)).encode(
        y=alt.Y("bottleneck:N", sort=None, title=None),
        x=alt.X("load:Q", title="journeys / s at which each breaks, those above it lifted"),
        tooltip=[
            "bottleneck:N",
            "missed:N",
            alt.Tooltip("load:Q", title="journeys / s", format=",.4~g"),
        ],
    )
    today = alt.Chart(data([{"load": total}])).mark_rule(color=GREY, strokeDash=[4, 3])
    return (
        bars.mark_bar(color=BLUE, height={"band": 0.7})
        + bars.mark_text(align="left", dx=5).encode(text="text:N")
        + today.encode(x="load:Q")
    ).properties(width=WIDTH, height=alt.Step(24))
