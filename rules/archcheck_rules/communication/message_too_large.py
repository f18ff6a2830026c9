"""Payloads fit the largest message that the receiver takes.

Why it matters: the limit is met by the first customer with a long list, in production: gRPC
refuses messages over 4 MiB, Kafka over 1 MiB, DynamoDB items over 400 KB.

What comes from outside must fit the server's own limit (``max_request=`` of its runtime).

How to fix: page or stream the data, store the payload elsewhere and send a reference, or raise
the limit on both sides (``max_message=...``).

False positives: sizes that were declared for a worst case that a page size already prevents.

Sources: gRPC core, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH; Kafka, message.max.bytes; the limits in
the docstrings of the protocols, brokers and datastores.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Call,
    Channel,
    Endpoint,
    Grpc,
    Kafka,
    Nginx,
    Publish,
    Service,
    System,
    Topic,
    effective,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction
from archcheck.model.steps import Interaction as Leaving
from archcheck.units import KiB, MiB, Size

rule = Rule("COM006", "message-too-large", severity="error", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    yield from _from_outside(graph)
    for step in graph.interactions:
        if step.mode == "cache":
            continue  # what a lookup carries is known to nobody
        limit, source = _limit(graph, step)
        if limit is None:
            continue
        sizes = {name: size for name, size in _sizes(step).items() if size is not None}
        if not sizes:
            yield Undecided(step, "request_size", f"holds up to {limit}")
        for name, size in sizes.items():
            if size > limit:
                yield Violation(
                    step,
                    f"the {name} of {size} exceeds the limit of {limit} ({source})",
                    fix="page or stream the data, or raise max_message on the receiver",
                )


def _from_outside(graph: Graph) -> Iterator[Violation]:
    """Requests of people, journeys and schedules that the server itself refuses."""
    for name in dict.fromkeys((*graph.entered_from_outside(), *graph.reached_by_the_public)):
        operation = graph.operations.get(name)
        size = getattr(operation.part, "request_size", None) if operation is not None else None
        runtime = getattr(operation.owner, "runtime", None) if operation is not None else None
        limit = effective(runtime, "max_request")
        if operation is not None and size is not None and limit.is_known and size > limit.value:
            yield Violation(
                operation,
                f"the request of {size} exceeds the limit of {limit.value} "
                f"({limit.source or 'as declared'})",
                fix="send it in parts, or raise max_request in the runtime",
            )


def _limit(graph: Graph, step: Interaction) -> tuple[Size | None, str]:
    match step.mode:
        case "call":
            protocol = step.endpoint.protocol if step.endpoint else None
            found = effective(protocol, "max_message") if protocol else None
        case "publish":
            broker = getattr(step.target, "broker", None)
            found = effective(graph.system.find(str(broker)), "max_message") if broker else None
        case _:
            found = effective(step.target, "max_item")
    if found is None or not found.is_known:
        return None, ""
    return found.value, found.source or "as declared"


def _sizes(step: Interaction) -> dict[str, Size | None]:
    if not isinstance(step.step, Leaving):
        return {}
    sent = getattr(step.step, "request_size", None)
    received = getattr(step.step, "response_size", None)
    if step.endpoint is not None:
        sent = sent or step.endpoint.request_size
        received = received or step.endpoint.response_size
    if isinstance(step.target, Channel):
        sent = sent or getattr(step.target, "message_size", None)
    return {"request": sent, "response": received}


def _download(size: Size | None) -> System:
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[Call("media.Get")])]),
            Service("media", endpoints=[Endpoint("Get", Grpc(), response_size=size)]),
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


@rule.bad("web.upload")
def an_upload_that_the_server_refuses() -> System:
    upload = Endpoint("upload", public=True, request_size=50 * MiB)
    web = Service("web", runtime=Nginx(max_request=1 * MiB), endpoints=[upload])
    return System("shop", [web])


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
