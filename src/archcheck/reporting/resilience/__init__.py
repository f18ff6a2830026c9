"""Trials under fault, phase maps and availabilities: as text, as JSON and as a picture."""

from archcheck.reporting.resilience.charts import draw_chaos, draw_phases
from archcheck.reporting.resilience.jsonform import chaos_data, phases_data
from archcheck.reporting.resilience.text import print_chaos, print_phases

__all__ = [
    "chaos_data",
    "draw_chaos",
    "draw_phases",
    "phases_data",
    "print_chaos",
    "print_phases",
]
