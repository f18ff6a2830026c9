"""What a Compose service says about its element."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from archcheck.importing.addresses import Address, addresses_in, doubt_about, names_an_address
from archcheck.importing.compose.interpolation import Variables, env_file, is_known
from archcheck.importing.compose.merging import as_names, as_pairs, volume_target
from archcheck.importing.compose.projects import Project
from archcheck.importing.compose.units import cpus, duration, size
from archcheck.importing.facts import (
    ElementPlace,
    Fact,
    Hint,
    KnownAs,
    Reaches,
    Remark,
    StartsAfter,
    Statement,
)
from archcheck.importing.products import (
    IMAGE,
    PORT,
    SETTING,
    is_plain,
    parsed_image,
    product_of_image,
    product_of_port,
    product_of_setting,
    version_of,
)
from archcheck.importing.profiles import profiles_told
from archcheck.importing.scratch import is_scratch
from archcheck.importing.values import Value
from archcheck.model import (
    Absent,
    Docker,
    Place,
    Probe,
    Resources,
    RollingUpdate,
    Secret,
    Service,
    Volume,
)

_RESTARTS = {"none": "no", "any": "always", "on-failure": "on-failure"}
_ARGUMENT = re.compile(r"^-{0,2}([A-Za-z][\w.-]*)=(.*)$", re.DOTALL)
_PORT = re.compile(r"(?:.*:)?(\d{1,5})(?:-\d{1,5})?(?:/(?:tcp|udp))?")


def service_statements(
    element: str, name: str, service: Value, project: Project, scope: str
) -> Iterator[Statement]:
    """Everything that a service of a project says."""
    part, deployment = ElementPlace(element), ElementPlace(element, ("deployment",))
    yield part.is_a(Service, service.place)
    yield deployment.is_a(Docker, service.place)
    yield from _names(element, name, service, scope)
    yield from _source(element, service)
    yield from _settings_files(element, service)
    yield from _image(element, deployment, service)
    yield from _replicas(deployment, service)
    yield from _grace(deployment, service)
    yield from _resources(deployment.inside("resources"), service)
    yield from _healthcheck(deployment.inside("readiness"), service)
    yield from _restart(deployment, service)
    yield from _rollout(deployment.inside("rollout"), service)
    yield from _volumes(deployment, service)
    yield from _secrets(deployment, service)
    yield from _order(element, service, project, scope)
    yield from _told(element, service, project.variables, scope)


def _source(element: str, service: Value) -> Iterator[KnownAs]:
    """The folder that it is built from, relative to the file that says so.

    The context of all services of a repository is often the repository: the folder of the
    Dockerfile then says which of them this one is.
    """
    build = service.get("build")
    context = build.get("context") if build is not None and build.is_mapping else build
    if context is None or context.is_list or not is_known(context):
        return
    text = context.string("build.context")
    if "://" not in text and not text.startswith("git@"):
        below = _folder_of_dockerfile(build)
        folder = os.path.normpath(Path(context.place.file).parent / text / below)
        yield KnownAs(element, folder, "", context.place, "source")


def _folder_of_dockerfile(build: Value | None) -> str:
    dockerfile = build.get("dockerfile") if build is not None and build.is_mapping else None
    if dockerfile is None or not is_known(dockerfile):
        return ""
    return os.path.dirname(dockerfile.string("build.dockerfile"))


def _settings_files(element: str, service: Value) -> Iterator[KnownAs]:
    """Files that it is given, mounted or built in: their importers know whose settings they are."""
    build = service.get("build")
    context = build.get("context") if build is not None and build.is_mapping else None
    folder = context.text if context is not None else "."
    arguments = build.get("args") if build is not None and build.is_mapping else None
    given = [(".", volume, _source_of(volume)) for volume in service.each("volumes")]
    if arguments is not None:
        given += [(folder, each, each.text) for _, each in as_pairs(arguments).items()]
    for below, value, text in given:
        if text.lower().endswith((".yaml", ".yml", ".json")) and "$" not in f"{below}{text}":
            file = os.path.normpath(Path(value.place.file).parent / below / text)
            yield KnownAs(element, file, "", value.place, "source")


def _source_of(volume: Value) -> str:
    source = volume.get("source") if volume.is_mapping else volume
    return source.string("a volume").partition(":")[0] if source is not None else ""


def _known(service: Value, *keys: str) -> Value | None:
    """A value whose variables are all set."""
    found = service.get(*keys)
    return found if is_known(found) else None


def _names(element: str, name: str, service: Value, scope: str) -> Iterator[KnownAs]:
    yield KnownAs(element, name, scope, service.place)
    for key in ("container_name", "hostname"):
        value = _known(service, key)
        if value is not None:
            yield KnownAs(element, value.string(key), scope, value.place)
    networks = service.get("networks")
    for _, network in as_names(networks).items() if networks is not None else ():
        for alias in network.each("aliases") if network.is_mapping else ():
            yield KnownAs(element, alias.string("an alias"), scope, alias.place)


# -- what runs -------------------------------------------------------------------------------------


def _image(
    element: str, deployment: ElementPlace, service: Value
) -> Iterator[Fact | Hint | KnownAs]:
    image = service.get("image")
    if image is not None:
        text = image.string("image")
        said = f"the image {text}"
        if is_known(image):
            yield deployment.says("image", text, image.place)
            yield KnownAs(element, parsed_image(text).repository, "", image.place, "image")
        product = product_of_image(text)
        if product is not None:
            version = version_of(product, text)
            yield Hint(element, product, said, IMAGE, image.place, version)
        elif is_plain(text):
            yield Hint(element, None, said, IMAGE, image.place)
    if not service.has("build"):  # what a repository builds is its own code
        for port in (*service.each("ports"), *service.each("expose")):
            yield from _port_hint(element, port)


def _port_hint(element: str, port: Value) -> Iterator[Hint]:
    number = port.get("target") if port.is_mapping else port
    match = _PORT.fullmatch(number.string("a port")) if number is not None else None
    product = product_of_port(int(match[1])) if match else None
    if product is not None and match is not None:
        yield Hint(element, product, f"the port {match[1]}", PORT, port.place)


def _replicas(deployment: ElementPlace, service: Value) -> Iterator[Fact | Remark]:
    for keys in (("deploy", "replicas"), ("scale",)):
        value = _known(service, *keys)
        if value is not None:
            count = value.whole(".".join(keys))
            if count >= 1:
                yield deployment.says("replicas", count, value.place)
            else:
                yield Remark(f"{deployment.element} has 0 replicas; a model has 1 or more",
                             value.place)  # fmt: skip
            return
    mode = _known(service, "deploy", "mode")
    if mode is not None and mode.text == "global":
        yield Remark(f"{deployment.element} runs once on every machine: how many is in no file",
                     mode.place)  # fmt: skip


def _grace(deployment: ElementPlace, service: Value) -> Iterator[Fact]:
    grace = _known(service, "stop_grace_period")
    if grace is not None:
        yield deployment.says("grace", duration(grace, "stop_grace_period"), grace.place)


def _resources(part: ElementPlace, service: Value) -> Iterator[Fact]:
    found: dict[str, Fact] = {}
    for attribute, read, places in (
        ("cpu", cpus, (("deploy", "resources", "reservations", "cpus"),)),
        ("memory", size, (("deploy", "resources", "reservations", "memory"),
                          ("mem_reservation",))),
        ("cpu_limit", cpus, (("deploy", "resources", "limits", "cpus"), ("cpus",))),
        ("memory_limit", size, (("deploy", "resources", "limits", "memory"), ("mem_limit",))),
    ):  # fmt: skip
        for keys in places:
            value = _known(service, *keys)
            if value is not None:
                said = part.says(attribute, read(value, ".".join(keys)), value.place)
                found.setdefault(attribute, said)
    if found:
        yield part.is_a(Resources, next(iter(found.values())).place)
        yield from found.values()


def _healthcheck(part: ElementPlace, service: Value) -> Iterator[Fact]:
    check = service.get("healthcheck")
    if check is None:
        return
    disabled = check.get("disable")
    test = check.get("test")
    words = [w.string("healthcheck.test") for w in test.each()] if test and test.is_list else None
    if (disabled is not None and disabled.flag("disable")) or words == ["NONE"]:
        reason = Absent("the Compose file turns the health check off")
        yield Fact(part.element, part.path, reason, check.place)
        return
    if test is None:
        return  # the image's own, with other times
    command = _command(words) if words is not None else test.string("healthcheck.test")
    yield part.is_a(Probe, check.place)
    yield part.says("kind", "exec", test.place)
    yield part.says("path", " ".join(command.split()), test.place)
    for key, attribute in (
        ("interval", "period"), ("timeout", "timeout"), ("start_period", "initial_delay"),
    ):  # fmt: skip
        value = _known(check, key)
        if value is not None:
            yield part.says(attribute, duration(value, f"healthcheck.{key}"), value.place)
    retries = _known(check, "retries")
    if retries is not None and (count := retries.whole("healthcheck.retries")) >= 1:
        yield part.says("failure_threshold", count, retries.place)


def _command(words: list[str]) -> str:
    if words and words[0] == "CMD-SHELL":
        return " ".join(words[1:])
    return shlex.join(words[1:] if words and words[0] == "CMD" else words)


def _restart(deployment: ElementPlace, service: Value) -> Iterator[Fact]:
    condition = _known(service, "deploy", "restart_policy", "condition")
    if condition is not None and condition.text in _RESTARTS:
        yield deployment.says("restart", _RESTARTS[condition.text], condition.place)
        return
    value = _known(service, "restart")
    if value is None:
        return
    policy = "no" if value.raw is False else value.string("restart").partition(":")[0]
    if policy not in ("no", "always", "on-failure", "unless-stopped"):
        value.refuse("restart must be no, always, on-failure or unless-stopped")
    yield deployment.says("restart", policy, value.place)


def _rollout(part: ElementPlace, service: Value) -> Iterator[Fact]:
    """Docker, ``docker service update``: so many tasks at a time, stopped before new ones start
    unless ``start-first`` is said."""
    value = _known(service, "deploy", "update_config", "parallelism")
    if value is None or (count := value.whole("parallelism")) < 1:
        return
    order = _known(service, "deploy", "update_config", "order")
    first = order is not None and order.text == "start-first"
    yield part.is_a(RollingUpdate, value.place)
    yield part.says("max_surge", count if first else 0, value.place)
    yield part.says("max_unavailable", 0 if first else count, value.place)


def _volumes(deployment: ElementPlace, service: Value) -> Iterator[Fact]:
    for volume in service.each("volumes"):
        found = _mounted(volume)
        if found is not None and "$" not in found[0]:
            yield from _volume(deployment, found[0], found[1], volume.place)
    tmpfs = service.get("tmpfs")
    if tmpfs is not None:
        for entry in tmpfs.each() if tmpfs.is_list else [tmpfs]:
            name = entry.string("tmpfs").partition(":")[0]
            if not is_scratch(name):
                yield from _volume(deployment, name, False, entry.place)


def _mounted(volume: Value) -> tuple[str, bool | None] | None:
    """The name of a volume and whether it outlives the container; nothing for files only read."""
    if volume.is_mapping:
        kind, source = volume.get("type"), volume.get("source")
        only_read = volume.get("read_only")
        if only_read is not None and only_read.flag("read_only"):
            return None
        target = str(volume_target(volume))
        if kind is not None and kind.text == "tmpfs":
            return target, False
        return (source.string("source"), True) if source is not None else (target, None)
    parts = volume.string("a volume").split(":")
    if len(parts) == 1:
        return parts[0], None
    if len(parts) > 2 and "ro" in parts[2].split(","):
        return None
    return parts[0], True


def _volume(
    deployment: ElementPlace, name: str, durable: bool | None, place: Place
) -> Iterator[Fact]:
    part = deployment.member("volumes", name)
    yield part.is_a(Volume, place)
    yield part.says("name", name, place)
    if durable is not None:
        yield part.says("durable", durable, place)


def _secrets(deployment: ElementPlace, service: Value) -> Iterator[Fact]:
    for secret in service.each("secrets"):
        source = secret.need("source") if secret.is_mapping else secret
        part = deployment.member("secrets", source.string("a secret"))
        yield part.is_a(Secret, source.place)
        yield part.says("name", source.text, source.place)


# -- whom it knows ---------------------------------------------------------------------------------


def _order(
    element: str, service: Value, project: Project, scope: str
) -> Iterator[StartsAfter | Reaches | KnownAs | Remark]:
    depends = service.get("depends_on")
    for name, value in as_names(depends).items() if depends is not None else ():
        yield from _after(element, name, value.place, project, scope)
    for link in service.each("links"):
        name = link.string("a link").partition(":")[0]
        yield from _after(element, name, link.place, project, scope)
        yield Reaches(element, Address(name), scope, "links", link.place)
    for link in service.each("external_links"):
        name = link.string("a link").partition(":")[0]
        yield Reaches(element, Address(name), scope, "external_links", link.place)


def _aliases(service: Value) -> dict[str, str]:
    """Names that a service has for others: ``links: [elasticsearch:es]``."""
    links = [*service.each("links"), *service.each("external_links")]
    pairs = [link.string("a link").partition(":") for link in links]
    return {alias: name for name, _, alias in pairs if alias}


def _after(
    element: str, name: str, place: Place, project: Project, scope: str
) -> Iterator[StartsAfter | Remark]:
    if name in project.services:
        yield StartsAfter(element, name, scope, place)
    else:
        yield Remark(f"{element} depends on {name!r}, which the project does not have", place)


def _told(
    element: str, service: Value, variables: Variables, scope: str
) -> Iterator[Reaches | Hint | KnownAs]:
    aliases = _aliases(service)
    for name, text, place, group in settings_of(service, variables):
        for found in addresses_in(text, bare=names_an_address(name)):
            address = replace(found, host=aliases.get(found.host, found.host))
            yield Reaches(
                element, address, scope, f"environment {name}", place, group, doubt_about(name)
            )
        yield from profiles_told(element, name, text, place)
        if name == "OTEL_SERVICE_NAME" and text:
            yield KnownAs(element, text, "", place, "service.name")
        product = product_of_setting(name)
        if product is not None and group is None:
            yield Hint(element, product, f"the setting {name}", SETTING, place)
    for key in ("command", "entrypoint"):
        value = service.get(key)
        for argument in (value.each() if value.is_list else [value]) if value is not None else ():
            yield from _argued(element, scope, argument)
            yield from profiles_told(element, "", argument.text, argument.place)


def _argued(element: str, scope: str, argument: Value) -> Iterator[Reaches]:
    for word in argument.string("a word of the command")[:4_000].split():
        match = _ARGUMENT.match(word)
        name, text = (match[1], match[2]) if match else ("", word)
        for address in addresses_in(text, bare=bool(name) and names_an_address(name)):
            said = f"argument {name or word[:60]}"
            yield Reaches(element, address, scope, said, argument.place, None, doubt_about(name))


def settings_of(
    service: Value, variables: Variables
) -> Iterator[tuple[str, str, Place, Place | None]]:
    """Name, text, line and shared list of each variable; ``environment`` wins over env files."""
    found: dict[str, tuple[str, Place, Place | None]] = {}
    for entry in service.each("env_file"):
        if entry.raw is not None:
            for name, text, place in env_file(str(Path(entry.text)), variables):
                found[name] = (text, place, Place(place.file, 1))
    environment = service.get("environment")
    if environment is not None:
        pairs = as_pairs(environment)
        for name, value in pairs.items():
            if value.is_mapping or value.is_list:
                value.refuse(f"the variable {name} must be text")
            shared = value.shared or pairs.shared
            if value.raw is not None:
                found[name] = (value.text, value.place, shared)
            elif (passed := variables.known.get(name)) is not None:
                found[name] = (passed[0], value.place, shared)
    for name, (text, place, group) in found.items():
        yield name, text, place, group
