"""Messages that take longer than a queue hides them: they come again while they are worked on."""

from __future__ import annotations

from typing import Any

import pytest
from fidelity.harness import run, service, system

from archcheck import (
    Call,
    Constant,
    Consumer,
    Docker,
    External,
    Kill,
    Load,
    Poisson,
    Publish,
    Queue,
    RabbitMQ,
    Scenario,
    Sqs,
    System,
    Work,
)
from archcheck.planning import solve_plan
from archcheck.simulation.compiling import compile_plan
from archcheck.units import Duration, ms, percent, s

pytestmark = pytest.mark.on_both


def queued(takes: Duration, *steps: Any, queue: Queue | None = None, **consumer: Any) -> System:
    consumer = {"concurrency": 10, "max_deliveries": 5} | consumer
    worker = service(
        "worker",
        deployment=Docker(replicas=1),
        consumers=[Consumer("jobs", steps=[Work(Constant(takes)), *steps], **consumer)],
    )
    jobs = queue or Queue("jobs", broker="sqs", visibility_timeout=30 * s)
    bank = External("bank", latency=Constant(0 * s), error_rate=100 * percent)
    brokers = [Sqs("sqs"), RabbitMQ("rabbit"), Queue("dead", broker="sqs"), bank]
    return system(service("front", Publish("jobs")), worker, jobs, *brokers)


def test_a_message_comes_again_while_it_is_worked_on() -> None:
    """The case ``sqs_visibility``: 45 s of work, 30 s of visibility, five deliveries."""
    result = run(queued(45 * s), 1, duration=600 * s)
    assert result.operation("worker.consume").ok == 5
    assert result.counts["redelivered: worker.consume"] == 4
    assert result.resource("worker.consume").busy * 600 == pytest.approx(5 * 45)
    assert "dropped: worker.consume" not in result.counts


@pytest.mark.parametrize("takes", [29, 30])
def test_a_message_that_is_done_in_time_comes_once(takes: int) -> None:
    result = run(queued(takes * s), 1, 2, 3, duration=600 * s)
    assert result.operation("worker.consume").ok == 3
    assert not result.counts


def test_a_dead_letter_although_every_consumer_ended_well() -> None:
    result = run(queued(45 * s, dead_letter="dead", max_deliveries=3), 1, duration=600 * s)
    assert result.operation("worker.consume").ok == 3
    assert result.counts["dead letters: worker.consume"] == 1


def test_who_is_late_can_still_acknowledge_while_the_copy_waits() -> None:
    """One consumer: the copy waits for the very one that works on the message."""
    result = run(queued(45 * s, concurrency=1), 1, 2, duration=600 * s)
    operation = result.operation("worker.consume")
    assert operation.ok == operation.started == 2
    assert result.counts["redelivered: worker.consume"] == 2


def test_a_message_that_failed_comes_again_when_its_time_is_over() -> None:
    result = run(queued(10 * s, Call("bank"), max_deliveries=3), 1, duration=600 * s)
    assert result.operation("worker.consume").failed == 3
    assert result.counts["dropped: worker.consume"] == 1
    waits = run(queued(10 * s, Call("bank"), max_deliveries=3), 1, duration=65 * s)
    assert waits.operation("worker.consume").started == 3
    assert waits.operation("worker.consume").failed == 2  # the third began at 61 s


def test_the_last_delivery_fails_after_its_time() -> None:
    result = run(queued(45 * s, Call("bank"), max_deliveries=2), 1, duration=600 * s)
    assert result.operation("worker.consume").failed == 2
    assert result.counts["dropped: worker.consume"] == 1


def test_amazon_hides_messages_for_30_s_unless_told_otherwise() -> None:
    result = run(queued(45 * s, queue=Queue("jobs", broker="sqs")), 1, duration=600 * s)
    assert result.operation("worker.consume").ok == 5
    assumed = {(each.subject, each.attribute): each.value for each in result.assumptions}
    assert assumed["jobs", "visibility_timeout"] == "30 s"
    rabbit = run(queued(45 * s, queue=Queue("jobs", broker="rabbit")), 1, duration=600 * s)
    assert rabbit.operation("worker.consume").ok == 1


def test_a_message_of_a_lost_replica_comes_again_when_its_time_is_over() -> None:
    model = queued(10 * s, max_deliveries=2)
    result = run(model, 1, faults=(Kill("worker", start=5 * s, end=8 * s),), duration=600 * s)
    assert result.operation("worker.consume").ok == 1
    assert result.resource("worker.consume").visits == 2
    assert result.operation("worker.consume").latency.max == pytest.approx(10, abs=1)


def test_the_analytic_solution_counts_the_copies() -> None:
    load = Scenario("load", load=[Load("visit", Poisson(0.01 / s))])
    flow = solve_plan(compile_plan(queued(45 * s), load))
    consumers = next(each for each in flow.stations if each.what == "consumers")
    assert consumers.load * 10 == pytest.approx(0.01 * 5 * 45)


def test_many_messages_and_few_consumers_work_on_copies() -> None:
    """Messages that wait at the broker are not hidden yet: their time runs from the taking."""
    model = queued(20 * ms, queue=Queue("jobs", broker="sqs", visibility_timeout=30 * ms))
    assert not run(model, *[1.0] * 50).counts
    late = queued(40 * ms, queue=Queue("jobs", broker="sqs", visibility_timeout=30 * ms))
    assert run(late, *[1.0] * 50).counts["redelivered: worker.consume"] > 50
