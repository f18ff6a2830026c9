"""Trials under fault, phase maps and availabilities: as text and as JSON."""

from archcheck.reporting.resilience.availability import (
    availability_data,
    killed_data,
    print_availability,
    print_killed,
)
from archcheck.reporting.resilience.jsonform import chaos_data, phases_data
from archcheck.reporting.resilience.text import print_chaos, print_phases

__all__ = [
    "availability_data",
    "chaos_data",
    "killed_data",
    "phases_data",
    "print_availability",
    "print_chaos",
    "print_killed",
    "print_phases",
]
