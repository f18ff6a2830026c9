"""The sections of the report as plain data for its template."""

from __future__ import annotations

import linecache
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from archcheck.configuration import RANK
from archcheck.findings import (
    CONCERNS,
    Evidence,
    Finding,
    RuleOutcome,
    Subject,
    subject_element,
    subject_name,
)
from archcheck.model import Place, System
from archcheck.planning import JourneyLimit
from archcheck.proof import Proved
from archcheck.reporting import repairs
from archcheck.reporting.charts import (
    capacity_chart,
    percentile_chart,
    run_chart,
    times_chart,
)
from archcheck.reporting.console import figure
from archcheck.reporting.planning.tables import headline, sheets, verdicts
from archcheck.reporting.report.review import Review
from archcheck.reporting.sheets import Sheet, Words
from archcheck.reporting.simulation.assumptions import ListedAssumption, grouped
from archcheck.reporting.simulation.tables import requests_sheet, resources_sheet
from archcheck.simulation import SimulationResult

_AROUND = 2
"""Lines of the model before and after the one that is meant. A choice, as the three below: they
keep a report readable; the command line lists everything."""
_MOST_PLACES = 50
"""Places of a finding."""
_MOST_CLAIMS = 12
"""Proved or undecided claims of a question."""
_SHOWN_BUSY = 12
"""Resources, the busiest first."""
VERDICTS = ("violated", "undecided", "holds", "not applicable", "broken")


@dataclass(frozen=True)
class Excerpt:
    """Lines of the model around a place."""

    place: str
    lines: tuple[tuple[int, str, bool], ...]
    """Number, text, and whether it is the line that is meant."""


def excerpt(place: Place | None) -> Excerpt | None:
    """The lines around a place; ``None`` without one."""
    if place is None:
        return None
    numbers = range(max(1, place.line - _AROUND), place.line + _AROUND + 1)
    found = [(n, linecache.getline(place.file, n)) for n in numbers]
    lines = tuple(
        (n, text.rstrip().expandtabs(4)[:300], n == place.line) for n, text in found if text
    )
    return Excerpt(str(place), lines) if lines else None


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """The most severe first."""
    return sorted(findings, key=lambda finding: (-RANK[finding.severity], finding.rule.id))


@dataclass(frozen=True)
class ShownFinding:
    """A finding with its first place in full, and all further ones."""

    identity: str
    finding: Finding
    excerpt: Excerpt | None
    evidence: tuple[Evidence, ...]
    others: tuple[tuple[str, str], ...]
    more: int


def identities(findings: Sequence[Finding]) -> list[str]:
    """What links call each finding: made from its first place, so that it outlives a revision."""
    found: dict[str, None] = {}
    for finding in findings:
        name = f"finding-{finding.occurrences[0].fingerprint[:8]}"
        number, free = 2, name
        while free in found:
            free, number = f"{name}-{number}", number + 1
        found[free] = None
    return [*found]


def shown_findings(findings: Sequence[Finding]) -> Iterator[ShownFinding]:
    """All findings, each with its first places."""
    for identity, finding in zip(identities(findings), findings, strict=True):
        first, *others = finding.occurrences
        places = tuple(
            (str(other.place) if other.place else other.subject, other.message)
            for other in others[:_MOST_PLACES]
        )
        yield ShownFinding(
            identity,
            finding,
            excerpt(first.place),
            first.evidence,
            places,
            max(0, len(others) - _MOST_PLACES),
        )


def concerns(outcomes: Sequence[RuleOutcome]) -> Sheet:
    """Verdicts of the rules by concern."""
    counted: dict[str, Counter[str]] = {concern: Counter() for concern in CONCERNS.values()}
    errors: Counter[str] = Counter()
    for outcome in outcomes:
        counted.setdefault(outcome.rule.concern, Counter())[outcome.verdict] += 1
        errors[outcome.rule.concern] += sum(f.severity == "error" for f in outcome.findings)
    rows = tuple(
        (concern, str(errors[concern]), *(str(found[verdict]) for verdict in VERDICTS))
        for concern, found in counted.items()
        if found
    )
    return Sheet("rules by concern", ("concern", "errors", *VERDICTS), rows)


@dataclass(frozen=True)
class ShownProof:
    """A question with its answers; counterexamples are stories."""

    name: str
    text: str
    proved: tuple[str, ...]
    more_proved: int
    refuted: tuple[dict[str, Any], ...]
    undecided: tuple[str, ...]
    more_undecided: int
    stopped: str


def shown_proofs(review: Review) -> Iterator[ShownProof]:
    """All questions that had something to answer."""
    system = review.system
    for part in review.proofs.answered if review.proofs is not None else ():
        proved = [answer for answer in part.answers if isinstance(answer, Proved)]
        if not part.answers and not part.stopped:
            continue
        yield ShownProof(
            part.question.name,
            part.question.text,
            tuple(_with_assumptions(answer) for answer in proved[:_MOST_CLAIMS]),
            max(0, len(proved) - _MOST_CLAIMS),
            tuple(
                {
                    "subject": subject_name(answer.subject),
                    "claim": answer.claim,
                    "message": answer.counterexample.message,
                    "excerpt": excerpt(system.place(subject_element(answer.subject))),
                    "story": [_told(system, step) for step in answer.counterexample.story],
                    "conflict": [subject_name(each) for each in answer.counterexample.conflict],
                    "fix": answer.fix,
                }
                for answer in part.refuted
            ),
            tuple(f"{each.claim}: {each.reason}" for each in part.undecided[:_MOST_CLAIMS]),
            max(0, len(part.undecided) - _MOST_CLAIMS),
            part.stopped,
        )


def _with_assumptions(answer: Proved) -> str:
    if not answer.assumptions:
        return answer.claim
    return f"{answer.claim}, if {'; '.join(answer.assumptions)}"


def _told(system: System, part: Subject | str) -> str:
    if isinstance(part, str):
        return part
    place = system.place(subject_element(part))
    return f"{subject_name(part)} ({place})" if place else subject_name(part)


# -- figures --------------------------------------------------------------------------------------


def figures(review: Review) -> Iterator[tuple[str, str, bool | None]]:
    """The numbers of the overview: what, how much, and whether that is good."""
    checked = review.verification
    errors, warnings = checked.count("error"), checked.count("warning")
    yield "errors", str(errors), errors == 0
    yield "warnings", str(warnings), None if warnings else True
    yield "undecided rules", str(checked.verdicts()["undecided"]), None
    if review.proofs is not None:
        answered = review.proofs.answered
        refuted = len(review.proofs.refuted)
        proved = sum(isinstance(a, Proved) for part in answered for a in part.answers)
        yield "claims proved", str(proved), None
        yield "claims refuted", str(refuted), refuted == 0
    if review.run is not None:
        states = Counter(reading.state for reading in review.run.objectives)
        yield "objectives missed", str(states["missed"]), not states["missed"]
        if states["open"]:
            yield "objectives open", str(states["open"]), None
    if review.plan is not None and review.plan.sustained is not None:
        factor = review.plan.sustained.factor
        shown = "no limit" if math.isinf(factor) else f"x{factor:.3g}"
        is_good = {"met": True, "missed": False, "open": None}[review.plan.carried]
        yield "sustainable load", shown, is_good


def journey_sheet(run: SimulationResult) -> Sheet:
    """The journeys and jobs of a run."""
    return requests_sheet("journey", run, (*run.journeys, *run.jobs))


def resource_sheet(run: SimulationResult) -> Sheet:
    """The busiest resources of a run."""
    return resources_sheet(run, most=_SHOWN_BUSY)


def repair_of(review: Review) -> dict[str, Any] | None:
    """What would make the rules hold, what it makes of the load, and the patch."""
    found = review.repair
    if found is None:
        return None
    words = (*repairs.outcome(found), *repairs.under_load(found))
    return {
        "headline": repairs.headline(found),
        "edits": [str(edit) for edit in found.edits],
        "changes": repairs.changes_sheet(found),
        "remarks": words,
        "not_offered": [f"{edit}: {why}" for edit, why in found.refused],
        "by_hand": found.patch.by_hand,
        "patch": found.patch.diff(),
    }


def limits_sheet(review: Review) -> Sheet:
    """What limits each journey, and at which load."""
    rows = tuple(
        (
            limit.journey,
            f"{figure(limit.rate)}/s",
            limit.resource.label if limit.resource else "-",
            f"{limit.resource.load:.0%}" if limit.resource else "-",
            _factor(limit.full_at, limit.rate),
            _missed(limit),
        )
        for limit in review.limits
    )
    columns = (
        "journey", "declared", Words("first to be full on its way"), "busy now", "full at",
        Words("what it misses, and where"),
    )  # fmt: skip
    name = review.loaded.name if review.loaded is not None else ""
    return Sheet(
        f"what limits each journey when the load of {name} grows",
        columns,
        rows,
        "by the analytic solution, not simulated; "
        "objectives of journeys that are not critical are left to archcheck plan",
    )


def _factor(factor: float, rate: float) -> str:
    if math.isnan(factor):
        return "users wait"
    return f"{figure(rate * factor)}/s (x{factor:.3g})" if math.isfinite(factor) else "no limit"


def _missed(limit: JourneyLimit) -> str:
    if limit.objective is None:
        return "there was no time to look at them (archcheck plan)" if limit.is_cut else "-"
    where = _factor(limit.missed_at, limit.rate) if limit.missed_at else "any load"
    return f"{limit.objective}: {where}"


def plan_parts(review: Review) -> dict[str, Any] | None:
    """The plan: its headline, its verdicts, its tables."""
    if review.plan is None:
        return None
    return {
        "headline": headline(review.plan),
        "verdicts": [*verdicts(review.plan)],
        "sheets": [*sheets(review.plan)],
    }


def assumptions(review: Review) -> list[ListedAssumption]:
    """What the simulation and the plan assumed, equal values of several elements together."""
    found = [*(review.run.assumptions if review.run is not None else ())]
    found += [*(review.plan.assumptions if review.plan is not None else ())]
    return grouped(found)


def charts(review: Review) -> dict[str, tuple[str, dict[str, Any]]]:
    """Name to what a chart shows and its Vega-Lite specification."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    if review.run is not None:
        run = review.run
        found["percentiles"] = ("Percentiles of the journeys", percentile_chart(run).to_dict())
        if any(times.bands for times in run.times):
            found["times"] = ("Where the time went", times_chart(run).to_dict())
        found["run"] = ("How the run went", run_chart(run).to_dict())
    if review.plan is not None and review.plan.curve is not None:
        found["capacity"] = ("The capacity curve", capacity_chart(review.plan).to_dict())
    return found
