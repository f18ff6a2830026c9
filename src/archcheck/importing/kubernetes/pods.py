"""What a pod template says of a replica: image, resources, probes, volumes, secrets, zones."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from archcheck.importing.facts import ElementPlace, Fact, Remark
from archcheck.importing.kubernetes.objects import Cluster, Object
from archcheck.importing.kubernetes.quantities import cpu, seconds, size
from archcheck.importing.scratch import is_scratch
from archcheck.importing.values import Value
from archcheck.model import Probe, Resources, Secret, Volume

MAIN = "kubectl.kubernetes.io/default-container"
_ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_PROBES = {"readinessProbe": "readiness", "livenessProbe": "liveness", "startupProbe": "startup"}
_WAITS = (
    ("initialDelaySeconds", "initial_delay"),
    ("periodSeconds", "period"),
    ("timeoutSeconds", "timeout"),
)


def main_container(workload: Object, template: Value) -> Value | None:
    """The container that a pod is for: the annotated one, the one of its name, the first."""
    containers = template.each("spec", "containers")
    annotations = dict(template.items("metadata", "annotations"))
    wanted = annotations[MAIN].text if MAIN in annotations else workload.name
    named = (each for each in containers if _name_of(each) == wanted)
    return next(named, containers[0] if containers else None)


def _name_of(container: Value) -> str:
    name = container.get("name")
    return name.text if name is not None else ""


def pod_facts(
    part: ElementPlace, workload: Object, template: Value, cluster: Cluster
) -> Iterator[Fact | Remark]:
    """The facts of a pod template; ``part`` is the deployment."""
    container = main_container(workload, template)
    if container is None:
        return
    image = container.get("image")
    if image is not None:
        yield part.says("image", image.string("image"), image.place)
    yield from _resources(part.inside("resources"), container)
    for key, name in _PROBES.items():
        probe = container.get(key)
        if probe is not None:
            yield from _probe(part.inside(name), key, probe)
    grace = template.get("spec", "terminationGracePeriodSeconds")
    if grace is not None:
        yield part.says("grace", seconds(grace, "terminationGracePeriodSeconds"), grace.place)
    yield from _volumes(part, workload, template, cluster)
    yield from _spread(part, template)
    for other in template.each("spec", "containers"):
        if other is not container:
            yield Remark(
                f"{workload.name}: of the container {_name_of(other)!r} beside "
                f"{_name_of(container)!r} the model has only the addresses that it is given",
                other.place,
            )


def _resources(part: ElementPlace, container: Value) -> Iterator[Fact]:
    found = []
    for kind, suffix in (("requests", ""), ("limits", "_limit")):
        for name, value in container.items("resources", kind):
            if value.is_null:
                continue
            what = f"resources.{kind}.{name}"
            if name == "cpu":
                found.append(part.says(f"cpu{suffix}", cpu(value, what), value.place))
            elif name == "memory":
                found.append(part.says(f"memory{suffix}", size(value, what), value.place))
    if found:
        yield part.is_a(Resources, container.need("resources").place)
        yield from found


def _probe(part: ElementPlace, key: str, probe: Value) -> Iterator[Fact]:
    asked = _asked(part, key, probe)
    if not asked:
        probe.refuse(f"{key} needs httpGet, grpc, tcpSocket or exec")
    yield part.is_a(Probe, probe.place)
    yield from asked
    for name, attribute in _WAITS:
        value = probe.get(name)
        if value is not None:
            yield part.says(attribute, seconds(value, f"{key}.{name}"), value.place)
    threshold = probe.get("failureThreshold")
    if threshold is not None:
        what = f"{key}.failureThreshold"
        yield part.says("failure_threshold", threshold.whole(what), threshold.place)


def _asked(part: ElementPlace, key: str, probe: Value) -> list[Fact]:
    http, command = probe.get("httpGet"), probe.get("exec", "command")
    if http is not None:
        path = http.get("path")
        found = [part.says("kind", "http", http.place)]
        return found + (
            [part.says("path", path.string(f"{key}.httpGet.path"), path.place)] if path else []
        )
    if command is not None:
        words = [word.string(f"{key}.exec.command") for word in command.each()]
        return [
            part.says("kind", "exec", command.place),
            part.says("path", " ".join(shlex.join(words).split()), command.place),
        ]
    for name, kind in (("grpc", "grpc"), ("tcpSocket", "tcp")):
        if probe.has(name):
            return [part.says("kind", kind, (probe.get(name) or probe).place)]
    return []


def _volumes(
    part: ElementPlace, workload: Object, template: Value, cluster: Cluster
) -> Iterator[Fact]:
    for claim in workload.value.each("spec", "volumeClaimTemplates"):
        name = claim.need("metadata", "name")
        wanted = claim.get("spec", "resources", "requests", "storage")
        yield from _volume(part, name, durable=True, wanted=wanted)
    for volume in template.each("spec", "volumes"):
        name = volume.need("name")
        secret = volume.get("secret", "secretName")
        if secret is not None:
            yield from secret_facts(part, secret)
        elif volume.has("emptyDir") and not _is_scratch(template, name.string("a volume's name")):
            yield from _volume(
                part, name, durable=False, wanted=volume.get("emptyDir", "sizeLimit")
            )
        elif volume.has("hostPath"):
            yield from _volume(part, name, durable=True, wanted=None)
        elif (claimed := volume.get("persistentVolumeClaim", "claimName")) is not None:
            held = cluster.find(
                "PersistentVolumeClaim", workload.namespace, claimed.string("claimName")
            )
            asked = held.value.get("spec", "resources", "requests", "storage") if held else None
            yield from _volume(part, name, durable=True, wanted=asked)


def _is_scratch(template: Value, volume: str) -> bool:
    """Whether a volume is mounted, and only where scratch files lie."""
    paths = [
        mount.need("mountPath").string("mountPath")
        for container in template.each("spec", "containers")
        for mount in container.each("volumeMounts")
        if (name := mount.get("name")) is not None and name.text == volume
    ]
    return bool(paths) and all(map(is_scratch, paths))


def _volume(
    part: ElementPlace, name: Value, *, durable: bool, wanted: Value | None
) -> Iterator[Fact]:
    inner = part.member("volumes", name.string("a volume's name"))
    yield inner.is_a(Volume, name.place)
    yield inner.says("name", name.text, name.place)
    yield inner.says("durable", durable, name.place)
    if wanted is not None:
        yield inner.says("size", size(wanted, "storage"), wanted.place)


def secret_facts(part: ElementPlace, name: Value) -> Iterator[Fact]:
    """A secret of the cluster that the pod needs."""
    inner = part.member("secrets", name.string("a secret's name"))
    yield inner.is_a(Secret, name.place)
    yield inner.says("name", name.text, name.place)
    yield inner.says("store", "kubernetes", name.place)


def _spread(part: ElementPlace, template: Value) -> Iterator[Fact]:
    constraints = template.get("spec", "topologySpreadConstraints")
    apart = template.get("spec", "affinity", "podAntiAffinity")
    if constraints is not None and constraints.each():
        yield part.says("spread", "topology_spread", constraints.place)
    elif apart is not None and apart.items():
        yield part.says("spread", "anti_affinity", apart.place)
    for key, value in template.items("spec", "nodeSelector"):
        if key in _ZONES:
            yield part.has("zones", value.string("nodeSelector"), value.place)
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    for term in template.each("spec", "affinity", "nodeAffinity", required, "nodeSelectorTerms"):
        for expression in term.each("matchExpressions"):
            label, operator = expression.need("key"), expression.need("operator")
            if label.text in _ZONES and operator.text == "In":
                for zone in expression.each("values"):
                    yield part.has("zones", zone.string("a zone"), zone.place)
