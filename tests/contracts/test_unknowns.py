"""What nobody declares is never a pass.

A rule that holds while an attribute is undeclared must hold whatever the attribute is: else the
undeclared one counted as a good one. So each attribute of each example of a rule, and of each model
of the review that names it, is taken away; if the rule then holds, no value that the vocabulary
allows may bring a finding. Two rules that depend on the same attribute of an element so agree:
neither passes without it.

Attributes for which something else is documented to count when nobody declares them are left out:
a default of the field, of the product, or in the description of the field (``None``: ...).
`RIGHTLY` has the attributes whose absence is rightly no finding, with the reasons.

Each run looks at a few places and values for each rule and attribute, always the same ones; with
``HYPOTHESIS_PROFILE=attack`` at all of them. Rules that simulate are looked at only there.
"""

from __future__ import annotations

import itertools
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256

import pytest
from review import blocks, system_of
from unknowns import Site, Values, attribute_of, declared, reads, sites

from archcheck import Element, System
from archcheck.findings import EXAMPLES_DAY, Rule, RuleOutcome, Undecided, evaluate, subject_element
from archcheck.graph import Graph
from archcheck.model.element import element_types, field_names
from archcheck.plugins import rules

EVERYTHING = os.environ.get("HYPOTHESIS_PROFILE") == "attack"
TRIED, PLACES, VALUES = (10**9,) * 3 if EVERYTHING else (20, 4, 6)
"""Places for each rule and attribute, those of them at which it holds, and values for each."""

RULES = [
    rule
    for rule in rules()
    if (rule.follows or not rule.reviews) and (EVERYTHING or rule.method != "sim")
]
"""All but the rules that speak of what others say, not of the model."""

ALL = "*"
RIGHTLY: Mapping[str, Mapping[str, str]] = {
    "a mechanism that nobody declares is not there; the rule that demands one asks for it": {
        "Bulkhead.max_wait": "RES018",  # the vocabulary: none is a rejection at once
        "Call.hedge": ALL,
        "Call.rate_limit": "DEP013 PRF005 TEC006",
        "Channel.dead_letter": "BND014 OBS003",
        "CircuitBreaker.slow_call": "RES010",
        "Client.target": ALL,
        "Deployment.autoscale": ALL,
        "Deployment.disruption_budget": "DEP014",
        "Deployment.liveness": "DEP011",
        "Deployment.readiness": "DEP011 RES023",
        "Deployment.startup": "DEP011 RES023",
        "DisruptionBudget.max_unavailable": "DEP009 DEP014",
        "DisruptionBudget.min_available": "DEP009 DEP014",
        "Endpoint.atomicity": ALL,
        "Endpoint.deprecation": "EVO008",
        "Endpoint.rate_limit": "DEP013 PRF005",
        "Fallback.target": ALL,
        "RemoteStep.breaker": "RES010 TEC006",
        "RemoteStep.bulkhead": "DEP013 PRF004 PRF005 RES002 TEC006",
        "RemoteStep.fallback": ALL,
        "RemoteStep.retry": (
            "PRF002 PRF003 RES002 RES003 RES004 RES005 RES006 RES007 RES008 RES025 TEC006"
        ),
        "Mesh.per_try_timeout": "TEC009",
        "Mesh.retry": ALL,
        "Mesh.timeout": ALL,
        "Metrics.platform": "OBS009",
        "Logs.platform": "OBS008",
        "Tracing.platform": "OBS008",
        "Move.after": ALL,
        "Retry.max_backoff": "RES005",
        "RetryBudget.minimum": "RES007",
        "SagaStep.compensation": "COM002 DAT017 DAT019 EVO008",
        "Service.logs": "OBS008",
        "Service.mesh": ALL,
        "Service.metrics": "OBS009",
        "Service.pipeline": "DLV004",
        "Service.shedding": "DEP013 RES002",
        "Service.tracing": "OBS008",
        "StoreFields.quorum": ALL,
        "StoreFields.replication": "DAT016",
        "StoreFields.shard_key": "DAT015",
    },
    "an objective or a day that nobody sets cannot be missed; OBS004 and DAT018 ask for them": {
        "Deprecation.sunset": ALL,
        "Endpoint.slo": ALL,
        "Growth.traffic_per_month": "EVO014",
        "Journey.max_remote_calls": ALL,
        "Journey.slo": ALL,
        "Journey.timeout": ALL,
        "Slo.availability": ALL,
        "Slo.p50": ALL,
        "Slo.p90": ALL,
        "Slo.p95": ALL,
        "Slo.p99": ALL,
        "Slo.p999": ALL,
        "StoreFields.growth": "EVO014",
        "Suppression.until": "MOD004",
    },
    "a limit that nobody states is none; DEP003 asks for those of containers": {
        "Deployment.resources": "DAT018 DEP005 DEP006 DEP013 DEP015 PRF001 PRF003 PRF005 PRF010",
        "External.rate_limit": ALL,
        "Prometheus.series_budget": "OBS009",
        "Resources.cpu_limit": "DEP003 DEP006 DEP015 PRF001 PRF005",
        "Resources.memory": "DAT018",
        "Resources.memory_limit": "DAT018",
        "Runtime.max_request": "COM006",
        "Runtime.parallelism": "DEP005 DEP006 DEP007 DEP013 PRF001 PRF003 PRF004 PRF005 PRF010",
        "StoreFields.deployment": "DAT018",
        "StoreFields.max_rate": ALL,
        "Volume.size": "DAT018",
    },
    "an autoscaler reaches its maximum where nobody says what drives it: the proof says so": {
        "Autoscale.target_cpu": "PRF001",
    },
    "a cache that nobody puts in a zone is lost with none; DEP002 asks where it is": {
        "StoreFields.deployment": "PRF001",
    },
    "load, errors and delays that nobody declares are not counted: what is shown is there anyway": {
        "Endpoint.error_rate": "RES015",
        "External.error_rate": "RES015",
        "Network.delay": "DAT012 PRF002 PRF003 RES003",
        "Schedule.every": ALL,
        "System.network": "PRF002 PRF003 PRF004 PRF005 PRF010 PRF011 RES003 TEC002",
    },
    "a part of the system belongs to what is declared; OBS and BND rules ask who owns it": {
        "Boundary.trust_zone": ALL,
        "Broker.boundary": ALL,
        "Channel.belongs_to": "BND004",
        "Channel.broker": "COM008 DEP002 DEP008 DEP009 DEP011 RES002 RES012 RES013 TEC008",
        "Datastore.belongs_to": "BND003 RES009",
        "Service.boundary": ALL,
        "StoreFields.boundary": ALL,
        "Write.entity": "BND018",
    },
    "only what is entered by a declared public way is public": {
        "Endpoint.public": ALL,
        "Journey.public": "BND006 COM008",  # its users, or an endpoint that is not public, say it
    },
    "COM001 asks how an endpoint is spoken to; the rule looks at what is": {
        "Endpoint.protocol": "COM002 COM003 COM004 COM005 COM006 COM008 COM014",
        "External.protocol": "COM005",
    },
    "the rule says what is wrong with a contract; COM002 and COM010 ask for one": {
        "Call.version": "COM001",
        "Channel.contract": "COM013",
        "Contract.version": "COM001",
        "Grpc.contract": "COM001 COM003",
        "Http1.contract": "COM003",
        "Http2.contract": "COM003",
    },
    "the mesh, the endpoint or the boundary says it": {
        "Call.authenticated": "BND015",
        "Call.balanced_by": "COM011",
        "Call.balancing": "RES016",
        "Call.discovery": "COM012",
        "Endpoint.authentication": "BND015",
        "Protocol.encrypted": "COM008",
        "Service.trust_zone": "COM008",
    },
    "the runtime or the product says it": {
        "Call.propagates_deadline": "RES001 TEC007",
        "Datastore.copies": "DAT001 RES012",
        "RemoteStep.blocking": "TEC003",
        "ObjectStore.product": ALL,
        "Retry.backoff": "RES005 RES006",
        "Retry.jitter": "RES006",
        "StoreFields.consistency": "DAT012",
        "StoreFields.version": "DAT003",  # Elasticsearch had more shards before 7
        "StoreFields.deployment": "DEP002 DEP014 RES013",
    },
    "another part of the model says it": {
        "Cached.hot_keys": "DAT010",
        "Call.reuses_connections": "COM005",  # a client
        "Cached.hit_ratio": "DAT002 PRF001 PRF010 RES024",  # a cache that holds all of the keys
        "Cached.keys": "RES024",
        "Consumer.idempotent": "RES021",
        "Consumer.max_deliveries": "RES004",
        "Endpoint.idempotent": "DAT019 RES004",
        "Journey.load_test": "DLV005",
        "RemoteStep.breaker": "RES009",  # a client
        "RemoteStep.timeout": "PRF002",  # a client
        "Service.owner": "DLV002",  # its boundary
        "RemoteStep.retry": "TEC009",  # a client that leaves retries to the mesh
        "SagaStep.retriable": "DAT006",
        "Work.blocking": "TEC003",
    },
    "another rule asks for it or finds it": {
        "Broker.deployment": "DEP001 DEP003 DEP010",
        "Deployment.readiness": "RES013 RES014",
        "Endpoint.request_size": "COM006",
        "Endpoint.response_size": "COM006",  # one of two sizes is declared: the other is small
        "Platform.deployment": "DEP010",
        "StoreFields.deployment": "DEP010 RES023",
        "RemoteStep.timeout": "DEP012 RES002 RES003 RES008 RES010 RES025 TEC009",
        "Kubernetes.spread": "DEP002 RES013 RES014",
        "Queue.visibility_timeout": "RES002 RES021",
        "Runtime.graceful_stop": "DEP012",
        "Runtime.threads": "RES025",
        "Service.deployment": (  # DEP001, DEP003 and DEP004 ask for it
            "DEP005 DEP006 DEP009 DEP010 DEP011 DEP012 DEP014 DEP015 PRF005 RES002 RES021 RES023"
        ),
        "Service.runtime": "COM006 DEP012 PRF004 PRF005 RES025 TEC001 TEC004 TEC008",
        "Service.tracing": "OBS003",
        "Topic.copies": "RES012 TEC008",
        "Tracing.propagation": "OBS003",
    },
    "the rule speaks of what is declared so": {
        "RemoteStep.result_used": "RES022",
        "Service.metrics": "OBS001",
    },
}
"""Why an attribute that nobody declares is rightly no finding: reason, attribute, rules."""


def reason(rule: str, attribute: str) -> str | None:
    """Why the rule may hold without the attribute, if it may."""
    for why, attributes in RIGHTLY.items():
        named = attributes.get(attribute, "")
        if named == ALL or rule in named.split():
            return why
    return None


def test_the_table_names_what_there_is() -> None:
    kinds = element_types().values()
    known = {attribute_of(kind, name) for kind in kinds for name in field_names(kind)}
    assert {each for attributes in RIGHTLY.values() for each in attributes} <= known
    named = {rule for each in RIGHTLY.values() for some in each.values() for rule in some.split()}
    assert named - {ALL} <= {rule.id for rule in rules()}


NAMED_OTHERWISE = {
    "BND018": "whoever lists the entity may be any element",
    "RES010": "a load belongs to a scenario",
    "RES018": "a load belongs to a scenario",
    "TEC001": "support belongs to a table of the rule",
}
"""Rules that do not ask for an attribute of what they ask about."""


@cache
def models() -> Mapping[str, list[tuple[str, System]]]:
    """For each rule its examples, and the models of the review that name it."""
    found: defaultdict[str, list[tuple[str, System]]] = defaultdict(list)
    for rule in RULES:
        found[rule.id] += [(each.build.__name__, each.build()) for each in rule.examples]
    for block in blocks():
        system = system_of(block.code)
        for name in block.rules:
            found[name].append((block.id, system))
    return found


@cache
def values() -> Values:
    return Values(system for some in models().values() for _, system in some)


def said(rule: Rule, system: System) -> RuleOutcome:
    outcome = evaluate(rule, Graph(system, today=EXAMPLES_DAY))
    assert not outcome.broken, outcome.broken
    return outcome


def places(rule: Rule, patch: pytest.MonkeyPatch) -> Iterator[tuple[str, Site, System]]:
    """Attributes that the rule reads in its models and without which it holds, taken away."""
    found: defaultdict[str, list[tuple[str, System, Site]]] = defaultdict(list)
    for name, system in models()[rule.id]:
        read: set[tuple[type, str]] = set()
        with reads(read, patch):
            said(rule, system)
        for site in sites(system):
            is_read = (type(site.part), site.field) in read
            if is_read and reason(rule.id, site.attribute) is None:
                found[site.attribute].append((name, system, site))
    for attribute, some in found.items():
        ordered = sorted(some, key=lambda each: _drawn(attribute, each[0], str(each[2].path)))
        yield from itertools.islice(_held(rule, ordered[:TRIED]), PLACES)


def _held(
    rule: Rule, some: Iterable[tuple[str, System, Site]]
) -> Iterator[tuple[str, Site, System]]:
    for name, system, site in some:
        bare = declared(system, site, None)
        if (
            bare is not None
            and not (outcome := said(rule, bare)).findings
            and not outcome.questions
        ):
            yield name, site, bare


def _drawn(*words: str) -> str:
    """An order that has nothing to do with how models are written, the same in every run."""
    return sha256("\n".join(words).encode()).hexdigest()


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_what_nobody_declares_is_no_pass(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = []
    for name, site, bare in places(rule, monkeypatch):
        for value, changed in itertools.islice(_instead(name, site, bare), VALUES):
            if found := said(rule, changed).findings:
                wrong.append(
                    f"{name}: {site.attribute} is not declared and {rule.id} holds; with {value!r} "
                    f"it finds: {found[0].message}"
                )
                break
    assert not wrong, "\n".join(wrong)


def _instead(name: str, site: Site, bare: System) -> Iterator[tuple[object, System]]:
    """What may be declared there, with the system that declares it."""
    found = values().of(bare, site)
    for value in sorted(found, key=lambda each: _drawn(name, str(site.path), repr(each))):
        changed = declared(bare, site, value)
        if changed is not None:
            yield value, changed


@pytest.mark.parametrize(
    "rule",
    [r for r in RULES if r.method not in ("proof", "sim") and r.id not in NAMED_OTHERWISE],
    ids=lambda rule: rule.id,
)
def test_a_question_names_an_attribute_of_its_subject(rule: Rule) -> None:
    """Rules that ask for the same so ask in the same words, and the questions are one entry."""
    for name, system in models()[rule.id]:
        for result in rule.run(Graph(system, today=EXAMPLES_DAY)):
            if isinstance(result, Undecided):
                kind = type(subject_element(result.subject))
                for missing in result.missing.split(", "):
                    assert _is_attribute(kind, missing), f"{name}: {kind.__name__}.{missing}"


def _is_attribute(kind: type[Element], name: str) -> bool:
    """Whether the kind has such a field, and kinds inside it have the rest."""
    first, *rest = re.sub(r"\[.*?\]", "", name).split(".")
    known = {each for kind in element_types().values() for each in field_names(kind)}
    return first in field_names(kind) and known.issuperset(rest)
