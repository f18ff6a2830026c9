"""No untraced service lies between traced ones.

Why it matters: the trace breaks there; everything behind it appears as a request from nowhere,
and the one slow hop that everybody looks for is the one that nobody sees.

How to fix: trace the service (``tracing=Tracing("jaeger", propagation="w3c")``), or at least pass
the context on; do not switch propagation off on a call.

False positives: none; a gap costs its neighbours the trace as well.

Sources: W3C Trace Context; OpenTelemetry, Context propagation.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Call, Endpoint, Named, Service, System, Tracing
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("OBS003", "trace-gap", severity="warning", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    calls = graph.service_calls()
    for service in graph.system.services:
        if _is_traced(service):
            continue
        before = [n for n in calls.predecessors(service.name) if _is_traced(graph.system.find(n))]
        behind = [n for n in calls.successors(service.name) if _is_traced(graph.system.find(n))]
        if not before or not behind:
            continue
        if isinstance(service.tracing, Absent):
            yield Violation(
                service,
                f"{service.name} is not traced, but lies between {before[0]} and {behind[0]}, "
                f"which are ({service.tracing.reason!r})",
                fix='tracing=Tracing("jaeger", propagation="w3c")',
            )
        else:
            yield Undecided(service, "tracing")
    for step in graph.calls():
        cut = getattr(step.step, "propagates_trace", None) is False
        if cut and _is_traced(step.source) and _is_traced(step.target):
            yield Violation(
                step,
                f"{step.operation.name} does not pass the trace context to {step.target_name}, "
                "and both are traced",
                fix="propagates_trace=True",
            )


def _is_traced(member: Named) -> bool:
    return isinstance(getattr(member, "tracing", None), Tracing)


def _chain(middle: Tracing | Absent | None, *, propagates: bool | None = None) -> System:
    traced = Tracing(propagation="w3c")
    return System(
        "shop",
        [
            Service(
                "web", tracing=traced, endpoints=[Endpoint("page", steps=[Call("orders.get")])]
            ),
            Service(
                "orders",
                tracing=middle,
                endpoints=[Endpoint("get", steps=[Call("stock.get", propagates_trace=propagates)])],
            ),
            Service("stock", tracing=traced, endpoints=[Endpoint("get")]),
        ],
    )


@rule.bad("orders")
def the_middle_is_dark() -> System:
    return _chain(Absent("old framework"))


@rule.bad("orders.get -> stock.get")
def the_context_is_dropped() -> System:
    return _chain(Tracing(propagation="w3c"), propagates=False)


@rule.good
def traced_throughout() -> System:
    return _chain(Tracing(propagation="w3c"))


@rule.unknown("tracing")
def nobody_says() -> System:
    return _chain(None)


@rule.borderline()
def the_end_of_a_trace_may_be_dark() -> System:
    return System(
        "shop",
        [
            Service(
                "web",
                tracing=Tracing(propagation="w3c"),
                endpoints=[Endpoint("page", steps=[Call("stock.get", propagates_trace=False)])],
            ),
            Service("stock", tracing=Absent("old framework"), endpoints=[Endpoint("get")]),
        ],
    )
