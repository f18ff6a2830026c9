"""Every field of the vocabulary is simulated, listed where it is declared, or descriptive."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from depth import thorough
from differential.generator import system_from

from archcheck import (
    Autoscale,
    Cached,
    Call,
    Canary,
    Client,
    Consumer,
    CustomRuntime,
    Docker,
    Endpoint,
    External,
    Fallback,
    Feature,
    Flag,
    Grpc,
    Http1,
    Journey,
    Kafka,
    Kill,
    Kubernetes,
    Load,
    Managed,
    MongoDB,
    MySQL,
    Named,
    NodeJs,
    Poisson,
    Probe,
    Publish,
    Queue,
    RabbitMQ,
    Rails,
    RateBetween,
    RateLimit,
    Read,
    Redis,
    Release,
    Retry,
    Scenario,
    ScenarioError,
    Service,
    System,
    Topic,
    Work,
)  # fmt: skip
from archcheck.loading import load
from archcheck.model import Between, BlueGreen, Bulkhead, CircuitBreaker, Outbox, Quorum, Resources
from archcheck.model.element import Element, element_types, field_names
from archcheck.simulation import simulate
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.compiling.left_out import DESCRIPTIVE, LEFT_OUT, left_out, owner_of
from archcheck.units import KB, Rate, cores, ms, percent, s

_ROOT = Path(__file__).parents[2]
_GENERIC = (
    "dataclasses",
    "archcheck.model.element",
    "archcheck.model.linking",
    "archcheck.model.codec",
    "archcheck.editing",
    "archcheck.simulation.compiling.left_out",
)
"""Whoever reads all fields of whatever there is says nothing about a single one."""


def systems() -> Iterator[System]:
    """Systems that declare what a run can follow."""
    for seed in range(300):
        yield system_from(random.Random(seed))
    for model in ("online_boutique", "shop", "social_network"):
        yield from load(_ROOT / "models" / model)
    yield from load(_ROOT / "examples" / "broken_shop.py")
    yield everything()
    threads_of_that_version = Service("old", runtime=Rails("7.1"), endpoints=[Endpoint("go")])
    load_ = Scenario("load", load=[Load("visit", Poisson(1 / s))])
    journeys = [Journey("visit", "old.go")]
    yield System("old", [threads_of_that_version], journeys=journeys, scenarios=[load_])
    store = MySQL("db", copies=2, replication="async", failover="automatic")
    reads = Service("old", endpoints=[Endpoint("go", steps=[Read("db")])])
    killed = replace(load_, faults=[Kill("db", start=1 * s, end=2 * s)])
    yield System("killed", [reads, store], journeys=journeys, scenarios=[killed])


def _is_told_apart(reader: str, holder: Element) -> bool:
    """Whether a module reads this very field, and not all fields of what it is given."""
    if reader == "archcheck.model.clients":
        return isinstance(holder, Client | Service)  # what a client says, its steps have
    return not reader.startswith(_GENERIC)


@contextmanager
def read_fields(found: set[str], patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Note which fields of elements are read, by their names, and not all at once."""

    def noted(self: Element, name: str) -> object:
        value = object.__getattribute__(self, name)
        if not name.startswith("_") and name in field_names(type(self)):
            reader = sys._getframe(1).f_globals["__name__"]
            if _is_told_apart(reader, self):
                found.add(owner_of(type(self), name))
        return value

    with patch.context() as within:
        within.setattr(Element, "__getattribute__", noted, raising=False)
        yield


def everything() -> System:
    """A system that declares all that is left out."""
    probe = Probe("http", path="/", initial_delay=1 * s, timeout=1 * s, touches=["db"])
    publish = Publish(
        "jobs",
        timeout=1 * s,
        retry=Retry(attempts=2),
        breaker=CircuitBreaker(failure_rate=50 * percent),
        bulkhead=Bulkhead(5),
        fallback=Fallback("static"),
        request_size=1 * KB,
        acks="all",
        outbox=True,
    )
    call = Call("bank.pay", connect_timeout=1 * s, balanced_by="connection", blocking=True)
    front = Service(
        "front",
        runtime=NodeJs(graceful_stop=5 * s),
        deployment=Kubernetes(
            autoscale=Autoscale(min=1, max=2, target_cpu=50 * percent, target_metric="lag"),
            resources=Resources(cpu=1 * cores, cpu_limit=1 * cores, memory_limit=1 * KB),
            rollout=Canary(steps=[5 * percent], abort_on="errors"),
            readiness=probe,
            liveness=probe,
            startup=probe,
            deregistration=5 * s,
            availability=99 * percent,
        ),
        clients=[
            Client(
                "back",
                connect_timeout=1 * s,
                reuses_connections=False,
                balanced_by="connection",
                retry=Retry(attempts=2),
            )
        ],
        endpoints=[
            Endpoint(
                "go",
                Grpc(streaming="server"),
                steps=[publish, call, Call("back.run"), Feature("new", [Work(1 * ms)], off=True)],
                atomicity=Outbox(),
            )
        ],
    )
    back = Service(
        "back",
        runtime=CustomRuntime(concurrency="blocking", threads=2),
        deployment=Docker(replicas=1, rollout=BlueGreen(abort_on="errors")),
        endpoints=[
            Endpoint("run", Http1("GET", "/", keep_alive=False), steps=[
                Cached("cache", [Read("db")], hit_ratio=50 * percent),
                Call("bank.pay", reuses_connections=False),
            ])
        ],
        consumers=[Consumer("jobs", batch=10), Consumer("jobs", name="again")],
    )  # fmt: skip
    elements: list[Named] = [
        Flag("new", on=False),
        front,
        back,
        External(
            "bank",
            availability=99 * percent,
            rate_limit=RateLimit(9 / s),
            endpoints=[Endpoint("pay", steps=[Work(1 * ms)], rate_limit=RateLimit(5 / s))],
        ),
        MongoDB(
            "db",
            copies=3,
            failover="automatic",
            replication="async",
            consistency="eventual",
            quorum=Quorum(copies=3, read=2, write=2),
            reserved_connections=3,
            max_rate=Rate(100.0),
            deployment=Kubernetes(replicas=3),
            readiness=probe,
        ),
        Redis("cache", eviction="lfu", invalidation="event"),
        RabbitMQ("rabbit", nodes=3, zones=["a"], deployment=Managed(provider="aws")),
        Kafka("kafka"),
        Queue(
            "jobs",
            broker="rabbit",
            priority=True,
            max_length=100,
            message_size=1 * KB,
            retention=60 * s,
        ),
        Topic("events", broker="kafka", copies=3, min_in_sync=2),
    ]
    loaded = Load("visit", Poisson(1 / s))
    faults = [Release("front", start=1 * s), Kill("db", start=1 * s, end=2 * s)]
    scenario = Scenario(
        "load",
        load=[loaded],
        faults=faults,
        uncertain=[RateBetween("visit", 1 / s, 2 / s)],
    )
    return System(
        "everything",
        elements,
        journeys=[Journey("visit", entries=["front.go", "back.run"])],
        scenarios=[scenario],
        uncertain=[Between("db", "read", 1 * ms, 2 * ms)],
    )


def all_fields() -> set[str]:
    return {owner_of(kind, name) for kind in element_types().values() for name in field_names(kind)}


@thorough
def test_every_field_is_simulated_or_listed_or_descriptive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used: set[str] = set()
    for system in systems():
        for scenario in system.scenarios:
            with read_fields(used, monkeypatch), suppress(ScenarioError):
                compile_plan(system, scenario)
    described = {name for name in all_fields() if _is_descriptive(name)}
    unknown = all_fields() - used - set(LEFT_OUT) - described
    assert not unknown, "neither simulated, nor in left_out.py: " + ", ".join(sorted(unknown))
    merged = {name for name in used if name.startswith("Client.")}  # into steps, all of them
    wrong = (described & used) - merged - {"Consumer.group"}
    assert not wrong, "simulated after all: " + ", ".join(sorted(wrong))


def _is_descriptive(name: str) -> bool:
    return name in DESCRIPTIVE or f"{name.partition('.')[0]}.*" in DESCRIPTIVE


def test_the_tables_name_fields_that_are_there() -> None:
    kinds = element_types()
    own = {f"{kind}.{name}" for kind, built in kinds.items() for name in field_names(built)}
    known = all_fields() | own | {f"{name.partition('.')[0]}.*" for name in all_fields()}
    assert not set(LEFT_OUT) - known
    assert not set(DESCRIPTIVE) - known
    assert not set(LEFT_OUT) & set(DESCRIPTIVE)


def test_what_is_declared_and_not_simulated_is_listed() -> None:
    system = everything()
    listed = set(left_out(system, system.scenarios[0]))
    assert listed == {entry.what for entry in LEFT_OUT.values()}
    found = simulate(system, system.scenarios[0], duration=5 * s).not_simulated
    names = {each.rpartition(" (")[0] for each in found}
    assert listed < names
    assert {
        "steps of external parties (their latency is declared)",
        "a party's limit beside that of its endpoint",
        "client libraries that block an event loop",
        "consumers that share messages (each gets all of them)",
        "batches of messages",
    } <= names


def test_a_system_that_declares_nothing_of_it_lists_nothing() -> None:
    front = Service("front", endpoints=[Endpoint("go", steps=[Work(1 * ms)])])
    system = System("small", [front], journeys=[Journey("visit", "front.go")])
    assert not list(left_out(system, Scenario("load", load=[Load("visit", Poisson(1 / s))])))
