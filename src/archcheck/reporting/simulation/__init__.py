"""The result of a simulation as text, as JSON and as pictures; its single requests as a trace."""

from archcheck.reporting.simulation.charts import checked_target, draw_charts
from archcheck.reporting.simulation.comparison import comparison_data, print_comparison
from archcheck.reporting.simulation.jsonform import simulation_data
from archcheck.reporting.simulation.text import print_simulation
from archcheck.reporting.simulation.traces import trace_file

__all__ = [
    "checked_target",
    "comparison_data",
    "draw_charts",
    "print_comparison",
    "print_simulation",
    "simulation_data",
    "trace_file",
]
