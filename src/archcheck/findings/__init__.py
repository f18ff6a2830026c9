"""What is said about a system: rules, the results they give, and findings.

A rule is one file with a docstring of fixed parts, a :class:`Rule`, a check over a
:class:`~archcheck.graph.Graph`, and examples::

    rule = Rule("RES001", "no-timeout", severity="error", method="attr")

    @rule.check
    def check(graph: Graph) -> Iterator[Result]:
        ...

    @rule.bad("shop.order -> payments.Charge")
    def call_without_timeout() -> System: ...

The check yields :class:`Violation`, :class:`Undecided` or :class:`NotApplicable` and never
prints; a check that yields nothing says that the rule holds. Unknown is never a pass.
"""

from archcheck.findings.evaluation import evaluate
from archcheck.findings.objectives import (
    PERCENTILES,
    Objective,
    Reading,
    State,
    gravest,
    objectives_of,
    tightest,
)
from archcheck.findings.outcome import (
    Evidence,
    Finding,
    Occurrence,
    OpenQuestion,
    RuleOutcome,
    Severity,
    Verdict,
    request_verb,
    steps_said,
    subjects_said,
    subjects_violating,
)
from archcheck.findings.results import (
    CannotDecideError,
    NotApplicable,
    Result,
    Subject,
    Undecided,
    UnderLoad,
    Violation,
    also_in,
    subject_element,
    subject_name,
)
from archcheck.findings.rule import CONCERNS, DOC_PARTS, EXAMPLES_DAY, Example, Rule, option

__all__ = [
    "CONCERNS",
    "DOC_PARTS",
    "EXAMPLES_DAY",
    "PERCENTILES",
    "CannotDecideError",
    "Evidence",
    "Example",
    "Finding",
    "NotApplicable",
    "Objective",
    "Occurrence",
    "OpenQuestion",
    "Reading",
    "Result",
    "Rule",
    "RuleOutcome",
    "Severity",
    "State",
    "Subject",
    "Undecided",
    "UnderLoad",
    "Verdict",
    "Violation",
    "also_in",
    "evaluate",
    "gravest",
    "objectives_of",
    "option",
    "request_verb",
    "steps_said",
    "subject_element",
    "subject_name",
    "subjects_said",
    "subjects_violating",
    "tightest",
]
