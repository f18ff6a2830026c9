"""Consumers work off what is published.

Why it matters: a consumer that is slower than its topic falls behind for ever; the queue grows
until it is full or the messages expire.

A consumer works on as many messages at a time as its replicas have slots, at most one for each
partition; that number over the time of a message is its capacity. Where the partitions of a topic
do not divide evenly among the slots, those with one more decide: four partitions over three slots
keep up with what two slots could do. Autoscaled consumers count
with their largest scale.

How to fix: more partitions and replicas, more ``concurrency``, or less work for each message.

False positives: bursts that the queue is meant to hold; declare the mean rate as a scenario.

Sources: Denning and Buzen, The Operational Analysis of Queueing Network Models, 1978; Kafka
documentation, consumer groups.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from archcheck import (
    Constant,
    Consumer,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    Poisson,
    Publish,
    Queue,
    Scenario,
    Service,
    System,
    Topic,
    Work,
)
from archcheck.capacity import ConsumerFlow, consumer_flows, demands, messages_at_a_time
from archcheck.findings import NotApplicable, Result, Rule, Undecided, UnderLoad, Violation
from archcheck.graph import Graph
from archcheck.units import Duration, Rate, ms, s
from archcheck_rules.hits import whatever_hits

rule = Rule("PRF008", "consumer-too-slow", severity="error", method="calc")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    yield from whatever_hits(graph, _judged)


def _judged(graph: Graph) -> Iterator[Result]:
    flows = [flow for demand in demands(graph) for flow in consumer_flows(demand)]
    if not flows:
        yield NotApplicable("no consumer gets messages under a declared load")
    for flow in flows:
        if flow.slots is not None and flow.rate > flow.capacity * (1 + 1e-9):
            name = flow.operation.name
            yield Violation(
                flow.operation,
                f"{name} works off {Rate(flow.capacity):.3} and gets {Rate(flow.rate):.3} in "
                f"scenario {flow.demand.scenario.name!r}",
                fix=_more(flow),
                evidence=(flow.channel, *_sum(flow)),
                load=UnderLoad(flow.demand.scenario.name, flow.rate),
            )
            continue
        for missing in flow.missing:
            yield Undecided(
                missing.holder, missing.attribute, f"works on at least {_messages(flow.needed)}"
            )


def _sum(flow: ConsumerFlow) -> Iterator[str]:
    at_a_time = flow.slots or 0
    if at_a_time < min(flow.members, flow.channel.partitions or flow.members):
        yield (
            f"{flow.channel.partitions} partitions over {flow.members} consumers: some have "
            f"{math.ceil((flow.channel.partitions or 0) / flow.members)}, as if there were "
            f"{at_a_time:.3g} that share evenly"
        )
    yield f"{at_a_time:.3g} at a time / {Duration(flow.time):.3} = {Rate(flow.capacity):.3}"


def _more(flow: ConsumerFlow) -> str:
    """Consumers for the partitions that there are, if they can be enough; else more of both."""
    partitions = flow.channel.partitions
    if partitions is not None:
        for members in range(flow.members + 1, partitions + 1):
            if messages_at_a_time(flow.channel, members) >= flow.needed:
                return f"{members} consumers (replicas x concurrency) for {partitions} partitions"
    needed = int(flow.needed) + 1
    return f"slots for {_messages(needed)} (replicas x concurrency, and partitions)"


def _messages(number: float) -> str:
    return f"{number:.3g} {'message' if number == 1 else 'messages'} at a time"


def _feeding(
    rate: float,
    *,
    concurrency: int | None = 2,
    partitions: int | None = 12,
    replicas: int | None = 3,
    queue: bool = False,
) -> System:
    topic = Queue("placed") if queue else Topic("placed", partitions=partitions)
    consumer = Consumer("placed", concurrency=concurrency, steps=[Work(Constant(100 * ms))])
    deployment = Kubernetes(replicas=replicas) if replicas else None
    return System(
        "shop",
        [
            topic,
            Service("orders", endpoints=[Endpoint("place", steps=[Publish("placed")])]),
            Service("mails", deployment=deployment, consumers=[consumer]),
        ],
        journeys=[Journey("buy", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(rate / s))])],
    )


@rule.bad("mails.consume")
def too_few_slots() -> System:
    return _feeding(61)


@rule.bad("mails.consume")
def too_few_partitions() -> System:
    return _feeding(45, partitions=4)


@rule.bad("mails.consume")
def one_slot_has_two_partitions() -> System:
    return _feeding(36, partitions=7)  # of six slots, one has two partitions: 35/s at most


@rule.borderline()
def two_partitions_for_each() -> System:
    return _feeding(60, partitions=12)


@rule.borderline()
def it_just_keeps_up() -> System:
    return _feeding(60)


@rule.good
def a_queue_has_no_partitions() -> System:
    return _feeding(50, queue=True)


@rule.unknown("concurrency")
def nobody_says_how_many_at_a_time() -> System:
    return _feeding(10, concurrency=None)


@rule.unknown("partitions")
def nobody_says_how_many_partitions() -> System:
    return _feeding(10, partitions=None)


@rule.unknown("deployment.replicas")
def nobody_says_how_many_replicas() -> System:
    return _feeding(10, replicas=None)


@rule.good
def two_services_share_a_queue() -> System:
    return _sharing(Queue("placed"))


@rule.bad("bills.consume", "mails.consume")
def each_group_of_a_topic_gets_all() -> System:
    return _sharing(Topic("placed", partitions=6))


def _sharing(channel: Queue | Topic) -> System:
    """Two services that work off 60 messages a second each, and 100 that come."""
    listen = Consumer("placed", concurrency=6, steps=[Work(Constant(100 * ms))])
    one = Kubernetes(replicas=1)
    return System(
        "shop",
        [
            channel,
            Service("orders", endpoints=[Endpoint("place", steps=[Publish("placed")])]),
            Service("bills", deployment=one, consumers=[listen]),
            Service("mails", deployment=one, consumers=[listen]),
        ],
        journeys=[Journey("buy", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(100 / s))])],
    )
