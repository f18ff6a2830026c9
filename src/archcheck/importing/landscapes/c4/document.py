"""A project of LikeC4: its files together, as the document that LikeC4 exports."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from archcheck.importing.landscapes.c4.properties import Properties, described
from archcheck.importing.landscapes.c4.reading import C4Text, Node, Relation, text_of
from archcheck.importing.landscapes.c4.scopes import (
    C4Scope,
    Index,
    extended_id,
    known_in,
    names_of,
    resolved,
)
from archcheck.importing.landscapes.c4.words import Word
from archcheck.importing.sources import SourceFile, find
from archcheck.importing.values import Value
from archcheck.model import ModelError, Place
from archcheck.model.element import nearest

SUFFIXES = (".c4", ".likec4", ".like-c4")
_CONFIGURATIONS = ("likec4.config.json", ".likec4rc", ".likec4.config.json")
_OTHER_CONFIGURATIONS = ("likec4.config.ts", "likec4.config.js", "likec4.config.mjs")


def projects(files: Sequence[SourceFile]) -> Iterator[tuple[SourceFile, Value]]:
    """The projects of the files: for each its first file, and its document."""
    groups: dict[Path | None, list[SourceFile]] = {}
    for file in files:
        groups.setdefault(_project_folder(file), []).append(file)
    for folder, group in groups.items():
        named = [file for file in group if file.named]
        every = _with_others(group, folder) if named else group
        yield every[0], _Project([text_of(file) for file in every], _title(folder, every)).document


def _project_folder(file: SourceFile) -> Path | None:
    """The nearest folder with a configuration; without one all files are one project."""
    for folder in file.path.parents:
        if any((folder / n).is_file() for n in (*_CONFIGURATIONS, *_OTHER_CONFIGURATIONS)):
            return folder
        if folder == file.root:
            break
    return None


def _with_others(group: Sequence[SourceFile], folder: Path | None) -> list[SourceFile]:
    """The files of a project of which one is named: without the others its names are nobody."""
    first = group[0]
    found = {file.path: file for file in group}
    for file in find([folder or first.path.parent]).files:
        if file.path.suffix.lower() in SUFFIXES:
            found.setdefault(file.path, replace(file, root=first.root))
    return sorted(found.values(), key=lambda file: str(file.path))


def _title(folder: Path | None, files: Sequence[SourceFile]) -> Value | None:
    for name in _CONFIGURATIONS if folder is not None else ():
        path = (folder or Path()) / name
        if path.is_file():
            for document in SourceFile(path, files[0].root).readable:
                if document.is_mapping:
                    return document.get("title") or document.get("name")
    return None


class _Project:
    def __init__(self, texts: Sequence[C4Text], title: Value | None) -> None:
        self._texts = texts
        self._index = Index()
        self._ids: dict[int, str] = {}
        self._elements: dict[str, Value] = {}
        self._relations: dict[str, Value] = {}
        self._kinds: dict[str, Properties] = {}
        self._relationships: dict[str, Properties] = {}
        self._tags: dict[str, Word] = {}
        for text in texts:
            self._specify(text)
        nodes = [(model, text) for text in texts for model in text.models]
        for model, _ in nodes:
            self._number(model, "")
        self._number_extensions([model for model, _ in nodes])
        self._said: dict[str, list[Properties]] = {}
        for model, _ in nodes:
            self._extended(model)
        for text in texts:
            self._read(text)
        self.document = self._document(title)

    def _specify(self, text: C4Text) -> None:
        """Add the specification of a file: what is in it is in no other one."""
        for kind, held in (("kind", self._kinds), ("kind of relations", self._relationships)):
            said = text.elements if held is self._kinds else text.relationships
            for name, properties in said.items():
                place = text.names[name].place
                if name in held:
                    raise ModelError(f"the {kind} {name!r} is in another file as well", place)
                held[name] = properties
        for name, word in text.tags.items():
            if name in self._tags:
                known = self._tags[name].place
                raise ModelError(f"the tag {name!r} is there already ({known})", word.place)
            self._tags[name] = word

    # -- who there is --------------------------------------------------------------------------

    def _number(self, node: Node, id_: str) -> None:
        """Give each element its id; what extends others comes when all others are known."""
        self._ids[id(node)] = id_
        for each in node.nodes:
            if each.kind is not None:
                inner = f"{id_}.{each.name.text}".lstrip(".")
                self._index.add(inner, each.name)
                self._number(each, inner)

    def _number_extensions(self, models: Iterable[Node]) -> None:
        """A block may extend an element that another such block adds."""
        waiting = [each for model in models for each in model.nodes if each.kind is None]
        while waiting:
            later = []
            for each in waiting:
                try:
                    id_ = extended_id(each.extended, self._index)
                except ModelError:
                    later.append(each)
                else:
                    self._number(each, id_)
            if len(later) == len(waiting):
                extended_id(later[0].extended, self._index)
            waiting = later

    def _extended(self, model: Node) -> None:
        for each in model.nodes:
            if each.kind is None:
                self._said.setdefault(self._ids[id(each)], []).append(each.said)

    # -- what is said --------------------------------------------------------------------------

    def _read(self, text: C4Text) -> None:
        names: dict[int, dict[str, str]] = {}
        for model in text.models:
            names_of(model, "", self._ids, names)
        every = [pair for model in text.models for pair in names[id(model)].items()]
        outer = C4Scope(known_in([], every))
        waiting = deque((model, C4Scope({}, outer)) for model in text.models)
        while waiting:  # those further out first, as LikeC4 does
            node, around = waiting.popleft()
            scope = self._node(node, around, names)
            waiting += ((each, scope) for each in node.nodes)
            for relation in node.relations:
                self._relation(relation, self._ids[id(node)], scope, text)

    def _node(self, node: Node, outer: C4Scope, names: dict[int, dict[str, str]]) -> C4Scope:
        """What is known inside of an element or block, which is added to those that there are."""
        own = self._ids[id(node)]
        known = dict(names[id(node)])
        if own:
            known |= {"this": own, "it": own}
        if node.kind is not None:
            self._elements[own] = self._element(own, node, node.kind)
        else:
            self._check_tags(node.said.tags)
        return C4Scope(known, outer, own if node.kind is None else "")

    def _element(self, id_: str, node: Node, kind: Word) -> Value:
        known = self._kinds.get(kind.text)
        if known is None:
            near = nearest(kind.text, [*self._kinds])
            raise ModelError(
                f"the kind {kind.text!r} is in no specification of these files{near}", kind.place
            )
        place = node.name.place
        raw = {"id": described(id_, place), "kind": described(kind.text, kind.place)}
        more = self._said.get(id_, [])
        raw |= {key: node.said.values.get(key) or value for key, value in known.values.items()}
        raw |= node.said.values
        if not (title := raw.get("title")) or not title.text:
            raw["title"] = known.values.get("title") or described(node.name.text, place)
        for each in more:
            self._add(raw, each)
        said = [*node.said.tags, *(tag for each in more for tag in each.tags)]
        self._tagged(raw, [*known.tags, *said])
        style: dict[str, Value] = {}
        for key in ("shape", "icon"):
            if key in raw:
                style[key] = raw.pop(key)
        return Value({**raw, "style": Value({**style}, place)}, place)

    def _add(self, raw: dict[str, Value], said: Properties) -> None:
        """What an extension adds: links, and values where the element has others."""
        links, metadata = said.values.get("links"), said.values.get("metadata")
        if links is not None:
            held = raw["links"].each() if "links" in raw else []
            raw["links"] = Value([*held, *links.each()], links.place)
        if metadata is not None:
            known = dict(raw["metadata"].items()) if "metadata" in raw else {}
            for key, value in metadata.items():
                texts = [known[key].text] if key in known else []
                joined = ", ".join(dict.fromkeys([*texts, value.text]))
                known[key] = described(joined, known[key].place if texts else value.place)
            raw["metadata"] = Value({**known}, metadata.place)

    def _tagged(self, raw: dict[str, Value], tags: Sequence[Word]) -> None:
        self._check_tags(tags)
        raw.pop("tags", None)  # a fourth text behind a name, which LikeC4 passes over
        if tags:
            unique = {tag.text: described(tag.text, tag.place) for tag in reversed(tags)}
            order = dict.fromkeys(tag.text for tag in tags)
            raw["tags"] = Value([unique[text] for text in order], tags[0].place)

    def _check_tags(self, tags: Iterable[Word]) -> None:
        for tag in tags:
            if tag.text not in self._tags:
                near = nearest(tag.text, [*self._tags])
                raise ModelError(
                    f"the tag {tag.text!r} is in no specification of these files{near}", tag.place
                )

    def _relation(self, relation: Relation, own: str, scope: C4Scope, text: C4Text) -> None:
        self._check_tags(relation.said.tags)
        ends = [relation.source or [], relation.target]
        if any(end and end[0].text in text.imported for end in ends):
            return  # between projects, which are read each by itself
        source = resolved(ends[0], scope, self._index) if ends[0] else own
        target = resolved(ends[1], scope, self._index)
        if relation.is_extended:
            return  # tags, links and values of relations are no part of a model
        if f"{source}.".startswith(f"{target}.") or f"{target}.".startswith(f"{source}."):
            raise ModelError(
                f"{source} -> {target}: an element has no relation with itself, or with what is "
                "in it",
                relation.place,
            )
        values = relation.said.values
        if relation.kind is not None:
            own_values = {key: value for key, value in values.items() if value.raw != ""}
            values = self._kind_of(relation.kind).values | own_values
        raw = {
            "source": described(source, relation.place),
            "target": described(target, relation.place),
        }
        for key in ("title", "technology"):
            if key in values:
                raw[key] = values[key]
        self._relations[str(len(self._relations))] = Value(raw, relation.place)

    def _kind_of(self, kind: Word) -> Properties:
        found = self._relationships.get(kind.text)
        if found is None:
            near = nearest(kind.text, [*self._relationships])
            raise ModelError(
                f"the kind {kind.text!r} of relations is in no specification of these files{near}",
                kind.place,
            )
        return found

    # -- the document --------------------------------------------------------------------------

    def _document(self, title: Value | None) -> Value:
        place = self._texts[0].file.place
        raw: dict[str, Value] = {
            "elements": Value({**self._elements}, place),
            "relations": Value({**self._relations}, place),
        }
        if title is not None:
            raw["projectId"] = title
        for word, key in (("views", "views"), ("deployment", "deployments")):
            found: list[Place] = [
                text.passed_over[word] for text in self._texts if word in text.passed_over
            ]
            if found:
                raw[key] = Value({word: described(word, found[0])}, found[0])
        return Value(raw, place)
