"""The lag of topics and queues is measured.

Why it matters: a consumer that falls behind fails in silence; its users see old data long before
anybody sees an error.

How to fix: ``lag_metric="kafka_consumergroup_lag"`` on the topic, or ``"lag"`` among the
indicators of its consumers' metrics.

False positives: channels that nobody in the system consumes; they are left out.

Sources: Burrow and the Kafka documentation, consumer lag; Google SRE book, chapter 6 (saturation).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Consumer, Metrics, Service, System, Topic
from archcheck.findings import NotApplicable, Result, Rule, Violation
from archcheck.graph import Graph

rule = Rule("OBS007", "queue-unwatched", severity="warning", method="attr", on_unknown="violation")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    consumed = [c for c in graph.system.channels if graph.consumers.get(c.name)]
    if not consumed:
        yield NotApplicable("no service consumes a topic or queue")
    for channel in consumed:
        readers = [graph.operations[name] for name in graph.consumers[channel.name]]
        watched = all(_measures_lag(getattr(reader.owner, "metrics", None)) for reader in readers)
        if getattr(channel, "lag_metric", None) is None and not watched:
            yield Violation(
                channel,
                f"nothing measures how far the consumers of {channel.name} are behind",
                fix='lag_metric="kafka_consumergroup_lag"',
                evidence=tuple(readers),
                cause="nothing measures how far consumers are behind",
            )


def _measures_lag(metrics: object) -> bool:
    return isinstance(metrics, Metrics) and "lag" in metrics.indicators


def _consumed(metric: str | None, *metrics: Metrics | None) -> System:
    readers = [
        Service(f"r{n}", metrics=each, consumers=[Consumer("placed")])
        for n, each in enumerate(metrics)
    ]
    return System("shop", [Topic("placed", lag_metric=metric), *readers])


@rule.bad("placed")
def nobody_looks() -> System:
    return _consumed(None, None)


@rule.borderline("placed")
def only_one_of_two_consumers() -> System:
    return _consumed(None, Metrics(indicators=["lag"]), Metrics(indicators=["rate"]))


@rule.good
def the_broker_is_watched() -> System:
    return _consumed("kafka_consumergroup_lag", None)


@rule.good
def the_consumer_measures_it() -> System:
    return _consumed(None, Metrics(indicators=["rate", "lag"]))
