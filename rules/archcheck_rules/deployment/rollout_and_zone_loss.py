"""While a service is rolled out, the loss of any zone leaves enough replicas for the load.

Why it matters: rollouts happen every day, at noon. A zone that is lost during one finds replicas
missing in the others too, and both together are more than either was planned for.

At its largest scale, a service loses the replicas of its fullest zone and, in the worst placement,
all that the rollout may take away (Kubernetes: 25% unless told otherwise, rounded down) from the
other zones. What is left must carry the peak of each scenario, its ranges at their worst. Where
the loss of a zone is too much without any rollout, rule PRF001 says so and this one does not.

How to fix: `RollingUpdate(max_surge=1, max_unavailable=0)`, or a replica more.

False positives: rollouts that are stopped and turned back as soon as a zone is lost.

Sources: AWS Builders' Library, Static stability using Availability Zones; Kubernetes, Deployments
(rolling update); kube-score, deployment-strategy.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Constant,
    Docker,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    Poisson,
    Recreate,
    RollingUpdate,
    Scenario,
    Service,
    SpringBoot,
    System,
    Work,
)
from archcheck.findings import (
    NotApplicable,
    Result,
    Rule,
    RuleOutcome,
    subject_name,
    subjects_violating,
)
from archcheck.graph import Graph
from archcheck.model import Deployment
from archcheck.proof import Answer, Refuted, RolloutPoint, results, rollouts
from archcheck.units import ms, s

rule = Rule(
    "DEP013", "rollout-and-zone-loss", severity="error", method="proof", follows=("PRF001",)
)

ZONES = ("a", "b", "c")


@rule.review
def check(graph: Graph, outcomes: tuple[RuleOutcome, ...]) -> Iterator[Result]:
    answers = list(rollouts(graph))
    if not answers:
        yield NotApplicable("no service with a declared load runs in several zones")
    overloaded = subjects_violating(outcomes, "PRF001")
    yield from results(
        answer
        for answer in answers
        if not (_is_by_zone_alone(answer) and subject_name(answer.subject) in overloaded)
    )


def _is_by_zone_alone(answer: Answer) -> bool:
    """Whether too few replicas are left before the rollout takes any."""
    shown = answer.counterexample if isinstance(answer, Refuted) else None
    return isinstance(shown, RolloutPoint) and shown.zone_alone


def _rolling(rate: float, deployment: Deployment) -> System:
    """Each replica carries 100 requests a second."""
    return System(
        "shop",
        [
            Service(
                "orders",
                runtime=SpringBoot(threads=10),
                deployment=deployment,
                endpoints=[Endpoint("place", steps=[Work(Constant(100 * ms))])],
            )
        ],
        journeys=[Journey("buy", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(rate / s))])],
    )


@rule.bad("orders")
def two_are_away_and_two_are_lost() -> System:
    two = RollingUpdate(max_unavailable=2)
    return _rolling(300, Kubernetes(replicas=6, zones=ZONES, rollout=two))


@rule.bad("orders")
def the_default_takes_a_quarter() -> System:
    return _rolling(400, Kubernetes(replicas=8, zones=ZONES))


@rule.bad("orders")
def all_are_stopped_first() -> System:
    return _rolling(100, Kubernetes(replicas=6, zones=ZONES, rollout=Recreate()))


@rule.borderline()
def just_enough() -> System:
    return _rolling(299, Kubernetes(replicas=8, zones=ZONES))


@rule.bad("orders")
def a_queue_of_full_replicas_has_no_end() -> System:
    return _rolling(300, Kubernetes(replicas=8, zones=ZONES))


@rule.borderline()
def too_few_without_the_zone_alone_is_prf001s() -> System:
    return _rolling(500, Kubernetes(replicas=6, zones=ZONES))


@rule.good
def the_new_one_comes_first() -> System:
    careful = RollingUpdate(max_surge=1, max_unavailable=0)
    return _rolling(399, Kubernetes(replicas=6, zones=ZONES, rollout=careful))


@rule.unknown("deployment.zones")
def nobody_says_where() -> System:
    return _rolling(100, Kubernetes(replicas=6))


@rule.unknown("deployment.rollout")
def nobody_says_how() -> System:
    return _rolling(100, Docker(replicas=6, zones=ZONES))
