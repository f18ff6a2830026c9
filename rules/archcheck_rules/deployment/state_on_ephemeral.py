"""What keeps data has volumes that survive its container.

Why it matters: a container's own disk and an ``emptyDir`` are gone with the container: with the
next eviction, crash or update.

A container of Docker for which no volume at all is declared has its own disk only. On Kubernetes an
operator may bring the volumes, so that a deployment without any is a question. A broker whose
topics and queues all deliver at most once, such as core NATS, keeps nothing.

How to fix: ``volumes=[Volume("data", durable=True)]`` (a persistent volume, a disk of the
provider), or a managed service.

False positives: stores that are filled from elsewhere at each start; declare them as caches.

Sources: Kubernetes, Volumes (emptyDir) and Persistent Volumes; Docker, volumes.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Broker,
    Datastore,
    Docker,
    Kafka,
    Kubernetes,
    Managed,
    MySQL,
    Nats,
    Redis,
    System,
    Topic,
    Volume,
    effective,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.messages import delivery_of
from archcheck.model import Deployment

rule = Rule("DEP008", "state-on-ephemeral", severity="error", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    stateful: list[Datastore | Broker] = [
        *(store for store in graph.system.datastores if not store.is_cache),
        *(broker for broker in graph.system.brokers if _keeps_messages(graph, broker)),
    ]
    if not stateful:
        yield NotApplicable("there is no datastore and no broker")
    for member in stateful:
        deployment = getattr(member, "deployment", None)
        if isinstance(deployment, Managed):
            continue
        if isinstance(member, Datastore) and member.spread_by_provider:
            continue  # its provider keeps the data
        if getattr(member, "persistence", None) == "none":
            yield Violation(
                member,
                f"{member.name} keeps data and writes none of them to disk (persistence='none')",
                fix='persistence="aof", and a durable volume',
            )
            continue
        volumes = (*getattr(member, "volumes", ()), *(deployment.volumes if deployment else ()))
        lost = [volume.name for volume in volumes if volume.durable is False]
        if lost:
            yield Violation(
                member,
                f"{member.name} keeps its data on {', '.join(dict.fromkeys(lost))}, which is lost "
                "with the container",
                fix=f'Volume("{lost[0]}", durable=True)',
            )
        elif isinstance(deployment, Docker) and not volumes:
            yield Violation(
                member,
                f"{member.name} keeps its data in its container, which has no volume",
                fix='volumes=[Volume("data", durable=True)]',
                cause="data are kept in containers that have no volume",
            )
        elif not volumes:
            yield Undecided(member, "volumes")
        elif not all(volume.durable for volume in volumes):
            yield Undecided(member, "volumes.durable")


def _keeps_messages(graph: Graph, broker: Broker) -> bool:
    """Whether it has to deliver a message again: one that delivers at most once keeps none."""
    promises = {effective(broker, "delivery").value}
    for channel in graph.system.channels:
        if getattr(channel, "broker", None) == broker.name:
            promises.add(delivery_of(graph.system, channel)[0])
    return promises != {"at_most_once"}


def _kept(deployment: Deployment | None, *volumes: Volume) -> System:
    return System("shop", [MySQL("ledger", deployment=deployment, volumes=volumes)])


@rule.bad("ledger")
def an_empty_dir() -> System:
    return _kept(None, Volume("data", durable=False))


@rule.bad("kafka")
def a_broker_on_the_containers_disk() -> System:
    lost = Docker(volumes=[Volume("log", durable=False)])
    return System("shop", [Kafka("kafka", deployment=lost)])


@rule.bad("ledger")
def a_container_without_a_volume() -> System:
    return _kept(Docker(replicas=2))


@rule.borderline("ledger")
def one_of_two_is_lost() -> System:
    return _kept(Kubernetes(volumes=[Volume("data", durable=True)]), Volume("log", durable=False))


@rule.good
def a_persistent_volume() -> System:
    return _kept(Kubernetes(volumes=[Volume("data", durable=True)]))


@rule.good
def somebody_else_keeps_it() -> System:
    return System("shop", [*_kept(Managed("RDS")).elements, Redis("cache")])


@rule.unknown("volumes.durable")
def nobody_says() -> System:
    return _kept(None, Volume("data"))


@rule.bad("sessions")
def a_store_in_memory_only() -> System:
    volume = Volume("data", durable=True)
    return System("shop", [Redis("sessions", role="store", persistence="none", volumes=[volume])])


@rule.borderline()
def a_broker_that_keeps_nothing() -> System:
    return System("shop", [Nats("bus", deployment=Docker())])


@rule.borderline("bus")
def a_topic_of_it_is_kept() -> System:
    kept = Topic("paid", broker="bus", delivery="at_least_once")
    return System("shop", [Nats("bus", deployment=Docker()), kept])
