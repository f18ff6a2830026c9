"""Consumers of messages that may come twice can take them twice.

Why it matters: at-least-once delivery means that a message comes again after each lost
acknowledgement, rebalance or restart. A consumer that is not idempotent then does its work again.
Even of a queue that promises exactly once, a message comes again while its consumer takes longer
for it than its visibility timeout. At most once means that it is acknowledged before the work. A
consumer whose steps only read can take it twice, unless it declares the opposite.

How to fix: remember the ids of processed messages, or write so that a repetition changes nothing,
and declare ``idempotent=True``.

False positives: none known. What it does not see: ``exactly_once`` is believed, though the promise
ends at the broker's edge. Declare it only where all that the consumer changes is part of the same
transaction; a run delivers again what a lost replica worked on.

Sources: Kafka documentation, Message Delivery Semantics; Richardson, Microservices Patterns,
2018 (idempotent consumer); Azure Architecture Center, Idempotent message processing.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Call,
    Constant,
    Consumer,
    Endpoint,
    Http1,
    Kafka,
    Named,
    Queue,
    Service,
    Sqs,
    System,
    Topic,
    Work,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Operation
from archcheck.graph.exact import exact, shown
from archcheck.graph.idempotence import is_idempotent
from archcheck.graph.messages import delivery_of, visibility_of
from archcheck.proof.worst_cases import WorstCases, worst_cases
from archcheck.units import Duration, s

rule = Rule("RES021", "consumer-not-idempotent", severity="error", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    cases = worst_cases(graph)
    for topic, readers in graph.consumers.items():
        channel = graph.system.find(topic)
        delivery, source = delivery_of(graph.system, channel)
        if delivery is None:
            yield Undecided(channel, "delivery")
            continue
        if delivery == "at_most_once":
            continue
        documented = f" ({source})" if source else ""
        for name in readers:
            why = f"{topic} delivers at least once{documented}"
            if delivery != "at_least_once":
                why = _comes_again(cases, channel, name)
            if why:
                yield from _judge(graph, graph.operations[name], why)


def _judge(graph: Graph, consumer: Operation, why: str) -> Iterator[Result]:
    idempotent = is_idempotent(graph, consumer)
    if idempotent is None:
        yield Undecided(consumer, "idempotent")
    elif not idempotent:
        yield Violation(
            consumer,
            f"{consumer.name} is not idempotent, but {why}",
            fix="idempotent=True (and make it so: remember processed ids)",
        )


def _comes_again(cases: WorstCases, channel: Named, consumer: str) -> str:
    """Why a message is delivered again that is still worked on; empty if it is not."""
    visibility = visibility_of(cases.graph.system, channel)
    longest = cases.of(consumer).seconds
    if visibility is None or longest <= exact(visibility):
        return ""
    return (
        f"{channel.name} delivers again what is not acknowledged within {visibility}, and it may "
        f"take {shown(longest)}"
    )


def _consuming(consumer: Consumer) -> System:
    return System(
        "shop",
        [Kafka("kafka"), Topic("placed", broker="kafka"), Service("mail", consumers=[consumer])],
    )


@rule.bad("mail.consume")
def the_mail_goes_out_twice() -> System:
    return _consuming(Consumer("placed", idempotent=False))


def _queued(takes: Duration) -> System:
    work = Consumer("mails", idempotent=False, steps=[Work(Constant(takes))])
    mails = Queue("mails", broker="sqs", delivery="exactly_once", visibility_timeout=30 * s)
    return System("shop", [Sqs("sqs"), mails, Service("mail", consumers=[work])])


@rule.bad("mail.consume")
def it_comes_again_while_it_is_worked_on() -> System:
    return _queued(120 * s)


@rule.borderline()
def it_is_done_before() -> System:
    return _queued(30 * s)


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


@rule.borderline()
def what_it_asks_only_reads() -> System:
    listen = Consumer("placed", steps=[Call("stock.get")])
    stock = Service("stock", endpoints=[Endpoint("get", Http1("GET"))])
    mail = Service("mail", consumers=[listen])
    return System("shop", [Kafka("kafka"), Topic("placed", broker="kafka"), mail, stock])
