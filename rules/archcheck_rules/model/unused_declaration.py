"""Everything that is declared is used.

Why it matters: an element that nothing refers to is a leftover, or the sign of an edge that
somebody forgot; either way the model does not say what is true.

How to fix: add the missing step, or remove the element.

False positives: elements kept for a later change; keep them in a branch.

Sources: FINOS CALM, nodes must be referenced; import-linter, unmatched ignores.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Channel, Datastore, Endpoint, External, MySQL, Read, Service, System, Topic
from archcheck.findings import Result, Rule, Violation
from archcheck.graph import Graph
from archcheck.model.linking import references

rule = Rule("MOD002", "unused-declaration", severity="warning", method="graph", on_unknown="never")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    system = graph.system
    used = {
        reference.target.partition(".")[0]
        for part in (*system.elements, *system.journeys)
        for reference in references(part)
    }
    for member in system.elements:
        if isinstance(member, Datastore | Channel | External) and member.name not in used:
            yield Violation(
                member,
                f"nothing uses the {member.kind} {member.name}",
                fix=f'add the step that uses it, such as Read("{member.name}"), or remove it',
            )


@rule.bad("audit", "attic")
def leftovers() -> System:
    return System("shop", [Topic("audit"), MySQL("attic"), Service("orders")])


@rule.good
def all_in_use() -> System:
    return System(
        "shop",
        [
            MySQL("ledger"),
            Service("orders", endpoints=[Endpoint("get", steps=[Read("ledger")])]),
        ],
    )


@rule.borderline("idle")
def called_by_nobody_and_calling_nobody() -> System:
    return System("shop", [External("idle"), Service("orders")])
