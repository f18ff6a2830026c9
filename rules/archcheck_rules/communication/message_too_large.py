"""Payloads fit the largest message that the receiver takes.

Why it matters: the limit is met by the first customer with a long list, in production: gRPC
refuses messages over 4 MiB, Kafka over 1 MiB, DynamoDB items over 400 KB.

The rule compares what calls, messages, records and cached answers carry with the limits of
protocols, brokers, datastores and caches, and requests with the server's own (``max_request`` of
the runtime). Calls of fallbacks and of sagas carry what the endpoint says. Sides of a gRPC call
that stream are left out: the limit is one of messages.

Where one of the two sizes of a call is declared, the other is taken to be small. Where nobody says
how a payload is carried, the rule asks if the strictest protocol or broker would not take it.

How to fix: page or stream the data, store the payload elsewhere and send a reference, or raise
the limit on both sides (``max_message=...``, ``max_request=...``). Nobody can raise the limits of
DynamoDB, MongoDB and Amazon SQS.

False positives: sizes that were declared for a worst case that a page size already prevents.

Sources: gRPC core, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH; Kafka, message.max.bytes; Amazon DynamoDB
and Amazon SQS, Quotas; MongoDB, Limits and Thresholds; the limits in the docstrings of the
protocols, brokers and datastores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from archcheck import (
    Broker,
    Cached,
    Call,
    Channel,
    Datastore,
    DynamoDB,
    Endpoint,
    Gateway,
    Grpc,
    Http1,
    Kafka,
    LocalCache,
    Memcached,
    MongoDB,
    Mqtt,
    MySQL,
    Nats,
    Nginx,
    PostgreSQL,
    Publish,
    Read,
    SagaStep,
    Service,
    Sqs,
    System,
    Topic,
    effective,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.idempotence import SAFE_METHODS
from archcheck.graph.transfer import sizes_of
from archcheck.model import Effective, Named
from archcheck.model.linking import walk
from archcheck.model.steps import RemoteStep
from archcheck.units import KiB, MiB, Size

rule = Rule("COM006", "message-too-large", severity="error", method="attr")


_STRICTEST: Mapping[str, Size] = {
    "call": Grpc.documented["max_message"].value,
    "publish": Nats.documented["max_message"].value,
}
"""The smallest documented limits of protocols and brokers: what fits them fits all."""
_FIXED = (DynamoDB, MongoDB, Sqs)
"""Products whose largest record or message nobody can raise (checked 2026-11-30)."""


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.edges:
        found = list(_cached(graph, step) if step.mode == "cache" else _carried(graph, step))
        limits = [each for each in found if each.limit is not None]
        known = [each for each in limits if each.size is not None]
        if limits and not known and step.mode != "cache":
            yield from _of_unknown_size(graph, step, f"holds up to {limits[0].limit}")
        for each in known:
            yield from _judge(step, each, _receiver(graph, step))
        if not limits:
            yield from _of_unknown_limit(graph, step, found)
    for name, operation in graph.operations.items():
        part = operation.part
        limit, source = _of_server(operation)
        if limit is None or not isinstance(part, Endpoint):
            continue
        if part.request_size is not None:
            payload = _Payload("request", part.request_size, limit, source)
            yield from _judge(operation, payload, operation.owner)
        elif name in graph.reached_by_the_public and not _is_without_body(part):
            yield Undecided(operation, "request_size", f"holds up to {limit}")


@dataclass(frozen=True)
class _Payload:
    """What is sent one way, how large it is, and the largest that is taken there."""

    name: str
    size: Size | None
    limit: Size | None
    source: str


def _is_without_body(part: Endpoint) -> bool:
    method = getattr(part.protocol, "method", None)
    return method is not None and method.upper() in SAFE_METHODS


def _judge(
    subject: Interaction | Operation, payload: _Payload, receiver: Named
) -> Iterator[Violation]:
    if payload.size is not None and payload.limit is not None and payload.size > payload.limit:
        yield Violation(
            subject,
            f"the {payload.name} of {payload.size} exceeds the limit of {payload.limit} "
            f"({payload.source})",
            fix="keep the data in an object store and send a reference, or split them"
            if isinstance(receiver, _FIXED)
            else f"page or stream the data, or raise the limit to at least {payload.size}, if "
            "the receiver has the memory",
        )


def _of_unknown_size(graph: Graph, step: Interaction, threshold: str) -> Iterator[Undecided]:
    """Fallbacks and sagas have no sizes of their own: the endpoint that they ask does."""
    if not step.is_fallback and not isinstance(step.declared, SagaStep):
        yield Undecided(step, "request_size", threshold)
    elif step.endpoint is not None:
        yield Undecided(graph.operations[step.target_name], "request_size", threshold)


def _callee(graph: Graph, step: Interaction) -> Named | Operation:
    return graph.operations.get(step.target_name, step.target)


def _receiver(graph: Graph, step: Interaction) -> Named:
    """Who sets the limit: of a channel its broker."""
    broker = getattr(step.target, "broker", None)
    return graph.system.find(str(broker)) if broker else step.target


def _of_unknown_limit(
    graph: Graph, step: Interaction, found: Sequence[_Payload]
) -> Iterator[Undecided]:
    """Asks what a store or a broker takes, and how a payload is carried that not all carry."""
    largest = max((each.size for each in found if each.size is not None), default=None)
    if largest is None:
        return
    holder = _receiver(graph, step)
    if isinstance(holder, Broker):
        yield Undecided(holder, "max_message", f"holds from {largest}")
    elif isinstance(holder, Datastore) and not isinstance(holder, LocalCache):
        yield Undecided(holder, "max_item", f"holds from {largest}")
    elif largest <= _STRICTEST.get(step.mode, largest):
        return
    elif step.mode == "publish":
        yield Undecided(step.target, "broker", f"holds with one that takes {largest}")
    elif step.protocol is None:
        yield Undecided(_callee(graph, step), "protocol", f"holds with one that takes {largest}")


def _carried(graph: Graph, step: Interaction) -> Iterator[_Payload]:
    """Request and response, with what the protocol, broker or datastore takes."""
    limit, source = _limit(graph, step)
    streamed = getattr(step.protocol, "streaming", "no") if step.mode == "call" else "no"
    for name, size in _sizes(step).items():
        side = "client" if name == "request" else "server"
        if streamed not in (side, "both"):
            yield _Payload(name, size, limit, source)
    own = getattr(step.step, "request_size", None)  # the endpoint's is judged where it is declared
    if step.endpoint is not None and own is not None:
        most, whose = _of_server(graph.operations[step.target_name])
        usual = step.endpoint.request_size
        if most is None or usual is None or usual <= most:
            yield _Payload("request", own, most, whose)


def _cached(graph: Graph, step: Interaction) -> Iterator[_Payload]:
    """What a miss puts into the cache: the answer of the steps behind it."""
    limit, source = _known(effective(step.target, "max_item"))
    inside = {id(part) for part in walk(step.declared)}
    for behind in graph.outgoing[step.operation.name]:
        if behind is not step and id(behind.declared) in inside:
            yield _Payload("cached answer", _sizes(behind).get("response"), limit, source)


def _of_server(operation: Operation) -> tuple[Size | None, str]:
    """The largest request that the framework of an endpoint's service takes."""
    return _known(effective(getattr(operation.owner, "runtime", None), "max_request"))


def _limit(graph: Graph, step: Interaction) -> tuple[Size | None, str]:
    match step.mode:
        case "call":
            return _known(effective(step.protocol, "max_message"))
        case "publish":
            holder = _receiver(graph, step)
            return _known(effective(holder if holder is not step.target else None, "max_message"))
        case _:
            return _known(effective(step.target, "max_item"))


def _known(found: Effective) -> tuple[Size | None, str]:
    return (found.value, found.source or "as declared") if found.is_known else (None, "")


def _sizes(step: Interaction) -> dict[str, Size | None]:
    if not isinstance(step.step, RemoteStep):
        return {}
    sent, received = sizes_of(step.step, step.endpoint)
    if isinstance(step.target, Channel):
        sent = sent or getattr(step.target, "message_size", None)
    return {"request": sent, "response": received}


def _download(
    size: Size | None,
    streaming: Literal["no", "server", "client", "both"] = "no",
    sent: Size | None = None,
) -> System:
    get = Endpoint("Get", Grpc(streaming=streaming), request_size=sent, response_size=size)
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[Call("media.Get")])]),
            Service("media", endpoints=[get]),
        ],
    )


@rule.bad("web.page -> media.Get")
def a_large_answer_over_grpc() -> System:
    return _download(6 * MiB)


@rule.bad("orders.place -> placed")
def a_large_event() -> System:
    return System(
        "shop",
        [
            Kafka("kafka"),
            Topic("placed", broker="kafka", message_size=2 * MiB),
            Service("orders", endpoints=[Endpoint("place", steps=[Publish("placed")])]),
        ],
    )


@rule.unknown("max_message")
def a_broker_that_the_table_does_not_know() -> System:
    return System(
        "shop",
        [
            Mqtt("devices"),
            Topic("measured", broker="devices", message_size=2 * MiB),
            Service("meters", endpoints=[Endpoint("read", steps=[Publish("measured")])]),
        ],
    )


@rule.unknown("max_item")
def a_record_in_a_store_without_a_known_limit() -> System:
    look = Read("db", response_size=5 * MiB)
    return System(
        "shop", [PostgreSQL("db"), Service("web", endpoints=[Endpoint("page", steps=[look])])]
    )


@rule.good
def a_small_answer() -> System:
    return _download(80 * KiB)


@rule.unknown("request_size")
def no_size_is_declared() -> System:
    return _download(None)


@rule.borderline()
def exactly_at_the_limit() -> System:
    return _download(4 * MiB)


@rule.borderline("web.page -> media.Get")
def just_above_the_limit() -> System:
    return _download(Size(4 * 1024**2 + 1))


@rule.good
def a_stream_of_small_messages() -> System:
    return _download(600 * MiB, streaming="server", sent=1 * KiB)


@rule.borderline("web.page -> media.Get")
def a_stream_of_requests_has_one_answer() -> System:
    return _download(6 * MiB, streaming="client")


def _upload(size: Size | None, limit: Size | None) -> System:
    upload = Endpoint("upload", public=True, request_size=size)
    return System("shop", [Gateway("edge", runtime=Nginx(max_request=limit), endpoints=[upload])])


@rule.bad("edge.upload")
def more_than_the_proxy_takes() -> System:
    return _upload(5 * MiB, 1 * MiB)


@rule.borderline()
def as_much_as_the_proxy_takes() -> System:
    return _upload(1 * MiB, 1 * MiB)


@rule.unknown("request_size")
def a_proxy_with_a_limit() -> System:
    return _upload(None, 1 * MiB)


@rule.unknown("request_size")
def a_proxy_has_a_limit_by_default() -> System:
    return _upload(None, None)


@rule.good
def what_only_reads_sends_nothing() -> System:
    page = Endpoint("page", Http1("GET"), public=True)
    return System("shop", [Gateway("edge", runtime=Nginx(), endpoints=[page])])


@rule.bad("web.page -> hot")
def an_answer_that_the_cache_does_not_take() -> System:
    look = Cached("hot", [Read("db", response_size=5 * MiB)])
    return System(
        "shop",
        [MySQL("db"), Memcached("hot"), Service("web", endpoints=[Endpoint("page", steps=[look])])],
    )


@rule.unknown("protocol")
def a_large_answer_over_an_unknown_protocol() -> System:
    get = Endpoint("get", response_size=10 * MiB)
    web = Service("web", endpoints=[Endpoint("page", steps=[Call("media.get")])])
    return System("shop", [web, Service("media", endpoints=[get])])


@rule.unknown("broker")
def a_large_event_to_an_unknown_broker() -> System:
    place = Endpoint("place", steps=[Publish("placed", request_size=10 * MiB)])
    return System("shop", [Topic("placed"), Service("orders", endpoints=[place])])
