"""No request changes the data of several services without something that keeps them together.

Why it matters: each service commits for itself. When the second call fails, or the caller stops in
between, the first change stays: an order without its payment, a payment without its order.

A change is a write of a datastore by a service, in the request itself, in what it calls and waits
for, or in what a fallback calls instead; caches do not count. The endpoint that makes them side by
side is the one that is named. Several datastores of one service are rule DAT006's. A saga keeps
together what its actions change, but for one that can be neither undone nor repeated and is not the
pivot, and ``TwoPhaseCommit()`` datastores that have transactions. An outbox keeps a message
together with the data of one service, so it helps if the message takes the place of the call. What
is ``optional`` may be lost, and feature flags that exclude each other leave one change. A consumer
that is declared idempotent, of a channel that delivers at least once, repeats its changes until all
have happened.

How to fix: ``atomicity=Saga([SagaStep(...), ...])`` on the endpoint, or change the data of one
service and let the others consume its event (``Publish(..., outbox=True)``).

False positives: changes that are repeated until all have happened; say so with a ``Saga`` whose
steps are retriable.

Sources: Garcia-Molina and Salem, Sagas, 1987; Richardson, Microservices Patterns, 2018, chapter 4;
Helland, Life beyond Distributed Transactions, 2007.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from archcheck import (
    Atomicity,
    Call,
    Consumer,
    Endpoint,
    Fallback,
    Feature,
    Flag,
    MySQL,
    Outbox,
    Publish,
    Read,
    Redis,
    Saga,
    SagaStep,
    Service,
    Step,
    System,
    Topic,
    TwoPhaseCommit,
    Write,
)
from archcheck.findings import Result, Rule, Violation
from archcheck.graph import Graph
from archcheck.graph.changes import Way, changes_behind
from archcheck.graph.in_process import is_done_below, steps_of, with_own
from archcheck.graph.messages import is_repeated_until_done
from archcheck.model.brokers import Delivery
from archcheck.proof.feature_flags import FeatureFlags

rule = Rule(
    "DAT020", "change-across-services", severity="error", method="graph", on_unknown="violation"
)


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    family = FeatureFlags(graph.system)
    for name, operation in graph.operations.items():
        if is_repeated_until_done(graph, operation):
            continue
        atomicity = getattr(operation.part, "atomicity", None)
        branches = _left_apart(graph, atomicity, _branches(graph, name))
        changed = _together(graph, family, name, branches)
        if changed:
            services = ", ".join(changed)
            yield Violation(
                operation,
                f"{name} changes data of {len(changed)} services ({services}) and "
                + ("nothing" if atomicity is None else f"no part of its {type(atomicity).__name__}")
                + " keeps them together",
                fix="atomicity=Saga([...]), or let all but one of them consume an event",
                evidence=tuple(dict.fromkeys(step for way in changed.values() for step in way)),
            )


def _branches(graph: Graph, operation: str) -> list[list[Way]]:
    """The ways to changes that may not be lost, by the step of the operation that begins them.

    Steps of its own service's endpoints that it calls are its own.
    """
    steps = (step for step in steps_of(graph, operation) if step.target is not step.source)
    branches = (changes_behind(graph, step) for step in steps)
    return [[way for way in ways if not any(s.optional for s in way)] for ways in branches]


def _left_apart(graph: Graph, atomicity: object, branches: list[list[Way]]) -> list[list[Way]]:
    """The branches that the declared means does not keep together with others."""
    match atomicity:
        case TwoPhaseCommit():
            stores = [way[-1].target for ways in branches for way in ways]
            safe = all(getattr(store, "is_transactional", False) for store in stores)
            return [] if safe else branches
        case Saga():
            actions = {str(part.action) for part in atomicity.settled()}
            parts = with_own(graph, actions)
            return [ways for ways in branches if not any(_is_part(way, parts) for way in ways)]
        case _:
            return branches


def _is_part(way: Way, actions: set[str]) -> bool:
    return way[0].target_name in actions or way[0].operation.name in actions


def _together(
    graph: Graph, family: FeatureFlags, operation: str, branches: list[list[Way]]
) -> dict[str, Way]:
    """The first change of each service that happens beside another's in some configuration."""
    found: dict[str, Way] = {}
    for here, there in itertools.combinations(branches, 2):
        for one, other in itertools.product(here, there):
            if {one[-1].source.name, other[-1].source.name} <= found.keys():
                continue
            flags = {flag for step in (*one, *other) for flag in step.flags}
            apart = one[-1].source is not other[-1].source
            apart = apart and one[-1].target is not other[-1].target
            apart = apart and not is_done_below(graph, operation, (one[0], other[0]))
            if apart and family.configuration(flags) is not None:
                found.setdefault(one[-1].source.name, one)
                found.setdefault(other[-1].source.name, other)
    return found


def _shop(*steps: Step, atomicity: Atomicity | None = None) -> System:
    pay = [Write("ledger")]
    return System(
        "shop",
        [
            Flag("new"),
            MySQL("orders_db"),
            MySQL("stock_db"),
            MySQL("ledger"),
            Redis("hot", role="cache"),
            Topic("placed"),
            Service("orders", endpoints=[Endpoint("place", steps=steps, atomicity=atomicity)]),
            Service(
                "stock",
                endpoints=[
                    Endpoint("reserve", steps=[Write("stock_db")]),
                    Endpoint("release", steps=[Write("stock_db")]),
                    Endpoint("get", steps=[Read("stock_db"), Write("hot")]),
                ],
                consumers=[Consumer("placed", name="take", steps=[Write("stock_db")])],
            ),
            Service("payments", endpoints=[Endpoint("charge", steps=pay)]),
            Service("till", endpoints=[Endpoint("pay", steps=[Call("payments.charge")])]),
        ],
    )


@rule.bad("orders.place")
def its_own_data_and_those_of_a_callee() -> System:
    return _shop(Write("orders_db"), Call("stock.reserve"))


@rule.bad("orders.place")
def two_callees_one_of_them_behind_another() -> System:
    return _shop(Call("stock.reserve"), Call("till.pay"))


@rule.bad("orders.place")
def an_outbox_does_not_hold_a_call() -> System:
    return _shop(Write("orders_db"), Call("stock.reserve"), atomicity=Outbox())


def _worked_off(*, idempotent: bool, delivery: Delivery = "at_least_once") -> System:
    system = _shop()
    steps = [Call("stock.reserve"), Call("till.pay")]
    consumer = Consumer("paid", idempotent=idempotent, steps=steps)
    more = (Topic("paid", delivery=delivery), Service("desk", consumers=[consumer]))
    return replace(system, elements=[*system.elements, *more])


@rule.bad("desk.consume")
def a_message_that_may_not_be_worked_on_again() -> System:
    return _worked_off(idempotent=False)


@rule.bad("desk.consume")
def a_message_that_comes_once() -> System:
    return _worked_off(idempotent=True, delivery="at_most_once")


@rule.good
def a_message_that_comes_again_until_both_are_done() -> System:
    return _worked_off(idempotent=True)


@rule.borderline("orders.place")
def two_beside_the_saga() -> System:
    saga = Saga([SagaStep("stock.reserve", compensation="stock.release")])
    steps = [Call("stock.reserve"), Write("orders_db"), Call("till.pay")]
    return _shop(*steps, atomicity=saga)


@rule.good
def a_saga_runs_both() -> System:
    steps = [
        SagaStep("stock.reserve", compensation="stock.release"),
        SagaStep("till.pay", pivot=True),
    ]
    return _shop(Call("stock.reserve"), Call("till.pay"), atomicity=Saga(steps))


@rule.good
def what_cannot_be_repeated_is_undone() -> System:
    steps = [
        SagaStep("stock.reserve", compensation="stock.release", retriable=False),
        SagaStep("till.pay", pivot=True, retriable=False),
    ]
    return _shop(Call("stock.reserve"), Call("till.pay"), atomicity=Saga(steps))


@rule.good
def the_other_consumes_an_event() -> System:
    return _shop(Write("orders_db"), Publish("placed", outbox=True), atomicity=Outbox())


@rule.good
def databases_with_transactions() -> System:
    return _shop(Call("stock.reserve"), Call("till.pay"), atomicity=TwoPhaseCommit())


@rule.borderline()
def one_changes_the_other_reads() -> System:
    return _shop(Write("orders_db"), Call("stock.get"))


@rule.borderline()
def a_change_that_may_be_lost() -> System:
    return _shop(Write("orders_db"), Call("stock.reserve", optional=True))


@rule.borderline()
def a_flag_chooses_one_of_both() -> System:
    old = Feature("new", [Call("till.pay")], off=True)
    return _shop(Feature("new", [Call("stock.reserve")]), old)


@rule.borderline()
def two_calls_of_one_service() -> System:
    return _shop(Call("stock.reserve"), Call("stock.release"))


@rule.borderline("orders.place")
def only_the_endpoint_that_does_both_is_named() -> System:
    made = _shop(Write("orders_db"), Call("stock.reserve"))
    page = Endpoint("page", steps=[Call("orders.place")])
    return System("shop", [*made.elements, Service("web", endpoints=[page])])


@rule.bad("orders.place")
def who_is_asked_instead_changes_data() -> System:
    instead = Fallback("call", target="stock.reserve")
    return _shop(Write("orders_db"), Call("stock.get", fallback=instead))
