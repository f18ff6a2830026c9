"""Settings of an application, whatever file and spelling they are in.

Keys are compared as Spring compares them: without hyphens and underscores, in small letters
(docs.spring.io, Externalized Configuration, Relaxed Binding). Micronaut does the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from archcheck.importing.sources import SourceFile
from archcheck.importing.values import Value
from archcheck.importing.yaml_files import scalar_of
from archcheck.model import ModelError, Place
from archcheck.units import Duration

Key = tuple[str, ...]
_PLACEHOLDER = re.compile(r"\$\{([^${}:]{1,200})(?::([^${}]{0,1000}))?\}")
_DURATION = re.compile(r"\s*(\d{1,15})\s*(ns|us|ms|s|m|h|d)?\s*", re.IGNORECASE)
_ISO = re.compile(
    r"PT(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?", re.IGNORECASE
)  # docs.spring.io, Converting Durations
_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PAIR = re.compile(r"((?:[^\s=:\\]|\\.)+)\s*[=:\s]\s*(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SIMPLE = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
MAX_ROUNDS = 10
"""How often placeholders in placeholders are put in. A choice: people nest two."""
MAX_TEXT = 10_000
"""Letters of a value after that. A choice; longer ones are certificates."""


@dataclass(frozen=True)
class Document:
    """One document of a file: its settings, each with its line, and the profiles that it is for."""

    settings: dict[Key, tuple[Key, Value]]
    """Compared key to the key as it is written, and the value."""

    def text(self, *keys: str) -> str:
        """The first of these settings, as it is written."""
        for key in keys:
            found = self.settings.get(compared(key))
            if found is not None:
                return found[1].text
        return ""

    def listed(self, key: str) -> list[str]:
        """A setting of many values: a list, or words with commas."""
        start = compared(key)
        found = [v.text for k, (_, v) in self.settings.items() if k[: len(start)] == start]
        return [word.strip() for text in found for word in text.split(",") if word.strip()]


def compared(key: str) -> Key:
    """A key as it is compared."""
    return tuple(map(_plain, _parts(key)))


def _plain(word: str) -> str:
    return word.replace("-", "").replace("_", "").lower()


def _parts(key: str) -> list[str]:
    return [part for part in re.split(r"\.|(?=\[)", key) if part]


def documents_of(file: SourceFile) -> list[Document]:
    """The documents of a file. Raises :class:`ModelError` with the line of what is wrong."""
    if file.path.suffix.lower() == ".properties":
        return list(_properties(file))
    found = []
    for document in file.documents:
        if not document.is_mapping:
            document.refuse("settings must be a mapping")
        found.append(Document({_key(key): (key, value) for key, value in _flat(document, ())}))
    return found


def _key(key: Key) -> Key:
    return tuple(map(_plain, key))


def _flat(value: Value, above: Key) -> Iterator[tuple[Key, Value]]:
    """All scalars of a document with their keys; empty ones say nothing."""
    if value.is_mapping:
        for key, inner in value.items():
            yield from _flat(inner, (*above, *_parts(key)))
    elif value.is_list:
        for number, inner in enumerate(value.each()):
            yield from _flat(inner, (*above, f"[{number}]"))
    elif not value.is_null:
        yield above, value


def _properties(file: SourceFile) -> Iterator[Document]:
    found: dict[Key, tuple[Key, Value]] = {}
    for line, place in _lines(file):
        if line.startswith(("#---", "!---")):
            yield Document(found)
            found = {}
        match = None if line.startswith(("#", "!")) else _PAIR.fullmatch(line)
        if match is None:
            continue
        key = tuple(_parts(_unescaped(match[1])))
        text = _unescaped(match[2])
        if key and text:
            found[_key(key)] = (key, Value(scalar_of(text), place, text))
    yield Document(found)


def _lines(file: SourceFile) -> Iterator[tuple[str, Place]]:
    """Logical lines: one that ends with a backslash goes on (Java, Properties.load)."""
    begun, first = "", 0
    for number, line in enumerate(file.text.splitlines(), start=1):
        text = begun + line.lstrip()
        first = first or number
        is_comment = not begun and text.startswith(("#", "!"))
        trailing = len(text) - len(text.rstrip("\\"))
        if trailing % 2 and not is_comment:
            begun = text[:-1]
            continue
        if text.strip():
            yield text, Place(str(file.path), first)
        begun, first = "", 0
    if begun.strip():
        yield begun, Place(str(file.path), first)


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        word = match[1]
        return chr(int(word[1:], 16)) if len(word) == 5 else _SIMPLE.get(word, word)

    return _ESCAPE.sub(one, text).replace("\0", "").strip()


@dataclass
class SpringSettings:
    """The settings of one application, the later documents on top of the earlier ones."""

    _found: dict[Key, tuple[Key, Value]] = field(default_factory=dict)
    used: set[Key] = field(default_factory=set)

    def add(self, document: Document) -> None:
        """Put a document on top. A list replaces the one below it."""
        for key in document.settings:
            for at, part in enumerate(key):
                if part.startswith("["):
                    self._drop_list(key[:at], document)
        self._found |= document.settings

    def add_below(self, document: Document) -> None:
        """Put a document below: what is there counts more."""
        for key, setting in document.settings.items():
            self._found.setdefault(key, setting)

    def _drop_list(self, above: Key, document: Document) -> None:
        old = [k for k in self._found if k[: len(above)] == above and k not in document.settings
               and len(k) > len(above) and k[len(above)].startswith("[")]  # fmt: skip
        for key in old:
            del self._found[key]

    def __iter__(self) -> Iterator[tuple[str, Key, Value]]:
        """Each setting: as it is written, its compared key, and its value if it is known."""
        for key, (written, value) in self._found.items():
            yield _joined(written), key, value

    def get(self, *keys: str) -> Value | None:
        """The first of the settings that is there and known."""
        for key in keys:
            found = self._found.get(compared(key))
            if found is not None:
                self.used.add(compared(key))
                value = self.known(found[1])
                if value is not None:
                    return value
        return None

    def has(self, prefix: str) -> bool:
        """Whether there is anything under the key."""
        start = compared(prefix)
        return any(key[: len(start)] == start for key in self._found)

    def names(self, prefix: str) -> list[str]:
        """What the keys under a prefix are called, as they are written."""
        start = compared(prefix)
        return [
            *dict.fromkeys(
                written[len(start)]
                for key, (written, _) in self._found.items()
                if key[: len(start)] == start and len(key) > len(start)
            )
        ]

    def known(self, value: Value) -> Value | None:
        """The value with its placeholders put in; ``None``: one of them is not known."""
        text = value.text
        for _ in range(MAX_ROUNDS):
            if "${" not in text:
                break
            text = _PLACEHOLDER.sub(self._resolved, text)
            if len(text) > MAX_TEXT:
                raise ModelError(f"a value stands for more than {MAX_TEXT:,} letters", value.place)
        if "${" in text or "\0" in text or "#{" in text:
            return None
        return value if text == value.text else replace(value, raw=scalar_of(text), text=text)

    def _resolved(self, match: re.Match[str]) -> str:
        found = self._found.get(compared(match[1].strip()))
        if found is not None:
            return found[1].text
        return match[2] if match[2] is not None else "\0"


def _joined(key: Iterable[str]) -> str:
    return ".".join(key).replace(".[", "[")


def duration(value: Value, what: str, unit: str = "ms") -> Duration:
    """``5s``, ``PT5S``, or a number of the setting's own unit."""
    text = value.string(what)
    simple, iso = _DURATION.fullmatch(text), _ISO.fullmatch(text.strip())
    if simple is not None:
        return Duration(int(simple[1]) * _UNITS[(simple[2] or unit).lower()])
    if iso is not None and any(iso.groups()):
        hours, minutes, seconds = (float(part or 0) for part in iso.groups())
        return Duration(hours * 3600 + minutes * 60 + seconds)
    return value.refuse(f"{what} must be a duration such as 500ms or 5s")
