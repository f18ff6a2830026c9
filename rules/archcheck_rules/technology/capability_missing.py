"""What the model claims, the named framework or mesh can do.

Why it matters: a deadline that the framework drops on the way protects nothing, and a mesh sets
no timeout on a protocol that it does not understand; the model then describes another system.

Two claims are checked: a call that propagates its deadline needs a runtime that does
(``deadline_propagation``) and a service whose runtime heeds what it is told, and a call that
leaves its timeout or retries to the mesh needs a protocol that a proxy can read (HTTP or gRPC).
Calls of fallbacks count.

How to fix: turn the feature on and say so (``deadline_propagation=True``), or give the call a
timeout of its own.

False positives: deadlines that are passed on by hand; declare them on the runtime.

Sources: grpc.io, Deadlines (propagation in Java and Go, opt-in in C++); Envoy, architecture
overview (HTTP and TCP proxy filters).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Call,
    Endpoint,
    GoKit,
    Grpc,
    Mesh,
    Protocol,
    PythonGrpc,
    Runtime,
    Service,
    SpringBoot,
    System,
    Thrift,
    effective,
)
from archcheck.capacity import OperationLatencies, advised_timeout
from archcheck.editing.spelling import plain_source
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction
from archcheck.units import Duration, ms, s

rule = Rule("TEC007", "capability-missing", severity="error", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    claims = False
    latencies = OperationLatencies(graph)
    for step in graph.calls(fallbacks=True):
        if isinstance(step.step, Call) and step.step.propagates_deadline:
            claims = True
            yield from _deadline(step)
        if step.mesh is not None and (step.mesh.timeout or step.mesh.retry):
            claims = True
            yield from _mesh(graph, step, latencies)
    if not claims:
        yield NotApplicable("no call propagates a deadline or leaves a timeout to a mesh")


def _deadline(step: Interaction) -> Iterator[Result]:
    runtime: Runtime | None = getattr(step.source, "runtime", None)
    can = effective(runtime, "deadline_propagation")
    if not can.is_known:
        missing = "runtime.deadline_propagation" if runtime else "runtime"
        yield Undecided(step.source, missing)
    elif not can.value:
        yield Violation(
            step,
            f"{step.name} passes its deadline on, and {step.source.name} declares that it cannot",
            fix="deadline_propagation=True in the runtime, or propagates_deadline=False here",
        )
    elif step.deadline_is_kept is None and isinstance(step.target, Service):
        missing = "runtime.deadline_propagation" if step.target.runtime else "runtime"
        yield Undecided(step.target, missing)
    elif step.deadline_is_kept is False:
        whose: Runtime | None = getattr(step.target, "runtime", None)
        stops = effective(whose, "stops_late_work")
        attribute = "stops_late_work" if stops.is_known else "deadline_propagation"
        what = "does not stop" if stops.origin == "default" else "declares that it ignores it"
        yield Violation(
            step,
            f"{step.name} passes its deadline on, and {step.target.name} {what}",
            fix=f"{attribute}=True in the runtime of {step.target.name}, or "
            "propagates_deadline=False here",
        )


def _mesh(graph: Graph, step: Interaction, latencies: OperationLatencies) -> Iterator[Result]:
    tries_once = step.is_fallback or step.protection.retry is not None
    relies = step.timeout is None or not tries_once
    if not relies:
        return
    if step.protocol is None:
        yield Undecided(graph.operations.get(step.target_name, step.target), "protocol")
    elif not step.is_readable:
        yield Violation(
            step,
            f"{step.name} leaves its timeout or retries to the mesh, which sees only bytes of "
            f"{step.protocol.label}",
            fix=step.set_in(
                f"timeout={plain_source(advised_timeout(latencies, step))}"
                if step.timeout is None
                else "retry=Retry(attempts=2, backoff=10 * ms)"
            )
            + ("" if step.is_fallback else " in the call itself"),
        )


_GO = GoKit()


def _passing_on(runtime: Runtime | None, told: Runtime | None = _GO) -> System:
    call = Call("pay", propagates_deadline=True, timeout=1 * s)
    return System(
        "shop",
        [
            Service("orders", runtime=runtime, endpoints=[Endpoint("place", steps=[call])]),
            Service("pay", runtime=told, endpoints=[Endpoint("charge")]),
        ],
    )


def _in_the_mesh(protocol: Protocol | None, timeout: Duration | None = None) -> System:
    call = Call("pay", timeout=timeout)
    mesh = Mesh("istio", timeout=2 * s)
    return System(
        "shop",
        [
            Service("orders", mesh=mesh, endpoints=[Endpoint("place", steps=[call])]),
            Service("pay", endpoints=[Endpoint("charge", protocol)]),
        ],
    )


@rule.bad("orders.place -> pay.charge")
def the_framework_drops_it() -> System:
    return _passing_on(SpringBoot(deadline_propagation=False))


@rule.bad("orders.place -> pay.charge")
def the_callee_ignores_it() -> System:
    return _passing_on(GoKit(), SpringBoot(deadline_propagation=False))


@rule.bad("orders.place -> pay.charge")
def the_mesh_cannot_read_it() -> System:
    return _in_the_mesh(Thrift())


@rule.borderline("orders.place -> pay.charge")
def the_timeout_is_set_but_the_retries_are_left_to_it() -> System:
    return _in_the_mesh(Thrift(), timeout=50 * ms)


@rule.good
def go_carries_it_in_the_context() -> System:
    return _passing_on(GoKit())


@rule.good
def the_mesh_reads_grpc() -> System:
    return _in_the_mesh(Grpc())


@rule.bad("orders.place -> pay.charge")
def a_handler_of_grpcio_is_not_interrupted() -> System:
    return _passing_on(GoKit(), PythonGrpc())


@rule.unknown("runtime.deadline_propagation")
def spring_does_not_say() -> System:
    return _passing_on(SpringBoot())


@rule.unknown("runtime")
def no_runtime() -> System:
    return _passing_on(None)


@rule.unknown("runtime")
def the_callee_does_not_say() -> System:
    return _passing_on(GoKit(), None)


@rule.unknown("protocol")
def no_protocol() -> System:
    return _in_the_mesh(None)
