"""Trials under fault and phase maps as pictures.

Drawn with matplotlib, which the extra ``charts`` brings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from archcheck.reporting.simulation.charts import checked_target, figure_of, save
from archcheck.resilience import ChaosResult, PhaseMap

_COLOURS = {
    "stable": "#a6d8a8",
    "vulnerable": "#f7d774",
    "overloaded": "#e8a0a0",
    "recovers": "#54a24b",
    "slow": "#f2b134",
    "stuck": "#e45756",
}


@contextmanager
def _picture(target: str, width: float, height: float) -> Iterator[Any]:
    path = checked_target(target)
    with figure_of(width, height) as figure:
        yield figure
        save(figure, path)


def draw_phases(found: PhaseMap, target: str) -> None:
    """Write the map to a ``.svg`` or ``.png`` file: a field for each load and size."""
    with _picture(target, 7.5, 1.8 + 0.42 * len(found.rows)) as figure:
        axes = figure.subplots()
        figure.suptitle(f"{found.system.name} under {found.scenario.name}", weight="bold")
        for y, row in enumerate(found.rows):
            for x, phase in enumerate(row.phases):
                colour = _COLOURS[phase]
                axes.add_patch(_field(x, y, colour))
                axes.annotate(phase, (x, y), ha="center", va="center", size=8, color="#222222")
        sign = "" if found.trigger.endswith("fails") else "x"
        axes.set_xticks(range(len(found.sizes)), [f"{sign}{size:g}" for size in found.sizes])
        axes.set_yticks(range(len(found.rows)), [f"x{row.factor:g}" for row in found.rows])
        axes.set_xlim(-0.5, len(found.sizes) - 0.5)
        axes.set_ylim(-0.5, len(found.rows) - 0.5)
        axes.set_xlabel(f"size of the trigger: {found.trigger}, for {found.lasts:g} s")
        axes.set_ylabel("times the declared load")


def _field(x: float, y: float, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, edgecolor="white", lw=2)


def draw_chaos(found: ChaosResult, target: str) -> None:
    """Write the times of recovery to a ``.svg`` or ``.png`` file: a bar for each trigger."""
    with _picture(target, 9.0, 1.6 + 0.36 * max(1, len(found.results))) as figure:
        axes = figure.subplots()
        figure.suptitle(f"{found.system.name} under {found.scenario.name}", weight="bold")
        known = [r.recovery for r in found.results if r.recovery is not None]
        longest = max([*known, 1.0]) * 1.3
        for row, result in enumerate(found.results):
            seconds = result.recovery if result.recovery is not None else longest
            axes.barh(
                row, max(seconds, 0.004 * longest), color=_COLOURS[result.verdict], height=0.65
            )
            text = (
                f" {result.recovery:.3g} s" if result.recovery is not None else f" {result.verdict}"
            )
            axes.annotate(text, (seconds, row), va="center", size=8)
        axes.set_yticks(range(len(found.results)), [r.trigger.name for r in found.results])
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlabel("seconds from the end of the trigger until all is normal")
