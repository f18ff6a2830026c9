"""Running a rule: its results become findings with places and fingerprints."""

from __future__ import annotations

import hashlib
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

from archcheck.extras import explained
from archcheck.findings.outcome import Evidence, Finding, Occurrence, OpenQuestion, RuleOutcome
from archcheck.findings.results import (
    CannotDecideError,
    NotApplicable,
    Result,
    Subject,
    Undecided,
    Violation,
    subject_element,
    subject_name,
    worst_of_scenarios,
)
from archcheck.findings.rule import Rule
from archcheck.graph import Graph
from archcheck.model import ModelError, Place, ScenarioError, System

Wanted = Callable[[Subject], bool]


def evaluate(
    rule: Rule,
    graph: Graph,
    options: object | None = None,
    *,
    wanted: Wanted | None = None,
    outcomes: Iterable[RuleOutcome] = (),
) -> RuleOutcome:
    """Run one rule on one system.

    ``options`` are the rule's thresholds (default: as the rule declares them); ``wanted`` leaves
    out subjects; ``outcomes`` are those of the other rules, for a rule that reviews them. A rule
    that raises gives an outcome that is *broken* and says where.
    """
    results: list[Result] = []
    try:
        results.extend(rule.run(graph, options, tuple(outcomes)))
    except ModelError as error:
        # an unsolvable model (calls without end) is a question to the model, not a broken rule
        results.append(Undecided(graph.system, f"a model that can be computed ({error.sentence})"))
    except ScenarioError as error:
        results.append(Undecided(graph.system, f"a scenario that can be run ({error.sentence})"))
    except CannotDecideError as error:
        results.append(Undecided(graph.system, str(error)))
    except Exception as error:
        return RuleOutcome(rule, (), broken=explained(error) or _located(error))
    if wanted is not None:
        results = [r for r in results if isinstance(r, NotApplicable) or wanted(r.subject)]
    reasons = [result.reason for result in results if isinstance(result, NotApplicable)]
    return RuleOutcome(
        rule,
        tuple(_findings(rule, graph.system, results)),
        tuple(_questions(rule, graph.system, results)),
        reasons[0] if reasons else "",
    )


def _located(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = Place(last.filename, last.lineno or 1)
    return f"{type(error).__name__}: {error} ({place})"


def _findings(rule: Rule, system: System, results: Iterable[Result]) -> Iterator[Finding]:
    """By place: the order in which a reader meets them; one finding for each cause."""
    seen: Counter[str] = Counter()
    groups: dict[object, list[tuple[Violation, Occurrence]]] = defaultdict(list)
    violations = (result for result in results if isinstance(result, Violation))
    for number, result in enumerate(worst_of_scenarios(violations)):
        identity = _identity(rule, system, result)
        occurrence = _occurrence(system, result, f"{identity}#{seen[identity]}")
        seen[identity] += 1
        groups[result.cause or number].append((result, occurrence))
    made = [
        Finding(
            rule,
            rule.severity,
            group[0][0].cause,
            tuple(sorted((occurrence for _, occurrence in group), key=_position)),
        )
        for group in groups.values()
    ]
    yield from sorted(made, key=lambda finding: _position(finding.occurrences[0]))


def _identity(rule: Rule, system: System, violation: Violation) -> str:
    path = [subject_name(part) for part in violation.evidence if not isinstance(part, str)]
    return "\n".join(
        [rule.id, system.name, subject_name(violation.subject), violation.cause, *path]
    )


def _occurrence(system: System, violation: Violation, identity: str) -> Occurrence:
    element = subject_element(violation.subject)
    return Occurrence(
        subject_name(violation.subject),
        type(element).__name__,
        system.place(element),
        violation.message,
        tuple(_evidence(system, part) for part in violation.evidence),
        violation.fix,
        hashlib.sha256(identity.encode()).hexdigest()[:32],
    )


def _evidence(system: System, part: Subject | str) -> Evidence:
    if isinstance(part, str):
        return Evidence(part)
    return Evidence(subject_name(part), system.place(subject_element(part)))


def _position(occurrence: Occurrence) -> tuple[str, int, str, str]:
    place = occurrence.place or Place("", 0)
    return place.file, place.line, occurrence.subject, occurrence.message


def _questions(rule: Rule, system: System, results: Iterable[Result]) -> Iterator[OpenQuestion]:
    missing: dict[str, dict[tuple[str, Place | None, str], None]] = defaultdict(dict)
    for result in results:
        if isinstance(result, Undecided):
            place = system.place(subject_element(result.subject))
            entry = (subject_name(result.subject), place, result.threshold)
            missing[result.missing].setdefault(entry)
    for attribute, subjects in missing.items():
        yield OpenQuestion(rule, attribute, tuple(subjects))
