"""Consumers of messages that may come twice can take them twice.

Why it matters: at-least-once delivery means that a message comes again after each lost
acknowledgement, rebalance or restart. A consumer that is not idempotent then does its work again.

How to fix: remember the ids of processed messages, or write so that a repetition changes nothing,
and declare ``idempotent=True``.

False positives: none known; exactly-once within one broker still ends at the broker's edge.

Sources: Kafka documentation, Message Delivery Semantics; Richardson, Microservices Patterns,
2018 (idempotent consumer); Azure Architecture Center, Idempotent message processing.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Consumer, Kafka, Service, System, Topic
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.idempotence import is_idempotent
from archcheck.graph.messages import delivery_of

rule = Rule("RES021", "consumer-not-idempotent", severity="error", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for topic, readers in graph.consumers.items():
        channel = graph.system.find(topic)
        delivery, source = delivery_of(graph.system, channel)
        if delivery is None:
            yield Undecided(channel, "delivery")
            continue
        for name in readers if delivery == "at_least_once" else ():
            consumer = graph.operations[name]
            idempotent = is_idempotent(graph, consumer)
            documented = f" ({source})" if source else ""
            if idempotent is None:
                yield Undecided(consumer, "idempotent")
            elif not idempotent:
                yield Violation(
                    consumer,
                    f"{name} is not idempotent, but {topic} delivers at least once{documented}",
                    fix="idempotent=True (and make it so: remember processed ids)",
                )


def _consuming(consumer: Consumer) -> System:
    return System(
        "shop",
        [Kafka("kafka"), Topic("placed", broker="kafka"), Service("mail", consumers=[consumer])],
    )


@rule.bad("mail.consume")
def the_mail_goes_out_twice() -> System:
    return _consuming(Consumer("placed", idempotent=False))


@rule.good
def repetitions_are_recognised() -> System:
    return _consuming(Consumer("placed", idempotent=True))


@rule.unknown("idempotent")
def nobody_says() -> System:
    return _consuming(Consumer("placed"))


@rule.borderline()
def at_most_once_is_never_twice() -> System:
    return System(
        "shop",
        [
            Topic("ticks", delivery="at_most_once"),
            Service("mail", consumers=[Consumer("ticks", idempotent=False)]),
        ],
    )


@rule.unknown("delivery")
def nobody_says_what_the_broker_promises() -> System:
    mail = Service("mail", consumers=[Consumer("ticks", idempotent=False)])
    return System("shop", [Topic("ticks"), mail])
