"""No untraced service lies between traced ones, and neighbours pass traces on in one format.

Why it matters: the trace breaks there; everything behind it appears as a request from nowhere,
and the one slow hop that everybody looks for is the one that nobody sees.

A trace goes from caller to callee and from publisher to consumer, also of dead letters. A service
lies between traced ones also when its neighbours are as dark as itself. Formats are compared where
both sides declare one.

How to fix: trace the service (``tracing=Tracing("jaeger", propagation="w3c")``), or at least pass
the context on; do not switch propagation off on a call; choose one format (W3C Trace Context).

False positives: a service that is dark on purpose, such as one that handles secrets or is bought;
its neighbours lose the trace all the same, and passing the header on needs no spans of its own. A
sidecar does not close the gap: a mesh sees both requests and cannot know that they belong together
unless the code copies the header. Two formats are a finding though some gateways translate them;
declare the format that such a gateway sends. Whether a trace may be lost by sampling is not looked
at.

Sources: W3C Trace Context; OpenTelemetry, Context propagation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from archcheck import (
    Absent,
    Call,
    Client,
    Consumer,
    Endpoint,
    Named,
    Publish,
    Service,
    System,
    Topic,
    Tracing,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction
from archcheck.graph.messages import receivers_of
from archcheck.graph.signals import platform_for
from archcheck.graph.walks import backward
from archcheck.model.clients import from_client

rule = Rule("OBS003", "trace-gap", severity="warning", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    passes = _passes(graph)
    traced = [service.name for service in graph.system.services if _is_traced(service)]
    back = backward(passes)
    above = _over_untraced(graph, traced, back)
    below = _over_untraced(graph, traced, passes)
    for service in graph.system.services:
        if service.name not in above or service.name not in below:
            continue
        if isinstance(service.tracing, Absent):
            before = _nearest_traced(graph, service, back)
            behind = _nearest_traced(graph, service, passes)
            yield Violation(
                service,
                f"{service.name} is not traced, but lies between {before} and {behind}, "
                f"which are ({service.tracing.reason!r})",
                fix=_tracing(graph, before),
            )
        else:
            yield Undecided(service, "tracing")
    for step, target in _cut(graph):
        if _is_traced(step.source) and _is_traced(target):
            name = step.target_name if target is step.target else target.name
            yield Violation(
                step,
                f"{step.operation.name} does not pass the trace context to {name}, "
                "and both are traced",
                fix=_passed_on(step),
            )
    for source, targets in passes.items():
        for callee, step in targets.items():
            yield from _formats(graph, source, callee, step)


def _passes(graph: Graph) -> dict[str, dict[str, Interaction]]:
    """Who passes a trace on to whom: calls, and messages, each with a step that does."""
    found: dict[str, dict[str, Interaction]] = {s.name: {} for s in graph.system.services}
    for step in graph.edges:
        names = [step.target.name] if step.mode == "call" else []
        if step.mode == "publish":
            names = [reader.owner.name for reader in receivers_of(graph, step.target.name)]
        for name in names:
            found.setdefault(step.source.name, {}).setdefault(name, step)
    return found


def _cut(graph: Graph) -> Iterator[tuple[Interaction, Named]]:
    """Who is told not to pass a trace on, by the call or by the client for who is asked; to whom
    it would go."""
    for step in graph.questions:
        own = getattr(step.step, "propagates_trace", None)
        if step.mode == "call" and own is False:
            yield step, step.target
        elif step.mode == "publish" and (
            from_client(step.source, step.step, "propagates_trace") is False
        ):
            readers = receivers_of(graph, step.target.name)
            yield from ((step, owner) for owner in {reader.owner: None for reader in readers})


def _passed_on(step: Interaction) -> str:
    setting = "propagates_trace=True"
    return (
        f'Client("{step.target.name}", {setting})'
        if step.mode == "publish"
        else (step.set_in(setting))
    )


def _over_untraced(
    graph: Graph, starts: Iterable[str], edges: Mapping[str, Iterable[str]]
) -> dict[str, None]:
    """The untraced services that are reached over none but untraced ones, the nearest first."""
    found: dict[str, None] = {}
    waiting = deque(starts)
    while waiting:
        for name in edges.get(waiting.popleft(), ()):
            if name not in found and not _is_traced(graph.system.find(name)):
                found[name] = None
                waiting.append(name)
    return found


def _nearest_traced(graph: Graph, service: Service, edges: Mapping[str, Iterable[str]]) -> str:
    """The first traced service that is reached from one over untraced ones."""
    between = _over_untraced(graph, [service.name], edges)
    names = (name for each in (service.name, *between) for name in edges.get(each, ()))
    return next(name for name in names if _is_traced(graph.system.find(name)))


def _formats(graph: Graph, source: str, target: str, step: Interaction) -> Iterator[Result]:
    here, there = (_format(graph.system.find(name)) for name in (source, target))
    if here is not None and there is not None and here != there:
        yield Violation(
            step,
            f"{source} passes the trace context on as {here}, and {target} reads {there}",
            fix='propagation="w3c" on both sides',
            evidence=(step,),
        )


def _tracing(graph: Graph, neighbour: str) -> str:
    """What a service declares to be traced as its neighbour is."""
    tracing = getattr(graph.system.find(neighbour), "tracing", None)
    platform = getattr(tracing, "platform", None) or platform_for(graph, "traces") or "jaeger"
    propagation = _format(graph.system.find(neighbour)) or "w3c"
    return f'tracing=Tracing("{platform}", propagation="{propagation}")'


def _format(member: Named) -> str | None:
    tracing = getattr(member, "tracing", None)
    return tracing.propagation if isinstance(tracing, Tracing) else None


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


@rule.bad("web.page -> orders.get", "orders.get -> stock.get")
def another_format_in_the_middle() -> System:
    return _chain(Tracing(propagation="b3"))


def _over_a_topic(reader: Tracing | Absent, behind: Tracing | Absent) -> System:
    traced = Tracing(propagation="w3c")
    return System(
        "shop",
        [
            Topic("placed"),
            Service("web", tracing=traced, endpoints=[Endpoint("page", steps=[Publish("placed")])]),
            Service(
                "mails", tracing=reader, consumers=[Consumer("placed", steps=[Call("smtp.send")])]
            ),
            Service(
                "smtp", tracing=behind, endpoints=[Endpoint("send", steps=[Call("archive.add")])]
            ),
            Service("archive", tracing=traced, endpoints=[Endpoint("add")]),
        ],
    )


@rule.bad("mails", "smtp")
def two_dark_ones_in_a_row() -> System:
    return _over_a_topic(Absent("old framework"), Absent("bought"))


@rule.bad("mails")
def a_dark_consumer() -> System:
    return _over_a_topic(Absent("old framework"), Tracing(propagation="w3c"))


@rule.bad("orders.place -> placed")
def the_client_of_a_topic_drops_it() -> System:
    traced = Tracing(propagation="w3c")
    client = Client("placed", propagates_trace=False)
    place = Endpoint("place", steps=[Publish("placed")])
    return System(
        "shop",
        [
            Topic("placed"),
            Service("orders", tracing=traced, endpoints=[place], clients=[client]),
            Service("mails", tracing=traced, consumers=[Consumer("placed")]),
        ],
    )
