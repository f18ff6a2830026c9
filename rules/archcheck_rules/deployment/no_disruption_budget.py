"""What critical journeys need says how many replicas a drain must leave.

Why it matters: an upgrade of the cluster empties node after node. Without a budget it may take
all replicas of a service at the same time. A budget that lets all of them go is none.

Services, datastores and brokers that run on Kubernetes are asked.

A journey that does not say whether it is critical is asked, where the rule would find something if
it were.

How to fix: ``disruption_budget=DisruptionBudget(max_unavailable=1)``.

False positives: clusters whose nodes are never drained.

Sources: Kubernetes, Disruptions and PodDisruptionBudget; kube-score,
deployment-has-poddisruptionbudget.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Absent,
    DisruptionBudget,
    Docker,
    Endpoint,
    Journey,
    Kubernetes,
    Service,
    System,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.model import Deployment
from archcheck.units import percent

rule = Rule("DEP009", "no-disruption-budget", severity="info", method="attr", concerns="critical")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    needed = [
        (member, deployment)
        for member, _ in graph.needed_by_critical_journeys()
        if isinstance(deployment := getattr(member, "deployment", None), Kubernetes)
        and deployment.kind != "DaemonSet"
    ]
    if not needed:
        yield NotApplicable("no critical journey needs anything that runs on Kubernetes")
    for member, deployment in needed:
        budget = deployment.disruption_budget
        if budget is None:
            yield Undecided(member, "deployment.disruption_budget")
        elif isinstance(budget, Absent):
            yield Violation(
                member,
                f"a drain may take every replica of {member.name} ({budget.reason!r})",
                fix="disruption_budget=DisruptionBudget(max_unavailable=1)",
                cause="a drain may take every replica",
            )
        elif (replicas := deployment.fewest_replicas() or 1) > 1 and (
            budget.may_go(replicas) >= replicas and budget != DisruptionBudget()
        ):
            yield Violation(
                member,
                f"the disruption budget of {member.name} lets all of its {replicas} replicas go",
                fix="disruption_budget=DisruptionBudget(max_unavailable=1)",
                cause="a drain may take every replica",
            )


def _drained(deployment: Deployment, *, critical: bool | None = True) -> System:
    return System(
        "shop",
        [Service("orders", deployment=deployment, endpoints=[Endpoint("place")])],
        journeys=[Journey("checkout", "orders.place", critical=critical)],
    )


@rule.bad("orders")
def none_on_purpose() -> System:
    return _drained(Kubernetes(disruption_budget=Absent("not yet")))


@rule.bad("orders")
def all_may_go_at_once() -> System:
    budget = DisruptionBudget(max_unavailable=100 * percent)
    return _drained(Kubernetes(replicas=3, disruption_budget=budget))


@rule.borderline()
def compose_drains_nothing() -> System:
    return _drained(Docker(disruption_budget=Absent("no such thing")))


@rule.good
def one_at_a_time() -> System:
    return _drained(Kubernetes(disruption_budget=DisruptionBudget(max_unavailable=1)))


@rule.unknown("deployment.disruption_budget")
def nobody_says() -> System:
    return _drained(Kubernetes())


@rule.unknown("critical")
def a_journey_that_may_be_critical() -> System:
    return _drained(Kubernetes(disruption_budget=Absent("not yet")), critical=None)


@rule.borderline()
def a_single_replica_must_be_able_to_go() -> System:
    budget = DisruptionBudget(max_unavailable=1)
    return _drained(Kubernetes(replicas=1, disruption_budget=budget))


@rule.borderline("orders")
def two_of_two_may_go() -> System:
    budget = DisruptionBudget(max_unavailable=2)
    return _drained(Kubernetes(replicas=2, disruption_budget=budget))


@rule.borderline()
def two_of_three_may_go() -> System:
    budget = DisruptionBudget(max_unavailable=2)
    return _drained(Kubernetes(replicas=3, disruption_budget=budget))


@rule.borderline("orders")
def more_than_there_are_may_go() -> System:
    budget = DisruptionBudget(max_unavailable=5)
    return _drained(Kubernetes(replicas=2, disruption_budget=budget))


@rule.borderline()
def a_replica_on_each_node_goes_with_it() -> System:
    none = Absent("one on each node")
    return _drained(Kubernetes(kind="DaemonSet", disruption_budget=none))
