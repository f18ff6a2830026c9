"""What keeps every size from carrying a load, and the element that makes it so."""

from __future__ import annotations

from archcheck.findings import Reading
from archcheck.planning.changes import Resource
from archcheck.planning.cheapest import MOST_NODES, SizingQuestion, stations_of
from archcheck.planning.flow import Flow
from archcheck.units import spoken

_BUSY = 0.5
"""How busy a node has to be for a queue to be the reason. A choice: requests that spread over
thousands of nodes keep none of them half as busy."""


def obstacle_to(question: SizingQuestion) -> str:
    """What keeps every size from carrying the load, and the element that makes it so."""
    plan = question.plan
    everything = set().union(
        *(stations_of(plan, index) for index in range(len(plan.groups))), set()
    )
    found = question.worst({}, everything)
    if found is not None and found.strain > 1:
        return f"{found.objective}: no size helps; {_culprit(question, found, everything)}"
    for index, group in enumerate(plan.groups):
        free = everything - stations_of(plan, index)
        found = question.worst({index: MOST_NODES}, free)
        if found is not None and found.strain > 1:
            flow = question.flow({index: MOST_NODES}, free)
            return (
                f"{found.objective}: no size of {group.name} helps; "
                f"{_held_back(flow, found, stations_of(plan, index))}"
            )
    return ""


def _held_back(flow: Flow, found: Reading, stations: set[Resource]) -> str:
    """Why one group, as large as can be, is too small."""
    if found.objective.name == "availability":
        return _failing(flow, found, f"with {MOST_NODES:,} nodes of it")
    loads = [each for each in flow.stations if (each.name, each.what) in stations]
    if found.objective.name == "load" or any(each.load > _BUSY for each in loads):
        return (
            "one node of it gets too much, because its requests do not spread (a popular key, "
            "too few partitions)"
        )
    return f"with {MOST_NODES:,} nodes, none of them busy, it is {spoken(found.value)}"


def _failing(flow: Flow, found: Reading, when: str) -> str:
    """The share that fails, and what most of it is lost by."""
    why = flow.why_fails(found.objective.subject)
    if why is None:
        return f"{1 - found.value:.3%} fail {when}"
    return (
        f"{1 - found.value:.3%} fail {when}; most by {why.reason}, which loses "
        f"{why.share:.1%} of those who ask there"
    )


def _culprit(question: SizingQuestion, found: Reading, everything: set[Resource]) -> str:
    flow = question.flow({}, everything)
    if found.objective.name == "availability":
        return _failing(flow, found, "without any queue")
    name, seconds = _slowest(flow, found.objective.subject)
    return (
        f"without any queue it is {spoken(found.value)}; most of it, "
        f"{spoken(seconds)} on average, is spent at {name}"
    )


def _slowest(flow: Flow, journey: str) -> tuple[str, float]:
    """The element at which a journey spends the most time without queues, and how much."""
    rate = flow.journey(journey).rate or 1.0
    spent = {name: shares.get(journey, 0.0) / rate for name, shares in flow.shares.items()}
    outside = flow.journey(journey).time.mean - sum(spent.values())
    spent["externals and the network"] = outside
    name = max(spent, key=lambda each: spent[each])
    return name, spent[name]
