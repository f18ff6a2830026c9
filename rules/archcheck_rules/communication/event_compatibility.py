"""Schemas of topics say what stays compatible; old messages that are read again need it for ever.

Why it matters: producers and consumers are released at different times, so each version meets
the one before. Where old messages are read again, each version meets all that ever were: a check
against the last version alone lets a break build up in two steps.

A transitive mode is asked for when a topic is replayed, or keeps its messages longer than
``max_retention``.

How to fix: ``contract=Contract("paid.avsc", compatibility="backward_transitive")`` and the same
mode in the registry.

False positives: topics whose consumers are always released with the producer.

Sources: Confluent, Schema Evolution and Compatibility; StreamNative, schema compatibility check
strategies. The default retention is Kafka's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from archcheck import Broker, Channel, Contract, Kafka, System, Topic, effective
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph
from archcheck.units import Duration, days


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_retention: Duration = option(7 * days, "retention up to which pairs of versions suffice")


rule = Rule("COM013", "event-compatibility", severity="warning", method="attr", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    described = [c for c in graph.system.channels if getattr(c, "contract", None) is not None]
    if not described:
        yield NotApplicable("no topic or queue has a schema")
    for channel in described:
        contract = getattr(channel, "contract", None)
        mode = contract.compatibility if isinstance(contract, Contract) else None
        if mode is None:
            yield Undecided(channel, "contract.compatibility")
        elif mode == "none":
            yield Violation(
                channel,
                f"the schema of {channel.name} promises no compatibility at all",
                fix='Contract(..., compatibility="backward")',
            )
        elif not mode.endswith("_transitive"):
            yield from _judge_history(graph, channel, mode, options)


def _judge_history(graph: Graph, channel: Channel, mode: str, options: Options) -> Iterator[Result]:
    if not isinstance(channel, Topic):
        return
    retention = _retention(graph, channel)
    kept = retention is not None and retention > options.max_retention
    if channel.replayed or kept:
        why = "is read again from the start" if channel.replayed else f"is kept for {retention}"
        yield Violation(
            channel,
            f"{channel.name} {why}, and {mode} compares only neighbouring versions",
            fix=f'Contract(..., compatibility="{mode}_transitive")',
        )
    elif channel.replayed is None:
        yield Undecided(channel, "replayed")
    elif retention is None:
        yield Undecided(channel, "retention", f"holds up to {options.max_retention}")


def _retention(graph: Graph, topic: Topic) -> Duration | None:
    if topic.retention is not None:
        return topic.retention
    broker = graph.system.find(str(topic.broker)) if topic.broker else None
    value: Duration | None = effective(broker, "retention").value if broker else None
    return value


def _topic(
    mode: Literal["none", "backward", "backward_transitive"] | None,
    *,
    replayed: bool | None = False,
    retention: Duration | None = None,
    broker: Broker | None = None,
) -> System:
    topic = Topic(
        "paid",
        contract=Contract("paid.avsc", compatibility=mode),
        replayed=replayed,
        retention=retention,
        broker=broker,
    )
    return System("shop", [topic, *([broker] if broker else [])])


@rule.bad("paid")
def no_promise() -> System:
    return _topic("none")


@rule.bad("paid")
def old_messages_are_read_again() -> System:
    return _topic("backward", replayed=True)


@rule.bad("paid")
def kept_for_a_month() -> System:
    return _topic("backward", retention=30 * days)


@rule.borderline()
def kept_for_a_week() -> System:
    return _topic("backward", broker=Kafka("kafka"))


@rule.good
def every_version_is_checked() -> System:
    return _topic("backward_transitive", replayed=True, retention=365 * days)


@rule.unknown("contract.compatibility")
def no_mode() -> System:
    return _topic(None)


@rule.unknown("replayed")
def nobody_says_whether_it_is_replayed() -> System:
    return _topic("backward", replayed=None, retention=1 * days)


@rule.unknown("retention")
def nobody_says_how_long() -> System:
    return _topic("backward")
