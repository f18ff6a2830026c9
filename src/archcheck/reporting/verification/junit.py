"""JUnit XML, for test reports: a suite for each system, a case for each rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from archcheck.findings import Finding, OpenQuestion, RuleOutcome
from archcheck.verification import Verification

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
        failures=str(verdicts["violated"]),
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
        _verdict(case, outcome)


def _verdict(case: ET.Element, outcome: RuleOutcome) -> None:
    match outcome.verdict:
        case "broken":
            ET.SubElement(case, "error", message=_legal(outcome.broken))
        case "violated":
            messages = [finding.message for finding in outcome.findings]
            failure = ET.SubElement(case, "failure", message=_legal("; ".join(messages)))
            failure.set("type", outcome.findings[0].severity)
            failure.text = _legal("\n".join(_lines(outcome.findings)))
        case "undecided":
            message = "; ".join(_asked(question) for question in outcome.questions)
            ET.SubElement(case, "skipped", message=_legal(f"undecided: {message}"))
        case "not applicable":
            message = f"not applicable: {outcome.not_applicable}"
            ET.SubElement(case, "skipped", message=_legal(message))


def _lines(findings: Sequence[Finding]) -> list[str]:
    return [
        f"{place.place}: {place.message}" if place.place else place.message
        for finding in findings
        for place in finding.occurrences
    ]


def _asked(question: OpenQuestion) -> str:
    return f"{question.missing} is not declared in {len(question.subjects)} places"


def _legal(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
