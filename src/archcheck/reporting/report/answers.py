"""The head of a report: whether the system holds, and what to do first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from archcheck.findings import Finding, Reading, State, gravest
from archcheck.reporting.console import counted
from archcheck.reporting.report.review import Review
from archcheck.reporting.report.sections import identities
from archcheck.verification.actions import Action, actions

MOST_STEPS = 5
"""What a team does before it looks again; the same number as at the head of ``archcheck verify``.
"""
_BUSY = 0.5
"""Utilisation from which on waiting for a resource matters: below it, an M/M/1 queue makes nobody
wait longer than it is served."""


@dataclass(frozen=True)
class Verdict:
    """Whether the system holds, in one sentence."""

    state: State
    lead: str
    reasons: str


def verdict(review: Review) -> Verdict:
    """Errors, missed objectives and refuted claims say no; open objectives leave it open."""
    errors = review.verification.count("error")
    states = Counter(reading.state for reading in _readings(review))
    refuted = len(review.proofs.refuted) if review.proofs is not None else 0
    broken = len(review.verification.broken)
    if errors or states["missed"]:
        lead = "It does not hold"
    elif refuted:
        lead = "It does not hold in every case"
    elif states["open"] or broken:
        lead = "Whether it holds is open"
    elif review.verification.questions:
        lead = "It holds as far as it is declared"
    else:
        lead = "It holds"
    reasons = [counted(errors, "error") if errors else "no error", _objectives(review, states)]
    if review.proofs is not None:
        reasons.append(f"{counted(refuted, 'claim')} refuted" if refuted else "no claim refuted")
    if broken:
        reasons.append(f"{counted(broken, 'rule')} could not be asked")
    state: State = "missed" if "not hold" in lead else "open" if "open" in lead else "met"
    return Verdict(state, lead, ", ".join(reasons))


def _readings(review: Review) -> tuple[Reading, ...]:
    return review.run.objectives if review.run is not None else ()


def _objectives(review: Review, states: Mapping[State, int]) -> str:
    if review.run is None:
        return "no objective simulated"
    total, name = sum(states.values()), review.run.scenario.name
    if not total:
        return f"no objective declared for the journeys of {name}"
    if states["met"] == total:
        return f"{'all ' if total > 1 else ''}{counted(total, 'objective')} met under {name}"
    words = (
        f"{states[word]} {'is' if states[word] == 1 else 'are'} {word}"
        for word in ("met", "missed", "open")
        if states[word]
    )
    return f"of {counted(total, 'objective')} under {name} {', '.join(words)}"


@dataclass(frozen=True)
class JourneyVerdict:
    """A journey against its objectives: the gravest state, and each reading in words."""

    name: str
    state: State
    readings: tuple[str, ...]


def journey_verdicts(review: Review) -> list[JourneyVerdict]:
    """The gravest first, critical ones before others."""
    of: dict[str, list[Reading]] = {}
    for reading in _readings(review):
        of.setdefault(reading.objective.subject, []).append(reading)
    critical = {journey.name for journey in review.system.journeys if journey.critical}
    order: Mapping[State, int] = {"missed": 0, "open": 1, "met": 2}
    found = [
        JourneyVerdict(name, gravest(readings), tuple(map(_told, _gravest_first(readings))))
        for name, readings in of.items()
    ]
    return sorted(found, key=lambda each: (order[each.state], each.name not in critical))


def _gravest_first(readings: Sequence[Reading]) -> list[Reading]:
    order: Mapping[State, int] = {"missed": 0, "open": 1, "met": 2}
    return sorted(readings, key=lambda reading: order[reading.state])


def _told(reading: Reading) -> str:
    objective = reading.objective
    limit = "at least" if objective.is_floor else "at most"
    return f"{objective.name} {reading.shown} ({limit} {objective.shown(objective.bound)})"


# -- what to do first -----------------------------------------------------------------------------


@dataclass(frozen=True)
class ReviewAction:
    """What to do, what that mends, and where to read more on the page.

    ``fault``: the name of the rule that asks for it, where ``what`` is code.
    """

    what: str
    effect: str
    href: str
    fault: str = ""


def first_steps(review: Review, findings: Sequence[Finding]) -> list[ReviewAction]:
    """The few things to do first: what makes critical journeys miss their objectives, the actions
    that fix most errors, other missed objectives, what fixes most of the rest.

    ``findings`` are those of the review, in the order of the page.
    """
    needed = {
        member.name: [journey.name for journey in journeys]
        for member, journeys in review.canvas.graph.needed_by_critical_journeys()
    }
    errors = {finding.rule.id for finding in findings if finding.severity == "error"}
    found = [*_for_objectives(review)]
    for action in actions(findings, MOST_STEPS, fewest=1, critical=needed):
        rank = 1 if errors.intersection(rule for rule, _ in action.fixed) else 3
        found.append((rank, _for_findings(action, findings, needed)))
    return [step for _, step in sorted(found, key=lambda each: each[0])][:MOST_STEPS]


def _for_objectives(review: Review) -> Iterator[tuple[int, ReviewAction]]:
    """One step for each cause of missed objectives: rank 0 for critical journeys, 2 for others."""
    critical = {journey.name for journey in review.system.journeys if journey.critical}
    missed: dict[str, list[JourneyVerdict]] = {}
    for each in journey_verdicts(review):
        if each.state == "missed":
            missed.setdefault(_remedy(review, each.name), []).append(each)
    for what, journeys in missed.items():
        names = " and ".join(each.name for each in journeys)
        first = journeys[0].readings[0]
        effect = f"{names} {'misses' if len(journeys) == 1 else 'miss'} what is promised: {first}"
        rank = 0 if any(each.name in critical for each in journeys) else 2
        yield rank, ReviewAction(what, effect, "#load")


def _remedy(review: Review, journey: str) -> str:
    """What holds a journey up: a busy resource, or else what most of its time goes into."""
    limit = next((each for each in review.limits if each.journey == journey), None)
    if limit is not None and limit.resource is not None and limit.resource.load >= _BUSY:
        return f"relieve {limit.resource.label}, or shorten what it does"
    times = review.run.times if review.run is not None else ()
    bands = next((each.bands for each in times if each.journey == journey), ())
    if bands and bands[-1].shares:
        most = bands[-1].shares[0]
        where = f" at {most.place}" if most.place else ""
        return f"shorten {journey}: {most.share:.0%} of it is {most.cause}{where}"
    return f"shorten {journey}"


def _for_findings(
    action: Action, findings: Sequence[Finding], needed: Mapping[str, Sequence[str]]
) -> ReviewAction:
    journeys = dict.fromkeys(
        journey
        for subject in action.subjects
        for end in subject.split(" -> ")
        for name in (end, end.rpartition(".")[0])
        for journey in needed.get(name, ())
    )
    need = "needs" if len(journeys) == 1 else "need"
    critical = f"; {', '.join(journeys)} {need} it" if journeys else ""
    identity, name = _first(action, findings)
    return ReviewAction(action.fix, f"{action.effect}{critical}", f"#{identity}", name)


def _first(action: Action, findings: Sequence[Finding]) -> tuple[str, str]:
    """The finding on the page that an action fixes first, and the name of its rule."""
    rules = {rule for rule, _ in action.fixed}
    for identity, finding in zip(identities(findings), findings, strict=True):
        subjects = {occurrence.subject for occurrence in finding.occurrences}
        if finding.rule.id in rules and subjects.intersection(action.subjects):
            return identity, finding.rule.name
    return "overview", ""
