"""What stands around workloads: Services, Ingresses, autoscalers, disruption budgets, policies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from archcheck.importing.addresses import Address
from archcheck.importing.facts import (
    SYSTEM,
    ElementPlace,
    Fact,
    KnownAs,
    Reaches,
    Remark,
    Statement,
)
from archcheck.importing.kubernetes.objects import WORKLOADS, Cluster, Object, key_of, selects
from archcheck.importing.kubernetes.quantities import count_or_share, seconds
from archcheck.importing.kubernetes.workloads import template_of
from archcheck.importing.values import Value
from archcheck.model import Autoscale, DisruptionBudget, External, Gateway, OnlyVia, Place
from archcheck.units import Fraction, percent


@dataclass(frozen=True)
class NamedWorkloads:
    """The workloads of a cluster with the names of their elements."""

    cluster: Cluster
    names: dict[tuple[str, str, str], str]

    def called(self, kind: str, namespace: str, name: str) -> str | None:
        """The element of a workload, by its name alone if no namespace has it."""
        found = self.names.get(key_of(kind, namespace, name))
        others = [self.names[key] for key in self.names if key[2] == name]
        return found or (others[0] if len(others) == 1 else None)

    @cached_property
    def outside(self) -> frozenset[str]:
        """Ways in that are no part of Istio's mesh: Ingresses, and gateways of other products."""
        found = {self.ingress(each.name) for each in self.cluster.of_kind("Ingress")}
        for each in self.cluster.of_kind("Gateway"):
            product = each.value.get("spec", "gatewayClassName")
            if product is not None and not product.text.startswith("istio"):
                found.add(self.way_in(each.name))
        return frozenset(found)

    def ingress(self, name: str) -> str:
        """The element of an Ingress."""
        return f"{name}-ingress" if name in self.names.values() else name

    def way_in(self, name: str) -> str:
        """The element of a gateway object: a workload may have its name."""
        return f"{name} gateway" if name in self.names.values() else name

    def selected(self, namespace: str, selector: Iterable[tuple[str, Value]]) -> list[str]:
        """The elements whose pods have the labels."""
        wanted = list(selector)
        return [
            self.names[each.key]
            for each in self.cluster.of_kind(*WORKLOADS)
            if each.namespace == namespace and selects(wanted, _pod_labels(each))
        ]


def _pod_labels(workload: Object) -> dict[str, Value]:
    template = template_of(workload)
    return dict(template.items("metadata", "labels")) if template is not None else {}


# -- Services and Ingresses ------------------------------------------------------------------------


def service_statements(service: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """The names under which the elements behind a Service are reached."""
    elements = named.selected(service.namespace, service.value.items("spec", "selector"))
    outside = service.value.get("spec", "externalName")
    if outside is not None:
        part = ElementPlace(service.name)
        yield part.is_a(External, service.place)
        said = f"the name of {outside.string('externalName')}"
        yield part.says("description", said, outside.place)
        elements = [service.name]
    for element in elements:
        yield from hosts_of(element, service)


def hosts_of(element: str, service: Object) -> Iterator[KnownAs]:
    """The short name in its own namespace, the longer ones everywhere."""
    name, namespace, place = service.name, service.namespace, service.place
    yield KnownAs(element, name, namespace, place)
    for host in (f"{name}.{namespace}", f"{name}.{namespace}.svc",
                 f"{name}.{namespace}.svc.cluster.local"):  # fmt: skip
        yield KnownAs(element, host, "", place)


def ingress_statements(ingress: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """An Ingress is a gateway that reaches what its rules name."""
    name = named.ingress(ingress.name)
    part = ElementPlace(name)
    yield part.is_a(Gateway, ingress.place)
    routes = list(_routes(ingress.value))
    texts = [f"{host}{path} to {backend.name}" for host, path, backend in routes]
    if texts:
        shown = ", ".join(texts[:20]) + (" ..." if len(texts) > 20 else "")
        yield part.says("description", f"Ingress: {shown}", ingress.place)
    for _, _, backend in routes:
        yield Reaches(
            name, Address(backend.name), ingress.namespace, "a rule of the Ingress", backend.place
        )


@dataclass(frozen=True)
class _Route:
    """The Service that a rule leads to, and the line that names it."""

    name: str
    place: Place


def _routes(value: Value) -> Iterator[tuple[str, str, _Route]]:
    default = value.get("spec", "defaultBackend") or value.get("spec", "backend")
    if default is not None and (route := _backend(default)) is not None:
        yield "", "(everything)", route
    for rule in value.each("spec", "rules"):
        host = rule.get("host")
        for path in rule.each("http", "paths"):
            where, backend = path.get("path"), path.get("backend")
            if backend is not None and (route := _backend(backend)) is not None:
                yield (
                    host.string("host") if host is not None else "",
                    where.string("path") if where is not None else "/",
                    route,
                )


def _backend(backend: Value) -> _Route | None:
    name = backend.get("service", "name") or backend.get("serviceName")
    return _Route(name.string("a backend's name"), name.place) if name is not None else None


# -- autoscalers and budgets -----------------------------------------------------------------------


def autoscaler_statements(scaler: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """A HorizontalPodAutoscaler, for the workload that it names."""
    target = scaler.value.need("spec", "scaleTargetRef")
    kind, name = target.need("kind").string("kind"), target.need("name").string("name")
    element = named.called(kind, scaler.namespace, name)
    if element is None:
        yield Remark(f"the autoscaler {scaler.name} is for {kind} {name}, which no file has",
                     target.place)  # fmt: skip
        return
    part = ElementPlace(element, ("deployment", "autoscale"))
    most, least = scaler.value.need("spec", "maxReplicas"), scaler.value.get("spec", "minReplicas")
    yield part.is_a(Autoscale, scaler.place)
    yield part.says("max", most.whole("maxReplicas"), most.place)
    if least is not None:
        yield part.says("min", least.whole("minReplicas"), least.place)
    else:  # kubernetes.io, HorizontalPodAutoscalerSpec: minReplicas defaults to 1
        yield part.says("min", 1, scaler.place)
    yield from _targets(part, scaler.value)
    window = scaler.value.get("spec", "behavior", "scaleDown", "stabilizationWindowSeconds")
    if window is not None:
        what = "stabilizationWindowSeconds"
        yield part.says("stabilisation", seconds(window, what), window.place)


def _targets(part: ElementPlace, value: Value) -> Iterator[Fact | Remark]:
    plain = value.get("spec", "targetCPUUtilizationPercentage")
    if plain is not None:
        yield from _target_cpu(part, plain)
    others = []
    for metric in value.each("spec", "metrics"):
        name = metric.get("resource", "name")
        used = metric.get("resource", "target", "averageUtilization") or metric.get(
            "resource", "targetAverageUtilization"
        )
        if name is not None and name.text == "cpu" and used is not None:
            yield from _target_cpu(part, used)
        else:
            others.append(metric)
    if others:
        yield part.says("target_metric", " and ".join(map(_metric, others)), others[0].place)


def _target_cpu(part: ElementPlace, value: Value) -> Iterator[Fact | Remark]:
    share = value.whole("the target of the CPU")
    if 0 < share <= 100:
        yield part.says("target_cpu", share * percent, value.place)
    else:
        yield Remark(f"{part.element}: a target of {share}% of the requested CPU is above 100%; "
                     "a model has none of that", value.place)  # fmt: skip


def _metric(metric: Value) -> str:
    for kind in ("resource", "containerResource"):
        name = metric.get(kind, "name")
        if name is not None:
            return name.text
    for kind in ("pods", "object", "external"):
        name = metric.get(kind, "metric", "name") or metric.get(kind, "metricName")
        if name is not None:
            return name.text
    return "another metric"


def budget_statements(budget: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """A PodDisruptionBudget, for what it selects."""
    selector = budget.value.items("spec", "selector", "matchLabels")
    for element in named.selected(budget.namespace, selector):
        part = ElementPlace(element, ("deployment", "disruption_budget"))
        yield part.is_a(DisruptionBudget, budget.place)
        for key, attribute in (
            ("minAvailable", "min_available"), ("maxUnavailable", "max_unavailable"),
        ):  # fmt: skip
            value = budget.value.get("spec", key)
            if value is None:
                continue
            amount = count_or_share(value, key)
            if isinstance(amount, Fraction) or amount >= 1:
                yield part.says(attribute, amount, value.place)
            else:  # none at all: as a share, because a count begins at 1
                yield part.says(attribute, 0 * percent, value.place)


# -- network policies ------------------------------------------------------------------------------


def policy_statements(policy: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """A NetworkPolicy whose callers are all in the files: its pods are reached via them only."""
    selector = policy.value.get("spec", "podSelector")
    labels = selector.items("matchLabels") if selector is not None else []
    protected = named.selected(policy.namespace, labels)
    callers = _callers(policy, named)
    if not protected or not callers:
        yield Remark(
            f"the NetworkPolicy {policy.name} is no part of the model: its pods or its callers are "
            "not all told by labels of workloads in the files",
            policy.place,
        )
        return
    tag = f"callers of {policy.name}"
    for caller in callers:
        yield ElementPlace(caller).has("tags", tag, policy.place)
    for element in protected:
        part = ElementPlace(SYSTEM).member("policies", f"{policy.name} for {element}")
        yield part.is_a(OnlyVia, policy.place)
        yield part.says("target", element, policy.place)
        yield part.says("via", f"tag:{tag}", policy.place)
        yield part.says("reason", f"NetworkPolicy {policy.name}", policy.place)


def _callers(policy: Object, named: NamedWorkloads) -> list[str]:
    """The elements that may come in; none where others may as well."""
    found: dict[str, None] = {}
    for rule in policy.value.each("spec", "ingress"):
        peers = rule.each("from")
        if not peers:
            return []  # everybody
        for peer in peers:
            if peer.has("ipBlock") or peer.has("namespaceSelector"):
                return []
            labels = peer.items("podSelector", "matchLabels")
            elements = named.selected(policy.namespace, labels)
            if not elements:
                return []
            found.update(dict.fromkeys(elements))
    return [*found]
