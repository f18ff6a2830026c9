"""Disruption budgets leave at least one replica that may go.

Why it matters: a budget that allows no disruption blocks every drain; the cluster cannot be
upgraded until somebody deletes the budget, and then there is none.

``min_available`` must be below the replicas that are always there (the autoscaler's minimum, when
there is one); shares are rounded up, as Kubernetes does. Datastores and brokers count like
services. How many of their copies must stay is a matter of their quorum, and not looked at.

How to fix: ``DisruptionBudget(max_unavailable=1)`` and at least two replicas.

False positives: none: such a budget cannot be kept.

Sources: Kubernetes, Specifying a Disruption Budget (rounding); Polaris,
pdbMinAvailableGreaterThanHPAMinReplicas; kube-linter, pdb-min-available, pdb-max-unavailable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archcheck import (
    Autoscale,
    DisruptionBudget,
    Kubernetes,
    MySQL,
    Named,
    Service,
    System,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.model import Deployment
from archcheck.units import percent

rule = Rule("DEP014", "disruption-budget-inconsistent", severity="error", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    budgeted = [
        (member, deployment, budget)
        for member in (*graph.system.services, *graph.system.datastores, *graph.system.brokers)
        if (deployment := getattr(member, "deployment", None)) is not None
        and isinstance(budget := getattr(deployment, "disruption_budget", None), DisruptionBudget)
    ]
    if not budgeted:
        yield NotApplicable("nothing has a disruption budget")
    for member, deployment, budget in budgeted:
        yield from _judge(member, deployment, budget)


def _judge(member: Named, deployment: Deployment, budget: DisruptionBudget) -> Iterator[Result]:
    replicas = deployment.fewest_replicas()
    if budget.min_available is None and budget.max_unavailable is None:
        yield Undecided(member, "deployment.disruption_budget.max_unavailable")
        return
    if replicas is None:
        yield Undecided(member, "deployment.replicas")
        return
    if budget.may_go(replicas) < 1:
        yield Violation(
            member,
            f"the disruption budget of {member.name} never lets one of its {replicas} "
            f"{'replica' if replicas == 1 else 'replicas'} go",
            fix="disruption_budget=DisruptionBudget(max_unavailable=1), with replicas=2 or more",
            evidence=(_declared(budget),),
        )


def _declared(budget: DisruptionBudget) -> str:
    """The attributes that are."""
    names = ("min_available", "max_unavailable")
    return ", ".join(f"{n}={getattr(budget, n)}" for n in names if getattr(budget, n) is not None)


def _budget(budget: DisruptionBudget, deployment: Kubernetes | None = None) -> System:
    deployment = replace(deployment or Kubernetes(replicas=3), disruption_budget=budget)
    return System("shop", [Service("orders", deployment=deployment)])


@rule.bad("orders")
def all_must_stay() -> System:
    return _budget(DisruptionBudget(min_available=3))


@rule.bad("orders")
def the_autoscaler_goes_below_it() -> System:
    scaled = Kubernetes(autoscale=Autoscale(min=2, max=9))
    return _budget(DisruptionBudget(min_available=2), scaled)


@rule.bad("db")
def a_datastore_that_may_not_go() -> System:
    fixed = Kubernetes(replicas=3, disruption_budget=DisruptionBudget(min_available=3))
    return System("shop", [MySQL("db", deployment=fixed)])


@rule.bad("orders")
def none_may_go() -> System:
    return _budget(DisruptionBudget(max_unavailable=0 * percent))


@rule.borderline("orders")
def a_share_is_rounded_up() -> System:
    return _budget(DisruptionBudget(min_available=67 * percent))


@rule.borderline()
def one_may_go() -> System:
    return _budget(DisruptionBudget(min_available=2))


@rule.good
def one_at_a_time() -> System:
    return _budget(DisruptionBudget(max_unavailable=1))


@rule.unknown("deployment.disruption_budget.max_unavailable")
def an_empty_budget() -> System:
    return _budget(DisruptionBudget())
