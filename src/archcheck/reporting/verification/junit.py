"""JUnit XML, for test reports: a suite for each system, a case for each rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from archcheck.configuration import RANK
from archcheck.findings import Finding, OpenQuestion, RuleOutcome
from archcheck.reporting.console import counted
from archcheck.verification import Verification

_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def junit(results: Sequence[Verification]) -> str:
    """All systems of a run."""
    root = ET.Element("testsuites", name="archcheck")
    for result in results:
        _suite(root, result)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: ET.Element, result: Verification) -> None:
    verdicts = result.verdicts()
    suite = ET.SubElement(
        root,
        "testsuite",
        name=_legal(result.system.name),
        tests=str(len(result.outcomes)),
        failures=str(sum(bool(_failing(result, outcome)) for outcome in result.outcomes)),
        errors=str(verdicts["broken"]),
        skipped=str(verdicts["undecided"] + verdicts["not applicable"]),
    )
    for outcome in result.outcomes:
        case = ET.SubElement(
            suite,
            "testcase",
            classname=_legal(f"{result.system.name}.{outcome.rule.concern}"),
            name=f"{outcome.rule.id} {outcome.rule.name}",
        )
        _verdict(case, result, outcome)


def _failing(result: Verification, outcome: RuleOutcome) -> tuple[Finding, ...]:
    """The findings that make the run fail; of a broken rule the error says all."""
    if outcome.broken:
        return ()
    limit = RANK[result.settings.fail_on]
    return tuple(finding for finding in outcome.findings if RANK[finding.severity] >= limit)


def _verdict(case: ET.Element, result: Verification, outcome: RuleOutcome) -> None:
    match outcome.verdict:
        case "broken":
            ET.SubElement(case, "error", message=_legal(outcome.broken))
        case "violated":
            _violated(case, outcome, _failing(result, outcome))
        case "undecided":
            message = "; ".join(_asked(question) for question in outcome.questions)
            ET.SubElement(case, "skipped", message=_legal(f"undecided: {message}"))
        case "not applicable":
            message = f"not applicable: {outcome.not_applicable}"
            ET.SubElement(case, "skipped", message=_legal(message))


def _violated(case: ET.Element, outcome: RuleOutcome, failing: Sequence[Finding]) -> None:
    """A failure; what is below the limit is output of a case that passes."""
    if failing:
        messages = [finding.message for finding in failing]
        failure = ET.SubElement(case, "failure", message=_legal("; ".join(messages)))
        failure.set("type", max(failing, key=lambda f: RANK[f.severity]).severity)
        failure.text = _legal("\n".join(_lines(failing)))
    below = [finding for finding in outcome.findings if finding not in failing]
    for severity in dict.fromkeys(finding.severity for finding in below):
        lines = _lines([finding for finding in below if finding.severity == severity])
        output = ET.SubElement(case, "system-out")
        output.text = _legal("\n".join(f"{severity}: {line}" for line in lines))


def _lines(findings: Sequence[Finding]) -> list[str]:
    return [
        f"{place.place}: {place.message}" if place.place else place.message
        for finding in findings
        for place in finding.occurrences
    ]


def _asked(question: OpenQuestion) -> str:
    return f"{question.request} in {counted(len(question.subjects), 'place')}"


def _legal(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
