"""Workloads: what runs, how often, how it is replaced, and what it is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Set

from archcheck.importing.facts import ElementPlace, Fact, Hint, KnownAs, Statement
from archcheck.importing.kubernetes.environment import told
from archcheck.importing.kubernetes.objects import WORKLOADS, Cluster, Object
from archcheck.importing.kubernetes.pods import main_container, pod_facts
from archcheck.importing.kubernetes.quantities import count_or_share
from archcheck.importing.products import (
    IMAGE,
    PORT,
    is_plain,
    parsed_image,
    product_of_image,
    product_of_port,
    version_of,
)
from archcheck.importing.values import Value
from archcheck.model import Endpoint, Kubernetes, Recreate, RollingUpdate, Schedule, Service

_OWNER_LABELS = ("team", "owner", "app.kubernetes.io/team")
_NAME_LABELS = ("app", "app.kubernetes.io/name", "k8s-app", "name")
_KIND_IN_NAME = re.compile(r"-(?:deployment|deploy|statefulset|sts|daemonset|cronjob)$")
_MOST_PODS = 100
"""Pods of a StatefulSet whose hosts are known. A choice: addresses name the first few."""
RUN = "run"
"""The endpoint that stands for a whole run of a CronJob's container: nothing else could be called
by its schedule, and no file names it."""


def names_of(cluster: Cluster) -> dict[tuple[str, str, str], str]:
    """Workload to the name of its element: its own, with the namespace where it is not unique."""
    workloads = list(cluster.of_kind(*WORKLOADS))
    taken = {each.name for each in workloads}
    called = {each.key: _plain_name(each, taken) for each in workloads}
    uses = Counter(called.values())
    return {
        each.key: name if uses[name] == 1 else f"{each.namespace}/{name}"
        for each in workloads
        for name in (called[each.key],)
    }


def _plain_name(workload: Object, taken: Set[str]) -> str:
    """``cart`` for the Deployment ``cart-deployment`` whose pods or containers are called so: other
    sources do not know of what kind the workload is."""
    short = _KIND_IN_NAME.sub("", workload.name)
    template = template_of(workload)
    if short in taken or template is None:
        return workload.name
    labels = [template.get("metadata", "labels", key) for key in _NAME_LABELS]
    names = [each.get("name") for each in template.each("spec", "containers")]
    stated = {value.text for value in (*labels, *names) if value is not None}
    return short if short in stated else workload.name


def template_of(workload: Object) -> Value | None:
    """The pod template of a workload."""
    if workload.kind == "Pod":
        return workload.value
    if workload.kind == "CronJob":
        return workload.value.get("spec", "jobTemplate", "spec", "template")
    return workload.value.get("spec", "template")


def workload_facts(element: str, workload: Object, cluster: Cluster) -> Iterator[Statement]:
    """Everything that a workload says about its element."""
    part, deployment = ElementPlace(element), ElementPlace(element, ("deployment",))
    yield part.is_a(Service, workload.place)
    yield deployment.is_a(Kubernetes, workload.place)
    is_plain_kind = workload.kind in ("ReplicaSet", "ReplicationController", "Pod")
    kind = "Deployment" if is_plain_kind else workload.kind  # what stands for many equal pods
    yield deployment.says("kind", kind, workload.value.need("kind").place)
    namespace = workload.value.get("metadata", "namespace")
    if namespace is not None:
        yield deployment.says("namespace", namespace.string("namespace"), namespace.place)
    yield from _owner(part, workload)
    yield from _replicas(deployment, workload)
    yield from _rollout(deployment, workload)
    yield from _schedule(part, workload)
    yield from _pod_hosts(element, workload)
    template = template_of(workload)
    if template is not None:
        yield from pod_facts(deployment, workload, template, cluster)
        yield from told(element, workload, template, cluster)
        yield from _hints(element, workload, template)
        yield from _settings_files(element, workload, template)


def config_map_source(name: str) -> str:
    """The identity of who is given the files of a ConfigMap (``namespace/name``)."""
    return f"configmap:{name}"


def _settings_files(element: str, workload: Object, template: Value) -> Iterator[KnownAs]:
    """ConfigMaps that it mounts: their importers know whose settings they are."""
    for volume in template.each("spec", "volumes"):
        name = volume.get("configMap", "name")
        if name is not None:
            source = config_map_source(f"{workload.namespace}/{name.string('a ConfigMap')}")
            yield KnownAs(element, source, "", name.place, "source")


def _owner(part: ElementPlace, workload: Object) -> Iterator[Fact]:
    for labels in (workload.labels, workload.annotations):
        for key in _OWNER_LABELS:
            if key in labels and labels[key].text:
                yield part.says("owner", labels[key].string(key), labels[key].place)
                return


def _replicas(deployment: ElementPlace, workload: Object) -> Iterator[Fact]:
    where = {"Job": ("spec", "parallelism"), "CronJob": ("spec", "jobTemplate", "spec",
             "parallelism")}.get(workload.kind, ("spec", "replicas"))  # fmt: skip
    value = workload.value.get(*where)
    if value is not None and (count := value.whole(where[-1])) > 0:
        yield deployment.says("replicas", count, value.place)


def _rollout(deployment: ElementPlace, workload: Object) -> Iterator[Fact]:
    strategy = workload.value.get("spec", "strategy")
    if workload.kind != "Deployment" or strategy is None:
        return
    part, kind = deployment.inside("rollout"), strategy.get("type")
    if kind is not None and kind.text == "Recreate":
        yield part.is_a(Recreate, kind.place)
        return
    yield part.is_a(RollingUpdate, strategy.place)
    for key, attribute in (("maxSurge", "max_surge"), ("maxUnavailable", "max_unavailable")):
        value = strategy.get("rollingUpdate", key)
        if value is not None:
            yield part.says(attribute, count_or_share(value, key), value.place)


def _schedule(part: ElementPlace, workload: Object) -> Iterator[Fact]:
    cron = workload.value.get("spec", "schedule")
    if workload.kind != "CronJob" or cron is None:
        return
    run = part.member("endpoints", RUN)
    yield run.is_a(Endpoint, workload.place)
    yield run.says("name", RUN, workload.place)
    yield run.says("description", "the container from its start to its end", workload.place)
    clock = ElementPlace(f"{part.element} schedule")
    yield clock.is_a(Schedule, cron.place)
    yield clock.says("calls", f"{part.element}.{RUN}", cron.place)
    yield clock.says("cron", cron.string("schedule"), cron.place)


def _pod_hosts(element: str, workload: Object) -> Iterator[KnownAs]:
    """Each pod of a StatefulSet has a host of its own (kubernetes.io, Stable Network ID)."""
    service = workload.value.get("spec", "serviceName")
    if workload.kind != "StatefulSet" or service is None:
        return
    replicas = workload.value.get("spec", "replicas")
    count = replicas.whole("replicas") if replicas is not None else 1
    for number in range(min(count, _MOST_PODS)):
        host = f"{workload.name}-{number}.{service.string('serviceName')}"
        yield KnownAs(element, host, workload.namespace, service.place)
        for end in ("", ".svc", ".svc.cluster.local"):
            yield KnownAs(element, f"{host}.{workload.namespace}{end}", "", service.place)


def _hints(element: str, workload: Object, template: Value) -> Iterator[Hint | KnownAs]:
    container = main_container(workload, template)
    image = container.get("image") if container is not None else None
    if container is None or image is None:
        return
    repository = parsed_image(image.string("image")).repository
    yield KnownAs(element, repository, "", image.place, "image")
    product = product_of_image(image.text)
    if product is not None:
        version = version_of(product, image.text)
        yield Hint(element, product, f"the image {image.text}", IMAGE, image.place, version)
    elif is_plain(image.text):
        yield Hint(element, None, f"the image {image.text}", IMAGE, image.place)
    for port in container.each("ports"):
        number = port.get("containerPort")
        known = product_of_port(number.whole("containerPort")) if number is not None else None
        if number is not None and known is not None:
            yield Hint(element, known, f"the port {number.text}", PORT, number.place)
