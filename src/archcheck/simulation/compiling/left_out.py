"""What the vocabulary can say and a run does not follow: listed when declared, or descriptive.

Every field of every kind of element is one of three: the compiler reads it; it is in ``LEFT_OUT``,
and results list it where a model declares it; or it is in ``DESCRIPTIVE``, with the reason why no
run needs it. A test goes over all fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from inspect import get_annotations
from typing import Any

from archcheck.model import Absent, Release, Scenario, System
from archcheck.model.element import Element, field_names
from archcheck.model.linking import walk

Matters = Callable[[Any, Any, Scenario], bool]
"""Whether a value matters: the value, the element that has it, the scenario."""


def _is_declared(value: Any, holder: Any, scenario: Scenario) -> bool:
    return value is not None and value is not False and value != () and not _is_absent(value)


def _is_absent(value: Any) -> bool:
    return isinstance(value, Absent)


def _is(expected: object) -> Matters:
    return lambda value, holder, scenario: value == expected and type(value) is type(expected)


def _under_release(value: Any, holder: Any, scenario: Scenario) -> bool:
    return any(isinstance(fault, Release) for fault in scenario.faults)


@dataclass(frozen=True)
class LeftOut:
    """What results say of a field, and when they say it."""

    what: str
    matters: Matters = _is_declared


_PUBLISHING = LeftOut("what protects publishing (it always succeeds)")
_ATOMICITY = LeftOut(
    "actions of sagas that no step takes, compensations, two-phase commits, outboxes"
)
_CONNECTING = LeftOut("timeouts of connecting")
_PER_CALL = LeftOut("connections that are opened for each request", _is(False))
_PER_CONNECTION = LeftOut("load balancing per connection", _is("connection"))
_CANARY = LeftOut(
    "a canary's shares of the traffic (replicas are replaced in turn)", _under_release
)
_ABORTING = LeftOut("releases that are turned back", _under_release)
_AT_RANDOM = LeftOut("outages at random, by a declared availability (faults say what is lost)")
_BROKERS = LeftOut("capacity and failures of brokers")
_EXPIRING = LeftOut("messages that expire (retention)")
_COPIES = LeftOut("copies of messages, and the time they take")
_REPLICATION = LeftOut("replication of datastores: its lag, and what it costs to write")
_PROBES = LeftOut("probes beside readiness, and what they ask and wait for")
_RANGES = LeftOut("ranges of uncertain values (the declared value is taken)")

LEFT_OUT: Mapping[str, LeftOut] = {
    "Autoscale.target_metric": LeftOut(
        "autoscaling by another metric than CPU",
        lambda value, holder, scenario: value is not None and holder.target_cpu is not None,
    ),
    "BlueGreen.abort_on": _ABORTING,
    "Call.balanced_by": _PER_CONNECTION,
    "Call.connect_timeout": _CONNECTING,
    "Call.reuses_connections": _PER_CALL,
    "Canary.abort_on": _ABORTING,
    "Canary.steps": _CANARY,
    "Cached.cache": LeftOut("cache fills (a miss writes to the cache at no cost)"),
    "Client.balanced_by": _PER_CONNECTION,
    "Client.connect_timeout": _CONNECTING,
    "Client.reuses_connections": _PER_CALL,
    "Endpoint.atomicity": _ATOMICITY,
    "External.availability": _AT_RANDOM,
    "Grpc.streaming": LeftOut(
        "streams (a call has one answer)", lambda value, holder, scenario: value != "no"
    ),
    "Http1.keep_alive": _PER_CALL,
    "Probe.initial_delay": _PROBES,
    "Probe.timeout": _PROBES,
    "Probe.touches": _PROBES,
    "Publish.acks": LeftOut(
        _COPIES.what, lambda value, holder, scenario: value is not None and value != "none"
    ),
    "Publish.breaker": _PUBLISHING,
    "Publish.bulkhead": _PUBLISHING,
    "Publish.fallback": _PUBLISHING,
    "Publish.outbox": _ATOMICITY,
    "Publish.request_size": LeftOut("sizes of messages"),
    "Publish.retry": _PUBLISHING,
    "Publish.timeout": _PUBLISHING,
    "Queue.priority": LeftOut("priorities of messages"),
    "Redis.eviction": LeftOut(
        "evictions other than of the least recently used",
        lambda value, holder, scenario: value is not None and "lru" not in str(value),
    ),
    "Resources.memory_limit": LeftOut("memory and its limits"),
    "Scenario.uncertain": _RANGES,
    "StoreFields.consistency": _REPLICATION,
    "StoreFields.deployment": LeftOut("deployments of datastores (shards, copies, zones count)"),
    "StoreFields.max_rate": LeftOut("the most requests a second that a datastore takes"),
    "StoreFields.quorum": _REPLICATION,
    "StoreFields.readiness": _PROBES,
    "StoreFields.replication": _REPLICATION,
    "StoreFields.reserved_connections": LeftOut("connections that a datastore reserves"),
    "System.uncertain": _RANGES,
    "Topic.copies": _COPIES,
    "Topic.min_in_sync": _COPIES,
    "_Broker.deployment": _BROKERS,
    "Broker.nodes": _BROKERS,
    "Broker.zones": _BROKERS,
    "_Cache.invalidation": LeftOut("invalidations of caches"),
    "_Channel.max_length": LeftOut("the most messages that a queue or topic holds"),
    "_Broker.retention": _EXPIRING,
    "_Channel.retention": _EXPIRING,
    "_Channel.message_size": LeftOut("sizes of messages"),
    "_Deployment.availability": _AT_RANDOM,
    "_Deployment.deregistration": LeftOut("the time in which a stopping replica still gets calls"),
    "_Deployment.liveness": _PROBES,
    "_Deployment.startup": _PROBES,
    "_Runtime.graceful_stop": LeftOut(
        "the time that a runtime gives to a stop (the grace of the deployment counts)"
    ),
}
"""By ``Kind.field``, the kind that declares the field; of one subclass only, by its name."""

_ABOUT = "says what it is, not what it does"
_PAPERS = "contracts, versions and formats: rules compare them"
_SECURITY = "security: rules judge it, and it costs nothing in a run"
_SEEN = "observability costs nothing in a run"
_JUDGED = "judged after a run, or by rules"
_STRUCTURE = "ownership and boundaries: rules judge them"
_DELIVERY = "how it is delivered: rules judge it"
_MONEY = "for plans and their costs"
_LOOKS = "how it is drawn"
_DATA = "what the data are: rules judge them"
_RULES = "rules and proofs ask it"

DESCRIPTIVE: Mapping[str, str] = {
    **dict.fromkeys(("Described.description", "Described.docs", "Described.tags"), _ABOUT),
    **dict.fromkeys(
        ("Endpoint.description", "Endpoint.tags", "System.description", "System.name"), _ABOUT
    ),
    **dict.fromkeys(
        (
            "CustomRuntime.name", "Managed.provider", "ObjectStore.product", "Team.contact",
            "ObservabilityService.product", "Mesh.product", "System.revision",
            "Absent.reason",
            "Kubernetes.namespace", "_Broker.version",
            "_Runtime.libraries", "ChangeCapture.tool", "Call.discovery", "Client.discovery",
            "Consumer.group", "Call.protocol", "Endpoint.also", "Journey.users", "Person.uses",
        ),
        _ABOUT,
    ),
    **dict.fromkeys(
        (
            "Amqp.contract", "Contract.*", "GraphQL.contract", "Grpc.contract", "Http1.contract",
            "Http2.contract", "KafkaProtocol.contract", "MqttProtocol.contract", "Tcp.contract",
            "Thrift.contract", "WebSocket.contract", "Grpc.service", "Thrift.service",
            "Http1.method", "Http1.path", "Http2.method", "Http2.path", "Tcp.port",
            "WebSocket.path", "Protocol.format", "Protocol.max_message", "GraphQL.max_depth",
            "Call.format", "Call.version", "Deprecation.*", "Endpoint.versions",
            "Endpoint.deprecation", "External.protocol", "_Channel.contract", "_Channel.format",
            "_Broker.max_message", "_Runtime.max_request", "StoreFields.max_item",
        ),
        _PAPERS,
    ),
    **dict.fromkeys(
        (
            "Call.authenticated", "Call.encrypted", "Client.authenticated", "Client.encrypted",
            "Protocol.encrypted", "Endpoint.authentication", "Endpoint.public", "Journey.public",
            "External.clearance", "External.trust_zone", "Mesh.mutual_tls", "Secret.*",
            "Service.clearance", "Service.trust_zone", "Boundary.trust_zone",
            "StoreFields.encrypted_at_rest", "StoreFields.trust_zone", "_Broker.encrypted",
            "_Broker.trust_zone", "_Deployment.secrets", "_Deployment.environment",
        ),
        _SECURITY,
    ),
    **dict.fromkeys(
        (
            "Alert.*", "Label.*", "Logs.*", "Loki.*", "Metrics.*", "Tracing.*", "Grafana.reads",
            "OpenTelemetryCollector.forwards_to", "Prometheus.*", "_Platform.*", "Mesh.tracing",
            "Call.propagates_trace", "Client.propagates_trace", "Service.logs", "Service.metrics",
            "Service.tracing", "_Channel.carries_correlation_id", "_Channel.lag_metric",
        ),
        _SEEN,
    ),
    **dict.fromkeys(
        (
            "Slo.*", "Endpoint.slo", "Journey.slo", "Journey.critical", "Journey.max_remote_calls",
            "Consumer.freshness", "Backup.*", "StoreFields.backup", "Suppression.*",
            "System.suppressions", "Call.batch",
        ),
        _JUDGED,
    ),
    **dict.fromkeys(
        (
            "Allow.*", "Boundary.owner",
            "Broker.owner", "Channel.belongs_to", "Channel.owner", "Deny.*",
            "Datastore.belongs_to", "Datastore.owner", "External.owner", "Independent.*",
            "Layers.*", "OnlyVia.*", "OnlyWithin.*", "Policy.*", "Service.boundary",
            "Service.owner", "Service.tier", "StoreFields.boundary", "System.policies",
            "_Broker.boundary",
        ),
        _STRUCTURE,
    ),
    **dict.fromkeys(
        (
            "Deployment.image", "Pipeline.*", "LoadTest.*", "Journey.load_test",
            "Service.load_test", "Service.pipeline", "DisruptionBudget.*", "Docker.restart",
            "_Deployment.disruption_budget", "Probe.kind", "Probe.path", "Service.start_after",
            "StoreFields.start_after", "_Broker.start_after", "Kubernetes.spread", "Volume.*",
            "_Deployment.volumes", "StoreFields.volumes", "Redis.persistence",
        ),
        _DELIVERY,
    ),
    **dict.fromkeys(
        (
            "Deployment.price_per_hour", "Prices.*", "System.prices", "Growth.*",
            "Scenario.growth", "StoreFields.growth", "Resources.memory",
        ),
        _MONEY,
    ),
    **dict.fromkeys(("Icon.*", "TagColour.*", "View.*", "System.look"), _LOOKS),
    **dict.fromkeys(
        (
            "Datastore.data", "Endpoint.data", "Read.entity", "Write.entity", "Service.entities",
            "StoreFields.entities", "System.entities", "ShardKey.immutable", "ShardKey.in_queries",
            "ShardKey.monotonic", "ShardKey.name", "StoreFields.sharding", "_Channel.data",
            "_RemoteStep.data", "Topic.replayed",
        ),
        _DATA,
    ),
    **dict.fromkeys(
        (
            "Cached.hot_keys", "Call.idempotency_key", "Consumer.idempotent", "Endpoint.idempotent",
            "Flag.excludes", "Flag.requires", "Retry.idempotency_key", "_RemoteStep.independent",
            "_RemoteStep.result_used", "MqttProtocol.qos",
        ),
        _RULES,
    ),
    **dict.fromkeys(
        ("Between.*", "LoadRange.*", "RateBetween.*", "ShareBetween.*", "Saga.*"),
        "within a field that is listed where it is declared",
    ),
    **dict.fromkeys(
        ("SagaStep.*", "Outbox.*"), "within a field that is listed where it is declared"
    ),
    **dict.fromkeys(
        ("Scenario.duration", "Scenario.warmup"), "how long a run is: the plan need not know it"
    ),
    "System.scenarios": "a run has one of them",
    "Schedule.cron": "a schedule that does not say `every` is listed as one without a period",
}  # fmt: skip
"""By ``Kind.field``, or ``Kind.*`` for all fields of a kind: why no run follows it."""


def owner_of(kind: type[Element], name: str) -> str:
    """The kind that declares a field: ``kind`` itself, or the one that it has the field from."""
    holders = [each for each in kind.__mro__ if name in get_annotations(each)]
    return f"{holders[-1].__name__}.{name}"


_Watched = tuple[tuple[str, LeftOut, object], ...]
_known: dict[type[Element], _Watched] = {}


def _watched(kind: type[Element]) -> _Watched:
    """The fields of a kind that are left out, with what is said of them and their defaults."""
    if kind not in _known:
        _known[kind] = tuple(_found(kind))
    return _known[kind]


def _found(kind: type[Element]) -> Iterator[tuple[str, LeftOut, object]]:
    defaults = {each.name: each.default for each in fields(kind)}  # type: ignore[arg-type]
    for name in field_names(kind):
        entry = LEFT_OUT.get(f"{kind.__name__}.{name}") or LEFT_OUT.get(owner_of(kind, name))
        if entry is not None:
            default = defaults[name]
            yield name, entry, None if default is MISSING else default


def left_out(system: System, scenario: Scenario) -> Iterator[str]:
    """What a system and a scenario declare and a run does not follow, once for each place."""
    for part in (*_inside(system), *walk(scenario)):
        for name, entry, default in _watched(type(part)):
            value = getattr(part, name)
            if value != default and entry.matters(value, part, scenario):
                yield entry.what


def _inside(system: System) -> Iterator[Element]:
    """The system, its elements and its journeys with all that is in them, no other scenario."""
    yield system
    for part in (*system.elements, *system.journeys):
        yield from walk(part)
