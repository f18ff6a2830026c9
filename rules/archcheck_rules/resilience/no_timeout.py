"""Every step that waits for another process has a timeout.

Why it matters: without one, a hung dependency holds the caller's worker for ever; soon all
workers wait and the caller is down too. gRPC has no deadline unless the caller sets one, and
most HTTP clients wait without end.

A message waits for its broker's acknowledgement unless it asks for none (``acks="none"``) or goes
through an outbox. A cache in the caller's own process is not waited for. A call without a timeout
of its own is bounded where everybody who asks for it has one and passes the deadline on. What a
fallback asks is waited for as well; its timeout is that of a ``Client``, or of the mesh. A call of
the own service is a call: another replica may take it, and it holds a second thread. Actions of a
saga are looked at where a step asks for them.

How to fix: set ``timeout=`` a little above the callee's 99.9th percentile.

False positives: a mesh that enforces a timeout; declare it (``mesh=Mesh("istio", timeout=...)``)
and the calls of that service are covered. An ``Absent("...")`` timeout is a finding that quotes
the reason.

Sources: grpc.io, Deadlines; AWS Well-Architected, REL05-BP05; Nygard, Release It!, 2nd ed., 2018.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Absent,
    Cached,
    Call,
    Client,
    Endpoint,
    Fallback,
    GoKit,
    Kafka,
    LocalCache,
    Mesh,
    MySQL,
    Publish,
    Read,
    Retry,
    Service,
    System,
    Topic,
)
from archcheck.capacity import OperationLatencies, advised_timeout
from archcheck.editing.spelling import plain_source
from archcheck.findings import Result, Rule, Violation
from archcheck.graph import Graph, Interaction
from archcheck.graph.deadlines import inherits_deadline
from archcheck.graph.protection import Protection
from archcheck.graph.transfer import waits_for_broker
from archcheck.units import Duration, ms, s

rule = Rule("RES001", "no-timeout", severity="error", method="attr", on_unknown="violation")


_VERBS = {"call": "calls", "read": "reads", "write": "writes", "publish": "publishes to"}


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    latencies = OperationLatencies(graph)
    for step in graph.questions:
        if _is_bounded(step.protection) or not _waits(step):
            continue
        if step.mode == "call" and inherits_deadline(graph, step):
            continue
        reason = f" ({step.timeout.reason!r})" if isinstance(step.timeout, Absent) else ""
        verb = "falls back to" if step.is_fallback else _VERBS.get(step.mode, "waits for")
        timeout = f"timeout={plain_source(advised_timeout(latencies, step))}"
        yield Violation(
            step,
            f"{step.operation.name} {verb} {step.target_name} without a timeout{reason}",
            fix=step.set_in(timeout),
            cause="a step waits for another process without a timeout",
        )


def _is_bounded(protection: Protection) -> bool:
    """Whether something ends each attempt: how long the mesh waits between its own is no matter."""
    is_counted = protection.mesh_retry is not None and protection.per_try_timeout is not None
    return protection.attempt() is not None or is_counted


def _waits(step: Interaction) -> bool:
    """Whether an answer of another process is waited for: a broker's acknowledgement is one."""
    if isinstance(step.target, LocalCache):
        return False
    if isinstance(step.step, Publish):
        return waits_for_broker(step.step)
    return step.is_synchronous


def _call(call: Call, mesh: Mesh | None = None) -> System:
    return System(
        "shop",
        [
            Service("orders", mesh=mesh, endpoints=[Endpoint("place", steps=[call])]),
            Service("payments", endpoints=[Endpoint("Charge")]),
        ],
    )


def _falling_back(*clients: Client) -> System:
    instead = Fallback("call", target="backup.Charge")
    call = Call("payments.Charge", timeout=250 * ms, fallback=instead)
    return System(
        "shop",
        [
            Service("orders", clients=clients, endpoints=[Endpoint("place", steps=[call])]),
            Service("payments", endpoints=[Endpoint("Charge")]),
            Service("backup", endpoints=[Endpoint("Charge")]),
        ],
    )


@rule.bad("orders.place -> payments.Charge")
def nobody_set_one() -> System:
    return _call(Call("payments.Charge"))


@rule.bad("orders.place -> payments.Charge")
def deliberately_none() -> System:
    return _call(Call("payments.Charge", timeout=Absent("it always answers")))


@rule.bad("orders.place -> placed")
def a_message_waits_for_its_acknowledgement() -> System:
    place = Endpoint("place", steps=[Publish("placed", acks="all")])
    orders = Service("orders", endpoints=[place])
    return System("shop", [Kafka("kafka"), Topic("placed", broker="kafka"), orders])


@rule.bad("orders.place -> placed")
def nobody_says_that_it_does_not_wait() -> System:
    orders = Service("orders", endpoints=[Endpoint("place", steps=[Publish("placed")])])
    return System("shop", [Topic("placed"), orders])


@rule.bad("orders.place -> backup.Charge")
def a_fallback_waits_without_end() -> System:
    return _falling_back()


@rule.good
def a_fallback_with_the_timeout_of_a_client() -> System:
    return _falling_back(Client("backup", timeout=250 * ms))


@rule.good
def each_of_two_attempts_of_the_mesh_ends() -> System:
    mesh = Mesh("istio", per_try_timeout=100 * ms, retry=Retry(attempts=2))
    return _call(Call("payments.Charge"), mesh)


@rule.good
def it_does_not_wait() -> System:
    place = Endpoint("place", steps=[Publish("placed", acks="none")])
    return System("shop", [Topic("placed"), Service("orders", endpoints=[place])])


@rule.good
def a_cache_in_the_own_process() -> System:
    place = Endpoint("place", steps=[Cached("hot", [Read("db", timeout=50 * ms)])])
    return System("shop", [MySQL("db"), LocalCache("hot"), Service("orders", endpoints=[place])])


@rule.good
def a_timeout() -> System:
    return _call(Call("payments.Charge", timeout=250 * ms))


@rule.good
def the_mesh_enforces_one() -> System:
    return _call(Call("payments.Charge"), Mesh("istio", timeout=2 * s))


def _inherited(timeout: Duration | None) -> System:
    call = Call("orders.place", timeout=timeout, propagates_deadline=True)
    return System(
        "shop",
        [
            Service("edge", endpoints=[Endpoint("buy", steps=[call])]),
            Service(
                "orders",
                runtime=GoKit(),
                endpoints=[Endpoint("place", steps=[Call("payments.Charge")])],
            ),
            Service("payments", endpoints=[Endpoint("Charge")]),
        ],
    )


@rule.good
def the_deadline_of_all_who_ask_is_passed_on() -> System:
    return _inherited(500 * ms)


@rule.bad("edge.buy -> orders.place", "orders.place -> payments.Charge")
def nobody_above_sets_a_deadline() -> System:
    return _inherited(None)


@rule.borderline("orders.place -> db")
def a_mesh_does_not_see_queries() -> System:
    place = Endpoint("place", steps=[Read("db")])
    mesh = Mesh("istio", timeout=2 * s)
    return System("shop", [MySQL("db"), Service("orders", mesh=mesh, endpoints=[place])])


@rule.borderline("orders.place -> payments.Charge")
def nobody_says_how_often_the_mesh_tries() -> System:
    return _call(Call("payments.Charge"), Mesh("istio", per_try_timeout=100 * ms))


@rule.borderline("orders.place -> payments.Charge")
def a_mesh_without_a_timeout() -> System:
    return _call(Call("payments.Charge"), Mesh("istio"))
