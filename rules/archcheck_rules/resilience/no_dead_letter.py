"""Messages that cannot be processed go somewhere, or are dropped on purpose.

Why it matters: a message that always fails is delivered for ever; it blocks its partition, or
takes the consumers' time from all others, and nobody sees it.

How to fix: ``dead_letter="dead-letters"`` on the topic or the consumer, or a declared policy to
drop: ``max_deliveries=3`` with ``dead_letter=Absent("a lost view count does not matter")``.

A classic queue of RabbitMQ takes what failed back without end unless a limit is set, so that its
dead letters stay empty; there ``max_deliveries=`` is needed as well, and without it the rule asks
for an undeclared broker.

False positives: consumers that cannot fail, because they only count; quorum queues of RabbitMQ 4,
which set a limit of 20 deliveries themselves: declare ``max_deliveries=20``.

Sources: Hohpe and Woolf, Enterprise Integration Patterns, 2003 (Dead Letter Channel); Amazon SQS
developer guide, Using dead-letter queues; RabbitMQ, Dead Letter Exchanges (rejected without
requeueing, or beyond the delivery limit of a quorum queue).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Consumer, Kafka, Named, Queue, RabbitMQ, Service, System, Topic
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.messages import is_at_most_once

rule = Rule("RES020", "no-dead-letter", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for operation in graph.operations.values():
        consumer = operation.part
        if not isinstance(consumer, Consumer):
            continue
        topic = graph.system.find(str(consumer.topic))
        target = consumer.dead_letter or getattr(topic, "dead_letter", None)
        if is_at_most_once(graph.system, consumer):
            continue  # it is never delivered again
        if target == topic.name:
            yield Violation(
                operation,
                f"what {operation.name} cannot process of {topic.name} goes back to {topic.name}",
                fix='dead_letter="dead-letters", a topic of its own',
            )
        elif target is None:
            yield Undecided(operation, "dead_letter")
        elif not isinstance(target, Absent):
            if consumer.max_deliveries is None and _requeues_for_ever(graph, topic):
                yield Violation(
                    operation,
                    f"{topic.name} gives a message that {operation.name} cannot process back to "
                    f"it, and it never goes to {target}: no limit is set",
                    fix="max_deliveries=5",
                )
            elif consumer.max_deliveries is None and getattr(topic, "broker", None) is None:
                yield Undecided(topic, "broker", "holds with one that counts deliveries")
        elif consumer.max_deliveries is None:
            yield Violation(
                operation,
                f"a message of {topic.name} that {operation.name} cannot process comes back "
                f"without end ({target.reason!r})",
                fix='dead_letter="dead-letters", max_deliveries=5',
            )


def _requeues_for_ever(graph: Graph, channel: Named) -> bool:
    """Whether the broker has no limit of its own after which a message counts as dead."""
    broker = getattr(channel, "broker", None)
    return broker is not None and isinstance(graph.system.find(str(broker)), RabbitMQ)


def _consuming(dead_letter: str | Absent | None, max_deliveries: int | None = None) -> System:
    consumer = Consumer("placed", dead_letter=dead_letter, max_deliveries=max_deliveries)
    return System(
        "shop",
        [
            Service("mail", consumers=[consumer]),
            Kafka("kafka"),
            Topic("placed", broker="kafka"),
            Topic("dead-letters", broker="kafka"),
        ],
    )


@rule.bad("mail.consume")
def it_comes_back_for_ever() -> System:
    return _consuming(Absent("not yet"))


@rule.bad("mail.consume")
def its_own_dead_letter_topic() -> System:
    return _consuming("placed")


def _on_rabbitmq(max_deliveries: int | None) -> System:
    return System(
        "shop",
        [
            RabbitMQ("rabbit"),
            Queue("dead", broker="rabbit"),
            Queue("placed", broker="rabbit", dead_letter="dead"),
            Service("mail", consumers=[Consumer("placed", max_deliveries=max_deliveries)]),
        ],
    )


@rule.bad("mail.consume")
def nothing_ever_counts_as_dead() -> System:
    return _on_rabbitmq(None)


@rule.good
def dead_after_five_deliveries() -> System:
    return _on_rabbitmq(5)


@rule.good
def at_most_once_never_comes_back() -> System:
    return System(
        "shop",
        [
            Service("mail", consumers=[Consumer("placed", dead_letter=Absent("may be lost"))]),
            Topic("placed", delivery="at_most_once"),
        ],
    )


@rule.good
def a_topic_for_dead_letters() -> System:
    return _consuming("dead-letters")


@rule.borderline()
def dropped_on_purpose_after_three_tries() -> System:
    return _consuming(Absent("a mail may be lost"), max_deliveries=3)


@rule.unknown("dead_letter")
def nobody_says() -> System:
    return _consuming(None)


@rule.unknown("dead_letter")
def what_fails_once_is_lost_without_a_word() -> System:
    return _consuming(None, max_deliveries=1)


@rule.unknown("broker")
def nobody_says_who_counts_the_deliveries() -> System:
    mail = Service("mail", consumers=[Consumer("placed")])
    return System("shop", [Queue("dead"), Queue("placed", dead_letter="dead"), mail])
