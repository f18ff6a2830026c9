"""LikeC4: its language, and the model that ``likec4 export json`` writes.

Kinds of elements are words of a team's own. What they are is read from their shapes (a person, a
storage, a queue) and from words that say it: ``actor``, ``external``, ``component``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from archcheck.importing.facts import Precedence, Said
from archcheck.importing.landscapes import c4
from archcheck.importing.landscapes.drawing import (
    DATABASE,
    Drawing,
    Kind,
    LandscapeArrow,
    LandscapeNode,
)
from archcheck.importing.sources import Choices, SourceFile
from archcheck.importing.values import Value

_PEOPLE = frozenset({"actor", "person", "user", "customer", "role", "persona", "people"})
_STORES = frozenset({"storage", "cylinder"})
_PARTS = frozenset({"component", "module", "class", "package", "code"})
_ICON = re.compile(r"(?:tech|aws|azure|gcp):([\w-]+)", re.ASCII)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


class LikeC4Importer:
    """Reads LikeC4's language and its exported models."""

    name = "likec4"
    title = "LikeC4"
    precedence: Precedence = "catalogue"
    order = 76

    def recognises(self, file: SourceFile) -> bool:
        if file.path.suffix.lower() in c4.SUFFIXES:
            return True
        if file.path.suffix.lower() != ".json" or '"relations"' not in file.text_if_readable:
            return False
        return any(any(_projects(document)) for document in file.readable)

    def read(self, files: Sequence[SourceFile], choices: Choices) -> Iterable[Said]:
        texts = [file for file in files if file.path.suffix.lower() in c4.SUFFIXES]
        for file, project in c4.projects(texts):
            yield self._said(project, file)
        for file in (file for file in files if file not in texts):
            for document in file.documents:
                for project in _projects(document):
                    yield self._said(project, file)

    def _said(self, project: Value, file: SourceFile) -> Said:
        statements = list(_Project(project, file).drawing.statements())
        name = project.get("project", "title") or project.get("projectId")
        called = name.string("projectId") if name is not None else None
        called = None if called == "default" else called
        return Said(self.name, self.precedence, statements, called)


def _projects(document: Value) -> Iterator[Value]:
    """The model of a document, or those of several projects."""
    every = document.raw if isinstance(document.raw, list) else [document]
    for each in every:
        raw = each.raw
        if isinstance(raw, dict) and all(
            key in raw and isinstance(raw[key].raw, dict) for key in ("elements", "relations")
        ):
            values = raw["elements"].raw
            if isinstance(values, dict) and all(
                isinstance(v.raw, dict) and "kind" in v.raw for v in values.values()
            ):
                yield each


class _Project:
    def __init__(self, project: Value, file: SourceFile) -> None:
        self._project = project
        self._elements = {
            (id_.string("id") if (id_ := value.get("id")) is not None else key): value
            for key, value in project.items("elements")
        }
        self._parents = {key: self._parent(key, value) for key, value in self._elements.items()}
        self._full: set[str] = set()
        for key, parent in self._parents.items():
            if not self._is_part(key):
                self._fill(parent)
        for key in [*self._full]:
            self._fill(self._parents[key])
        self.drawing = Drawing(str(file.path), project.place)
        for key, value in self._elements.items():
            self._add(key, value)
        for _, value in project.items("relations"):
            self._relation(value)
        for key in ("deployments", "views"):
            found = project.get(key)
            if found is not None and found.raw:
                self.drawing.remark(f"{key} of LikeC4 are no part of a model", found.place)

    def _fill(self, key: str) -> None:
        """An element that holds processes is a boundary, and so are those around it."""
        while key and key not in self._full:
            self._full.add(key)
            key = self._parents[key]

    def _parent(self, key: str, value: Value) -> str:
        found = value.get("parent")
        above = found.string("parent") if found is not None else key.rpartition(".")[0]
        return above if above in self._elements else ""

    def _words(self, key: str) -> set[str]:
        value = self._elements[key]
        tags = [tag.string("a tag") for tag in value.each("tags")]
        said = " ".join([value.need("kind").string("kind"), *tags])
        return {word.lower() for word in _WORD.findall(said)}

    def _is_part(self, key: str) -> bool:
        """Whether an element is a part of a process, by its kind."""
        kind = self._elements[key].need("kind").string("kind").lower()
        parent = self._parents.get(key) or self._parent(key, self._elements[key])
        return kind in _PARTS and bool(parent)

    def _holder(self, key: str) -> str:
        """The process that an element is a part of."""
        while self._is_part(key):
            key = self._parents[key]
        return key

    def _add(self, key: str, value: Value) -> None:
        name = value.get("title") or Value(key, value.place, key)
        if key in self._full:
            return  # the boundary of what is in it
        kind = self._kind(key, value)
        node = LandscapeNode(key, name, kind)
        if kind == "component":
            node.holder = self._holder(key)
            if node.holder in self._full:
                node.kind, node.holder = "service", ""
        node.boundary = self._boundary(key)
        for attribute in ("description", "technology"):
            node.say(attribute, _text(value.get(attribute)))
        if "technology" not in node.texts:
            node.say("technology", _drawn(value.get("style", "icon") or value.get("icon")))
        links = value.each("links")
        if links:
            url = links[0].get("url") if links[0].is_mapping else links[0]
            node.say("url", url)
        for tag in value.each("tags"):
            node.tags[tag.string("a tag")] = tag.place
        shape = value.get("style", "shape") or value.get("shape")
        if shape is not None and shape.string("shape") in _STORES:
            node.tags[DATABASE] = shape.place
        for name_, each in value.items("metadata"):
            node.properties[name_] = _joined(each)
        self.drawing.add(node)

    def _kind(self, key: str, value: Value) -> Kind:
        shape = value.get("style", "shape") or value.get("shape")
        words = self._words(key)
        if (shape is not None and shape.text == "person") or words & _PEOPLE:
            return "person"
        if self._is_part(key):
            return "component"
        return "external" if "external" in words else "service"

    def _boundary(self, key: str) -> str:
        above = self._parents[self._holder(key)]
        if not above:
            return ""
        title = self._elements[above].get("title")
        return title.string("title").strip() if title is not None else above

    def _relation(self, value: Value) -> None:
        ends = [_end(value.need(key)) for key in ("source", "target")]
        for end in ends:
            if end.string("an end") not in self._elements:
                end.refuse("a relation must name elements of the model")
        source, target = (end.text for end in ends)
        if source in self._full or target in self._full:
            self._of_whole(value, source, target)
            return
        title, technology = _text(value.get("title")), _text(value.get("technology"))
        self.drawing.arrows.append(LandscapeArrow(source, target, value.place, title, technology))

    def _of_whole(self, value: Value, source: str, target: str) -> None:
        """An arrow at a boundary: said by one at its parts, or left out."""
        inside = any(
            _is_in(_end(each.need("source")).text, source)
            and _is_in(_end(each.need("target")).text, target)
            for _, each in self._project.items("relations")
            if each is not value
        )
        if not inside:
            self.drawing.remark(
                f"{source} -> {target} is left out: no part says which one is meant", value.place
            )


def _is_in(key: str, whole: str) -> bool:
    return key == whole or key.startswith(f"{whole}.")


def _end(value: Value) -> Value:
    return value.need("model") if value.is_mapping else value


def _drawn(icon: Value | None) -> Value | None:
    """The technology that an icon stands for, as LikeC4 itself tells it (``tech:apache-kafka``)."""
    match = _ICON.fullmatch(icon.string("icon")) if icon is not None else None
    if icon is None or match is None:
        return None
    text = match[1].removesuffix("-icon").replace("-", " ").title()
    return Value(text, icon.place, text)


def _joined(value: Value) -> Value:
    """A value of metadata, which may be several texts."""
    if not value.is_list:
        return value
    text = ", ".join(each.string("a value of metadata") for each in value.each())
    return Value(text, value.place, text)


def _text(value: Value | None) -> Value | None:
    """A text, also where it is marked as Markdown or plain text."""
    if value is None or not value.is_mapping:
        return value
    return value.get("md") or value.get("txt")


importer = LikeC4Importer()
