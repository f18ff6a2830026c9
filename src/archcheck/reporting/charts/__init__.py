"""Charts of results: Vega-Lite through Altair, the same in files, notebooks and the report.

Each function turns a result into a chart; :func:`save_chart` writes it as SVG, PNG or PDF. Values
are data, never part of an expression, so names cannot do anything.
"""

from archcheck.reporting.charts.base import (
    PACKAGES,
    Chart,
    Figure,
    chart_svg,
    checked_target,
    save_chart,
    theme_of,
)
from archcheck.reporting.charts.planning import bottleneck_chart, capacity_chart, curve_chart
from archcheck.reporting.charts.resilience import chaos_chart, phase_chart
from archcheck.reporting.charts.simulation import (
    percentile_chart,
    run_chart,
    simulation_chart,
    times_chart,
)

__all__ = [
    "PACKAGES",
    "Chart",
    "Figure",
    "bottleneck_chart",
    "capacity_chart",
    "chaos_chart",
    "chart_svg",
    "checked_target",
    "curve_chart",
    "percentile_chart",
    "phase_chart",
    "run_chart",
    "save_chart",
    "simulation_chart",
    "theme_of",
    "times_chart",
]
