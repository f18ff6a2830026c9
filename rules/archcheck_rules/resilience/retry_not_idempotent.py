"""Only what can safely happen twice is retried.

Why it matters: a request whose answer was lost may have been carried out. The retry charges the
card, ships the order or writes the row again.

Retries of the code and of the mesh count, and hedges, which send the same request again. An
endpoint is idempotent as it declares, else by its method of HTTP, else if its steps only read; POST
and PATCH promise nothing, so that the rule asks. A
message may be published twice if all of its consumers can take it twice, or its endpoint can. A
consumer that gets a failed message again counts like a callee; where the channel delivers at least
once, rule RES021 says it. One that does not say how often it gets a message gets it once.

How to fix: make the operation idempotent (``idempotent=True`` on the endpoint), send an
idempotency key (``idempotency_key=True``), or do not retry.

False positives: retries limited to failures that prove nothing happened (connection refused);
declare them with ``on=["rejected"]``.

Sources: gRPC A6, Client Retries; Azure Architecture Center, Retry pattern (idempotency);
RFC 9110, 9.2.2 Idempotent Methods.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from archcheck import (
    Absent,
    Call,
    Consumer,
    Endpoint,
    External,
    Hedge,
    Http1,
    Http2,
    MySQL,
    Named,
    Publish,
    Read,
    Retry,
    Service,
    System,
    Topic,
    Write,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.idempotence import is_idempotent
from archcheck.graph.messages import deliveries, delivery_of
from archcheck.units import ms, s

rule = Rule("RES004", "retry-not-idempotent", severity="error", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    yield from _redelivered(graph)
    for step in graph.questions:
        has_key = getattr(step.step, "idempotency_key", None)
        repeats = [retry for retry in step.protection.retries if _may_repeat_work(retry)]
        attempts = math.prod(retry.attempts for retry in repeats) * step.protection.hedged
        if step.mode in ("read", "cache") or has_key or attempts == 1:
            continue
        idempotent, where = _idempotent(graph, step)
        if idempotent is None:
            inside = "endpoints." if isinstance(where, External) else ""
            yield Undecided(where, f"{inside}idempotent")
        elif not idempotent:
            yield Violation(
                step,
                f"{step.operation.name} tries {step.target_name} up to {attempts} times, "
                "but a repeated request has a further effect",
                fix=_fix(step, is_hedged=not repeats),
                evidence=(step, where),
            )


def _redelivered(graph: Graph) -> Iterator[Result]:
    """Consumers that get a message again; where it is known to come again, rule RES021 asks."""
    for operation in graph.operations.values():
        consumer = operation.part
        if not isinstance(consumer, Consumer) or (idempotent := is_idempotent(graph, operation)):
            continue
        channel = graph.system.find(str(consumer.topic))
        times = deliveries(graph.system, consumer) or 1
        if times == 1 or delivery_of(graph.system, channel)[0] == "at_least_once":
            continue
        if idempotent is None:
            yield Undecided(operation, "idempotent")
        else:
            yield Violation(
                operation,
                f"{operation.name} gets a message of {channel.name} up to {times} times, but a "
                "repeated one has a further effect",
                fix="idempotent=True (and make it so: remember processed ids)",
            )


def _may_repeat_work(retry: Retry) -> bool:
    """Whether an attempt may be repeated that the callee has worked for."""
    return not retry.idempotency_key and not set(retry.on) <= {"rejected", "broken"}


def _idempotent(graph: Graph, step: Interaction) -> tuple[bool | None, Named | Operation]:
    """A call asks the endpoint; a write is as repeatable as the endpoint that makes it, and so is a
    message, unless all who consume it can take it twice."""
    if step.mode == "publish":
        readers = [graph.operations[name] for name in graph.consumers.get(step.target.name, ())]
        if readers and all(is_idempotent(graph, reader) for reader in readers):
            return True, step.operation
    if step.mode in ("write", "publish"):
        return is_idempotent(graph, step.operation), step.operation
    if step.endpoint is None:
        return None, step.target
    callee = graph.operations[step.target_name]
    return is_idempotent(graph, callee, step.protocol), callee


def _fix(step: Interaction, *, is_hedged: bool) -> str:
    again = "the hedge" if is_hedged else "the retry"
    if step.mode == "write":
        return f"make the write an upsert and {step.operation.name} idempotent, or remove {again}"
    if step.mode == "publish":
        return f"idempotent=True on all consumers of {step.target_name}, or remove {again}"
    if is_hedged:
        return "idempotency_key=True on the call, or remove the hedge"
    return f"{step.set_in('retry=Retry(..., idempotency_key=True)')}, or remove the retry"


def _retried(idempotent: bool | None, *, key: bool | None = None) -> System:
    retry = Retry(attempts=3, backoff=10 * ms, idempotency_key=key)
    return System(
        "shop",
        [
            Service("orders", endpoints=[Endpoint("place", steps=[Call("bank.pay", retry=retry)])]),
            Service("bank", endpoints=[Endpoint("pay", idempotent=idempotent)]),
        ],
    )


def _calling(call: Call, endpoint: Endpoint) -> System:
    return System(
        "shop",
        [
            MySQL("db"),
            Service("orders", endpoints=[Endpoint("place", steps=[call])]),
            Service("bank", endpoints=[endpoint]),
        ],
    )


@rule.bad("orders.place -> bank.pay")
def a_payment_is_repeated() -> System:
    return _retried(False)


@rule.good
def the_endpoint_is_idempotent() -> System:
    return _retried(True)


@rule.good
def each_attempt_carries_the_same_key() -> System:
    return _retried(False, key=True)


@rule.bad("orders.place -> bank.pay")
def a_slow_payment_is_hedged() -> System:
    call = Call("bank.pay", timeout=1 * s, retry=Absent("never"), hedge=Hedge(50 * ms))
    return _calling(call, Endpoint("pay", idempotent=False))


def _publishing(*consumers: Consumer) -> System:
    paid = Publish("paid", retry=Retry(attempts=3, backoff=10 * ms))
    return System(
        "shop",
        [
            Topic("paid"),
            Service("bank", endpoints=[Endpoint("pay", idempotent=False, steps=[paid])]),
            Service("mail", consumers=consumers),
        ],
    )


@rule.bad("bank.pay -> paid")
def a_message_is_published_again() -> System:
    return _publishing()


@rule.good
def consumers_recognise_a_message_that_comes_twice() -> System:
    return _publishing(Consumer("paid", idempotent=True))


@rule.bad("mail.consume")
def a_failed_message_comes_again() -> System:
    mail = Service("mail", consumers=[Consumer("paid", max_deliveries=5, idempotent=False)])
    return System("shop", [Topic("paid"), mail])


@rule.good
def http_says_that_a_get_is() -> System:
    return _calling(Call("bank.show", retry=Retry(attempts=3)), Endpoint("show", Http1("GET")))


@rule.good
def it_only_reads() -> System:
    return _calling(
        Call("bank.show", retry=Retry(attempts=3)), Endpoint("show", steps=[Read("db")])
    )


@rule.unknown("idempotent")
def nobody_says() -> System:
    return _retried(None)


@rule.borderline()
def only_what_was_never_taken_is_repeated() -> System:
    retry = Retry(attempts=3, on=["rejected", "broken"])
    return System(
        "shop",
        [
            Service("orders", endpoints=[Endpoint("place", steps=[Call("bank.pay", retry=retry)])]),
            Service("bank", endpoints=[Endpoint("pay", idempotent=False)]),
        ],
    )


@rule.borderline("orders.place -> db")
def a_write_is_as_repeatable_as_its_endpoint() -> System:
    write = Write("db", retry=Retry(attempts=2))
    place = Endpoint("place", idempotent=False, steps=[write])
    return System("shop", [MySQL("db"), Service("orders", endpoints=[place])])


@rule.unknown("idempotent")
def a_failed_message_may_be_worked_on_twice() -> System:
    mail = Service("mail", consumers=[Consumer("paid", max_deliveries=5)])
    return System("shop", [Topic("paid"), mail])


@rule.borderline()
def a_write_of_a_put_is_made_again() -> System:
    again = Retry(attempts=2, backoff=5 * ms)
    put = Endpoint("put", Http1("PUT"), steps=[Write("db", retry=again)])
    return System("shop", [MySQL("db"), Service("orders", endpoints=[put])])


@rule.unknown("idempotent")
def asked_by_its_second_protocol() -> System:
    again = Retry(attempts=2, backoff=5 * ms)
    show = Endpoint("show", Http1("GET"), also=[Http2("POST")])
    ask = Call("bank.show", protocol="Http2", retry=again)
    return System(
        "shop",
        [
            Service("orders", endpoints=[Endpoint("page", steps=[ask])]),
            Service("bank", endpoints=[show]),
        ],
    )
