"""No critical journey rests on something that exists only once.

Why it matters: the one replica's restart, node or disk is an outage of everything behind it.

A journey that does not say whether it is critical is asked, where the rule would find something if
it were.

How to fix: run at least two replicas (``replicas=2`` or an autoscaler with ``min=2``); give a
datastore a second copy (``copies=2``); or make the dependency soft with a fallback.

A quorum says how many copies there are, too; DynamoDB and Amazon S3 keep three. The rule follows
what the journey cannot answer without: synchronous steps that are neither optional nor backed by a
fallback or cache, and the topics and brokers that it publishes to. Externals are left to rule
RES026, and datastores that rule DAT001 names or asks about to that rule.

False positives: a singleton that the platform restarts within the objective; declare the
platform as ``Managed(...)`` with its replicas.

Sources: kube-score, deployment-replicas; Polaris, deploymentMissingReplicas; Amazon Builders'
Library, Static stability using Availability Zones.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Autoscale,
    Broker,
    Call,
    Datastore,
    Endpoint,
    Fallback,
    Journey,
    Kafka,
    Kubernetes,
    MongoDB,
    Named,
    ObjectStore,
    Publish,
    Quorum,
    Read,
    Service,
    System,
    Topic,
    effective,
)
from archcheck.findings import (
    NotApplicable,
    Result,
    Rule,
    RuleOutcome,
    Undecided,
    Violation,
    subjects_said,
)
from archcheck.graph import Graph, Interaction
from archcheck.graph.copies import copies_of

rule = Rule(
    "RES012",
    "single-point-of-failure",
    severity="error",
    method="graph",
    follows=("DAT001",),
    concerns="critical",
)


@rule.review
def check(graph: Graph, outcomes: tuple[RuleOutcome, ...]) -> Iterator[Result]:
    if not graph.critical_journeys:
        yield NotApplicable("no journey is declared critical")
    needed: dict[str, tuple[Named, list[Journey], tuple[Interaction, ...]]] = {}
    for journey in graph.critical_journeys:
        for member, path in graph.required(journey):
            needed.setdefault(member.name, (member, [], path))[1].append(journey)
    unreplicated = subjects_said(outcomes, "DAT001")
    for member, journeys, path in needed.values():
        if member.name in unreplicated or not isinstance(
            member, Service | Datastore | Broker | Topic
        ):
            continue
        if isinstance(member, Topic) and member.copies is None:
            continue  # rule RES013 asks for its copies
        copies, why = _copies(member)
        if copies is None:
            yield Undecided(member, _attribute(member), "holds with at least 2")
        elif copies < 2:
            names = ", ".join(journey.name for journey in journeys)
            yield Violation(
                member,
                f"{member.name} exists once{why}, and the critical "
                f"{'journey' if len(journeys) == 1 else 'journeys'} {names} cannot answer "
                "without it",
                fix=_fix(member),
                evidence=tuple(path),
                cause=f"what critical journeys need exists once{why}",
            )


def _fix(member: Service | Datastore | Broker | Topic) -> str:
    """Under an autoscaler its minimum counts, whatever the replicas are."""
    deployment = member.deployment if isinstance(member, Service) else None
    if deployment is not None and deployment.autoscale is not None:
        return "min=2 in its Autoscale"
    return f"{_attribute(member).removeprefix('deployment.')}=2"


def _attribute(member: Service | Datastore | Broker | Topic) -> str:
    """The attribute that says how many there are."""
    if isinstance(member, Service):
        return "deployment.replicas"
    return "copies" if isinstance(member, Datastore | Topic) else "nodes"


def _copies(member: Service | Datastore | Broker | Topic) -> tuple[int | None, str]:
    if isinstance(member, Datastore):
        return copies_of(member), ""
    if isinstance(member, Topic):
        return member.copies, ""
    if isinstance(member, Broker):
        return member.nodes, ""
    deployment = member.deployment
    if deployment is None:
        return None, ""
    is_default = deployment.autoscale is None and deployment.replicas is None
    why = f" (default: {effective(deployment, 'replicas').source})" if is_default else ""
    return deployment.fewest_replicas(), why


def _checkout(deployment: Kubernetes | None, *, critical: bool | None = True) -> System:
    replicated = Kubernetes(replicas=2)
    return System(
        "shop",
        [
            Service(
                "orders",
                deployment=replicated,
                endpoints=[Endpoint("place", steps=[Call("auth.check")])],
            ),
            Service("auth", deployment=deployment, endpoints=[Endpoint("check")]),
        ],
        journeys=[Journey("checkout", "orders.place", critical=critical)],
    )


@rule.bad("auth")
def one_replica() -> System:
    return _checkout(Kubernetes(replicas=1))


@rule.bad("auth")
def the_default_is_one_replica() -> System:
    return _checkout(Kubernetes())


@rule.bad("placed")
def a_topic_with_one_copy_on_three_nodes() -> System:
    place = Endpoint("place", steps=[Publish("placed")])
    return System(
        "shop",
        [
            Kafka("kafka", nodes=3),
            Topic("placed", broker="kafka", copies=1),
            Service("orders", deployment=Kubernetes(replicas=2), endpoints=[place]),
        ],
        journeys=[Journey("checkout", "orders.place", critical=True)],
    )


@rule.good
def a_quorum_counts_the_copies() -> System:
    place = Endpoint("place", steps=[Read("pages"), Read("files")])
    return System(
        "shop",
        [
            MongoDB("pages", quorum=Quorum(copies=3, read=2, write=2)),
            ObjectStore("files", product="Amazon S3"),
            Service("orders", deployment=Kubernetes(replicas=2), endpoints=[place]),
        ],
        journeys=[Journey("checkout", "orders.place", critical=True)],
    )


@rule.good
def three_replicas() -> System:
    return _checkout(Kubernetes(replicas=3))


@rule.unknown("deployment.replicas")
def no_deployment_is_declared() -> System:
    return _checkout(None)


@rule.borderline()
def two_replicas_are_enough() -> System:
    return _checkout(Kubernetes(replicas=2))


@rule.borderline("auth")
def the_autoscaler_may_go_down_to_one() -> System:
    return _checkout(Kubernetes(autoscale=Autoscale(min=1, max=9)))


@rule.borderline()
def what_only_some_requests_need() -> System:
    up = Kubernetes(replicas=2)
    steps = [Call("auth.check", fallback=Fallback("static")), Call("ads.get", optional=True)]
    alone = Kubernetes(replicas=1)
    return System(
        "shop",
        [
            Service("orders", deployment=up, endpoints=[Endpoint("place", steps=steps)]),
            Service("auth", deployment=alone, endpoints=[Endpoint("check")]),
            Service("ads", deployment=alone, endpoints=[Endpoint("get")]),
        ],
        journeys=[Journey("checkout", "orders.place", critical=True)],
    )


@rule.unknown("critical")
def a_journey_that_may_be_critical() -> System:
    return _checkout(Kubernetes(replicas=1), critical=None)
