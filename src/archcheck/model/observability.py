"""Metrics, logs, traces and the platforms that collect them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from archcheck.model.deployment import Deployment
from archcheck.model.element import Element, Many, element
from archcheck.model.named import Described, Named, PlatformRef, Ref
from archcheck.model.values import Default, Documented
from archcheck.units import Duration, KiB, Size

Signal = Literal["metrics", "logs", "traces"]


class Platform(Named, Documented):
    """A place where telemetry is collected."""

    referred_as = "platform"

    label: ClassVar[str] = ""
    """Its product name."""
    collects: ClassVar[tuple[Signal, ...]] = ()
    """The signals it takes."""


@element
class _Platform(Described, Platform):
    """Fields that every platform has."""

    _is_abstract = True

    owner: str | None = None
    """The team that runs it."""
    version: str | None = None
    """Version in use."""
    deployment: Deployment | None = None
    """Where it runs."""
    start_after: Many[Ref] = ()
    """Elements that must be up before it starts."""
    retention: Duration | None = None
    """How long data are kept."""
    scrapes: Many[Ref] = ()
    """What it collects from by itself."""


@element
class Prometheus(_Platform):
    """Prometheus: pulls metrics; one minute between scrapes, 15 days of retention by default.

    prometheus.io, Configuration ``global.scrape_interval`` and Storage
    ``--storage.tsdb.retention.time``.
    """

    label: ClassVar[str] = "Prometheus"
    collects: ClassVar[tuple[Signal, ...]] = ("metrics",)
    documented: ClassVar[Mapping[str, Default]] = {
        "scrape_interval": Default(
            Duration(60.0), "prometheus.io: global.scrape_interval", "2026-11-30"
        ),
        "retention": Default(
            Duration(15 * 86400.0), "prometheus.io: storage.tsdb.retention.time", "2026-11-30"
        ),
    }

    scrape_interval: Duration | None = None
    """Time between scrapes."""
    series_budget: Annotated[int, Field(ge=1)] | None = None
    """Time series that it is sized for."""


@element
class OpenTelemetryCollector(_Platform):
    """OpenTelemetry Collector: receives, processes and forwards all three signals."""

    label: ClassVar[str] = "OpenTelemetry"
    collects: ClassVar[tuple[Signal, ...]] = ("metrics", "logs", "traces")

    forwards_to: Many[PlatformRef] = ()
    """Where it sends what it receives."""


@element
class Rizhiyi(_Platform):
    """Rizhiyi, a platform for searching and analysing logs; takes them from agents and syslog.

    Retention and quota depend on the licence, so nothing is assumed.
    """

    label: ClassVar[str] = "Rizhiyi"
    collects: ClassVar[tuple[Signal, ...]] = ("logs", "metrics", "traces")


@element
class Loki(_Platform):
    """Grafana Loki: logs indexed by labels; since 3.0 a line may have 256 KiB, a stream 15 labels.

    grafana.com, Loki configuration ``limits_config``: ``max_line_size``,
    ``max_label_names_per_series``.
    """

    label: ClassVar[str] = "Loki"
    collects: ClassVar[tuple[Signal, ...]] = ("logs",)
    documented: ClassVar[Mapping[str, Default]] = {
        "max_line": Default(
            256 * KiB, "Loki 3: limits_config.max_line_size", "2026-11-30", since=(3,)
        ),
        "max_labels": Default(
            15,
            "Loki 3: limits_config.max_label_names_per_series",
            "2026-11-30",
            since=(3,),
            others=(
                Default(
                    30,
                    "Loki before 3: limits_config.max_label_names_per_series",
                    "2026-11-30",
                    before=(3,),
                ),
            ),
        ),
    }

    max_line: Size | None = None
    """The longest line."""
    max_labels: int | None = None
    """The most labels of a stream."""


@element
class ElasticStack(_Platform):
    """Elasticsearch, Logstash and Kibana."""

    label: ClassVar[str] = "Elastic Stack"
    collects: ClassVar[tuple[Signal, ...]] = ("logs", "metrics", "traces")


@element
class Jaeger(_Platform):
    """Jaeger: traces."""

    label: ClassVar[str] = "Jaeger"
    collects: ClassVar[tuple[Signal, ...]] = ("traces",)


@element
class Grafana(_Platform):
    """Grafana: dashboards and alerts over other platforms."""

    label: ClassVar[str] = "Grafana"

    reads: Many[PlatformRef] = ()
    """Platforms that it shows."""


@element
class ObservabilityService(_Platform):
    """A hosted platform: Datadog, New Relic, a cloud's own."""

    label: ClassVar[str] = "hosted observability"
    collects: ClassVar[tuple[Signal, ...]] = ("metrics", "logs", "traces")

    product: str | None = None
    """Which one."""


@element
class Label(Element):
    """A label of a metric; its number of values multiplies the number of series."""

    name: str = field(kw_only=False)
    """The label."""
    values: Annotated[int, Field(ge=1)] | Literal["unbounded"] | None = None
    """How many values it can take."""


@element
class Metrics(Element):
    """The numbers that a service exposes."""

    platform: PlatformRef | None = field(default=None, kw_only=False)
    """Where they go."""
    path: str | None = None
    """Where they are scraped from, such as ``/metrics``."""
    indicators: Many[Literal["rate", "errors", "duration", "saturation", "lag"]] = ()
    """What they cover: rate, errors, duration (RED), saturation, lag of queues."""
    labels: Many[Label] = ()
    """Labels beside the standard ones."""


@element
class Logs(Element):
    """The events that a service writes."""

    platform: PlatformRef | None = field(default=None, kw_only=False)
    """Where they go."""
    structured: bool | None = None
    """Whether they are key-value records rather than prose."""
    correlation_id: bool | None = None
    """Whether each record carries the request's id."""
    shipping: Literal["agent", "stdout", "direct", "syslog"] | None = None
    """How they get there; ``direct`` puts the platform on the request's path."""
    retention: Duration | None = None
    """How long they are kept."""


@element
class Tracing(Element):
    """Spans of requests."""

    platform: PlatformRef | None = field(default=None, kw_only=False)
    """Where they go."""
    propagation: Literal["w3c", "b3", "jaeger"] | None = None
    """The header format that carries the context."""
    sampling: Literal["always", "head", "tail"] | None = None
    """Which requests are kept."""
    export: Literal["async", "sync"] | None = None
    """Whether sending spans can hold a request up."""


@element
class Alert(Element):
    """Something that wakes a person."""

    name: str = field(kw_only=False)
    """Its name."""
    indicator: str | None = None
    """The metric that it watches."""
    runbook: str | None = None
    """What to do."""
