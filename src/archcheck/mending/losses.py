"""What a change of a system costs under its declared loads, beside what it was."""

from __future__ import annotations

from collections.abc import Iterator

from archcheck.mending.lengths import attempts_a_second, declared_seconds
from archcheck.model import Scenario, System
from archcheck.simulation import CommonRuns, VariantResult, common_runs
from archcheck.simulation.compiling import compile_plan
from archcheck.units import Duration

ATTEMPTS = 100_000
"""Attempts of a run of a steady load, about; there are five for each system. A choice: a second."""
MOST_ATTEMPTS = 2_000_000
"""Attempts of a run in which something changes, at most: it is run as it is declared, or not."""


class Losses:
    """What changes of one system cost: it is run once for each scenario, each change beside it."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._runs: dict[str, tuple[CommonRuns, VariantResult]] = {}

    def of(self, changed: System) -> Iterator[str]:
        """Good answers and objectives that a change takes, scenario by scenario, in sentences."""
        for scenario in self._system.scenarios:
            seconds = run_seconds(self._system, scenario)
            if seconds is None:
                continue
            runs, old = self._original(scenario, Duration(seconds))
            new = _whole(runs, "mended", changed, changed.scenario(scenario.name))
            for text in (*_answers(new), *_objectives(old, new)):
                yield f"under {scenario.name}, {text}"

    def _original(self, scenario: Scenario, length: Duration) -> tuple[CommonRuns, VariantResult]:
        if scenario.name not in self._runs:
            runs = common_runs(scenario, duration=length)
            first = _whole(runs, "as it is", self._system, scenario)
            self._runs[scenario.name] = runs, first
        return self._runs[scenario.name]


def _whole(runs: CommonRuns, name: str, system: System, scenario: Scenario) -> VariantResult:
    found = runs.variant(name, system, scenario)
    assert found is not None  # noqa: S101  # only who can stop runs gets none
    return found


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
