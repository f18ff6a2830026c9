"""Rules about messages: those that come again, and those that never succeed."""

from __future__ import annotations

from opinions.calls import failing, hung
from opinions.common import NONE, ROOMY, Case, Draw, Opinion, constant, run, system, web

from archcheck import (
    Call,
    Consumer,
    Deterministic,
    External,
    Kafka,
    Kill,
    Kubernetes,
    MySQL,
    Publish,
    Queue,
    RabbitMQ,
    Service,
    Sqs,
    System,
    Topic,
    Wait,
    Write,
)
from archcheck.graph import Graph
from archcheck.units import s


def channel(draw: Draw, **fields: object) -> list[object]:
    """A topic or a queue of some broker."""
    kind = draw.pick("kafka", "rabbit", "sqs")
    brokers = {"kafka": Kafka, "rabbit": RabbitMQ, "sqs": Sqs}
    made = Topic if kind == "kafka" else Queue
    if kind == "kafka":
        fields["partitions"] = 4
    elif "visibility_timeout" not in fields:
        fields["visibility_timeout"] = 1 * s
    return [brokers[kind](kind), made("placed", broker=kind, **fields), Queue("dead")]


def consuming(draw: Draw, seconds: float, **fields: object) -> Service:
    step = draw.pick(Write("db"), Call("bank", timeout=1 * s, retry=NONE))
    return Service(
        "mails",
        runtime=ROOMY,
        deployment=Kubernetes(replicas=2),
        consumers=[
            Consumer("placed", concurrency=500, steps=[Wait(constant(seconds)), step], **fields)
        ],
    )


OTHERS = [
    External("bank", latency=constant(0.005)),
    MySQL("db", read=constant(0.001), write=constant(0.001), max_connections=5000),
]


def poisoned(draw: Draw) -> Case:
    """Every message fails: is it delivered for as long as somebody looks?"""
    dead = draw.pick(None, NONE, "dead")
    deliveries = draw.pick(None, 3, 5)
    where = draw.chance(0.5)
    members = channel(draw, **({"dead_letter": dead} if where else {}))
    mails = consuming(
        draw,
        0.01,
        idempotent=True,
        max_deliveries=deliveries,
        **({} if where else {"dead_letter": dead}),
    )

    def again(model: System) -> float:
        """Deliveries of each message in a run of a minute, over twenty."""
        result = run(model, failing("mails"), seconds=60, warmup=0)
        delivered = result.operation("mails.consume").started
        return delivered / result.journeys[0].started / 20

    members += [web(Publish("placed", acks="none")), mails, *OTHERS]
    return Case(system(members, Deterministic(1 / s)), again)


def repeated(draw: Draw) -> Case:
    """A replica is lost, or a message takes longer than it stays hidden: does it come twice?"""
    delivery = draw.pick(None, None, "at_most_once", "at_least_once", "exactly_once")
    seconds = draw.pick(0.1, 0.9, 3.0)
    idempotent = draw.pick(False, False, True)
    members = channel(draw, delivery=delivery)
    mails = consuming(draw, seconds, idempotent=idempotent, max_deliveries=4)

    def twice(model: System) -> float:
        """Messages that come again, where that has an effect."""
        if idempotent:
            return 0.0
        if delivery == "at_most_once":
            faults = [failing("mails")]
        else:
            faults = [Kill("mails", start=20 * s, end=25 * s)]
        if any(step.name.endswith("-> bank") for step in Graph(model).interactions):
            faults.append(hung("bank"))
        result = run(model, *faults, seconds=60, warmup=0)
        return result.counts.get("redelivered: mails.consume", 0)

    margin = "``exactly_once`` is believed" if delivery == "exactly_once" else ""
    members += [web(Publish("placed", acks="none")), mails, *OTHERS]
    return Case(system(members, Deterministic(100 / s)), twice, margin)


OPINIONS = [
    Opinion("RES020", "deliveries of a message that always fails", poisoned, 0.3, 1.0, "waits"),
    Opinion("RES021", "messages that come again", repeated, 0.5, 0.9, "none"),
]
