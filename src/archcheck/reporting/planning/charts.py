"""A capacity plan as a picture: the capacity curve, and the ladder of bottlenecks.

Drawn with matplotlib, which the extra ``charts`` brings.
"""

from __future__ import annotations

import io
import math
from typing import Any

from archcheck.planning import CapacityPlan, CurvePoint
from archcheck.reporting.simulation.charts import checked_target, figure_of, save

_DECADE = 10
_BLUE, _ORANGE, _GREEN, _RED, _GREY = "#4c78a8", "#f58518", "#54a24b", "#e45756", "#8c8c8c"


def draw_plan(plan: CapacityPlan, target: str) -> None:
    """Write the picture to a ``.svg`` or ``.png`` file.

    Raises :class:`ArchcheckError` for another kind of file, or without matplotlib.
    """
    path = checked_target(target)
    path.write_bytes(picture(plan, path.suffix.removeprefix(".")))


def picture(plan: CapacityPlan, kind: str) -> bytes:
    """The picture as ``svg`` or ``png``. Raises :class:`ArchcheckError` without matplotlib."""
    rungs = len(plan.ladder)
    with figure_of(9.0, 6.0 + 0.35 * rungs) as figure:
        rows = 3 if rungs else 2
        heights = [2.4, 2.4, 0.5 + 0.35 * rungs][:rows]
        axes = figure.subplots(rows, 1, height_ratios=heights)
        figure.suptitle(f"{plan.system.name} under {plan.scenario.name}", weight="bold")
        _draw_throughput(axes[0], plan)
        _draw_latency(axes[1], plan)
        if rungs:
            _draw_ladder(axes[2], plan)
        target = io.BytesIO()
        save(figure, target, kind)
    return target.getvalue()


def _points(plan: CapacityPlan) -> tuple[list[CurvePoint], list[CurvePoint]]:
    if plan.curve is None:
        return [], []
    return list(plan.curve.points), list(plan.curve.measured)


def _draw_throughput(axes: Any, plan: CapacityPlan) -> None:
    analytic, measured = _points(plan)
    axes.plot(
        [p.offered for p in analytic],
        [p.throughput for p in analytic],
        color=_BLUE,
        label="good answers, analytic",
    )
    axes.plot(
        [p.offered for p in measured],
        [p.throughput for p in measured],
        "o",
        color=_BLUE,
        ms=4,
        label="simulated",
    )
    errors = [p.offered * p.errors for p in analytic]
    if any(errors):
        axes.plot([p.offered for p in analytic], errors, color=_RED, ls=":", label="errors")
    _mark(axes, plan)
    axes.set_ylabel("journeys / s")
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.legend(loc="upper left", frameon=False, fontsize=8)


def _draw_latency(axes: Any, plan: CapacityPlan) -> None:
    analytic, measured = _points(plan)
    finite = [p for p in analytic if math.isfinite(p.p99)]
    for name, colour in (("p50", _GREEN), ("p95", _ORANGE), ("p99", _RED)):
        axes.plot(
            [p.offered for p in finite],
            [1000 * getattr(p, name) for p in finite],
            color=colour,
            label=name,
        )
        known = [p for p in measured if math.isfinite(getattr(p, name))]
        axes.plot(
            [p.offered for p in known],
            [1000 * getattr(p, name) for p in known],
            "o",
            color=colour,
            ms=4,
        )
    every = [getattr(p, name) for p in (*finite, *measured) for name in ("p50", "p99")]
    seen = [value for value in every if math.isfinite(value) and value > 0]
    if seen and max(seen) > _DECADE * min(seen):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        axes.yaxis.set_minor_formatter(lambda value, _: "")
    else:
        axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    _mark(axes, plan)
    axes.set_xlabel("journeys offered / s")
    axes.set_ylabel("ms")
    axes.legend(loc="upper left", frameon=False, fontsize=8)


def _mark(axes: Any, plan: CapacityPlan) -> None:
    """Today's load, the knee and the sustainable load with its interval."""
    total = sum(journey.rate for journey in plan.flow.journeys)
    marks = [(1.0, "declared", _GREY)]
    if plan.curve is not None and plan.curve.knee is not None:
        marks.append((plan.curve.knee, "knee", _GREEN))
    found = plan.sustained
    if found is not None and 0 < found.factor < math.inf:
        marks.append((found.factor, "sustainable", _RED))
        axes.axvspan(total * found.low, total * found.high, color=_RED, alpha=0.12, lw=0)
    for factor, name, colour in marks:
        axes.axvline(total * factor, color=colour, lw=1, ls="--")
        axes.annotate(
            f" {name}",
            (total * factor, 0.02),
            xycoords=("data", "axes fraction"),
            color=colour,
            size=8,
            rotation=90,
            va="bottom",
            ha="right",
        )


def _draw_ladder(axes: Any, plan: CapacityPlan) -> None:
    total = sum(journey.rate for journey in plan.flow.journeys)
    names = [rung.resource or rung.reason.partition(":")[0] for rung in plan.ladder]
    values = [total * rung.factor for rung in plan.ladder]
    axes.barh(range(len(names)), values, color=_BLUE, height=0.65)
    for row, value in enumerate(values):
        axes.annotate(f" {value:,.4g}/s", (value, row), va="center", size=8)
    axes.axvline(total, color=_GREY, lw=1, ls="--")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("journeys / s at which each breaks, those above it lifted")
