"""Advice about models of the review, taken: the finding goes, and no other comes.

Each case names a model of `tests/cases/rules/review.txt`, words of the advice, and what changes in
the text of the model when the advice is taken.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest
from review import blocks, system_of

from archcheck.findings import EXAMPLES_DAY, RuleOutcome, evaluate
from archcheck.graph import Graph
from archcheck.plugins import rules

RULES = {
    rule.id: rule for rule in rules() if (rule.follows or not rule.reviews) and rule.method != "sim"
}
"""All but those that speak of what others say, and those whose runs take long."""
BLOCKS = {block.id: block for block in blocks()}


class Case(NamedTuple):
    """A model of the review, the rule's advice, and the text before and after."""

    block: str
    says: str
    before: str
    after: str


CASES = [
    Case("com005re", "keep_alive=True", "keep_alive=False", "keep_alive=True"),
    Case("com005ra", "reuses_connections=True", "connections=False", "connections=True"),
    Case("com006rc", "at least 6 MiB", "Grpc()", "Grpc(max_message=6*MiB)"),
    Case("com006rg", "send a reference", "500*KiB", "1*KiB"),
    Case("com009ra", 'authentication="oauth2"', "Http1()", 'Http1(),authentication="oauth2"'),
    Case("dat001rd", "copies=2", "copies=1", "copies=2"),
    Case("dat001rg", "copies=2", "copies=1", "copies=2"),
    Case("dat008ra", "stale=True", 'Read("d")', 'Read("d",stale=True)'),
    Case("dat009ra", "jitter=True", 'ttl=Absent("no")', "ttl=5*minutes,jitter=True"),
    Case("dat013re", "at most 1 h", "every=3601*s", "every=1*hours"),
    Case("dat015rb", 'sharding="hash"', "shards=4", 'shards=4,sharding="hash"'),
    Case("dat015rd", "more values", "cardinality=300", "cardinality=400"),
    Case("dat016ra", "at least 3 zones", '["a","b"]', '["a","b","c"]'),
    Case("dat016rc", "at least 4 zones", '["a","b","c"]', '["a","b","c","d"]'),
    Case("dat016rg", "read=3", "read=2", "read=3"),
    Case("dat018rd", "shards=4", 'role="store"', 'role="store",shards=4'),
    Case("dat018rf", "shards=3", "shards=2", "shards=3"),
    Case("dep002ra", '"zone-b", "zone-c"', '"d",zones=["zone-a"]', '"d",zones=["zone-a","b","c"]'),
    Case("dep006ra", "min=15", "min=2", "min=15"),
    Case("dep006re", "min=18", "min=2", "min=18"),
    Case("dep007rb", "replicas=4", "replicas=3", "replicas=4"),
    Case("dep007rf", "replicas=5", "replicas=3", "replicas=5"),
    Case("dep009rd", "max_unavailable=1", "max_unavailable=2", "max_unavailable=1"),
    Case("dep010ra", 'store="vault"', 'store="repository"', 'store="vault"'),
    Case("dep011ra", '"/live"', 'Probe("http")', 'Probe("http","/live")'),
    Case("dep011re", "leave k out", ',touches=[f"t{i}"]', ""),
    Case("dep013ra", "at least 5", "replicas=3", "replicas=5"),
    Case("obs009rd", "series_budget", "budget=1000", "budget=1200"),
    Case("prf001rc", "at least 2", 'zones=["z"]', 'replicas=2,zones=["z"]'),
    Case(
        "prf007re",
        'Parallel([Call("b.y"), Read("d")])',
        'Call("b.y"),Read("d",independent=True)',
        'Parallel([Call("b.y"),Read("d")])',
    ),
    Case("prf009ra", "min=2", "min=8", "min=2"),
    Case("prf010rb", "higher limit", "RateLimit(100/s)", "RateLimit(120/s)"),
    Case(
        "res001re",
        'Client("r", timeout=250 * ms)',
        'a=Service("a"',
        'a=Service("a",clients=[Client("r", timeout=250 * ms)]',
    ),
    Case("res007rb", "fewer attempts", "attempts=4", "attempts=3"),
    Case("res007rg", "fewer max_deliveries", "max_deliveries=12", "max_deliveries=10"),
    Case("res010rc", "minimum_calls=2", "calls=20", "calls=2"),
    Case("res010rd", "slow_call below 1 s", "slow_call=2*s", "slow_call=0.9*s"),
    Case("res010rg", "minimum_calls=100", "calls=250", "calls=100"),
    Case("res012ra", "replicas=2", "Kubernetes()", "Kubernetes(replicas=2)"),
    Case("res012rd", "nodes=2", "nodes=1", "nodes=2"),
    Case("res016ra", "least_outstanding", 'Absent("sticky")', '"least_outstanding"'),
    Case("res017ra", "accept_queue=100", 'Absent("no limit")', "100"),
    Case("tec002ra", "threads=2", "Django()", "Django(threads=2)"),
    Case("tec002rc", "threads=14", "threads=10", "threads=14"),
    Case("tec004ra", 'Pool("d", 8)', "threads=8)", 'threads=8),pools=[Pool("d", 8)]'),
    Case("tec007ra", "deadline_propagation=True", "ation=False", "ation=True"),
    Case("tec009re", "timeout=425 * ms", "timeout=2*s", "timeout=425*ms"),
    Case("instead1", "backoff=20 * ms", "backoff=0*s", "backoff=20*ms"),
    Case(
        "instead5",
        'Client("b", timeout=250 * ms)',
        'a=Service("a"',
        'a=Service("a",clients=[Client("b", timeout=250 * ms)]',
    ),
    Case(
        "instead6",
        'retry=Absent("the mesh retries")',
        "retry=Retry(attempts=2,backoff=1*ms))",
        'retry=Absent("the mesh retries"))',
    ),
    Case("instead9", "max_connections=80", "connections=50", "connections=80"),
]


def outcomes(code: str) -> list[RuleOutcome]:
    graph = Graph(system_of(code), today=EXAMPLES_DAY)
    return [evaluate(rule, graph) for rule in RULES.values()]


def found(outcomes: list[RuleOutcome]) -> set[tuple[str, str]]:
    """The rules that find something wrong, with the elements."""
    return {
        (outcome.rule.id, place.subject)
        for outcome in outcomes
        for finding in outcome.findings
        for place in finding.occurrences
    }


@pytest.mark.parametrize("case", CASES, ids=[case.block for case in CASES])
def test_the_finding_goes_and_no_other_comes(case: Case) -> None:
    block = BLOCKS[case.block]
    (rule, *_), code = block.rules, block.code
    assert case.before in code
    before, after = outcomes(code), outcomes(code.replace(case.before, case.after))
    said = [
        place.fix
        for outcome in before
        if outcome.rule.id == rule
        for finding in outcome.findings
        for place in finding.occurrences
    ]
    assert any(case.says in fix for fix in said), said
    assert not [outcome.broken for outcome in after if outcome.broken]
    assert rule not in {name for name, _ in found(after)}
    assert found(after) <= found(before)
