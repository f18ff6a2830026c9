"""Docker Compose: services, what they run, what they wait for, whom they are given the address of.

The files of a folder make a project as Compose puts them together: the default file and its
override; without a default file, all files with services of their own. Other files of the folder
are overlays; naming them together with the first one adds them, as ``docker compose -f a -f b``
does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from archcheck.importing.compose.interpolation import Variables
from archcheck.importing.compose.projects import (
    DEFAULT_NAMES,
    OVERRIDES,
    Project,
    load_project,
    own_env,
)
from archcheck.importing.compose.services import service_statements
from archcheck.importing.facts import Precedence, Remark, Said, Statement, UnreadFile
from archcheck.importing.sources import Choices, SourceFile
from archcheck.importing.values import Value

_TESTING = frozenset({"test", "tests", "testing", "e2e", "ci"})
"""Words in the names of files that only tests are run with."""
_SIGN = re.compile(r"""^(?:[ \t]*\{\s*|[ \t]{1,8}(?=["']))?["']?services["']?\s*:""", re.MULTILINE)
"""The key at the top of YAML, or of JSON."""
_TELLING = frozenset({"image", "build", "extends"})


class ComposeImporter:
    """Reads Compose files, as ``docker compose config`` resolves them."""

    name = "compose"
    title = "Docker Compose"
    precedence: Precedence = "deployed"
    order = 20

    def recognises(self, file: SourceFile) -> bool:
        if file.path.suffix.lower() not in (".yaml", ".yml", ".json"):
            return False
        is_named_so = "compose" in file.name.lower() and file.path.suffix.lower() != ".json"
        if not is_named_so and not _SIGN.search(file.text_if_readable):
            return False
        documents = file.readable
        return bool(documents) and _looks_like_compose(documents[0], is_named_so)

    def read(self, files: Sequence[SourceFile], choices: Choices) -> Iterable[Said]:
        statements: list[Statement] = []
        chosen, left = _projects(files, choices.env_files)
        loaded = [_Loaded(group, load_project(group, choices.env_files)) for group in chosen]
        used = {path for one in loaded for path in one.project.used}
        statements += [
            UnreadFile(str(f.path), why) for f, why in left if f.path.resolve() not in used
        ]
        kept: list[_Loaded] = []
        for one in loaded:
            above = _covering(one, kept)
            if one.files[0].path.resolve() in used:
                continue  # read as a part of the project that includes it
            if above is not None:
                why = f"another Compose project of services of {above.files[0].path.name}; name it"
                statements += [UnreadFile(str(file.path), why) for file in one.files]
                continue
            kept.append(one)
        for one, names in zip(kept, _names(kept), strict=True):
            statements += _project_statements(one, names, choices)
        name = next((one.project.name for one in kept if one.project.name), None)
        yield Said(self.name, self.precedence, statements, name)


@dataclass(frozen=True)
class _Loaded:
    files: tuple[SourceFile, ...]
    project: Project


def _looks_like_compose(document: Value, is_named_so: bool) -> bool:
    if not isinstance(document.raw, dict):
        return False
    services = document.raw.get("services")
    if services is None:
        return is_named_so and "include" in document.raw
    if not isinstance(services.raw, dict):
        return is_named_so and services.raw is None
    every = [each.raw for each in services.raw.values()]
    return is_named_so or any(isinstance(raw, dict) and _TELLING & raw.keys() for raw in every)


def _projects(
    files: Sequence[SourceFile], env_files: Sequence[Path]
) -> tuple[list[tuple[SourceFile, ...]], list[tuple[SourceFile, str]]]:
    """The files of each project, shallow ones first; files that are left out, and why."""
    folders: dict[Path, list[SourceFile]] = {}
    for file in files:
        folders.setdefault(file.path.parent, []).append(file)
    groups: list[tuple[SourceFile, ...]] = []
    left: list[tuple[SourceFile, str]] = []
    named = tuple(file for file in files if file.named)
    if named:
        groups.append((*named, *_override_of(named)))
    for group in folders.values():
        rest = [file for file in group if not file.named]
        stated = _stated(rest, env_files)
        main = stated or _main_of(rest)
        if not main:
            continue
        groups.append(stated or (*main, *_override_of(main)))
        others = [f for f in rest if f not in main and f.name not in OVERRIDES]
        why = f"an overlay of {main[0].name}: name both to read it on top"
        if len(main) > 1 and not stated:
            why = "has services of other files of its folder: name all that belong together"
        left += [(file, why) for file in others]
    return sorted(groups, key=lambda g: (not g[0].named, len(g[0].path.parts))), left


def _stated(files: Sequence[SourceFile], env_files: Sequence[Path]) -> tuple[SourceFile, ...]:
    """The files of the project that ``COMPOSE_FILE`` lists in its env file, if there is one."""
    variables = Variables()
    for path in env_files or (own_env(files[0]) if files else ()):
        variables.read(path, over=True)
    separator = variables.get("COMPOSE_PATH_SEPARATOR") or ":"
    names = (variables.get("COMPOSE_FILE") or "").split(separator)
    by_name = {file.name: file for file in files}
    return tuple(by_name[os.path.normpath(n)] for n in names if os.path.normpath(n) in by_name)


def _main_of(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    """The file that Compose takes by itself, else those that can only be meant together."""
    by_name = {file.name: file for file in files}
    usual = next((by_name[name] for name in DEFAULT_NAMES if name in by_name), None)
    return (
        (usual,) if usual is not None else _parts_of([f for f in files if f.name not in OVERRIDES])
    )


def _parts_of(files: Sequence[SourceFile]) -> tuple[SourceFile, ...]:
    """The largest of the files, and those called like Compose files that have other services: a
    folder with ``docker-compose-app.yml`` and ``docker-compose-infra.yml`` is one system in two
    files. Two with a service in common are two ways to run it."""
    parts: list[SourceFile] = []
    have: set[str] = set()
    for file in sorted(files, key=lambda each: -len(_services_of(each))):
        services, words = _services_of(file), {*re.split(r"[-_.]", file.name.lower())}
        is_part = "compose" in words and not words & _TESTING and not services & have
        if not parts or is_part:
            parts.append(file)
            have |= services
    return tuple(parts)


def _services_of(file: SourceFile) -> set[str]:
    documents = file.readable
    return {name for name, _ in documents[0].items("services")} if documents else set()


def _override_of(files: Sequence[SourceFile]) -> list[SourceFile]:
    """The override beside a default file, which Compose reads when no other file is named."""
    if len(files) != 1 or files[0].name not in DEFAULT_NAMES:
        return []
    for name in OVERRIDES:
        path = files[0].path.parent / name
        if path.is_file():
            return [SourceFile(path, files[0].root)]
    return []


def _covering(one: _Loaded, kept: Iterable[_Loaded]) -> _Loaded | None:
    """A project of a folder above that has a service of the same name: the same once more."""
    for other in kept:
        above = other.project.folder
        is_below = one.project.folder != above and one.project.folder.is_relative_to(above)
        if is_below and other.project.services.keys() & one.project.services.keys():
            return other
    return None


def _names(projects: Sequence[_Loaded]) -> list[dict[str, str]]:
    """Service to element: by its folder where several projects have one of this name."""
    uses: dict[str, int] = {}
    for one in projects:
        for service in one.project.services:
            uses[service] = uses.get(service, 0) + 1
    return [
        {
            service: service if uses[service] == 1 else f"{one.project.folder.name}/{service}"
            for service in one.project.services
        }
        for one in projects
    ]


def _project_statements(
    one: _Loaded, names: dict[str, str], choices: Choices
) -> Iterator[Statement]:
    project = one.project
    scope = f"compose:{os.path.relpath(project.folder, one.files[0].root)}"
    told = (project.variables.get("COMPOSE_PROFILES") or "").split(",")
    on = {*choices.profiles} or {*map(str.strip, told)}  # Compose's own order
    for name, service in project.services.items():
        profiles = [each.string("a profile") for each in service.each("profiles")]
        if profiles and "*" not in on and not on & {*profiles}:
            yield Remark(
                f"{name} is off: it belongs to the profile {' and '.join(profiles)} (--profile)",
                service.place,
            )
            continue
        yield from service_statements(names[name], name, service, project, scope)
    for variable, place in project.variables.unset.items():
        yield Remark(f"the variable {variable} is set by no file and has no default", place)


importer = ComposeImporter()
