"""Containers request CPU and memory, and have a limit for memory.

Why it matters: without requests the scheduler packs a node until everything on it is slow;
without a memory limit one leak takes its neighbours with it. A CPU limit is left to taste: it
throttles when there is no need. A limit below its request is refused by the platform.

Datastores and brokers without a deployment are taken to be run by somebody else.

How to fix: ``resources=Resources(cpu=500 * millicores, memory=512 * MiB, memory_limit=1 * GiB)``.

False positives: machines that run one process each; they are not containers and not asked.

Sources: Kubernetes, Resource Management for Pods and Containers; kube-linter,
unset-memory-requirements; kube-score, container-resources (and its issue 30 on CPU limits).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Absent,
    Broker,
    Datastore,
    Docker,
    Kafka,
    Kubernetes,
    Resources,
    Service,
    System,
    VirtualMachines,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.model import Deployment
from archcheck.units import MiB, Quantity, cores

rule = Rule("DEP003", "no-resource-limits", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    members: list[Service | Datastore | Broker] = [
        *graph.system.services,
        *graph.system.datastores,
        *graph.system.brokers,
    ]
    contained = [
        (member, deployment)
        for member in members
        if isinstance(deployment := getattr(member, "deployment", None), Kubernetes | Docker)
    ]
    silent = [service for service in graph.system.services if service.deployment is None]
    for service in silent:
        yield Undecided(service, "deployment")
    if not contained and not silent:
        yield NotApplicable("nothing is declared to run in a container")
    for member, deployment in contained:
        if deployment.resources is None:
            yield Undecided(member, "deployment.resources")
            continue
        lacking = _lacking(deployment.resources)
        if lacking:
            yield Violation(
                member,
                f"the container of {member.name} has no {' and no '.join(lacking)}",
                fix="Resources(cpu=..., memory=..., memory_limit=...)",
                cause=f"containers have no {' and no '.join(lacking)}",
            )
        for what, wanted, limit in _below_its_request(deployment.resources):
            yield Violation(
                member,
                f"the container of {member.name} requests {wanted} of {what} and is limited to "
                f"{limit}",
                fix=f"a limit of at least {wanted}, or a smaller request",
            )


def _below_its_request(resources: Resources) -> Iterator[tuple[str, Quantity, Quantity]]:
    """What is limited to less than is requested, with the request and the limit."""
    pairs = (
        ("CPU", resources.cpu, resources.cpu_limit),
        ("memory", resources.memory, resources.memory_limit),
    )
    for what, wanted, limit in pairs:
        if wanted is None or limit is None or isinstance(limit, Absent):
            continue
        if float(limit) < float(wanted):
            yield what, wanted, limit


def _lacking(resources: Resources) -> list[str]:
    """A list of resources that leaves one out says that there is none."""
    found = []
    if resources.cpu is None:
        found.append("CPU request")
    if resources.memory is None:
        found.append("memory request")
    if resources.memory_limit is None or isinstance(resources.memory_limit, Absent):
        found.append("memory limit")
    return found


def _contained(deployment: Deployment) -> System:
    return System(
        "shop",
        [Service("orders", deployment=deployment), Service("bare", deployment=VirtualMachines())],
    )


@rule.bad("orders")
def only_cpu() -> System:
    return _contained(Kubernetes(resources=Resources(cpu=1 * cores)))


@rule.bad("orders")
def no_limit_on_purpose() -> System:
    wanted = Resources(cpu=1 * cores, memory=64 * MiB, memory_limit=Absent("it never leaks"))
    return _contained(Docker(resources=wanted))


@rule.bad("orders")
def no_cpu() -> System:
    return _contained(Kubernetes(resources=Resources(memory=64 * MiB, memory_limit=64 * MiB)))


@rule.bad("orders")
def less_than_it_requests() -> System:
    small = Resources(cpu=1 * cores, memory=128 * MiB, memory_limit=64 * MiB)
    return _contained(Kubernetes(resources=small))


@rule.bad("kafka")
def a_broker_is_a_container_too() -> System:
    bare = Kubernetes(resources=Resources(cpu=1 * cores))
    return System("shop", [Kafka("kafka", deployment=bare)])


@rule.borderline()
def a_cpu_limit_is_not_asked_for() -> System:
    enough = Resources(cpu=1 * cores, memory=64 * MiB, memory_limit=64 * MiB)
    return _contained(Kubernetes(resources=enough))


@rule.good
def all_of_it() -> System:
    full = Resources(cpu=1 * cores, cpu_limit=2 * cores, memory=64 * MiB, memory_limit=128 * MiB)
    return _contained(Kubernetes(resources=full))


@rule.unknown("deployment.resources")
def nobody_says() -> System:
    return _contained(Kubernetes())


@rule.unknown("deployment")
def nobody_says_what_it_runs_in() -> System:
    return System("shop", [Service("orders")])
