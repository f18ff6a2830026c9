"""The time to stop covers leaving the balancer and the longest request that is allowed.

Why it matters: at each release and each scaling down, replicas stop. Requests that are still
inside when the time is over are cut off, and those that the balancer sends until it has noticed.

The longest request is the largest timeout that callers or journeys set for the service, and the
longest that a consumer takes for a message. Where somebody who asks sets no timeout (the question
of a fallback has none, nor has a schedule), the worst case of the endpoint counts. A framework that
stops before (``graceful_stop=``) cuts requests off as well.

The deployment of a service is asked for where somebody waits longer than the ten seconds that every
platform gives by default.

How to fix: ``grace`` of at least ``deregistration`` plus the longest timeout, or shorter
timeouts.

False positives: requests that may be cut off because they are repeated elsewhere.

Sources: Kubernetes, Pod Lifecycle (termination, 30 s by default); gRPC, Graceful Shutdown; Docker,
docker stop (10 s by default).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from archcheck import (
    Absent,
    Call,
    Constant,
    Consumer,
    Docker,
    Endpoint,
    External,
    Fallback,
    Journey,
    Kubernetes,
    Schedule,
    Service,
    SpringBoot,
    System,
    Topic,
    VirtualMachines,
    Work,
    effective,
)
from archcheck.editing.spelling import plain_source
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Operation
from archcheck.model import Deployment
from archcheck.proof.worst_cases import WorstCase, worst_cases
from archcheck.units import Duration, hours, s

rule = Rule("DEP012", "drain-too-short", severity="warning", method="calc")


_LEAST_GRACE: Duration = Docker.documented["grace"].value
"""What any platform gives that documents a default: ten seconds."""


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    deployed = [service for service in graph.system.services if service.deployment is not None]
    names = {service.name for service in deployed}
    patience = _patience(graph)
    asked = list(_not_deployed(graph, patience))
    yield from asked
    if not asked and not any(patience.get(service.name) for service in deployed):
        yield NotApplicable("no timeout is declared for a service that is deployed")
    cases = [*_messages(graph), *_unbounded(graph)]
    for operation, case in cases:
        for gap in case.gaps if operation.owner.name in names else ():
            yield Undecided(gap.holder, gap.attribute)
    for service in deployed:
        longest = max(patience.get(service.name, ()), key=lambda entry: entry[0], default=None)
        if longest is not None:
            yield from _judge(service, *longest)


def _not_deployed(
    graph: Graph, patience: Mapping[str, list[tuple[Duration, str]]]
) -> Iterator[Undecided]:
    """Asks for the deployment of services that one of the defaults for the grace would cut off."""
    for service in graph.system.services:
        longest = max((limit for limit, _ in patience.get(service.name, ())), default=None)
        if service.deployment is None and longest is not None and longest > _LEAST_GRACE:
            yield Undecided(service, "deployment", f"holds with a grace of at least {longest}")


def _judge(service: Service, longest: Duration, who: str) -> Iterator[Result]:
    deployment = service.deployment
    grace = effective(deployment, "grace")
    leaving: Duration | None = getattr(deployment, "deregistration", None)
    if not grace.is_known:
        yield Undecided(service, "deployment.grace", f"holds from {longest}")
    elif longest + (leaving or Duration(0.0)) > grace.value:
        default = f" (default: {grace.source})" if grace.origin == "default" else ""
        after = f" and leaves the balancer after {leaving}" if leaving else ""
        yield Violation(
            service,
            f"{service.name} is killed {grace.value} after the signal to stop{default}{after}, and "
            f"{who} waits up to {longest}",
            fix=f"grace={plain_source(longest + (leaving or Duration(0.0)))}",
        )
    elif isinstance((stop := effective(service.runtime, "graceful_stop")).value, Duration) and (
        stop.value < longest
    ):
        default = f" (default: {stop.source})" if stop.origin == "default" else ""
        yield Violation(
            service,
            f"the framework of {service.name} waits {stop.value} for its requests when it "
            f"stops{default}, and {who} waits up to {longest}",
            fix=f"graceful_stop={plain_source(longest)}",
        )
    elif leaving is None:
        room = grace.value - longest
        yield Undecided(service, "deployment.deregistration", f"holds up to {room}")


def _messages(graph: Graph) -> Iterator[tuple[Operation, WorstCase]]:
    """What consumers take for a message, where they do anything."""
    cases = worst_cases(graph)
    for name, operation in graph.operations.items():
        if isinstance(operation.part, Consumer) and operation.part.steps:
            yield operation, cases.of(name)


def _unbounded(graph: Graph) -> Iterator[tuple[Operation, WorstCase]]:
    """The endpoints that somebody asks without a timeout: only what they take bounds it."""
    cases = worst_cases(graph)
    asked = {
        step.target_name
        for step in graph.every_call()
        if step.endpoint is not None and step.protection.attempt() is None
    }
    for name, starters in graph.entered_from_outside().items():
        if not all(isinstance(getattr(who, "timeout", None), Duration) for who in starters):
            asked.add(name)
    for name in sorted(asked & graph.operations.keys()):
        yield graph.operations[name], cases.of(name)


def _patience(graph: Graph) -> dict[str, list[tuple[Duration, str]]]:
    """Service to the timeouts of those who wait for it."""
    found: dict[str, list[tuple[Duration, str]]] = {}
    cases = worst_cases(graph)
    for step in graph.every_call():
        attempt = step.protection.attempt()
        if attempt is None and step.endpoint is not None:
            attempt = cases.of(step.target_name).seconds
        if attempt:
            patience = Duration(float(attempt)), step.operation.name
            found.setdefault(step.target.name, []).append(patience)
    for operation, case in _messages(graph):
        taken = Duration(float(case.seconds)), f"a message of {operation.name}"
        found.setdefault(operation.owner.name, []).append(taken)
    for name, starters in graph.entered_from_outside().items():
        for who in starters:
            limit = getattr(who, "timeout", None)
            if not isinstance(limit, Duration):
                limit = Duration(float(cases.of(name).seconds))
            if limit:
                found.setdefault(name.partition(".")[0], []).append((limit, who.name))
    return found


def _stopping(
    timeout: Duration | Absent | None,
    deployment: Deployment | None,
    *,
    patience: Duration | None = None,
) -> System:
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[Call("pdf.make", timeout=timeout)])]),
            Service("pdf", deployment=deployment, endpoints=[Endpoint("make")]),
        ],
        journeys=[Journey("print", "pdf.make", timeout=patience)],
    )


@rule.bad("pdf")
def the_default_is_too_short() -> System:
    return _stopping(60 * s, Kubernetes())


@rule.bad("pdf")
def leaving_the_balancer_takes_time() -> System:
    return _stopping(26 * s, Kubernetes(deregistration=5 * s))


@rule.bad("pdf")
def a_fallback_asks_without_a_timeout() -> System:
    instead = Fallback("call", target="pdf.make")
    call = Call("printer.make", timeout=1 * s, fallback=instead)
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[call])]),
            Service("printer", endpoints=[Endpoint("make")]),
            Service(
                "pdf",
                deployment=Kubernetes(grace=10 * s, deregistration=5 * s),
                endpoints=[Endpoint("make", steps=[Work(Constant(20 * s))])],
            ),
        ],
    )


@rule.bad("pdf")
def users_wait_longer() -> System:
    return _stopping(5 * s, Kubernetes(deregistration=5 * s), patience=26 * s)


@rule.borderline()
def just_long_enough() -> System:
    return _stopping(25 * s, Kubernetes(deregistration=5 * s))


@rule.good
def time_enough() -> System:
    return _stopping(2 * s, Kubernetes(grace=60 * s, deregistration=5 * s))


@rule.unknown("deployment.deregistration")
def nobody_knows_the_balancer() -> System:
    return _stopping(25 * s, Kubernetes())


@rule.unknown("deployment.grace")
def machines_without_a_grace() -> System:
    return _stopping(25 * s, VirtualMachines())


@rule.bad("mail")
def a_message_takes_two_minutes() -> System:
    consumer = Consumer("placed", steps=[Work(Constant(120 * s))])
    return System(
        "shop",
        [
            Topic("placed"),
            Service(
                "mail",
                deployment=Kubernetes(grace=30 * s, deregistration=5 * s),
                consumers=[consumer],
            ),
        ],
    )


@rule.bad("pdf")
def the_framework_stops_before() -> System:
    return _stopped(SpringBoot(graceful_stop=2 * s), timeout=20 * s)


@rule.bad("pdf")
def the_framework_stops_before_by_default() -> System:
    return _stopped(SpringBoot("3.5"), timeout=40 * s)


def _stopped(runtime: SpringBoot, timeout: Duration) -> System:
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[Call("pdf.make", timeout=timeout)])]),
            Service(
                "pdf",
                runtime=runtime,
                deployment=Kubernetes(grace=60 * s, deregistration=5 * s),
                endpoints=[Endpoint("make")],
            ),
        ],
    )


@rule.unknown("deployment")
def no_deployment_gives_half_a_minute() -> System:
    return _stopping(25 * s, None)


@rule.borderline()
def every_deployment_gives_ten_seconds() -> System:
    return _stopping(10 * s, None)


@rule.unknown("timeout")
def a_clock_starts_what_nobody_can_tell() -> System:
    make = Endpoint("make", steps=[Call("printer")])
    up = Kubernetes(deregistration=5 * s)
    return System(
        "shop",
        [
            External("printer"),
            Service("pdf", deployment=up, endpoints=[make]),
            Schedule("nightly", calls="pdf.make", every=24 * hours),
        ],
    )
