"""The result of a simulation as text and as JSON; its single requests as a trace."""

from archcheck.reporting.simulation.comparison import (
    comparison_data,
    comparison_headline,
    comparison_sheets,
    print_comparison,
)
from archcheck.reporting.simulation.jsonform import simulation_data
from archcheck.reporting.simulation.text import print_simulation
from archcheck.reporting.simulation.traces import trace_file

__all__ = [
    "comparison_data",
    "comparison_headline",
    "comparison_sheets",
    "print_comparison",
    "print_simulation",
    "simulation_data",
    "trace_file",
]
