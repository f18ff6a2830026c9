"""Consumers of queues and topics against queueing theory and against what brokers document."""

from __future__ import annotations

from typing import Any

import pytest
from differential.compare import Collected
from fidelity.harness import assert_contains, erlang_c, response, run, runs, service, system

from archcheck import (
    Autoscale,
    Constant,
    Consumer,
    Deterministic,
    Docker,
    Kafka,
    Kill,
    Kubernetes,
    Load,
    Poisson,
    Publish,
    Queue,
    RabbitMQ,
    RateStep,
    Recorded,
    Scenario,
    Stepped,
    System,
    Topic,
    Work,
    ZoneLoss,
)
from archcheck.model.deployment import Resources
from archcheck.model.distributions import Time
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import reference
from archcheck.simulation.plan import Outcome
from archcheck.simulation.trace import SpanKind
from archcheck.units import cores, ms, percent, s


def consumed(channel: Queue | Topic, time: Time, deployment: Any, consumers: int = 1) -> System:
    """Messages that each need a core; every consumer of a replica has one."""
    worker = service(
        "worker",
        threads=consumers,
        cores=consumers,
        deployment=deployment,
        consumers=[Consumer(channel.name, steps=[Work(time)], concurrency=consumers)],
    )
    brokers = [RabbitMQ("rabbit"), Kafka("kafka")]
    return system(service("front", Publish(channel.name)), worker, *brokers, channel)


JOBS = Queue("jobs", broker="rabbit")


@pytest.mark.parametrize("replicas", [1, 2, 3, 4])
def test_competing_consumers_are_servers_of_one_queue(replicas: int) -> None:
    """M/M/c, whatever replica a consumer lives on: a message goes to one that is free."""
    load = 0.75 * replicas
    found = runs(consumed(JOBS, 100 * ms, Docker(replicas=replicas)), Poisson(10 * load / s), 600.0)
    wait = erlang_c(replicas, load) / (10 * replicas - 10 * load)
    assert_contains(found, response("worker.consume"), 0.1 + wait)


def test_two_consumers_of_constant_work_are_stable_at_three_quarters() -> None:
    """M/D/2 at 75%: half the wait of M/M/2, within 3% (Cosmetatos, 1975)."""
    found = runs(consumed(JOBS, Constant(100 * ms), Docker(replicas=2)), Poisson(15 / s), 600.0)
    exponential = erlang_c(2, 1.5) / 5
    for each in found:
        assert not each.overloads
        latency = response("worker.consume")(each)
        assert latency == pytest.approx(0.1 + exponential / 2, rel=0.15)


def autoscaled(start_up: float, least: int = 1) -> Kubernetes:
    return Kubernetes(
        resources=Resources(cpu=1 * cores),
        autoscale=Autoscale(min=least, max=8, target_cpu=60 * percent, start_up=start_up * s),
    )


@pytest.mark.parametrize(
    "channel", [Topic("jobs", broker="kafka", partitions=8), JOBS, Topic("jobs", broker="kafka")]
)
def test_replicas_that_come_get_their_share_of_the_messages(channel: Queue | Topic) -> None:
    """40 messages of 100 ms a second need 4 cores, and 7 of them at a target of 60%."""
    model = consumed(channel, Constant(100 * ms), autoscaled(10))
    (found,) = runs(model, Deterministic(40 / s), 900.0, count=1, share=1 / 3)
    assert not found.overloads
    assert found.resource("worker").servers == pytest.approx(7, abs=1)
    assert found.resource("worker cores").busy == pytest.approx(4, rel=0.01)
    assert found.operation("worker.consume").latency.p50 < 0.3


@pytest.mark.parametrize("channel", [Topic("jobs", broker="kafka", partitions=8), JOBS])
def test_a_replica_that_is_scaled_in_ends_its_messages(channel: Queue | Topic) -> None:
    """A signal to stop lets a consumer end what it works on: nothing is delivered again."""
    busy = [RateStep(60 / s, lasts=120 * s), RateStep(2 / s, lasts=780 * s)]
    model = consumed(channel, Constant(200 * ms), autoscaled(5))
    (found,) = runs(model, Stepped(busy), 900.0, count=1, share=0)
    assert found.counts["scaled in: worker"] >= 6
    assert not any(name.startswith("redelivered") for name in found.counts)
    published = found.operation("front.run").ok
    assert found.operation("worker.consume").ok == pytest.approx(published, abs=5)


@pytest.mark.parametrize(("delivery", "again"), [("at_least_once", 2), ("at_most_once", 1)])
@pytest.mark.parametrize("ordered", [True, False])
def test_what_comes_once_is_lost_with_who_works_on_it(
    delivery: str, again: int, ordered: bool
) -> None:
    """The first message is half done when the replica dies; the second one waits."""
    jobs: Any = Topic if ordered else Queue
    channel = jobs("jobs", broker="kafka" if ordered else "rabbit", delivery=delivery)
    model = consumed(channel, Constant(2 * s), Docker(replicas=1))
    kill = Kill("worker", start=2 * s, end=5 * s)
    found = run(model, 1, 1.5, faults=(kill,))
    assert found.operation("worker.consume").ok == again
    lost = {name: count for name, count in found.counts.items() if "dropped" in name}
    assert lost == ({} if again == 2 else {"dropped: worker.consume": 1})


def test_messages_wait_at_the_broker_while_all_consumers_are_down() -> None:
    at = [k / 10 for k in range(10, 40)]
    for channel in (Topic("jobs", broker="kafka", partitions=3), JOBS):
        model = consumed(channel, Constant(50 * ms), Docker(replicas=2))
        found = run(model, *at, faults=(Kill("worker", replicas=2, start=2.02 * s, end=6 * s),))
        assert found.operation("worker.consume").ok == 30
        assert found.counts["redelivered: worker.consume"] == 1
        assert found.operation("worker.consume").latency.max > 3.9


def test_a_partition_stays_in_order_when_its_member_goes() -> None:
    topic = Topic("jobs", broker="kafka", partitions=1)
    model = consumed(topic, Constant(1 * s), Kubernetes(replicas=2, zones=("a", "b")))
    load = [Load("visit", Recorded(times=[(1 + k / 100) * s for k in range(6)]))]
    faults = [ZoneLoss("a", start=2.5 * s, end=4.2 * s)]
    plan = compile_plan(model, Scenario("load", load=load, faults=faults))
    tracer = Collected()
    reference.run(plan, seed=1, duration=30.0, warmup=0.0, tracer=tracer)
    sent = [span.root for span in tracer.spans if span.kind == SpanKind.JOURNEY]
    consumer = [each.name for each in plan.operations].index("worker.consume")
    done = [
        span.root
        for span in tracer.spans
        if span.kind == SpanKind.REQUEST and span.place == consumer and span.outcome == Outcome.OK
    ]
    assert len(sent) == 6
    assert done == sent
