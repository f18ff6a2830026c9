"""Backstage's catalogue: components, resources and APIs, with owners, systems and dependencies.

An API is nothing that runs: who consumes it reaches whoever provides it. References are of the form
``[kind:][namespace/]name`` (backstage.io, References in entity descriptors).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from archcheck.importing.addresses import Address
from archcheck.importing.facts import ElementPlace, Hint, KnownAs, Precedence, Reaches, Remark, Said
from archcheck.importing.facts import Statement as _Statement
from archcheck.importing.naming import unique_names
from archcheck.importing.products import SETTING
from archcheck.importing.sources import Choices, SourceFile
from archcheck.importing.technologies import technology_of
from archcheck.importing.values import Value
from archcheck.model import Place, Service

SCOPE = "backstage"
_NOT_RUNNING = frozenset(
    {"cli", "documentation", "docs", "library", "module", "package", "plugin", "sdk", "template"}
)
"""Types of components that no process runs; types are free words, `library` is Backstage's."""
_STORES = ("database", "db", "cache", "queue", "topic", "bucket", "storage", "store", "broker")
"""Words in types of resources that services read, write or send to."""
_HELD = {
    "Component": {"type", "owner", "system", "providesApis", "consumesApis", "dependsOn",
                  "dependencyOf"},
    "Resource": {"type", "owner", "system", "dependsOn", "dependencyOf"},
}  # fmt: skip
"""Keys of ``spec`` that are read."""

Key = tuple[str, str, str]
"""Kind, namespace and name, in small letters: Backstage does not tell them apart by case."""


@dataclass(frozen=True, eq=False)
class Entity:
    """An entity of the catalogue."""

    kind: str
    key: Key
    name: str
    value: Value

    @property
    def place(self) -> Place:
        """The line of its name."""
        return self.value.need("metadata").need("name").place

    @property
    def type(self) -> str:
        """``spec.type``: a free word."""
        found = self.value.get("spec", "type")
        return found.string("spec.type").strip().lower() if found is not None else ""

    @property
    def words(self) -> list[str]:
        """Texts that may name a product, those first that say it best."""
        title = self.value.get("metadata", "title")
        tags = [tag.string("a tag") for tag in self.value.each("metadata", "tags")]
        return [self.type, *tags, title.string("title") if title else "", self.name]


class BackstageImporter:
    """Reads ``catalog-info.yaml`` files."""

    name = "backstage"
    title = "Backstage"
    precedence: Precedence = "catalogue"
    order = 60

    def recognises(self, file: SourceFile) -> bool:
        if file.path.suffix.lower() not in (".yaml", ".yml", ".json"):
            return False
        if "backstage.io/" not in file.text_if_readable:
            return False
        return any(map(_is_entity, file.readable))

    def read(self, files: Sequence[SourceFile], choices: Choices) -> Iterable[Said]:
        documents = [each for file in files for each in file.documents if _is_entity(each)]
        yield Said(self.name, self.precedence, list(_Catalogue(documents).statements()))


def _is_entity(document: Value) -> bool:
    raw = document.raw
    version = raw.get("apiVersion") if isinstance(raw, dict) else None
    return version is not None and version.text.startswith("backstage.io/")


class _Catalogue:
    def __init__(self, documents: Iterable[Value]) -> None:
        self._remarks: list[Remark] = []
        self._entities: dict[Key, Entity] = {}
        for document in documents:
            self._add(document)
        held = {key: each for key, each in self._entities.items() if _runs(each)}
        self._names = unique_names(
            {key: each.name for key, each in held.items()},
            lambda key: [f"{key[1]}/{held[key].name}", f"{held[key].name} ({key[1]} {key[0]})"],
        )
        self._providers: dict[Key, list[Entity]] = defaultdict(list)
        for each in held.values():
            for _, api in self._references(each, "providesApis", "api"):
                self._providers[api].append(each)

    def _add(self, document: Value) -> None:
        kind = document.need("kind").string("kind")
        metadata = document.need("metadata")
        name = metadata.need("name")
        text = name.string("metadata.name").strip()
        if not text:
            name.refuse("metadata.name must not be empty")
        if "{{" in text:
            self._remarks.append(Remark(f"{text} is a template of an entity", name.place))
            return
        space = metadata.get("namespace")
        namespace = space.string("metadata.namespace") if space is not None else "default"
        key = (kind.lower(), namespace.lower(), text.lower())
        known = self._entities.get(key)
        if known is not None:
            self._remarks.append(
                Remark(f"{kind} {text} is already described at {known.place}", name.place)
            )
            return
        self._entities[key] = Entity(kind, key, text, document)

    def statements(self) -> Iterator[_Statement]:
        """All that the catalogue says."""
        for key, entity in self._entities.items():
            if key in self._names:
                yield from self._entity(ElementPlace(self._names[key]), entity)
        for key, entity in self._entities.items():
            if key in self._names:
                yield from self._edges(entity)
            else:
                yield from _not_taken(entity, self._providers[key])
        yield from self._remarks

    # -- elements -----------------------------------------------------------------------------

    def _entity(self, part: ElementPlace, entity: Entity) -> Iterator[_Statement]:
        yield part.is_a(Service, entity.place)
        yield KnownAs(part.element, _spelled(entity.key), SCOPE, entity.place)
        if entity.kind == "Resource":
            yield from _product(part, entity)
        description = entity.value.get("metadata", "description")
        if description is not None and description.string("description").strip():
            text = " ".join(description.text.split())
            yield part.says("description", text, description.place)
        for tag in entity.value.each("metadata", "tags"):
            yield part.has("tags", tag.string("a tag"), tag.place)
        for link in entity.value.each("metadata", "links")[:1]:
            url = link.need("url")
            yield part.says("docs", url.string("url"), url.place)
        for key, attribute, kind in (("owner", "owner", "group"), ("system", "boundary", "system")):
            value = entity.value.get("spec", key)
            if value is not None:
                named = _key(value, kind, entity)
                original = self._entities.get(named)
                name = original.name if original is not None else _last(value)
                yield part.says(attribute, name, value.place)
        yield from _unread(part, entity)

    # -- edges --------------------------------------------------------------------------------

    def _references(self, entity: Entity, field: str, kind: str) -> Iterator[tuple[Value, Key]]:
        for value in entity.value.each("spec", field):
            yield value, _key(value, kind, entity)

    def _edges(self, entity: Entity) -> Iterator[_Statement]:
        for value, key in self._references(entity, "dependsOn", "component"):
            yield from self._edge(entity, self._running(key), value, f"dependsOn {value.text}")
        for value, key in self._references(entity, "dependencyOf", "component"):
            caller = self._running(key)
            if caller is None:
                yield _nobody(entity, value)
            else:
                yield from self._edge(caller, entity, value, f"dependencyOf of {entity.name}")
        for value, api in self._references(entity, "consumesApis", "api"):
            providers = [each for each in self._providers[api] if each is not entity]
            for each in providers:
                yield from self._edge(entity, each, value, f"consumesApis {value.text}")
            if not providers:
                yield Remark(
                    f"{entity.name} consumes the API {value.text}, which nobody in the files "
                    "provides",
                    value.place,
                )

    def _running(self, key: Key) -> Entity | None:
        """The entity of a reference; one without a kind may also be a resource."""
        for found in (key, ("resource", *key[1:])):
            if found in self._names:
                return self._entities[found]
            if found in self._entities:
                return None
        return None

    def _edge(
        self, source: Entity, target: Entity | None, value: Value, said: str
    ) -> Iterator[_Statement]:
        if target is None:
            yield _nobody(source, value)
        elif source is not target:
            yield Reaches(
                self._names[source.key], Address(_spelled(target.key)), SCOPE, said, value.place
            )


def _runs(entity: Entity) -> bool:
    """Whether it is a process or a store, as far as its type says."""
    if entity.kind == "Component":
        return entity.type not in _NOT_RUNNING
    if entity.kind == "Resource":
        known = any(technology_of(word).product for word in entity.words)
        return known or any(word in entity.type for word in _STORES)
    return False


def _product(part: ElementPlace, entity: Entity) -> Iterator[Hint | Remark]:
    for word in entity.words:
        found = technology_of(word)
        if found.product is not None:
            said = f"the resource's {word}"
            yield Hint(part.element, found.product, said, SETTING, entity.place, found.version)
            return
    yield Remark(
        f"{part.element} is a {entity.type}, and nothing says of which product: it is read as a "
        "service",
        entity.place,
    )


def _unread(part: ElementPlace, entity: Entity) -> Iterator[Remark]:
    keys = [key for key, _ in entity.value.items("spec") if key not in _HELD[entity.kind]]
    if keys:
        said = ", ".join(keys)
        yield Remark(f"{part.element}: a model has no word for {said}", entity.place)


def _not_taken(entity: Entity, providers: Sequence[Entity]) -> Iterator[Remark]:
    if entity.kind == "API":
        if not providers:
            yield Remark(f"nobody in the files provides the API {entity.name}", entity.place)
        return
    why = {
        "Component": f"a {entity.type}, which does not run by itself",
        "Resource": f"a {entity.type or 'resource'}, which nobody asks",
        "System": "the boundary of its components, of which a model has the name only",
        "Group": "an owner, of whom a model has the name only",
    }.get(entity.kind, "nothing that a model has a word for")
    yield Remark(f"{entity.kind} {entity.name} is {why}", entity.place)


def _nobody(entity: Entity, value: Value) -> Remark:
    return Remark(
        f"{entity.name} refers to {value.text}, which is no part of the model", value.place
    )


def _key(value: Value, kind: str, entity: Entity) -> Key:
    """A reference, completed with the kind of its field and the namespace of its entity."""
    text = value.string("a reference").strip().lower()
    before, colon, rest = text.rpartition(":")
    namespace, slash, name = rest.rpartition("/")
    if not name:
        value.refuse("a reference must be [kind:][namespace/]name")
    return (before if colon else kind, namespace if slash else entity.key[1], name)


def _last(value: Value) -> str:
    return value.text.strip().rpartition(":")[2].rpartition("/")[2]


def _spelled(key: Key) -> str:
    return f"{key[0]}:{key[1]}/{key[2]}"


importer = BackstageImporter()
