"""No endpoint writes a datastore and publishes an event without an outbox or change capture.

Why it matters: two systems are changed one after the other. When the process stops in between,
the data say one thing and the event, or its absence, another, for ever.

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
    ChangeCapture,
    Datastore,
    Endpoint,
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

rule = Rule("DAT007", "dual-write", severity="error", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for name, steps in graph.outgoing.items():
        writes = [step for step in steps if step.mode == "write" and _is_durable(step)]
        operation = graph.operations[name]
        atomicity = getattr(operation.part, "atomicity", None)
        if not writes or isinstance(atomicity, Outbox | ChangeCapture | TwoPhaseCommit):
            continue
        for step in steps:
            outbox = getattr(step.step, "outbox", True)
            if step.mode != "publish" or outbox:
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


def _is_durable(step: Interaction) -> bool:
    return isinstance(step.target, Datastore) and not step.target.is_cache


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
