"""The lag of topics and queues is measured.

Why it matters: a consumer that falls behind fails in silence; its users see old data long before
anybody sees an error.

Where a consumer's metrics, or what they cover, are not declared, the rule asks.

How to fix: ``lag_metric="kafka_consumergroup_lag"`` on the topic, or ``"lag"`` among the
indicators of its consumers' metrics.

False positives: channels that nobody in the system consumes; they are left out.

Sources: Burrow and the Kafka documentation, consumer lag; Google SRE book, chapter 6 (saturation).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Consumer, Metrics, Named, Service, System, Topic
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("OBS007", "queue-unwatched", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    consumed = [c for c in graph.system.channels if graph.consumers.get(c.name)]
    if not consumed:
        yield NotApplicable("no service consumes a topic or queue")
    for channel in consumed:
        readers = [graph.operations[name] for name in graph.consumers[channel.name]]
        watched = [_measures_lag(reader.owner) for reader in readers]
        if getattr(channel, "lag_metric", None) is not None or all(watched):
            continue
        if False not in watched:
            yield Undecided(
                channel, "lag_metric", 'holds with "lag" among the indicators of its consumers'
            )
        else:
            yield Violation(
                channel,
                f"nothing measures how far the consumers of {channel.name} are behind",
                fix='lag_metric="...": the lag or length that its broker reports; or "lag" among '
                "the indicators of each consumer's metrics",
                evidence=tuple(readers),
                cause="nothing measures how far consumers are behind",
            )


def _measures_lag(reader: Named) -> bool | None:
    """Whether the metrics of a consumer cover it; ``None``: nobody says what they cover."""
    metrics = getattr(reader, "metrics", None)
    if isinstance(metrics, Metrics):
        return "lag" in metrics.indicators if metrics.indicators else None
    return None if metrics is None else False


def _consumed(metric: str | None, *metrics: Metrics | Absent | None) -> System:
    readers = [
        Service(f"r{n}", metrics=each, consumers=[Consumer("placed")])
        for n, each in enumerate(metrics)
    ]
    return System("shop", [Topic("placed", lag_metric=metric), *readers])


@rule.bad("placed")
def nobody_looks() -> System:
    return _consumed(None, Absent("not yet"))


@rule.unknown("lag_metric")
def nobody_says() -> System:
    return _consumed(None, None)


@rule.unknown("lag_metric")
def nobody_says_what_the_metrics_cover() -> System:
    return _consumed(None, Metrics(path="/metrics"))


@rule.borderline("placed")
def only_one_of_two_consumers() -> System:
    return _consumed(None, Metrics(indicators=["lag"]), Metrics(indicators=["rate"]))


@rule.good
def the_broker_is_watched() -> System:
    return _consumed("kafka_consumergroup_lag", None)


@rule.good
def the_consumer_measures_it() -> System:
    return _consumed(None, Metrics(indicators=["rate", "lag"]))
