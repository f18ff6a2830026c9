"""What a change of a system costs under its declared loads, beside what it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archcheck.mending.runs import JudgingRun, judging_runs
from archcheck.model import System
from archcheck.proof.repair import JourneyChange
from archcheck.simulation import CommonRuns, VariantResult, common_runs
from archcheck.units import Duration

_SHOWN = ("p95", "errors")
"""The metrics of which a reader decides: slow answers, and none."""


class JourneyLoss(NamedTuple):
    """What a change takes from a journey, in a sentence."""

    journey: str
    text: str


class Losses:
    """What changes of one system cost: it is run once for each scenario, each change beside it."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.judging = judging_runs(system)
        self._runs: dict[str, tuple[CommonRuns, VariantResult]] = {}

    def first(self, changed: System) -> list[JourneyLoss]:
        """The losses of the first run in which something is lost."""
        for scenario, old, new in self._pairs(changed):
            lost = [*_answers(new), *_objectives(old, new)]
            if lost:
                return [JourneyLoss(journey, f"under {scenario}, {text}") for journey, text in lost]
        return []

    def effects(self, changed: System) -> Iterator[JourneyChange]:
        """What a change makes of the journeys under each scenario that is run."""
        for scenario, old, new in self._pairs(changed):
            before = {(each.journey, each.metric): each.value for each in old.compared}
            for each in new.compared:
                if each.metric in _SHOWN and each.difference is not None:
                    yield JourneyChange(
                        scenario,
                        each.journey,
                        each.metric,
                        before[each.journey, each.metric],
                        each.value,
                        each.is_certain,
                    )

    def _pairs(self, changed: System) -> Iterator[tuple[str, VariantResult, VariantResult]]:
        """The name of each scenario that is run, with the system as it is and as it becomes."""
        for run in (each for each in self.judging.runs if each.compares):
            runs, old = self._original(run)
            yield run.name, old, _whole(runs, "mended", changed, run)

    def _original(self, run: JudgingRun) -> tuple[CommonRuns, VariantResult]:
        if run.name not in self._runs:
            runs = common_runs(run.scenario, duration=Duration(run.seconds))
            self._runs[run.name] = runs, _whole(runs, "as it is", self._system, run)
        return self._runs[run.name]


def _whole(runs: CommonRuns, name: str, system: System, run: JudgingRun) -> VariantResult:
    scenario = system.scenario(run.scenario.name)
    found = runs.variant(name, system, scenario, run.plan(system))
    assert found is not None  # noqa: S101  # only who can stop runs gets none
    return found


def _answers(new: VariantResult) -> Iterator[JourneyLoss]:
    for each in new.compared:
        more = each.difference.value if each.difference is not None else 0.0
        if each.metric == "errors" and each.differs and more > 0:
            yield JourneyLoss(
                each.journey,
                f"{100 * each.value:.3g}% of {each.journey} end without a good answer, "
                f"{100 * more:.3g}% more than today",
            )


def _objectives(old: VariantResult, new: VariantResult) -> Iterator[JourneyLoss]:
    before = {reading.objective: reading.state for reading in old.result.objectives}
    for reading in new.result.objectives:
        was = before.get(reading.objective)
        if reading.state == "missed" and was != "missed":
            yield JourneyLoss(reading.objective.subject, str(reading))
        elif reading.state == "open" and was == "met":
            yield JourneyLoss(reading.objective.subject, f"it is open whether {reading}")
