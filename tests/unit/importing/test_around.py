"""What stands around workloads, in a sample with everything that the page of Kubernetes lists."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from archcheck import (
    Autoscale,
    Client,
    DisruptionBudget,
    External,
    Gateway,
    Kubernetes,
    Redis,
    Resources,
    RollingUpdate,
    Service,
)
from archcheck.importing import Import, import_paths
from archcheck.model import Element, OnlyVia, Probe, Secret, Volume
from archcheck.units import Cpu, GiB, MiB, percent, s

SAMPLE = Path(__file__).parent / "samples" / "manifests.yaml"


@cache
def sample() -> Import:
    return import_paths([SAMPLE])


def deployment(name: str) -> Kubernetes:
    found = getattr(sample().system.find(name), "deployment", None)
    assert isinstance(found, Kubernetes)
    return found


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("replicas", 3),
        ("grace", 20 * s),
        ("spread", "topology_spread"),
        ("zones", ("a", "b")),
        ("rollout", RollingUpdate(max_surge=1, max_unavailable=25 * percent)),
        (
            "resources",
            Resources(cpu=Cpu(0.1), memory=128 * MiB, cpu_limit=Cpu(1.0), memory_limit=256 * MiB),
        ),
        ("readiness", Probe("http", "/ready", period=5 * s, timeout=2 * s)),
        (
            "liveness",
            Probe("exec", "/bin/alive --fast", initial_delay=10 * s, failure_threshold=5),
        ),
        ("startup", Probe("grpc")),
        ("autoscale", Autoscale(min=3, max=12, target_cpu=60 * percent, stabilisation=120 * s)),
        ("disruption_budget", DisruptionBudget(min_available=50 * percent)),
        ("volumes", (Volume("tmp", durable=False),)),
        (
            "secrets",
            (Secret("web-tls", store="kubernetes"), Secret("session", store="kubernetes")),
        ),
        ("namespace", "shop"),
    ],
)
def test_what_a_deployment_has(attribute: str, value: object) -> None:
    assert getattr(deployment("web"), attribute) == value


def test_claims_of_a_stateful_set_are_durable() -> None:
    store = sample().system.find("cache")
    assert isinstance(store, Redis)
    assert deployment("cache").kind == "StatefulSet"
    assert deployment("cache").volumes == (Volume("data", durable=True, size=8 * GiB),)


def test_an_ingress_is_a_gateway_before_what_its_rules_name() -> None:
    gateway = sample().system.find("edge")
    assert isinstance(gateway, Gateway)
    assert gateway.clients == (Client("web"),)
    assert gateway.description == "Ingress: shop.example.com/ to web"


def test_a_network_policy_is_a_policy_and_is_checked() -> None:
    [policy] = sample().system.policies
    assert policy == OnlyVia("cache", "tag:callers of cache", reason="NetworkPolicy cache")
    assert policy.site is not None
    assert policy.site.place.line == sample().system.find("web").site.values["tags"].line  # type: ignore[union-attr]


def test_a_name_for_the_outside_is_an_external() -> None:
    assert isinstance(sample().system.find("billing"), External)


def test_objects_of_lists_are_read() -> None:
    assert deployment("agent").kind == "DaemonSet"
    assert deployment("report").replicas == 2


def test_addresses_built_of_other_variables_are_edges() -> None:
    web = sample().system.find("web")
    assert isinstance(web, Service)
    assert web.clients == (Client("cache"),)


def test_every_element_and_part_knows_its_line() -> None:
    from archcheck.model.linking import walk

    parts: list[Element] = [p for e in sample().system.elements for p in walk(e)]
    assert len(parts) >= 25
    for part in parts:
        assert part.site is not None, part
        assert part.site.place.file == str(SAMPLE)
        assert part.site.values or type(part).__name__ in ("RollingUpdate", "Service")


FORBIDDEN = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: thief, namespace: shop}
spec:
  template:
    metadata: {labels: {app: thief}}
    spec: {containers: [{name: t, image: t, env: [{name: CACHE_ADDR, value: "cache:6379"}]}]}
"""


def test_a_caller_whom_the_network_policy_keeps_out_is_a_finding(tmp_path: Path) -> None:
    from archcheck import verify

    path = tmp_path / "all.yaml"
    path.write_text(SAMPLE.read_text(encoding="utf-8") + FORBIDDEN, encoding="utf-8")
    findings = verify(import_paths([path]).system).findings
    assert any(f.rule.id == "BND005" and "thief" in str(f.occurrences) for f in findings)


OLD = """
apiVersion: extensions/v1beta1
kind: Ingress
metadata: {name: web}
spec: {backend: {serviceName: web, servicePort: 80}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {strategy: {type: Recreate}, template: {metadata: {labels: {app: web}}, spec: {containers: [{
  name: web, image: w}]}}}
---
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 4, targetCPUUtilizationPercentage: 150,
       scaleTargetRef: {kind: Deployment, name: web}}
---
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: gone}
spec: {maxReplicas: 4, scaleTargetRef: {kind: Deployment, name: gone}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: other}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: w}]}}}
"""


def test_older_forms_and_names_that_clash(tmp_path: Path) -> None:
    path = tmp_path / "old.yaml"
    path.write_text(OLD, encoding="utf-8")
    found = import_paths([path])
    names = {element.name: type(element) for element in found.system.elements}
    assert names == {"web-ingress": Gateway, "web": Service}  # other/web: the same once more
    web = found.system.find("web")
    assert isinstance(web, Service)
    assert web.deployment is not None
    assert web.deployment.autoscale == Autoscale(min=1, max=4)
    said = " ".join(remark.sentence for remark in found.joined.remarks)
    assert "a target of 150%" in said
    assert "the autoscaler gone is for Deployment gone, which no file has" in said
