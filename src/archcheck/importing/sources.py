"""The files of an import: found in folders, read within limits, kept inside of their root.

Nothing outside of the root is read: not through ``..``, not through links. The root is the
repository that holds the named path (the nearest folder with ``.git``), else the working folder if
it holds the path, else the path's own folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from archcheck.importing.values import Value
from archcheck.importing.yaml_files import MAX_BYTES, read_yaml
from archcheck.model import ModelError, Place
from archcheck.model.element import nearest

MAX_FILES = 20_000
"""Files that are looked at in a folder. A choice: repositories of 1,000 services have fewer."""
_TEST_SOURCES = frozenset(
    {
        "it", "itest", "inttest", "integration-test", "integrationtest", "functionaltest",
        "functional-test", "testfixtures", "jmh", "gatling",
    }
)  # fmt: skip
"""Source sets beside ``src/main`` that only tests are built of (Gradle, Maven)."""
MAX_FOLDERS_DEEP = 30
"""Folders inside each other. A choice; file systems end at about 2,000."""
SKIPPED_FOLDERS = frozenset(
    {
        "node_modules", "vendor", "third_party", "bower_components", "__pycache__", "site-packages",
        "venv", "target", "build", "dist", "out", "bin", "obj", "testdata", "test", "tests",
        "fixtures", "e2e",
    }
)  # fmt: skip
"""Folders that hold what others wrote, what is built, and what tests need. A path that is named is
always read."""
_GIVEN_UP = re.compile(
    r"(old|deprecated|obsolete)([-_.](docs?|k8s|kubernetes|manifests?|deploy(ments?)?|charts?|compose))?",
    re.IGNORECASE,
)
"""Folders whose names say that they were given up. An ``archive`` may be a service."""
SUFFIXES = frozenset(
    {
        ".yaml", ".yml", ".json", ".properties", ".proto", ".dsl", ".toml", ".c4", ".likec4",
        ".like-c4",
    }
)  # fmt: skip
"""Files that an importer may read; all others are not opened."""


@dataclass(frozen=True)
class Choices:
    """What the user chose for an import."""

    name: str | None = None
    """The system's name; ``None``: as the files or their folder are called."""
    profiles: tuple[str, ...] = ()
    """Profiles that are on; ``*``: all."""
    env_files: tuple[Path, ...] = ()
    """Files with variables, instead of ``.env`` beside each file."""
    render: bool = False
    """Whether kustomize and helm may be run on what lies there."""
    deployed_with: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the deployments read so far run, by its names, and the profiles that they turn on."""


@dataclass
class SourceFile:
    """A file that importers look at; its content is read when one asks for it."""

    path: Path
    root: Path
    named: bool = False
    """Whether the user named this very file."""
    problem: ModelError | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The name without folders."""
        return self.path.name

    @property
    def place(self) -> Place:
        """Its first line."""
        return Place(str(self.path), 1)

    @property
    def inner(self) -> Path:
        """Its path below the root, which the user may have named through a link."""
        if self.path.is_relative_to(self.root):
            return self.path.relative_to(self.root)
        return Path(os.path.relpath(self.path.resolve(), self.root.resolve()))

    @cached_property
    def text(self) -> str:
        """The content. Raises :class:`ModelError` for what is too large or no text."""
        return read_text(self.path)

    @property
    def text_if_readable(self) -> str:
        """The content; nothing where it cannot be read, and ``problem`` says why."""
        try:
            return self.text
        except ModelError as error:
            self.problem = error
            return ""

    @cached_property
    def documents(self) -> tuple[Value, ...]:
        """The documents of a YAML or JSON file. Raises :class:`ModelError` with the line."""
        text = self.text
        if self.path.suffix == ".json":
            text = _PAIR.sub(_joined, text)
        elif _SCHEMA in text:
            text = _without_schemas(text)
        return tuple(read_yaml(text, str(self.path)))

    @property
    def readable(self) -> tuple[Value, ...]:
        """The documents; none where the file cannot be read, and ``problem`` says why."""
        try:
            return self.documents
        except ModelError as error:
            self.problem = error
            return ()

    def beside(self, path: str, place: Place) -> SourceFile:
        """Another file that this one refers to.

        Raises :class:`ModelError` where there is none, or where it lies outside of the root.
        """
        target = Path(os.path.normpath(self.path.parent / path))
        return SourceFile(inside(target, self.root, path, place), self.root)


_PAIR = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE
)
"""A character beyond the first 65,536 as JSON, unlike YAML, escapes it (RFC 8259, section 7)."""


def _joined(pair: re.Match[str]) -> str:
    halves = bytes.fromhex(pair[2]) + bytes.fromhex(pair[3])
    return f"{pair[1]}{halves.decode('utf-16-be')}"


_SCHEMA = "CustomResourceDefinition"
_KIND = re.compile(r"^kind:[ \t]*[\"']?(\w+)", re.MULTILINE)
_DOCUMENT = re.compile(r"^(?=---)", re.MULTILINE)


def _without_schemas(text: str) -> str:
    """The text with empty lines for documents that define custom resources: no part of a model, and
    most of what an operator's manifests have."""
    return "".join(
        "\n" * part.count("\n") if {*_KIND.findall(part)} == {_SCHEMA} else part
        for part in _DOCUMENT.split(text)
    )


def inside(target: Path, root: Path, said: str, place: Place) -> Path:
    """``target``, if it is a file below ``root``, links followed."""
    if not _is_below(target, root):
        raise ModelError(
            f"{said!r} lies outside of {root.name or root}; only files of the same repository or "
            "folder are read: name a folder that holds both",
            place,
        )
    if not target.is_file():
        near = nearest(target.name, _names_in(target.parent)) if target.parent.is_dir() else ""
        raise ModelError(f"there is no file {said!r}{near}", place)
    return target


def _is_below(target: Path, root: Path) -> bool:
    try:
        return target.resolve().is_relative_to(root.resolve())
    except OSError:  # a link to itself
        return False


def _names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def read_text(path: Path) -> str:
    """The text of a file of at most 16 MiB."""
    place = Place(str(path), 1)
    if not path.is_file():
        raise ModelError("is no ordinary file", place)
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"is larger than {MAX_BYTES // 1024**2} MiB", place)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelError(f"is not UTF-8 text: {error.reason}", place) from None


@dataclass
class Found:
    """What lies under the named paths."""

    files: list[SourceFile] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    """A file or folder that was not read, and why."""


def find(paths: Iterable[Path]) -> Found:
    """The files under the paths, in the order of the paths, shallow ones first, then by name.

    Raises :class:`ModelError` for a path that there is not.
    """
    found = Found()
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            near = nearest(path.name, _names_in(path.parent)) if path.parent.is_dir() else ""
            raise ModelError(f"there is no file or folder {path}{near}")
        root = root_of(path)
        if path.is_dir():  # what lies deeper is more often a variant: of equals, the first counts
            files = sorted(_walk(path, root, found), key=lambda file: len(file.path.parts))
        else:
            files = [SourceFile(path, root, named=True)]
        for file in files:
            absolute = file.path.resolve()
            if absolute not in seen:
                seen.add(absolute)
                found.files.append(SourceFile(Path(os.path.abspath(file.path)), root, file.named))
    return found


def root_of(path: Path) -> Path:
    """The folder outside of which nothing is read."""
    absolute = path.resolve()
    folder = absolute if absolute.is_dir() else absolute.parent
    for above in (folder, *folder.parents):
        if (above / ".git").exists():
            return above
    here = Path.cwd().resolve()
    return here if folder.is_relative_to(here) else folder


def _walk(folder: Path, root: Path, found: Found) -> Iterator[SourceFile]:
    looked_at = 0
    start = len(folder.parts)
    for current, folders, names in os.walk(folder):  # follows no links to folders
        below = Path(current)
        if len(below.parts) - start > MAX_FOLDERS_DEEP:
            folders.clear()
        folders[:] = _entered(below, sorted(folders), names, found)
        for path in (below / name for name in sorted(names) if not name.startswith(".")):
            if not _may_be_read(path) or not path.is_file():
                continue
            looked_at += 1
            if looked_at > MAX_FILES:
                raise ModelError(f"{folder} has more than {MAX_FILES:,} files; name a part of it")
            if _is_below(path, root):
                yield SourceFile(path, root)
            else:
                found.skipped[str(path)] = "is a link that leads out of the folder"


def _may_be_read(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES or path.name == "Kustomization"


def _entered(
    below: Path, folders: Sequence[str], names: Sequence[str], found: Found
) -> Iterator[str]:
    """The folders that are looked into; of others it is said why not, but for hidden ones."""
    for name in folders:
        if name == "templates" and "Chart.yaml" in names:
            continue  # no manifests: what becomes of the chart, its own file says
        elif name.lower() in SKIPPED_FOLDERS or _is_for_tests(below, name, folders):
            found.skipped[f"{below / name}/"] = "holds tests, builds or others' files"
        elif _GIVEN_UP.fullmatch(name):
            found.skipped[f"{below / name}/"] = "given up, by its name; name it to read it"
        elif not name.startswith("."):
            yield name


def _is_for_tests(below: Path, name: str, beside: Sequence[str]) -> bool:
    """Whether a folder is a source set of tests beside ``src/main``."""
    return below.name == "src" and "main" in beside and name.lower() in _TEST_SOURCES


def variables_of(text: str, file: str) -> Mapping[str, tuple[str, Place]]:
    """The variables of an env file (``NAME=value``), each with its line."""
    found: dict[str, tuple[str, Place]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        name = name.strip()
        if not equals or not name or name.startswith("#"):
            continue
        found[name] = (_unquoted(value.strip()), Place(file, number))
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] in "'\"" and value[0] in value[1:]:
        return value[1 : value.index(value[0], 1)]
    return value.partition(" #")[0].strip()
