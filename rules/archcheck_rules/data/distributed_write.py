"""No endpoint changes two datastores without something that keeps them together.

Why it matters: a crash between the two writes leaves one without the other, for ever and without
an error that anybody sees.

How to fix: write to one and derive the other (``Outbox()``, ``ChangeCapture()``), or run a
``Saga([...])`` with compensations.

False positives: writes that repeat until both have happened; say so with a ``Saga`` whose steps
are retriable. Caches do not count.

Sources: Azure Architecture Center, Saga and Transactional Outbox patterns; Garcia-Molina and
Salem, Sagas, 1987; Helland, Life beyond Distributed Transactions, 2007.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from archcheck import (
    Atomicity,
    Cassandra,
    Datastore,
    Endpoint,
    Feature,
    Flag,
    MySQL,
    Redis,
    Saga,
    SagaStep,
    Service,
    System,
    Write,
)
from archcheck.findings import Result, Rule, Violation
from archcheck.graph import Graph, Interaction
from archcheck.proof.feature_flags import FeatureFlags

rule = Rule("DAT006", "distributed-write", severity="error", method="graph", on_unknown="violation")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    family = FeatureFlags(graph.system)
    for name, steps in graph.outgoing.items():
        writes = _together(family, [step for step in steps if _is_kept(step)])
        operation = graph.operations[name]
        if writes and getattr(operation.part, "atomicity", None) is None:
            yield Violation(
                operation,
                f"{name} changes {len(writes)} datastores ({', '.join(writes)}) and nothing "
                "keeps them together",
                fix="atomicity=Outbox(), and derive the second change from the first",
                evidence=tuple(writes.values()),
            )


def _is_kept(step: Interaction) -> bool:
    store = step.target
    return step.mode == "write" and isinstance(store, Datastore) and not store.is_cache


def _together(family: FeatureFlags, writes: list[Interaction]) -> dict[str, Interaction]:
    """The first write of each datastore that is changed beside another in some configuration."""
    found: dict[str, Interaction] = {}
    for one, other in itertools.combinations(writes, 2):
        flags = {*one.flags, *other.flags}
        if one.target is not other.target and family.configuration(flags) is not None:
            for step in (one, other):
                found.setdefault(step.target.name, step)
    return found


def _two_writes(atomicity: Atomicity | None) -> System:
    steps = [Write("orders_db"), Write("timeline")]
    return System(
        "shop",
        [
            MySQL("orders_db"),
            Cassandra("timeline"),
            Service("orders", endpoints=[Endpoint("place", steps=steps, atomicity=atomicity)]),
        ],
    )


@rule.bad("orders.place")
def two_writes_in_a_row() -> System:
    return _two_writes(None)


@rule.good
def a_saga() -> System:
    return _two_writes(Saga([SagaStep("orders.place", retriable=True)]))


@rule.borderline()
def the_same_datastore_twice() -> System:
    place = Endpoint("place", steps=[Write("orders_db"), Write("orders_db"), Write("hot")])
    return System("shop", [MySQL("orders_db"), Redis("hot"), Service("orders", endpoints=[place])])


@rule.borderline()
def a_flag_chooses_one_of_both() -> System:
    steps = [Feature("new", [Write("orders_db")]), Feature("new", [Write("timeline")], off=True)]
    return System(
        "shop",
        [
            Flag("new"),
            MySQL("orders_db"),
            Cassandra("timeline"),
            Service("orders", endpoints=[Endpoint("place", steps=steps)]),
        ],
    )
