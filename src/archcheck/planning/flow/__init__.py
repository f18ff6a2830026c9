"""The analytic solution of a plan, in milliseconds: rates, waits, durations, errors.

NumPy, which is large, is imported by the functions that compute with it: results can be shown, and
everything beside plans works, where it is not installed.
"""

from archcheck.planning.flow.accuracy import Accuracy
from archcheck.planning.flow.moments import Moments
from archcheck.planning.flow.solving import Flow, JourneyFlow, StationFlow, solve_plan
from archcheck.planning.flow.state import Start

__all__ = ["Accuracy", "Flow", "JourneyFlow", "Moments", "Start", "StationFlow", "solve_plan"]
