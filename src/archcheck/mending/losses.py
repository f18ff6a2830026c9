"""What a change of a system costs under its declared loads, beside what it was."""

from __future__ import annotations

from collections.abc import Iterator

from archcheck.mending.lengths import attempts_a_second, declared_seconds
from archcheck.model import Scenario, System
from archcheck.simulation import VariantResult, compare
from archcheck.simulation.compiling import compile_plan
from archcheck.units import Duration

ATTEMPTS = 100_000
"""Attempts of a run of a steady load, about; there are five for each system. A choice: a second."""
MOST_ATTEMPTS = 2_000_000
"""Attempts of a run in which something changes, at most: it is run as it is declared, or not."""


def losses(before: System, after: System) -> Iterator[str]:
    """Good answers and objectives that a change takes, scenario by scenario, in sentences."""
    for scenario in before.scenarios:
        seconds = run_seconds(before, scenario)
        if seconds is None:
            continue
        cases = [("as it is", before, scenario), ("mended", after, after.scenario(scenario.name))]
        old, new = compare(cases, duration=Duration(seconds)).variants
        for text in (*_answers(new), *_objectives(old, new)):
            yield f"under {scenario.name}, {text}"


def run_seconds(system: System, scenario: Scenario) -> float | None:
    """The length of the runs that compare; ``None`` where they would take too long."""
    rate, seconds = attempts_a_second(system, scenario), declared_seconds(scenario)
    if compile_plan(system, scenario).is_stationary:
        return min(seconds, max(1.0, ATTEMPTS / rate)) if rate else seconds
    return seconds if rate * seconds <= MOST_ATTEMPTS else None


def _answers(new: VariantResult) -> Iterator[str]:
    for each in new.compared:
        more = each.difference.value if each.difference is not None else 0.0
        if each.metric == "errors" and each.is_certain and more > 0:
            yield (
                f"{100 * each.value:.3g}% of {each.journey} end without a good answer, "
                f"{100 * more:.3g}% more than today"
            )


def _objectives(old: VariantResult, new: VariantResult) -> Iterator[str]:
    before = {reading.objective: reading.state for reading in old.result.objectives}
    for reading in new.result.objectives:
        was = before.get(reading.objective)
        if reading.state == "missed" and was != "missed":
            yield str(reading)
        elif reading.state == "open" and was == "met":
            yield f"it is open whether {reading}"
