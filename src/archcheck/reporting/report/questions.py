"""The body of a report, by question: each has its answer in a sentence, and what it opens to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archcheck.planning import JourneyLimit
from archcheck.reporting.console import counted, figure
from archcheck.reporting.report.losses import Lost
from archcheck.reporting.report.review import Review
from archcheck.reporting.report.sections import ShownFinding, ShownProof

_NAMED = 4
"""Names in a sentence. A choice: longer lists are read in the table below it."""


@dataclass(frozen=True)
class ReviewQuestion:
    """A question of a review: the rules by the beginnings of their ids, the proofs by name."""

    identity: str
    title: str
    rules: tuple[str, ...]
    proofs: tuple[str, ...]


QUESTIONS = (
    ReviewQuestion(
        "boundaries",
        "Boundaries and contracts",
        ("BND", "COM", "EVO"),
        ("policies", "dead-policies"),
    ),
    ReviewQuestion(
        "failures",
        "Failures",
        ("RES",),
        (
            "zones", "failures", "fallbacks", "availability", "deadlines", "retries", "rollouts",
        ),
    ),
    ReviewQuestion("load", "Load and capacity", ("PRF",), ("load", "admission")),
    ReviewQuestion("data", "Data", ("DAT",), ("quorums", "sagas")),
    ReviewQuestion("delivery", "Delivery and operation", ("DLV", "DEP", "OBS", "TEC"), ()),
    ReviewQuestion("others", "The model and rules of your own", (), ()),
)  # fmt: skip
"""In the order of the page; the last one takes what no other one asks for."""


@dataclass(frozen=True)
class AnsweredQuestion:
    """A question with its answer, findings and proofs."""

    question: ReviewQuestion
    answer: str
    findings: tuple[ShownFinding, ...]
    proofs: tuple[ShownProof, ...]

    @property
    def counts(self) -> str:
        """``2 errors, 1 warning``."""
        found = [
            counted(number, word)
            for word in ("error", "warning", "info")
            if (number := sum(each.finding.severity == word for each in self.findings))
        ]
        return ", ".join(found) or "no finding"

    @property
    def proved(self) -> str:
        """``12 proved, 1 refuted, 2 undecided``."""
        numbers = (
            ("proved", sum(len(each.proved) + each.more_proved for each in self.proofs)),
            ("refuted", sum(len(each.refuted) for each in self.proofs)),
            ("undecided", sum(len(each.undecided) + each.more_undecided for each in self.proofs)),
        )
        return ", ".join(f"{number} {word}" for word, number in numbers if number) or "not finished"

    @property
    def gravest(self) -> str:
        """The gravest severity of its findings; a refuted claim is an error."""
        severities = {each.finding.severity for each in self.findings}
        if any(each.refuted for each in self.proofs):
            severities.add("error")
        return next((word for word in ("error", "warning", "info") if word in severities), "")


def answered(
    review: Review,
    findings: Sequence[ShownFinding],
    proofs: Sequence[ShownProof],
    losses: Sequence[Lost],
) -> Iterator[AnsweredQuestion]:
    """All questions, each finding and proof under one of them."""
    sentences = {"failures": on_failures(losses), "load": on_load(review)}
    prefix_of = {prefix: each.identity for each in QUESTIONS for prefix in each.rules}
    name_of = {name: each.identity for each in QUESTIONS for name in each.proofs}
    rest = QUESTIONS[-1].identity
    for question in QUESTIONS:
        mine = question.identity
        yield AnsweredQuestion(
            question,
            sentences.get(mine, ""),
            tuple(f for f in findings if prefix_of.get(f.finding.rule.id[:3], rest) == mine),
            tuple(p for p in proofs if name_of.get(p.name, rest) == mine),
        )


def on_failures(losses: Sequence[Lost]) -> str:
    """What the loss of each zone does, and what stops a journey when it alone is lost."""
    zones = [lost for lost in losses if lost.is_zone]
    same: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for lost in zones:
        same.setdefault((lost.stops, lost.may_stop), []).append(lost.shown)
    sentences = [
        f"The loss of {' or '.join(names)} {_fate(*fate)}." for fate, names in same.items()
    ]
    if zones and len(same) == 1 and not any(zones[0].stops + zones[0].may_stop):
        sentences = [
            f"Every journey survives the loss of any one of {len(zones)} zones, if what is left "
            "carries the load."
        ]
    alone = [lost for lost in losses if not lost.is_zone and lost.stops]
    if alone:
        names = listed([lost.name for lost in alone])
        stop = "stops" if len(alone) == 1 else "stop"
        sentences.append(f"{counted(len(alone), 'element')} {stop} a journey when lost: {names}.")
    return " ".join(sentences)


def _fate(stops: Sequence[str], may_stop: Sequence[str]) -> str:
    told = [f"stops {listed(stops)}"] if stops else []
    told += [f"may stop {listed(may_stop)}"] if may_stop else []
    return " and ".join(told) or "stops no journey"


def on_load(review: Review) -> str:
    """What limits the journeys, the critical ones first."""
    if review.loaded is None:
        return ""
    critical = {journey.name for journey in review.system.journeys if journey.critical}
    first = [limit for limit in review.limits if limit.journey in critical]
    shown = (first or [*review.limits])[:_NAMED]
    return " ".join(f"{sentence}." for limit in shown if (sentence := limited(limit)))


def limited(limit: JourneyLimit) -> str:
    """What limits a journey and at what load, in a sentence without its full stop."""
    missed = ""
    if limit.objective is not None and not limit.missed_at >= limit.full_at:
        at = f"from {_at(limit, limit.missed_at)} on" if limit.missed_at else "at any load"
        missed = f"{limit.journey} misses its {limit.objective.name} {at}"
    where = limit.resource
    if where is None:
        return missed or f"nothing that {limit.journey} waits for is known to fill up"
    name = f"{where.label}, {where.load:.0%} busy at {per_second(limit.rate)}"
    if math.isfinite(limit.full_at):
        name += f" and full at {_at(limit, limit.full_at)}"
    if missed:
        return f"{missed}; the first resource on its way to be full is {name}"
    return f"{limit.journey} is limited by {name}"


def _at(limit: JourneyLimit, factor: float) -> str:
    return f"{per_second(limit.rate * factor)} (x{factor:.3g})"


def per_second(rate: float) -> str:
    """``12.9/s``."""
    return f"{figure(rate)}/s"


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more."""
    if len(names) <= _NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
