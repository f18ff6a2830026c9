"""Kubernetes' objects in files: found in documents and lists, told apart by kind and name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from archcheck.importing.values import Value
from archcheck.model import Place

DEFAULT_NAMESPACE = "default"
GROUPS = frozenset(
    {
        "", "apps", "batch", "autoscaling", "networking.k8s.io", "policy", "extensions",
        "networking.istio.io", "security.istio.io", "gateway.networking.k8s.io",
        "gateway.envoyproxy.io",
    }
)  # fmt: skip
"""API groups of the kinds that are read here."""
WORKLOADS = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "ReplicaSet",
    "ReplicationController",
    "Pod",
)
_MAX_LISTS_DEEP = 5
"""Lists inside lists. A choice: ``kubectl`` writes one."""


@dataclass(frozen=True)
class Object:
    """One object of the cluster."""

    group: str
    kind: str
    namespace: str
    """As it is written, else ``default``: where ``kubectl apply`` puts it."""
    name: str
    value: Value
    is_placed: bool = False
    """Whether the namespace is written."""

    @property
    def place(self) -> Place:
        """The line of its name: what tells it apart."""
        metadata = self.value.get("metadata")
        named = metadata.get("name") if metadata is not None else None
        return named.place if named is not None else self.value.place

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two objects the same: a Deployment in one variant of a repository is a
        StatefulSet in another."""
        return key_of(self.kind, self.namespace, self.name)

    @property
    def labels(self) -> dict[str, Value]:
        """Its labels."""
        return dict(self.value.items("metadata", "labels"))

    @property
    def annotations(self) -> dict[str, Value]:
        """Its annotations."""
        return dict(self.value.items("metadata", "annotations"))

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def key_of(kind: str, namespace: str, name: str) -> tuple[str, str, str]:
    """The key of an object."""
    return ("workload" if kind in WORKLOADS else kind, namespace, name)


@dataclass
class Cluster:
    """The objects of one account: each once."""

    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    identities: set[tuple[str, str, str]] = field(default_factory=set)

    def of_kind(self, *kinds: str) -> Iterator[Object]:
        """All objects of these kinds, in the order of the files."""
        return (each for each in self.objects.values() if each.kind in kinds)

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """The object, if a file has it."""
        return self.objects.get(key_of(kind, namespace, name))


def clusters(documents: Iterable[Value]) -> list[Cluster]:
    """The objects of the documents, the first of each in the first cluster, the next in the second.

    A repository often has the same objects twice (a release, and what it was made of). Each account
    is consistent in itself, and those that come later only show where they differ.
    """
    found = [Cluster()]
    objects = [each for document in documents for each in objects_in(document)]
    for each, identity in _identified(objects):
        free = next((cluster for cluster in found if identity not in cluster.identities), None)
        if free is None:
            found.append(free := Cluster())
        free.identities.add(identity)
        free.objects[each.key] = each
    return found


def _identified(objects: Sequence[Object]) -> Iterator[tuple[Object, tuple[str, str, str]]]:
    """The objects, each with what makes it the same as another one in a variant of the files.

    An object without a namespace is the one of its name in a namespace, if there is only one:
    ``kubectl apply -n`` decides where it is.
    """
    placed: dict[tuple[str, str, str], set[str]] = {}
    for each in objects:
        if each.is_placed:
            placed.setdefault(key_of(each.kind, "", each.name), set()).add(each.namespace)
    for each in objects:
        known = placed.get(key_of(each.kind, "", each.name), set())
        is_open = not each.is_placed and len(known) == 1
        namespace = next(iter(known)) if is_open else each.namespace
        yield each, key_of(each.kind, namespace, each.name)


def objects_in(document: Value, depth: int = 0) -> Iterator[Object]:
    """The objects of a document; those of a list one by one."""
    if not looks_like_object(document) or depth > _MAX_LISTS_DEEP:
        return
    kind = document.need("kind").string("kind")
    if kind.endswith("List") and document.has("items"):
        for item in document.each("items"):
            yield from objects_in(item, depth + 1)
        return
    group = document.need("apiVersion").string("apiVersion").rpartition("/")[0]
    name = document.get("metadata", "name") or document.get("metadata", "generateName")
    if name is None:
        return
    if not name.string("metadata.name").strip():
        name.refuse("metadata.name must not be empty")
    if "{{" in name.text:
        name.refuse("is a template: render it, and import what is printed")
    namespace = document.get("metadata", "namespace")
    yield Object(
        group,
        kind,
        namespace.string("metadata.namespace") if namespace is not None else DEFAULT_NAMESPACE,
        name.string("metadata.name"),
        document,
        namespace is not None,
    )


def looks_like_object(document: Value) -> bool:
    """Whether a document is an object of Kubernetes' API, of whatever group."""
    return (
        isinstance(document.raw, dict)
        and isinstance(getattr(document.raw.get("apiVersion"), "raw", None), str)
        and isinstance(getattr(document.raw.get("kind"), "raw", None), str)
    )


def is_read_here(document: Value) -> bool:
    """Whether a document is of a kind that this importer reads, or a list of some."""
    if not looks_like_object(document) or not isinstance(document.raw, dict):
        return False
    group, _, version = document.raw["apiVersion"].text.rpartition("/")
    kind = document.raw["kind"].text
    return (group in GROUPS and bool(version)) and kind != "Kustomization"


def selects(selector: Iterable[tuple[str, Value]], labels: dict[str, Value]) -> bool:
    """Whether the labels have everything that a selector asks for; an empty one selects nothing."""
    wanted = [(key, value.string(f"the label {key}")) for key, value in selector]
    return bool(wanted) and all(
        key in labels and labels[key].text == value for key, value in wanted
    )
