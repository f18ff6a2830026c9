"""No endpoint writes a datastore and publishes an event without an outbox or change capture.

Why it matters: two systems are changed one after the other. When the process stops in between,
the data say one thing and the event, or its absence, another, for ever.

Whether a message goes through an outbox is asked for where nobody says it, of consumers too: that a
message is delivered again repairs nothing unless what it causes can be repeated. A consumer that is
declared idempotent, of a channel that delivers at least once, repeats both until they have
happened.

Endpoints of its own service that an endpoint calls, or asks in a fallback, count as a part of it.
Where feature flags never
allow both, and where the message is ``optional``, so that its loss is accepted, there is nothing to
keep together.

How to fix: write the message with the data and send it from there (``outbox=True`` on the
publish, ``atomicity=Outbox()``), or derive it from the datastore's log (``ChangeCapture()``).

False positives: events whose loss does not matter, such as hints to refresh a cache.

Sources: Richardson, Microservices Patterns, 2018 (transactional outbox); Kleppmann, Designing
Data-Intensive Applications, 2017, chapter 11 (keeping systems in sync).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Atomicity,
    Call,
    ChangeCapture,
    Consumer,
    Endpoint,
    Feature,
    Flag,
    MySQL,
    Outbox,
    Publish,
    Redis,
    Saga,
    SagaStep,
    Service,
    System,
    Topic,
    TwoPhaseCommit,
    Write,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction
from archcheck.graph.changes import is_durable_write
from archcheck.graph.in_process import is_done_below, steps_of
from archcheck.graph.messages import is_repeated_until_done
from archcheck.proof.feature_flags import FeatureFlags

rule = Rule("DAT007", "dual-write", severity="error", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    family = FeatureFlags(graph.system)
    for name, operation in graph.operations.items():
        if is_repeated_until_done(graph, operation):
            continue
        steps = steps_of(graph, name, fallbacks=True)
        changes = [step for step in steps if is_durable_write(step)]
        atomicity = getattr(operation.part, "atomicity", None)
        if not changes or isinstance(atomicity, Outbox | ChangeCapture | TwoPhaseCommit):
            continue
        for step in steps:
            outbox = getattr(step.step, "outbox", True)
            if step.mode != "publish" or step.optional or outbox:
                continue
            writes = [one for one in changes if _beside(graph, family, name, one, step)]
            if not writes:
                continue
            if outbox is None:
                yield Undecided(step, "outbox")
            else:
                yield Violation(
                    step,
                    f"{name} writes {writes[0].target.name} and publishes {step.target.name}, and "
                    "nothing keeps the two together",
                    fix="outbox=True, with atomicity=Outbox() on the endpoint",
                    evidence=(*writes, step),
                )


def _beside(
    graph: Graph, family: FeatureFlags, operation: str, write: Interaction, publish: Interaction
) -> bool:
    """Whether both happen in some configuration, and not in one endpoint that says so itself."""
    if is_done_below(graph, operation, (write, publish)):
        return False
    return family.configuration({*write.flags, *publish.flags}) is not None


def _place(outbox: bool | None, atomicity: Atomicity | None = None, store: str = "db") -> System:
    steps = [Write(store), Publish("placed", outbox=outbox)]
    return System(
        "shop",
        [
            MySQL("db"),
            Redis("cache"),
            Topic("placed"),
            Service("orders", endpoints=[Endpoint("place", steps=steps, atomicity=atomicity)]),
        ],
    )


@rule.bad("orders.place -> placed")
def one_after_the_other() -> System:
    return _place(False)


@rule.bad("orders.place -> placed")
def a_saga_does_not_help() -> System:
    return _place(False, Saga([SagaStep("orders.place")]))


@rule.bad("orders.tell -> placed")
def an_endpoint_of_its_own_publishes() -> System:
    place = Endpoint("place", steps=[Write("db"), Call("orders.tell")])
    tell = Endpoint("tell", steps=[Publish("placed", outbox=False)])
    orders = Service("orders", endpoints=[place, tell])
    return System("shop", [MySQL("db"), Topic("placed"), orders])


def _worked_off(*, idempotent: bool) -> System:
    steps = [Write("db"), Publish("sent", outbox=False)]
    consumer = Consumer("placed", idempotent=idempotent, steps=steps)
    placed = Topic("placed", delivery="at_least_once")
    mail = Service("mail", consumers=[consumer])
    return System("shop", [MySQL("db"), placed, Topic("sent"), mail])


@rule.bad("mail.consume -> sent")
def a_message_that_may_not_be_worked_on_again() -> System:
    return _worked_off(idempotent=False)


@rule.good
def a_message_that_comes_again_until_both_are_done() -> System:
    return _worked_off(idempotent=True)


@rule.borderline()
def a_flag_chooses_one_of_both() -> System:
    publish = Publish("placed", outbox=False)
    steps = [Feature("new", [Write("db")]), Feature("new", [publish], off=True)]
    orders = Service("orders", endpoints=[Endpoint("place", steps=steps)])
    return System("shop", [Flag("new"), MySQL("db"), Topic("placed"), orders])


@rule.borderline()
def a_hint_that_may_be_lost() -> System:
    steps = [Write("db"), Publish("placed", outbox=False, optional=True)]
    orders = Service("orders", endpoints=[Endpoint("place", steps=steps)])
    return System("shop", [MySQL("db"), Topic("placed"), orders])


@rule.borderline()
def a_cache_is_no_record() -> System:
    return _place(False, store="cache")


@rule.good
def through_an_outbox() -> System:
    return _place(True)


@rule.good
def from_the_log_of_the_database() -> System:
    return _place(None, ChangeCapture(tool="Debezium"))


@rule.unknown("outbox")
def nobody_says() -> System:
    return _place(None)
