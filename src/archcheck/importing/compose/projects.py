"""Compose projects: which files make one, and what its services are when all is put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from archcheck.importing.compose.interpolation import Variables, interpolated
from archcheck.importing.compose.merging import merged
from archcheck.importing.sources import SourceFile
from archcheck.importing.values import Value, mappings
from archcheck.model import ModelError

DEFAULT_NAMES = (
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
)
"""In the order in which Compose looks for them."""
OVERRIDES = tuple(name.replace(".y", ".override.y") for name in DEFAULT_NAMES)
_MAX_FILES = 200
"""Files of a project, with those that it includes and extends. A choice."""
_MAX_EXTENDS = 20
"""Services that extend each other. A choice."""


@dataclass
class Project:
    """Services by name, as all files of a project together declare them."""

    folder: Path
    name: str | None = None
    services: dict[str, Value] = field(default_factory=dict)
    volumes: dict[str, Value] = field(default_factory=dict)
    variables: Variables = field(default_factory=Variables)
    used: dict[Path, None] = field(default_factory=dict)
    """The files that it refers to."""


def load_project(files: Sequence[SourceFile], env_files: Sequence[Path]) -> Project:
    """The project of these files, each over those before it.

    Raises :class:`ModelError` with the line of what Compose would refuse.
    """
    project = Project(files[0].path.parent)
    for path in env_files or own_env(files[0]):
        project.variables.read(path, over=bool(env_files))
    for file in files:
        _add_file(project, file, project.variables)
    return project


def own_env(file: SourceFile) -> list[Path]:
    """The env file beside a Compose file, which Compose reads by itself."""
    path = file.path.parent / ".env"
    return [path] if path.is_file() and path.resolve().is_relative_to(file.root.resolve()) else []


def _add_file(project: Project, file: SourceFile, variables: Variables) -> None:
    document = document_of(file, variables)
    if len(project.used) > _MAX_FILES:
        raise ModelError(f"has more than {_MAX_FILES} files with what it includes", file.place)
    own = {file.path.resolve(): None}
    name = document.get("name")
    if name is not None and project.name is None:
        project.name = name.string("name")
    for entry in document.each("include"):
        _include(project, file, entry, variables)
    services = _Services(project, file, variables, document)
    for service, _ in document.items("services"):
        value = services.resolved(service)
        known = project.services.get(service)
        project.services[service] = merged(known, value) if known is not None else value
    for volume, value in document.items("volumes"):
        project.volumes[volume] = value
    project.used |= {path: None for path in services.used if path not in own}


def document_of(file: SourceFile, variables: Variables) -> Value:
    """The file as one mapping with its variables put in."""
    documents = file.documents
    if not documents or not documents[0].is_mapping:
        raise ModelError("must be a mapping with the key 'services'", file.place)
    document = interpolated(documents[0], variables)
    for value in mappings(document):
        if value.doubled:
            raise ModelError(f"the key {value.doubled[0]!r} appears twice", value.place)
    return document


def _include(project: Project, file: SourceFile, entry: Value, variables: Variables) -> None:
    path = entry.need("path") if entry.is_mapping else entry
    paths = path.each() if path.is_list else [path]
    env = entry.get("env_file") if entry.is_mapping else None
    for each in paths:
        included = file.beside(each.string("a path"), each.place)
        resolved = included.path.resolve()
        if resolved in project.used:
            continue
        project.used[resolved] = None
        own = Variables(dict(variables.known), variables.unset)
        if env is not None:
            for one in env.each() if env.is_list else [env]:
                own.read(file.beside(one.string("a path"), one.place).path)
        else:
            for found in own_env(included):
                own.read(found)
        _add_file(project, included, own)


@dataclass
class _Services:
    """The services of a file, with what they extend."""

    project: Project
    file: SourceFile
    variables: Variables
    document: Value
    used: dict[Path, None] = field(default_factory=dict)

    def resolved(self, name: str, chain: tuple[tuple[str, str], ...] = ()) -> Value:
        """A service, over those that it extends."""
        value = self._service(name)
        extends = value.get("extends")
        value = _with_absolute_paths(value, self.file)
        if extends is None:
            return value
        base = self._base(name, extends, chain)
        own = {k: v for k, v in _mapping(value).items() if k != "extends"}
        return merged(base, replace(value, raw=own))

    def _service(self, name: str) -> Value:
        found = dict(self.document.items("services")).get(name)
        if found is None:
            raise ModelError(f"there is no service {name!r}", self.document.place)
        if found.raw is None:
            return replace(found, raw={})
        if not found.is_mapping:
            found.refuse(f"the service {name!r} must be a mapping")
        return found

    def _base(self, name: str, extends: Value, chain: tuple[tuple[str, str], ...]) -> Value:
        here = (str(self.file.path), name)
        if here in chain or len(chain) > _MAX_EXTENDS:
            raise ModelError(f"the service {name!r} extends itself", extends.place)
        target = extends.need("service") if extends.is_mapping else extends
        path = extends.get("file") if extends.is_mapping else None
        services = self
        if path is not None:
            other = self.file.beside(path.string("extends.file"), path.place)
            self.used[other.path.resolve()] = None
            document = document_of(other, self.variables)
            services = _Services(self.project, other, self.variables, document, self.used)
        wanted = target.string("extends.service")
        if wanted not in dict(services.document.items("services")):
            raise ModelError(f"{name!r} extends {wanted!r}, which is not there", target.place)
        base = _mapping(services.resolved(wanted, (*chain, here)))
        # Compose file specification, extends: what ties a service to its own file stays there
        return replace(
            self.document,
            raw={k: v for k, v in base.items() if k not in ("depends_on", "links", "extends")}
            if path is not None
            else dict(base),
        )


def _mapping(value: Value) -> dict[str, Value]:
    return value.raw if isinstance(value.raw, dict) else {}


def _with_absolute_paths(service: Value, file: SourceFile) -> Value:
    """Env files are named from the file that declares the service."""
    listed = service.get("env_file")
    if listed is None:
        return service
    entries = [_absolute(each, file) for each in (listed.each() if listed.is_list else [listed])]
    raw = {**_mapping(service), "env_file": replace(listed, raw=entries)}
    return replace(service, raw=raw)


def _absolute(entry: Value, file: SourceFile) -> Value:
    """The path of an env file in full; nothing for one that is not there: it is often kept out of
    a repository because it holds secrets."""
    path = entry.need("path") if entry.is_mapping else entry
    target = file.path.parent / path.string("env_file")
    if not target.is_file():
        return replace(path, raw=None)
    found = str(file.beside(path.text, path.place).path)
    return replace(path, raw=found, text=found)
