"""What a workspace says in archcheck's words: its containers, who reaches whom, who uses what."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from archcheck.importing.addresses import Address
from archcheck.importing.facts import (
    ElementPlace,
    Fact,
    FieldItem,
    Hint,
    KnownAs,
    Reaches,
    Remark,
    Statement,
)
from archcheck.importing.naming import unique_names
from archcheck.importing.products import PRODUCTS, SETTING, product_of_name
from archcheck.importing.references import Whoever
from archcheck.importing.structurizr.elements import C4Element
from archcheck.importing.technologies import Technology, technology_of
from archcheck.importing.values import Value, mappings
from archcheck.model import Element, Endpoint, External, Person, Place, Queue, Service, Topic

USE = "use"
"""The endpoint that stands for what people use a service for: a person calls endpoints, and no
workspace names one."""
_OWNERS = frozenset({"owner", "team"})
_APART = ("views", "documentation", "configuration")


@dataclass(frozen=True)
class Relationship:
    """An arrow of the workspace between elements that a model can have."""

    source: C4Element
    target: C4Element
    value: Value

    @property
    def place(self) -> Place:
        """Its line."""
        return self.value.need("destinationId").place

    @property
    def text(self) -> str:
        """What it says: ``'Makes API calls to' [JSON/HTTPS]``."""
        said = [self._text("description"), self._text("technology")]
        shown = [f"{said[0]!r}"] if said[0] else []
        return " ".join([*shown, f"[{said[1]}]"] if said[1] else shown)

    @property
    def purpose(self) -> str:
        """Its description."""
        return self._text("description")

    def _text(self, key: str) -> str:
        found = self.value.get(key)
        return " ".join(found.string(key).split()) if found is not None else ""


class Workspace:
    """One workspace, and the names that its elements get."""

    def __init__(self, elements: dict[str, C4Element], file: str, document: Value) -> None:
        self._elements = elements
        self.scope = self._scope = f"structurizr {file}"
        self._document = document
        self._opened = {
            each.parent.id for each in elements.values() if each.kind == "container" and each.parent
        }

    def statements(self) -> Iterator[Statement]:
        """All of it."""
        for each in self._elements.values():
            if each.id in self._names:
                yield from self._element(each)
            else:
                yield from self._not_taken(each)
        yield from self._components()
        yield from self._edges()
        yield from self._around()

    def name_of(self, id_: str) -> str:
        """What an element is called in the model; empty: it is none there."""
        return self._names.get(id_, "")

    def is_service(self, id_: str) -> bool:
        """Whether an element becomes a service, as far as this workspace says."""
        return self._kinds.get(id_) is Service

    # -- elements -----------------------------------------------------------------------------

    @cached_property
    def _names(self) -> dict[str, str]:
        """The names of those that become elements of the model."""
        held = {
            each.id: each
            for each in self._elements.values()
            if each.kind in ("person", "container")
            or (each.kind == "system" and each.id not in self._opened)
        }
        return unique_names(
            {key: each.name for key, each in held.items()},
            lambda key: [held[key].path, f"{held[key].path} ({key})"],
        )

    @cached_property
    def _technologies(self) -> dict[str, Technology]:
        return {key: self._technology(self._elements[key]) for key in self._names}

    def _technology(self, element: C4Element) -> Technology:
        if element.kind == "person":
            return Technology()
        said = element.text("technology")
        by_name = technology_of(element.name)
        if said or by_name.product is None:
            return technology_of(said)
        return by_name  # a container without a technology that is called Redis

    @cached_property
    def _kinds(self) -> dict[str, type[Element]]:
        """What each element becomes, as far as this workspace says."""
        return {key: self._kind(self._elements[key]) for key in self._names}

    def _kind(self, element: C4Element) -> type[Element]:
        found = self._technologies[element.id]
        if element.kind == "person":
            return Person
        if element.kind == "system" and self._is_somebody_elses(element):
            return External
        if found.kind is not None:
            return found.kind
        product = found.product or product_of_name(self._names[element.id])
        return PRODUCTS[product].kind if product is not None else Service

    def _is_somebody_elses(self, system: C4Element) -> bool:
        """A system that the workspace says is external, or beside those whose inside it shows.

        One that itself asks others stays a service: an external asks nobody in a model.
        """
        location = system.text("location").lower()
        if location == "internal":
            return False
        words = {tag.lower() for tag, _ in system.tags()} | {location}
        if any("external" in word.split() for word in words):
            return True
        asks = any(
            self._holder(target).kind in ("system", "container") for target in self._targets(system)
        )
        return bool(self._opened) and not asks

    def _targets(self, element: C4Element) -> Iterator[C4Element]:
        for value in element.value.each("relationships"):
            end = self._end(value)
            if end is not None:
                yield end

    def _element(self, element: C4Element) -> Iterator[Statement]:
        part, kind = ElementPlace(self._names[element.id]), self._kinds[element.id]
        technology = self._technologies[element.id]
        told = technology.product is not None or technology.kind is not None
        own = kind if kind in (Person, External, Topic, Queue) else Service
        yield part.is_a(own, element.place)
        yield KnownAs(part.element, element.id, self._scope, element.place)
        if technology.product is not None and own is Service:
            place = (element.value.get("technology") or element.value.need("name")).place
            said = f"the technology {element.text('technology') or element.name}"
            yield Hint(part.element, technology.product, said, SETTING, place, technology.version)
        description = element.text("description")
        if element.text("technology") and not told:
            description = f"{description} [{element.text('technology')}]".strip()
        if description:
            yield part.says("description", description, element.place)
        for tag, place in element.tags():
            yield part.has("tags", tag, place)
        url = element.value.get("url")
        if url is not None and url.string("url"):
            yield part.says("docs", url.string("url"), url.place)
        if kind is Service:
            yield from self._of_service(part, element, technology)
        yield from self._properties(part, element, kind)

    def _of_service(
        self, part: ElementPlace, element: C4Element, technology: Technology
    ) -> Iterator[Statement]:
        if element.parent is not None:
            yield part.says("boundary", element.parent.name, element.place)
        if technology.runtime is not None:
            place = element.value.need("technology").place
            yield part.inside("runtime").is_a(technology.runtime, place)
            if technology.version is not None:
                yield part.inside("runtime").says("version", technology.version, place)
        if any(tag.lower() == "database" for tag, _ in element.tags()):
            yield Remark(
                f"{part.element} is a database; no product of the vocabulary is known from "
                f"{element.text('technology') or 'it'!r}, so it is read as a service",
                element.place,
            )

    def _properties(
        self, part: ElementPlace, element: C4Element, kind: type[Element]
    ) -> Iterator[Statement]:
        others: dict[str, Place] = {}
        for key, value in element.properties():
            if key.lower() in _OWNERS and kind is not Person and value.text.strip():
                yield part.says("owner", value.string(key).strip(), value.place)
            else:
                others[key] = value.place
        for perspective in element.value.each("perspectives"):
            others[f"perspective {perspective.need('name').string('name')}"] = perspective.place
        if others:
            said = ", ".join(others)
            yield Remark(
                f"{part.element}: the properties {said} have no word in a model",
                next(iter(others.values())),
            )

    # -- what is not taken --------------------------------------------------------------------

    def _not_taken(self, element: C4Element) -> Iterator[Remark]:
        if element.kind == "system":
            told = [key for key in ("description", "url") if element.text(key)]
            told += ["properties"] if element.properties() else []
            if told:
                yield Remark(
                    f"{element.name} is the boundary of its containers, of which a model has the "
                    f"name only: its {' and '.join(told)} is left out",
                    element.place,
                )
        elif element.kind == "custom element":
            yield Remark(f"{element.name} is a custom element, which a model has no word for",
                         element.place)  # fmt: skip

    def _components(self) -> Iterator[Remark]:
        inside: dict[str, list[C4Element]] = defaultdict(list)
        for each in self._elements.values():
            if each.kind == "component" and each.parent is not None:
                inside[each.parent.id].append(each)
        for container, parts in inside.items():
            names = ", ".join(part.name for part in parts)
            yield Remark(
                f"{self._names[container]}: a model has no word for its components ({names}); "
                "what they reach, it reaches",
                parts[0].place,
            )

    def _around(self) -> Iterator[Remark]:
        model = self._document.need("model")
        environments: Counter[str] = Counter()
        nodes = model.each("deploymentNodes")
        for node in nodes:
            found = node.get("environment")
            environments[found.string("environment") if found else "Default"] += 1
        if nodes:
            yield Remark(
                "a model has one deployment, and no words for nodes of any kind: the environments "
                f"{', '.join(environments)} are left out",
                nodes[0].place,
            )
        shown = [key for key in _APART if (found := self._document.get(key)) and found.raw]
        own = [key for key, _ in self._document.items("properties")]
        if any(not key.startswith("structurizr.") for key in own):
            shown.append("properties")
        if shown:
            yield Remark(
                f"{', '.join(shown)} of the workspace are no part of a model",
                self._document.need(shown[0]).place,
            )

    # -- relationships ------------------------------------------------------------------------

    def _end(self, relationship: Value) -> C4Element | None:
        """Where it leads; ``None``: to a node of a deployment."""
        target = relationship.need("destinationId")
        found = self._elements.get(target.string("destinationId"))
        if found is None and target.text not in self._deployed:
            target.refuse("destinationId must be the id of an element of the model")
        return found

    @cached_property
    def _deployed(self) -> set[str]:
        """The ids of nodes and instances, to which custom elements may have relationships."""
        return {
            found.text
            for node in self._document.need("model").each("deploymentNodes")
            for part in mappings(node)
            if (found := part.get("id")) is not None
        }

    def _holder(self, element: C4Element) -> C4Element:
        """The container of a component; all others are themselves."""
        if element.kind == "component" and element.parent is not None:
            return element.parent
        return element

    def _relationships(self) -> Iterator[Relationship]:
        """All of them, those of components as their containers'; none inside of a container."""
        for each in self._elements.values():
            for value in each.value.each("relationships"):
                end = self._end(value)
                if end is not None and self._holder(each) is not self._holder(end):
                    yield Relationship(self._holder(each), self._holder(end), value)

    def _edges(self) -> Iterator[Statement]:
        every = list(self._relationships())
        detailed = self._detailed(every)
        uses: dict[str, list[Relationship]] = defaultdict(list)
        for each in every:
            if each.source.id not in self._names or each.target.id not in self._names:
                # at a system: said in more detail by one at its containers, or not taken
                if (each.source.id, each.target.id) not in detailed:
                    yield self._lost(each, "no container says which part of the system is meant")
            elif each.source.kind == "person" and self._kinds[each.target.id] is Service:
                uses[each.target.id].append(each)
            else:
                yield from self._edge(each)
        for target, relationships in uses.items():
            yield from self._uses(self._names[target], relationships)

    def _detailed(self, every: list[Relationship]) -> set[tuple[str, str]]:
        """The ends of all arrows between elements of the model, and those of their systems."""
        return {
            (source.id, target.id)
            for each in every
            if each.source.id in self._names and each.target.id in self._names
            for source in (each.source, each.source.parent)
            for target in (each.target, each.target.parent)
            if source is not None and target is not None
        }

    def _edge(self, each: Relationship) -> Iterator[Statement]:
        source, target = self._kinds[each.source.id], self._kinds[each.target.id]
        if target is Person:
            yield self._lost(each, "nobody asks a person in a model")
        elif source is Person and target is External:
            yield self._use(each, Whoever(each.target.id, self._scope, (External,),
                                          shown=self._names[each.target.id]))  # fmt: skip
        elif source is Person:
            yield self._lost(each, "a person calls services and externals in a model")
        elif source is not Service:
            yield self._lost(each, f"{source.__name__} asks nobody in a model")
        else:
            said = f"the relationship {each.text}".rstrip()
            yield Reaches(self._names[each.source.id], Address(each.target.id), self._scope, said,
                          each.place)  # fmt: skip
            yield from self._unsaid(each)

    def _unsaid(self, each: Relationship) -> Iterator[Remark]:
        """What an edge has no word for."""
        style = each.value.get("interactionStyle")
        if style is not None and style.text == "Asynchronous":
            yield self._wordless(each, "asynchronous", style.place)
        tags = each.value.get("tags")
        own = [tag.strip() for tag in tags.text.split(",")] if tags is not None else []
        own = [tag for tag in own if tag not in ("", "Relationship", "Asynchronous", "Synchronous")]
        others = [f"tag {tag}" for tag in own]
        others += [f"property {key}" for key, _ in each.value.items("properties")
                   if not key.startswith("structurizr.")]  # fmt: skip
        if others:
            yield self._wordless(each, f"its {', '.join(others)}", each.place)

    def _wordless(self, each: Relationship, what: str, place: Place) -> Remark:
        ends = f"{self._names[each.source.id]} -> {self._names[each.target.id]}"
        return Remark(f"{ends}: an edge has no word for {what}", place)

    def _lost(self, each: Relationship, why: str) -> Remark:
        ends = [self._names.get(end.id, end.name) for end in (each.source, each.target)]
        said = f"{ends[0]} -> {ends[1]}: {each.text}".rstrip(": ")
        return Remark(f"{said} is left out: {why}", each.place)

    def _uses(self, service: str, relationships: list[Relationship]) -> Iterator[Statement]:
        """People use a service: an endpoint that stands for all that they use it for."""
        first = relationships[0]
        endpoint = ElementPlace(service).member("endpoints", USE)
        purposes = {
            f"{self._names[each.source.id]}: {each.purpose or 'uses it'}": None
            for each in relationships
        }
        yield endpoint.is_a(Endpoint, first.place)
        yield endpoint.says("name", USE, first.place)
        said = f"what people use it for: {'; '.join(purposes)}"
        yield endpoint.says("description", said, first.place)
        for each in relationships:
            yield self._use(each, Whoever(each.target.id, self._scope, (Service,), USE, service))

    def _use(self, each: Relationship, whom: Whoever) -> Fact:
        person = self._names[each.source.id]
        return Fact(person, (FieldItem("uses", each.target.id),), whom, each.place)
