"""Topics and queues have a schema.

Why it matters: messages outlive the code that wrote them; a reader that has to guess their
fields breaks at a time that nobody connects with the change.

How to fix: ``contract="contracts/paid.v1.avsc"`` (Avro, Protocol Buffers, JSON Schema or
AsyncAPI), registered where producers check it.

False positives: channels that carry opaque bytes by design, such as dead letters; suppress them
with the reason. Dead letters that nobody else publishes to need none.

Sources: AsyncAPI Initiative, message schemas; Confluent, Schema Registry.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Consumer, Contract, Endpoint, Publish, Queue, Service, System, Topic
from archcheck.findings import NotApplicable, Result, Rule, Violation
from archcheck.graph import Graph

rule = Rule(
    "COM010", "topic-without-schema", severity="warning", method="attr", on_unknown="violation"
)


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if not graph.system.channels:
        yield NotApplicable("there is no topic and no queue")
    ends = graph.dead_letters - _published_to_by_others(graph)
    for channel in graph.system.channels:
        if getattr(channel, "contract", None) is None and channel.name not in ends:
            yield Violation(
                channel,
                f"the {channel.kind} {channel.name} has no schema",
                fix=f'contract="contracts/{channel.name}.v1.avsc"',
                cause="a topic or queue has no schema",
            )


def _published_to_by_others(graph: Graph) -> set[str]:
    """The channels that somebody publishes to who does not put dead letters there by hand."""
    found = set()
    for step in graph.interactions:
        part = step.operation.part
        topic = graph.system.find(str(part.topic)) if isinstance(part, Consumer) else None
        ends = {getattr(holder, "dead_letter", None) for holder in (part, topic)}
        if step.mode == "publish" and step.target.name not in ends:
            found.add(step.target.name)
    return found


@rule.bad("paid", "mails")
def neither_has_one() -> System:
    return System("shop", [Topic("paid"), Queue("mails")])


@rule.borderline()
def dead_letters_hold_anything() -> System:
    return System("shop", [Topic("paid", contract="paid.avsc", dead_letter="dead"), Topic("dead")])


@rule.good
def both_have_one() -> System:
    mails = Queue("mails", contract=Contract("mails.json", version="1"))
    return System("shop", [Topic("paid", contract="paid.avsc"), mails])


@rule.bad("unread")
def dead_letters_to_which_others_publish() -> System:
    return _ended(Service("desk", endpoints=[Endpoint("ask", steps=[Publish("unread")])]))


@rule.borderline()
def its_own_consumer_puts_dead_letters_there() -> System:
    return _ended(Service("desk", consumers=[Consumer("paid", steps=[Publish("unread")])]))


def _ended(publisher: Service) -> System:
    paid = Topic("paid", contract="paid.v1.avsc", dead_letter="unread")
    return System("shop", [paid, Queue("unread"), publisher])
