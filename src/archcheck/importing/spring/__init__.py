"""Spring Boot's and Micronaut's settings: ``application.yml``, ``.properties``, ``bootstrap.yml``.

An application is the folder of its files; it is called as ``spring.application.name`` or
``micronaut.application.name`` says, else as the folder of its module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from archcheck.importing.facts import Precedence, Remark, Said, Statement, UnreadFile
from archcheck.importing.naming import unique_names
from archcheck.importing.sources import Choices, SourceFile
from archcheck.importing.spring.application import SpringApplication, statements
from archcheck.importing.spring.settings import Document, SpringSettings, documents_of
from archcheck.importing.values import Value
from archcheck.model import Place

_FILE = re.compile(r"(application|bootstrap)(?:-([\w.-]+))?\.(?:ya?ml|properties)", re.IGNORECASE)
_SIGNS = re.compile(
    r"^\s*[\"']?(?:spring|micronaut|server|eureka|resilience4j|management|feign|zuul|ribbon|"
    r"datasources|logging)[\"']?\s*[.:=]",
    re.MULTILINE,
)
_SHARED_SUFFIXES = (".yml", ".yaml", ".properties")


@dataclass
class _Module:
    """The files of one application, those that count more later."""

    folder: Path
    files: list[SourceFile] = field(default_factory=list)

    @property
    def source(self) -> Path:
        """The folder of the module: above ``src/main/resources``, if it lies there."""
        parts = self.folder.parts
        for at in range(len(parts) - 1, 0, -1):
            if parts[at] == "src":
                return Path(*parts[:at])
        return self.folder


class SpringImporter:
    """Reads the settings of applications."""

    name = "spring"
    title = "Spring Boot and Micronaut"
    precedence: Precedence = "settings"
    order = 50

    def recognises(self, file: SourceFile) -> bool:
        if file.path.suffix.lower() not in _SHARED_SUFFIXES:
            return False
        is_named_so = _FILE.fullmatch(file.path.name) is not None
        if not is_named_so and not self._may_be_shared(file):
            return False
        return _SIGNS.search(file.text_if_readable) is not None

    @staticmethod
    def _may_be_shared(file: SourceFile) -> bool:
        """Whether a file may be that of a config server: beside others, for one application."""
        beside = [file.path.with_name(f"application{end}") for end in _SHARED_SUFFIXES]
        return any(each.is_file() for each in beside) and "." not in file.path.stem

    def read(self, files: Sequence[SourceFile], choices: Choices) -> Iterable[Said]:
        modules: dict[Path, _Module] = {}
        shared: list[SourceFile] = []
        for file in sorted(files, key=_order):
            if _FILE.fullmatch(file.path.name) is None:
                shared.append(file)
                continue
            folder = file.path.parent
            folder = folder.parent if folder.name == "config" else folder
            modules.setdefault(folder, _Module(folder)).files.append(file)
        remarks: list[Statement] = []
        found = [_read(module, choices, remarks) for module in modules.values()]
        every = _statements(found, shared, choices.deployed_with.keys())
        yield Said(self.name, self.precedence, [*every, *remarks])


def _order(file: SourceFile) -> tuple[bool, bool, str]:
    """``bootstrap`` before ``application``, those of profiles on top (Spring's order)."""
    match = _FILE.fullmatch(file.path.name)
    is_bootstrap = match is not None and match[1].lower() == "bootstrap"
    return (match is not None and match[2] is not None, not is_bootstrap, str(file.path))


@dataclass
class _Found:
    """A module with its settings."""

    module: _Module
    settings: SpringSettings
    place: Place

    @property
    def name(self) -> Value | None:
        """What the application is called."""
        return self.settings.get("spring.application.name", "micronaut.application.name")


def _read(module: _Module, choices: Choices, remarks: list[Statement]) -> _Found:
    """The settings of a module, with the profiles that are on."""
    read = [(file, documents_of(file)) for file in module.files]
    every = [document for _, documents in read for document in documents]
    on = {*choices.profiles, *_turned_on(module, every, choices)}
    settings = SpringSettings()
    for file, documents in read:
        match = _FILE.fullmatch(file.path.name)
        of_file = [match[2]] if match is not None and match[2] else []
        for document in documents:
            profiles = [*of_file, *document.listed("spring.config.activate.on-profile")]
            if not document.listed("spring.profiles.active"):
                profiles += document.listed("spring.profiles")
            if profiles and "*" not in on and not on & set(profiles):
                remarks.append(_off(profiles, document, file))
            else:
                settings.add(document)
    return _Found(module, settings, module.files[0].place)


def _turned_on(module: _Module, documents: Sequence[Document], choices: Choices) -> Iterable[str]:
    """The profiles of the deployment, which count before those of the files (Spring Boot,
    Externalized Configuration)."""
    names = [
        name.lower()
        for document in documents
        for key in ("spring.application.name", "micronaut.application.name")
        for name in document.listed(key)
    ]
    folders = [str(folder).lower() for folder in (module.source, *module.source.parents)]
    for known in (*names, *folders):
        if choices.deployed_with.get(known):
            return choices.deployed_with[known]
    keys = ("spring.profiles.active", "micronaut.environments")
    return [name for document in documents for key in keys for name in document.listed(key)]


def _off(profiles: Sequence[str], document: Document, file: SourceFile) -> Remark:
    place = next((value.place for _, value in document.settings.values()), file.place)
    said = " and ".join(profiles)
    return Remark(f"the settings of the profile {said} are off (--profile)", place)


def _statements(
    found: list[_Found], shared: Sequence[SourceFile], deployed: Set[str]
) -> Iterator[Statement]:
    for_all = _share(found, shared)
    kept = {at: each for at, each in enumerate(found) if each not in for_all}
    for at, again in _once_more(kept):
        why = f"the application {again} once more: name its folder to import it"
        yield from (UnreadFile(str(file.path), why) for file in kept.pop(at).module.files)
    names = unique_names(
        {at: each.name.text if each.name is not None else each.module.source.name
         for at, each in kept.items()},
        lambda at: [*_longer_names(kept[at], deployed), f"module {at}"],
    )  # fmt: skip
    for at, each in kept.items():
        yield from statements(
            SpringApplication(
                names[at],
                each.name,
                each.settings,
                str(each.module.source),
                each.name.place if each.name is not None else each.place,
                each.settings.has("micronaut"),
            )
        )


def _share(found: list[_Found], shared: Sequence[SourceFile]) -> list[_Found]:
    """Give applications what a config server has for them. What it has for all of them is none."""
    by_name = {each.name.text.lower(): each for each in found if each.name is not None}
    folders = {file.path.parent for file in shared if file.path.stem.lower() in by_name}
    for_all = [each for each in found if each.module.folder in folders and each.name is None]
    for each in found:
        if each in for_all or each.module.folder in folders:
            continue
        for every in for_all if _asks_a_config_server(each.settings) else ():
            for file in every.module.files:
                for document in documents_of(file):
                    each.settings.add_below(document)
    for file in shared:
        owner = by_name.get(file.path.stem.lower())
        if owner is not None and file.path.parent in folders:
            for document in documents_of(file):
                owner.settings.add(document)
    return for_all


def _once_more(found: Mapping[int, _Found]) -> list[tuple[int, str]]:
    """Modules of the same folder's name that state the same name as one before them: a course or
    a repository of samples has an application as it was at several times."""
    known: set[tuple[str, str]] = set()
    again: list[tuple[int, str]] = []
    for at, each in found.items():
        if each.name is None:
            continue
        key = each.name.text, each.module.source.name
        if key in known:
            again.append((at, each.name.text))
        known.add(key)
    return again


def _longer_names(one: _Found, deployed: Set[str]) -> Iterator[str]:
    """The folder of a module, with more and more of those above it. That of another one that runs
    is not its name: a module of tests for ``web`` is often called so."""
    source = one.module.source
    is_its_own = one.name is not None and one.name.text == source.name
    if is_its_own or source.name.lower() not in deployed:
        yield source.name
    for count in range(2, 5):
        yield "/".join(source.parts[-count:]).lstrip("/")


def _asks_a_config_server(settings: SpringSettings) -> bool:
    imported = settings.get("spring.config.import")
    if imported is not None and "configserver" in imported.text:
        return True
    return any(name.lower() != "server" for name in settings.names("spring.cloud.config"))


importer = SpringImporter()
