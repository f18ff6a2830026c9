"""Rules that speak of what a run can show, against runs of systems on both sides of their limits.

``tests/opinions`` draws systems for a rule from what its page says, and measures in a run what the
rule claims. A finding where the run is calm, or silence where it breaks, is a fault of the rule, of
its page or of the engine. Where the page allows it, the case quotes the page.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from depth import thorough
from opinions import calls, failures, load, messages
from opinions.common import Opinion

from archcheck.findings import EXAMPLES_DAY, evaluate
from archcheck.graph import Graph
from archcheck.model import System
from archcheck.plugins import rules
from archcheck.simulation.engines import fast

pytestmark = pytest.mark.skipif(not fast.is_compiled(), reason="the engine is not compiled")

RULES = {rule.id: rule for rule in rules()}
PAGES = Path(__file__).parents[2] / "docs" / "rules"
OPINIONS = [*load.OPINIONS, *calls.OPINIONS, *failures.OPINIONS, *messages.OPINIONS]
IDS = [opinion.rule for opinion in OPINIONS]
QUICK = 8
"""Systems of each rule that ``make test`` tries."""
SEEDS = 60
SLOW = frozenset({"PRF003", "DEP006"})
"""Rules, or runs, of seconds: ``make test`` tries one of theirs."""

NO_RUN = {
    "COM004": "bytes on the wire, which runs do not count",
    "DAT012": "a declared distance between regions, added up",
    "DAT018": "size, which runs do not have",
    "RES022": "who uses an answer, which runs do not know",
    "RES023": "start-up, which comes before a run",
    "TEC006": "what implements a mechanism; a run takes it as declared",
    "BND010": "counts as PRF012, whose observable it shares",
    "COM007": "counts as PRF012, whose observable it shares",
    "DAT001": "RES012's claim, of datastores",
    "DAT005": "a state of all autoscalers at once, which no single run visits",
    "DAT008": "its thresholds are advice: nothing breaks at them",
    "DAT010": "a cache of a run is refilled by the first answer: an expiry is no event of its own",
    "DAT016": "survival is attacked in test_failures_in_runs.py",
    "DEP012": "a run cuts nobody off who is inside its grace, and has no balancer that lags",
    "DEP013": "the worst placement cannot be asked for; DEP007 and PRF001 try both halves",
    "EVO014": "asks of a declared max_rate, which runs do not enforce",
    "PRF007": "a saving, not a limit",
    "RES003": "RES002's claim, of sums; held to its proof in test_runs_and_proofs.py",
    "RES011": "a promise that somebody wrote down, not what happens",
    "RES014": "survival is attacked in test_failures_in_runs.py",
    "RES016": "what an undeclared policy does is assumed in a run",
    "RES025": "is a simulation itself, of minutes",
    "RES027": "survival is attacked in test_failures_in_runs.py",
    "TEC003": "what holds an event loop is declared; the time it takes is in PRF001's runs",
    "TEC004": "a pool that is too large costs nothing in a run",
}
"""Rules that speak of load or failures, and are not compared here, with the reason."""


def said(opinion: Opinion, system: System) -> str:
    outcome = evaluate(RULES[opinion.rule], Graph(system, today=EXAMPLES_DAY))
    assert not outcome.broken, outcome.broken
    if outcome.findings:
        return "violated"
    return "undecided" if outcome.questions else "holds"


def check(opinion: Opinion, seed: int) -> str:
    """What the rule said of the system of a seed; raises when a run says the opposite."""
    case = opinion.case(seed)
    verdict = said(opinion, case.system)
    if verdict == "undecided" or case.margin:
        return verdict
    shown = case.measured(case.system)
    about = f"{opinion.rule}, seed {seed}: {opinion.observable} is {shown:.3g}"
    assert verdict != "violated" or shown > opinion.calm, f"{about}, and the rule is violated"
    assert verdict != "holds" or shown < opinion.broken, f"{about}, and the rule holds"
    return verdict


@pytest.mark.parametrize("opinion", OPINIONS, ids=IDS)
def test_a_run_agrees_with_the_rule(opinion: Opinion) -> None:
    for seed in range(1 if opinion.rule in SLOW else QUICK):
        check(opinion, seed)


@thorough
@pytest.mark.parametrize("opinion", OPINIONS, ids=IDS)
def test_many_runs_agree_and_both_sides_are_tried(opinion: Opinion) -> None:
    verdicts = [check(opinion, seed) for seed in range(QUICK, SEEDS)]
    assert verdicts.count("violated") >= SEEDS // 20
    assert verdicts.count("holds") >= SEEDS // 20


@pytest.mark.parametrize("opinion", OPINIONS, ids=IDS)
def test_what_excuses_a_rule_stands_on_its_page(opinion: Opinion) -> None:
    page = " ".join((PAGES / f"{opinion.rule}.md").read_text().split())
    for seed in range(SEEDS):
        margin = opinion.case(seed).margin
        assert " ".join(margin.split()) in page, margin


def test_rules_that_speak_of_load_or_failures_are_compared_or_say_why_not() -> None:
    asked = re.compile("resilience|performance")
    about = {rule.id for rule in RULES.values() if asked.search(rule.examples[0].build.__module__)}
    computed = {rule.id for rule in RULES.values() if rule.method in ("calc", "sim")}
    assert {*IDS}.isdisjoint(NO_RUN)
    assert sorted((about | computed) - {*IDS, *NO_RUN}) == []
