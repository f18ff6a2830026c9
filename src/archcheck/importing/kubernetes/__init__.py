"""Kubernetes manifests: workloads and what stands around them.

Namespaces are scopes of names; a file without one is read as ``default``, where ``kubectl apply``
puts it. What a cluster adds by itself (defaults of admission, injected sidecars) is in no file and
stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from archcheck.importing.facts import Precedence, Remark, Said, Statement, Toward, UnreadFile
from archcheck.importing.kubernetes import gateway_api, istio
from archcheck.importing.kubernetes.around import (
    NamedWorkloads,
    autoscaler_statements,
    budget_statements,
    ingress_statements,
    policy_statements,
    service_statements,
)
from archcheck.importing.kubernetes.kustomize import patches_among
from archcheck.importing.kubernetes.objects import (
    GROUPS,
    WORKLOADS,
    Cluster,
    Object,
    clusters,
    is_read_here,
)
from archcheck.importing.kubernetes.rendering import Rendering, is_rendered, rendered
from archcheck.importing.kubernetes.workloads import names_of, workload_facts
from archcheck.importing.sources import Choices, SourceFile
from archcheck.model import ModelError


def _gateway(gateway: Object, named: NamedWorkloads) -> Iterator[Statement]:
    """A Gateway of either API."""
    yield from istio.gateway(gateway, named)
    yield from gateway_api.gateway(gateway, named)


_AROUND: dict[str, Callable[[Object, NamedWorkloads], Iterator[Statement]]] = {
    "Service": service_statements,
    "Ingress": ingress_statements,
    "HorizontalPodAutoscaler": autoscaler_statements,
    "PodDisruptionBudget": budget_statements,
    "NetworkPolicy": policy_statements,
    "Namespace": istio.namespace,
    "Gateway": _gateway,
    "VirtualService": istio.virtual_service,
    "DestinationRule": istio.destination_rule,
    "ServiceEntry": istio.service_entry,
    "PeerAuthentication": istio.peer_authentication,
    **dict.fromkeys(gateway_api.ROUTES, gateway_api.route),
    "BackendTrafficPolicy": gateway_api.backend_traffic_policy,
}
_PATCH = "a patch of Kustomize is part of an object: --render has kustomize apply it"
_SUPPORTING = frozenset({"ConfigMap", "Secret", "PersistentVolumeClaim"})
"""Kinds that are read where others refer to them."""


class KubernetesImporter:
    """Reads manifests, also as Helm and Kustomize render them."""

    name = "kubernetes"
    title = "Kubernetes"
    precedence: Precedence = "deployed"
    order = 10

    def recognises(self, file: SourceFile) -> bool:
        if is_rendered(file):
            return True
        if file.path.suffix.lower() not in (".yaml", ".yml", ".json"):
            return False
        if "kind" not in file.text_if_readable:
            return False
        return any(map(is_read_here, file.readable))

    def read(self, files: Sequence[SourceFile], choices: Choices) -> Iterable[Said]:
        found = rendered(files, asked=choices.render)
        while True:
            try:
                return list(self._said(files, found))
            except ModelError as error:
                found.give_up(error)  # else it is an error in a file that is read as it lies

    def _said(self, files: Sequence[SourceFile], found: Rendering) -> Iterator[Said]:
        plain = [f for f in files if f.path not in found.taken and not is_rendered(f)]
        patches = patches_among(plain)
        left = [UnreadFile(str(file.path), _PATCH) for file in plain if file.path in patches]
        yield Said(self.name, self.precedence, [*found.unread, *left])
        read = {file.path: file for file in plain if file.path not in patches}
        documents = [
            document
            for path in dict.fromkeys([*(file.path for file in files), *found.documents])
            for document in found.documents.get(path)
            or (read[path].documents if path in read else ())
        ]
        for cluster in clusters(documents):
            yield Said(self.name, self.precedence, list(_statements(cluster)))


def _statements(cluster: Cluster) -> Iterator[Statement]:
    named = NamedWorkloads(cluster, names_of(cluster))
    for workload in cluster.of_kind(*WORKLOADS):
        yield from workload_facts(named.names[workload.key], workload, cluster)
    for kind, statements in _AROUND.items():
        for each in cluster.of_kind(kind):
            yield from (_in_mesh(one, named) for one in statements(each, named))
    for each in cluster.objects.values():
        is_read = each.kind in (*WORKLOADS, *_AROUND) or each.kind in _SUPPORTING
        if not is_read and each.group in GROUPS:
            yield Remark(f"{each} says nothing that a model holds", each.place)


def _in_mesh(statement: Statement, named: NamedWorkloads) -> Statement:
    """What a mesh does for all callers it does for those in it."""
    if isinstance(statement, Toward) and not statement.element:
        return replace(statement, outside=named.outside)
    return statement


importer = KubernetesImporter()
