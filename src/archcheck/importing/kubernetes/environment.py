"""What containers are told: environment, ConfigMaps and Secrets behind it, arguments."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck.importing.addresses import addresses_in, doubt_about, names_an_address
from archcheck.importing.facts import ElementPlace, Fact, Hint, KnownAs, Reaches
from archcheck.importing.kubernetes.objects import Cluster, Object
from archcheck.importing.kubernetes.pods import secret_facts
from archcheck.importing.products import SETTING, product_of_setting
from archcheck.importing.profiles import profiles_told
from archcheck.importing.values import Value
from archcheck.model import Place

_REFERENCE = re.compile(r"\$\(([A-Za-z_.][A-Za-z0-9_.-]*)\)")
_ARGUMENT = re.compile(r"^-{0,2}([A-Za-z][\w.-]*)=(.*)$", re.DOTALL)


@dataclass(frozen=True)
class Setting:
    """A variable with its text, where that is known."""

    name: str
    text: str
    place: Place
    group: Place | None = None
    """The ConfigMap or Secret that gives all that it has."""


def told(
    element: str, workload: Object, template: Value, cluster: Cluster
) -> Iterator[Fact | KnownAs | Reaches | Hint]:
    """Secrets, addresses and signs of products in all containers of a pod."""
    deployment = ElementPlace(element, ("deployment",))
    containers = [*template.each("spec", "containers"), *template.each("spec", "initContainers")]
    for container in containers:
        yield from _secrets(deployment, container)
        for setting in settings_of(container, workload.namespace, cluster):
            yield from reached(element, workload.namespace, setting)
            yield from profiles_told(element, setting.name, setting.text, setting.place)
            if setting.name == "OTEL_SERVICE_NAME":
                yield KnownAs(element, setting.text, "", setting.place, "service.name")
            product = product_of_setting(setting.name)
            if product is not None and setting.group is None:
                yield Hint(element, product, f"the setting {setting.name}", SETTING, setting.place)
        for argument in (*container.each("command"), *container.each("args")):
            yield from _reached_by_argument(element, workload.namespace, argument)
            yield from profiles_told(element, "", argument.text, argument.place)


def reached(element: str, scope: str, setting: Setting) -> Iterator[Reaches]:
    """The addresses in a setting."""
    for address in addresses_in(setting.text, bare=names_an_address(setting.name)):
        yield Reaches(
            element,
            address,
            scope,
            f"environment {setting.name}",
            setting.place,
            setting.group,
            doubt_about(setting.name),
        )


def _reached_by_argument(element: str, scope: str, argument: Value) -> Iterator[Reaches]:
    if argument.is_mapping or argument.is_list or len(argument.text) > 1_000:
        return
    match = _ARGUMENT.match(argument.text)
    name, text = (match[1], match[2]) if match else ("", argument.text)
    for address in addresses_in(text, bare=bool(name) and names_an_address(name)):
        said = f"argument {name or argument.text[:60]}"
        yield Reaches(element, address, scope, said, argument.place, None, doubt_about(name))


def settings_of(container: Value, namespace: str, cluster: Cluster) -> Iterator[Setting]:
    """The variables of a container; ``env`` wins over ``envFrom``, as in Kubernetes."""
    found: dict[str, Setting] = {}
    for source in container.each("envFrom"):
        prefix = source.get("prefix")
        for setting in _all_of(source, namespace, cluster):
            name = f"{prefix.text if prefix else ''}{setting.name}"
            found[name] = Setting(name, setting.text, setting.place, setting.group)
    for entry in container.each("env"):
        name = entry.need("name").string("a variable's name")
        own = _value_of(name, entry, namespace, cluster, found)
        if own is not None:
            found[name] = own
    yield from found.values()


def _value_of(
    name: str, entry: Value, namespace: str, cluster: Cluster, known: dict[str, Setting]
) -> Setting | None:
    value = entry.get("value")
    if value is not None:
        text = _REFERENCE.sub(
            lambda match: known[match[1]].text if match[1] in known else match[0],
            value.string(f"the value of {name}")[:4_000],
        )
        return Setting(name, text[:16_000], value.place)
    for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        reference = entry.get("valueFrom", key)
        if reference is not None and reference.get("name") and reference.get("key"):
            holder = cluster.find(kind, namespace, reference.need("name").text)
            wanted = reference.need("key").text
            texts = dict(_texts(holder)) if holder else {}
            if wanted in texts:
                return Setting(name, texts[wanted], entry.place)
    return None


def _all_of(source: Value, namespace: str, cluster: Cluster) -> Iterator[Setting]:
    for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        name = source.get(key, "name")
        holder = cluster.find(kind, namespace, name.text) if name is not None else None
        if holder is not None:
            places = _places(holder)
            for variable, text in _texts(holder):
                yield Setting(variable, text, places[variable], holder.place)


def _texts(holder: Object) -> Iterator[tuple[str, str]]:
    """The texts of a ConfigMap or Secret; of a Secret also what is written in base64."""
    for field, is_encoded in (("data", holder.kind == "Secret"), ("stringData", False)):
        for key, value in holder.value.items(field):
            if not value.is_mapping and not value.is_list:
                text = _decoded(value.text) if is_encoded else value.text
                if text is not None:
                    yield key, text


def _places(holder: Object) -> dict[str, Place]:
    entries = (*holder.value.items("data"), *holder.value.items("stringData"))
    return {key: value.place for key, value in entries}


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text[:16_000], validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def _secrets(deployment: ElementPlace, container: Value) -> Iterator[Fact]:
    for source in container.each("envFrom"):
        name = source.get("secretRef", "name")
        if name is not None:
            yield from secret_facts(deployment, name)
    for entry in container.each("env"):
        name = entry.get("valueFrom", "secretKeyRef", "name")
        if name is not None:
            yield from secret_facts(deployment, name)
