"""No endpoint changes two datastores without something that keeps them together.

Why it matters: a crash between the two writes leaves one without the other, for ever and without
an error that anybody sees.

Endpoints of its own service that an endpoint calls, or asks in a fallback, count as a part of it. A
saga keeps together
what its actions write, but for one that can be neither undone nor repeated (unless it is the pivot,
and writes one datastore), and ``TwoPhaseCommit()`` datastores that have transactions. An outbox and
change capture keep messages together with the data of one datastore, not two datastores. A consumer
that is declared idempotent gets a message again until both writes have happened, if its channel
delivers at least once.

How to fix: write to one and derive the other in a consumer of its events (published through
``Outbox()``, or taken from its log), or run a ``Saga([...])`` whose actions write, each one
datastore.

False positives: writes that repeat until both have happened; say so with a ``Saga`` whose steps
are retriable. Caches do not count. A search index or a view counts, though it can be built again:
until somebody does, it lacks the second write and nothing shows that. Writes in branches of which
one request takes only one count as well, since the model has probabilities for them and no
condition; say that they exclude each other with a ``Flag``.

Sources: Azure Architecture Center, Saga and Transactional Outbox patterns; Garcia-Molina and
Salem, Sagas, 1987; Helland, Life beyond Distributed Transactions, 2007.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from archcheck import (
    Atomicity,
    Call,
    Cassandra,
    Consumer,
    Endpoint,
    Feature,
    Flag,
    MySQL,
    Outbox,
    PostgreSQL,
    Redis,
    Saga,
    SagaStep,
    Service,
    System,
    Topic,
    TwoPhaseCommit,
    Write,
)
from archcheck.findings import Result, Rule, Violation
from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.changes import is_durable_write
from archcheck.graph.in_process import is_done_below, steps_of, with_own
from archcheck.graph.messages import is_repeated_until_done
from archcheck.proof.feature_flags import FeatureFlags

rule = Rule("DAT006", "distributed-write", severity="error", method="graph", on_unknown="violation")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    family = FeatureFlags(graph.system)
    for name, operation in graph.operations.items():
        if is_repeated_until_done(graph, operation):
            continue
        changes = [step for step in steps_of(graph, name, fallbacks=True) if is_durable_write(step)]
        atomicity = getattr(operation.part, "atomicity", None)
        writes = _together(graph, family, operation, list(_left_apart(graph, atomicity, changes)))
        if writes:
            means = type(atomicity).__name__
            yield Violation(
                operation,
                f"{name} changes {len(writes)} datastores ({', '.join(writes)}) and "
                + ("nothing" if atomicity is None else f"no part of its {means}")
                + " keeps them together",
                fix="write to one of them, and let a consumer of its events change the others",
                evidence=tuple(writes.values()),
            )


def _left_apart(
    graph: Graph, atomicity: object, changes: list[Interaction]
) -> Iterator[Interaction]:
    """The changes that the declared means does not keep together with others."""
    match atomicity:
        case TwoPhaseCommit():
            if not all(getattr(step.target, "is_transactional", False) for step in changes):
                yield from changes
        case Saga():
            kept = [part for part in atomicity.settled() if _is_whole(graph, part, changes)]
            parts = with_own(graph, {str(part.action) for part in kept})
            yield from (step for step in changes if step.operation.name not in parts)
        case _:
            yield from changes


def _is_whole(graph: Graph, part: SagaStep, changes: list[Interaction]) -> bool:
    """Whether an action leaves nothing half done: it is repeated, undone, or a single change."""
    own = with_own(graph, {str(part.action)})
    stores = {step.target.name for step in changes if step.operation.name in own}
    return part.retriable is not False or part.compensation is not None or len(stores) < 2


def _together(
    graph: Graph, family: FeatureFlags, operation: Operation, writes: list[Interaction]
) -> dict[str, Interaction]:
    """The first write of each datastore that is changed beside another in some configuration."""
    found: dict[str, Interaction] = {}
    for one, other in itertools.combinations(writes, 2):
        if is_done_below(graph, operation.name, (one, other)):
            continue  # said of the endpoint that does both
        flags = {*one.flags, *other.flags}
        if one.target is not other.target and family.configuration(flags) is not None:
            for step in (one, other):
                found.setdefault(step.target.name, step)
    return found


def _two_writes(atomicity: Atomicity | None, *others: Service) -> System:
    steps = [Write("orders_db"), Write("timeline")]
    return System(
        "shop",
        [
            MySQL("orders_db"),
            Cassandra("timeline"),
            *others,
            Service("orders", endpoints=[Endpoint("place", steps=steps, atomicity=atomicity)]),
        ],
    )


@rule.bad("orders.place")
def two_writes_in_a_row() -> System:
    return _two_writes(None)


@rule.bad("orders.place")
def an_outbox_is_for_messages() -> System:
    return _two_writes(Outbox())


@rule.bad("orders.place")
def no_transaction_spans_these_two() -> System:
    return _two_writes(TwoPhaseCommit())


@rule.bad("orders.place")
def a_saga_of_something_else() -> System:
    mails = Service("mails", endpoints=[Endpoint("send")])
    return _two_writes(Saga([SagaStep("mails.send")]), mails)


def _by_itself(atomicity: Atomicity | None) -> System:
    """The second write is in an endpoint of the same service."""
    place = Endpoint("place", steps=[Write("db"), Call("orders.list")], atomicity=atomicity)
    listed = Endpoint("list", steps=[Write("ledger")])
    orders = Service("orders", endpoints=[place, listed])
    return System("shop", [MySQL("db"), PostgreSQL("ledger"), orders])


@rule.bad("orders.place")
def an_endpoint_of_its_own_writes_the_other() -> System:
    return _by_itself(None)


@rule.good
def the_saga_has_the_other_write() -> System:
    return _by_itself(Saga([SagaStep("orders.list")]))


@rule.good
def both_have_transactions() -> System:
    return _by_itself(TwoPhaseCommit())


@rule.good
def what_cannot_be_repeated_is_undone() -> System:
    undone = SagaStep("orders.list", compensation="orders.place", retriable=False)
    return _by_itself(Saga([undone, SagaStep("orders.place", pivot=True)]))


@rule.bad("orders.place")
def a_pivot_that_is_left_half_done() -> System:
    return _two_writes(Saga([SagaStep("orders.place", pivot=True, retriable=False)]))


@rule.good
def a_saga() -> System:
    return _two_writes(Saga([SagaStep("orders.place", retriable=True)]))


def _worked_off(*, idempotent: bool) -> System:
    writes = [Write("orders_db"), Write("timeline")]
    consumer = Consumer("placed", idempotent=idempotent, steps=writes)
    return System(
        "shop",
        [
            MySQL("orders_db"),
            Cassandra("timeline"),
            Topic("placed", delivery="at_least_once"),
            Service("orders", consumers=[consumer]),
        ],
    )


@rule.bad("orders.consume")
def a_message_that_may_not_be_worked_on_again() -> System:
    return _worked_off(idempotent=False)


@rule.good
def a_message_that_comes_again_until_both_are_done() -> System:
    return _worked_off(idempotent=True)


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
