"""Every service is reached from a journey, a person, a schedule or a topic.

Why it matters: a service that nothing leads to is either dead, and costs money and patches, or
the model does not say what it is for.

What a fallback asks is reached, and so are the actions and compensations of a saga. What stands
behind a feature flag is reached if the flags allow a configuration that has it. A consumer is
reached when something that is reached publishes to its topic, or when nothing in the system does:
then the messages come from outside. A gateway is entered from outside. A client that no step uses
leads to its callee, whatever is asked there. A service that declares nothing to ask, as in what
manifests say, is not judged: nothing could lead to it.

How to fix: declare the journey, person or schedule that uses it, or remove the service.

False positives: tools that start work by themselves; declare a ``Schedule`` or a ``Person``
that uses them, or suppress with the reason.

Sources: FINOS CALM, nodes must be referenced; Threagile, unnecessary-technical-asset.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from archcheck import (
    Call,
    Client,
    Consumer,
    Endpoint,
    External,
    Fallback,
    Feature,
    Flag,
    Gateway,
    Journey,
    Publish,
    Saga,
    SagaStep,
    Schedule,
    Service,
    System,
    Topic,
)
from archcheck.findings import NotApplicable, Result, Rule, Violation
from archcheck.graph import Graph, Interaction
from archcheck.proof.feature_flags import FeatureFlags

rule = Rule("BND012", "unreachable", severity="warning", method="graph", on_unknown="never")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    starts = set(graph.entered_from_outside())
    if not starts:
        yield NotApplicable("no journey, person or schedule says where requests begin")
        return
    reached = _reached(graph, starts)
    for service in graph.system.services:
        operations = [operation.name for operation in graph.operations_of(service)]
        if not operations:
            continue
        if service.name not in reached and not reached.intersection(operations):
            yield Violation(
                service,
                f"no journey, person, schedule or topic leads to {service.name}",
                fix="declare who uses it, or remove it",
            )


def _reached(graph: Graph, starts: set[str]) -> set[str]:
    asked = defaultdict[str, list[Interaction]](list)
    family = FeatureFlags(graph.system)
    for edge in graph.edges:
        if family.configuration(edge.flags) is not None:
            asked[edge.operation.name].append(edge)
    published = {step.target.name for step in graph.interactions if step.mode == "publish"}
    fed = {op for topic, ops in graph.consumers.items() if topic not in published for op in ops}
    connected = defaultdict[str, list[str]](list)
    for source, target in graph.connections:
        connected[source] += _all_of(graph, target)
    gateways = [
        g for gateway in graph.system.of_type(Gateway) for g in _all_of(graph, gateway.name)
    ]
    reached: set[str] = set()
    waiting = [*starts, *fed, *gateways]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        waiting += connected[name.partition(".")[0]]
        for step in asked[name]:
            if step.mode == "publish":
                waiting += graph.consumers.get(step.target.name, ())
            else:
                waiting.append(step.target_name)
    return reached


def _all_of(graph: Graph, name: str) -> list[str]:
    """An element and everything that can be asked of it."""
    element = graph.system.find(name.partition(".")[0])
    asked = graph.operations_of(element) if isinstance(element, Service) else ()
    return [name, *(operation.name for operation in asked)]


def _system(*services: Service, publishes: bool = False) -> System:
    steps = [Publish("paid")] if publishes else []
    return System(
        "shop",
        [Topic("paid"), Service("web", endpoints=[Endpoint("page", steps=steps)]), *services],
        journeys=[Journey("browse", "web.page")],
    )


@rule.bad("old")
def nobody_calls_it() -> System:
    return _system(Service("old", endpoints=[Endpoint("run")]))


@rule.bad("a", "b")
def two_that_know_only_each_other() -> System:
    return _system(
        Service("a", endpoints=[Endpoint("run", steps=[Call("b.run")])]),
        Service("b", endpoints=[Endpoint("run", steps=[Call("a.run")])]),
    )


def _behind(*flags: Flag) -> System:
    run = Endpoint("page", steps=[Feature("new", [Call("prices.get")])])
    return System(
        "shop",
        [
            *flags,
            Service("web", endpoints=[run]),
            Service("prices", endpoints=[Endpoint("get")]),
        ],
        journeys=[Journey("browse", "web.page")],
    )


@rule.bad("prices")
def its_flag_can_never_be_on() -> System:
    return _behind(Flag("new", requires=["old"], excludes=["old"]), Flag("old"))


@rule.borderline()
def its_flag_is_off_today() -> System:
    return _behind(Flag("new", on=False))


@rule.borderline()
def messages_come_from_outside() -> System:
    return _system(Service("mail", consumers=[Consumer("paid")]))


@rule.good
def an_event_leads_to_it() -> System:
    return _system(Service("mail", consumers=[Consumer("paid")]), publishes=True)


@rule.good
def a_fallback_and_a_saga_lead_to_it() -> System:
    saga = Saga([SagaStep("cards.charge", compensation="cards.refund")])
    call = Call("bank", fallback=Fallback("call", target="spare.pay"))
    return System(
        "shop",
        [
            External("bank"),
            Service("web", endpoints=[Endpoint("page", atomicity=saga, steps=[call])]),
            Service("cards", endpoints=[Endpoint("charge"), Endpoint("refund")]),
            Service("spare", endpoints=[Endpoint("pay")]),
        ],
        journeys=[Journey("browse", "web.page")],
    )


@rule.good
def behind_a_client_that_no_step_uses() -> System:
    return _system(
        Gateway("edge", clients=[Client("prices")]),
        Service("prices", endpoints=[Endpoint("get", steps=[Call("rates.get")])]),
        Service("rates", endpoints=[Endpoint("get")]),
    )


@rule.good
def what_manifests_say() -> System:
    count = Service("count", endpoints=[Endpoint("run")])
    return System("shop", [Schedule("at night", calls="count.run"), count, Service("web")])
