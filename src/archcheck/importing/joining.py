"""The statements of all importers joined to one system, by stated identities only.

- Elements of the same name are one element; so are an element and one of another source that is
  reached under its name (a Compose service ``cart``, the Deployment behind the Service ``cart``).
- An address belongs to the element that is known under its host, where the address is read. It
  makes a client; never a call, because no address says what is asked.
- What an element is, is told by its image, by the URL schemes of those who reach it, by settings
  that only a product's server reads, and by ports, in this order (:mod:`.products`).
- Addresses of a list that also has the element's own address are candidates: such a list tells
  everybody where everybody is, and not whom its reader asks.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from archcheck.importing.building import Builder, Ranked
from archcheck.importing.clients_of import keep_promised, narrowed, reach_all
from archcheck.importing.facts import (
    PRECEDENCE,
    SYSTEM,
    About,
    ElementPlace,
    Fact,
    FieldItem,
    Hint,
    Identity,
    KnownAs,
    Promised,
    Reaches,
    Remark,
    Said,
    StartsAfter,
    Statement,
    Toward,
    spelled,
)
from archcheck.importing.joined import Candidate, Edge, Joined
from archcheck.importing.naming import legible, named_alike
from archcheck.importing.products import (
    NAME,
    PORT,
    PRODUCTS,
    SCHEME,
    product_of_name,
    product_of_port,
    product_of_scheme,
)
from archcheck.importing.references import settle
from archcheck.model import (
    Broker,
    Client,
    Datastore,
    Managed,
    ModelError,
    Named,
    Place,
    Policy,
    Service,
    System,
)
from archcheck.model.element import Element, declared_at, field_names
from archcheck.model.observability import Platform
from archcheck.model.sites import Site

_IN_CLUSTER = re.compile(r"(?P<name>[^.]+)\.[^.]+\.svc(?:\.cluster\.local)?", re.IGNORECASE)
"""kubernetes.io, DNS for Services: the name, the namespace, and the domain of the cluster."""
ANYWHERE = "*"
"""The scope of an address whose reader nobody places: any host of this name is meant."""


def join(said: Sequence[Said], name: str, place: Place) -> Joined:
    """The system that all importers together describe.

    Raises :class:`~archcheck.model.ModelError` with the line of a value that no element can have.
    """
    return _Joining(_in_order(said)).joined(name, place)


def _in_order(said: Sequence[Said]) -> list[Said]:
    """What counts more first; of equals, what was read first."""
    return sorted(said, key=lambda one: PRECEDENCE.index(one.precedence))


@dataclass
class _Joining:
    said: list[Said]
    facts: dict[str, list[Ranked]] = field(default_factory=lambda: defaultdict(list))
    known: dict[tuple[Identity, str, str], dict[str, None]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """Kind, scope and name of an identity, to the elements that have it."""
    abouts: list[tuple[int, About]] = field(default_factory=list)
    hints: dict[str, list[Hint]] = field(default_factory=lambda: defaultdict(list))
    reaches: list[tuple[int, Reaches]] = field(default_factory=list)
    starts: list[tuple[int, StartsAfter]] = field(default_factory=list)
    towards: list[tuple[int, Toward]] = field(default_factory=list)
    promised: list[tuple[int, Promised]] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    unexplained: list[Reaches] = field(default_factory=list)

    def joined(self, name: str, place: Place) -> Joined:
        for rank, statement in named_alike(self.said):
            self._sort(rank, statement)
        self.remarks += keep_promised(self.promised, self.facts, self.known)
        self.reaches = [each for each in self.reaches if each[1].element in self.facts]
        self._apply_abouts()
        self._order_starts()
        self._resolve()
        for element in [*self.facts]:
            self._decide_kind(element)
        self.remarks += settle(self.facts, self._known, self._kind)
        self._connect()
        self.remarks += reach_all(self.towards, self.facts, self.edges, self._known)
        builder = Builder()
        system = self._system(builder, name, place)
        return Joined(
            system,
            tuple(builder.used),
            tuple(self.edges),
            tuple(builder.conflicts),
            tuple(self.candidates),
            tuple(self.unexplained),
            tuple(builder.unheld),
            tuple(self.remarks),
        )

    def _sort(self, rank: int, statement: Statement) -> None:
        match statement:
            case Fact():
                if statement.element == SYSTEM:
                    self._check_system(statement)
                self.facts[statement.element].append(Ranked(statement, rank))
            case KnownAs():
                key = (statement.kind, statement.scope, statement.name.lower())
                self.known[key][statement.element] = None
            case About():
                self.abouts.append((rank, statement))
            case Reaches():
                self.reaches.append((rank, statement))
            case StartsAfter():
                self.starts.append((rank, statement))
            case Hint():
                self.hints[statement.element].append(statement)
            case Remark():
                self.remarks.append(statement)
            case _:
                self._keep(rank, statement)

    def _keep(self, rank: int, statement: Statement) -> None:
        """What counts only when the edges are known, or what else there is."""
        if isinstance(statement, Toward):
            self.towards.append((rank, statement))
        elif isinstance(statement, Promised):
            self.promised.append((rank, statement))

    @staticmethod
    def _check_system(fact: Fact) -> None:
        """An element with an empty name would be taken for the system."""
        if not fact.path or not isinstance(fact.path[0], FieldItem):
            raise ModelError("the name of an element must not be empty", fact.place)

    # -- who is meant -------------------------------------------------------------------------

    def _known(self, scope: str, name: str, kind: Identity = "host") -> tuple[str, ...]:
        """The elements known as this where it is read; ``*``: wherever they are."""
        name = name.lower()
        if scope == ANYWHERE:
            groups = [
                group for key, group in self.known.items() if (key[0], key[2]) == (kind, name)
            ]
            return tuple(dict.fromkeys(element for group in groups for element in group))
        return tuple(self.known.get((kind, scope, name)) or self.known.get((kind, "", name)) or ())

    def _apply_abouts(self) -> None:
        for rank, about in self.abouts:
            elements = self._known(about.scope, about.name, about.kind)
            for element in elements:
                fact = Fact(element, about.path, about.value, about.place)
                self.facts[element].append(Ranked(fact, rank))
            if not elements:
                self.remarks.append(
                    Remark(
                        f"nobody in the files is the {about.kind} {about.name!r}: "
                        f"{spelled(about.path)} is left out",
                        about.place,
                    )
                )

    def _is_set_aside(self, rank: int, element: str) -> bool:
        """Whether a source deploys the element and another one's deployment counts.

        What a deployment is told belongs to it: the addresses of two together are a service that
        nobody runs.
        """
        path = ("deployment",)
        ranks = {r.rank for r in self.facts.get(element, ()) if r.fact.path == path}
        return rank in ranks and rank != min(ranks)

    def _order_starts(self) -> None:
        for rank, start in self.starts:
            if self._is_set_aside(rank, start.element):
                continue
            for target in self._known(start.scope, start.host):
                if target != start.element:
                    fact = ElementPlace(start.element).has("start_after", target, start.place)
                    self.facts[start.element].append(Ranked(fact, rank))

    def _resolve(self) -> None:
        """Sort the addresses: edges, candidates, stores that only they name, unexplained ones."""
        directories = self._directories()
        for rank, reach in sorted(self.reaches, key=lambda each: each[0]):
            targets = self._known(reach.scope, reach.address.host)
            if reach.element in targets:
                continue
            if self._is_set_aside(rank, reach.element):
                self._set_aside(reach, targets)
            elif not targets:
                self._resolve_unknown(rank, reach)
            elif (reach.element, reach.group) in directories:
                reason = "the same list has its own address: it tells everybody where everybody is"
                self.candidates.append(Candidate(reach, targets, reason))
            elif reach.doubt:
                self.candidates.append(Candidate(reach, targets, reach.doubt))
            else:
                self.edges += [Edge(reach.element, target, reach) for target in targets]

    def _directories(self) -> set[tuple[str, Place | None]]:
        """Element and list, where others read the list too and it has the element's own address."""
        readers: dict[Place | None, set[str]] = defaultdict(set)
        for _, reach in self.reaches:
            readers[reach.group].add(reach.element)
        return {
            (reach.element, reach.group)
            for _, reach in self.reaches
            if reach.group is not None
            and len(readers[reach.group]) > 1
            and reach.element in self._known(reach.scope, reach.address.host)
        }

    def _set_aside(self, reach: Reaches, targets: tuple[str, ...]) -> None:
        known = {edge.target for edge in self.edges if edge.source == reach.element}
        others = tuple(target for target in targets if target not in known)
        if others:
            reason = "another deployment of it counts, which is not given this address"
            self.candidates.append(Candidate(reach, others, reason))

    def _resolve_unknown(self, rank: int, reach: Reaches) -> None:
        elsewhere = self._known(ANYWHERE, reach.address.host)
        product = product_of_scheme(reach.address.scheme)
        if elsewhere and reach.element not in elsewhere:
            reason = "the host is known elsewhere, not where the address is read"
            self.candidates.append(Candidate(reach, elsewhere, reason))
        elif product is not None and not reach.doubt and not elsewhere:
            self.edges.append(Edge(reach.element, self._store(rank, reach), reach))
        elif not elsewhere and not reach.doubt:
            self.unexplained.append(reach)

    def _store(self, rank: int, reach: Reaches) -> str:
        """A store or broker that nobody deploys and an address names: it runs somewhere else."""
        host = reach.address.host
        part = ElementPlace(self._name_of_store(host))
        self.known["host", "", host.lower()][part.element] = None
        said = f"{reach.address} in the {reach.said} of {reach.element}"
        self.facts[part.element] += [
            Ranked(part.is_a(Service, reach.place), rank),
            Ranked(part.says("description", f"known from {said}", reach.place), rank),
            Ranked(part.inside("deployment").is_a(Managed, reach.place), rank),
        ]
        return part.element

    def _name_of_store(self, host: str) -> str:
        """A Service of the cluster by its own name; else the host."""
        inside = _IN_CLUSTER.fullmatch(host)
        short = legible(inside["name"]) if inside else ""
        return short if short and short not in self.facts else legible(host)

    # -- what it is ---------------------------------------------------------------------------

    def _decide_kind(self, element: str) -> None:
        """The product that the strongest signs agree on becomes the kind of a plain service."""
        self.facts[element] = narrowed(self.facts[element])
        kind = self._kind(element)
        if kind is not Service:
            return
        best = self._strongest(element)
        if best is None or best.product is None:
            return
        product, part = PRODUCTS[best.product], ElementPlace(element)
        self.facts[element] = [
            Ranked(replace(r.fact, value=product.kind), r.rank) if not r.fact.path else r
            for r in self.facts[element]
        ]
        rank = min(ranked.rank for ranked in self.facts[element])
        for name, value in (product.fields or {}).items():
            self.facts[element].append(Ranked(part.says(name, value, best.place), rank))
        if best.version is not None:
            said = part.says("version", best.version, best.place)
            self.facts[element].append(Ranked(said, rank))

    def _strongest(self, element: str) -> Hint | None:
        reaching = [edge.reach for edge in self.edges if edge.target == element]
        hints = [*self.hints[element], *(hint for r in reaching for hint in _spoken(element, r))]
        called = product_of_name(element)
        asks = any(edge.source == element for edge in self.edges)
        if called is not None and not asks:  # ratings-mysql reaches a MySQL, and is none
            place = self.facts[element][0].fact.place
            hints.append(Hint(element, called, f"the name {element}", NAME, place))
        best = max(hints, key=lambda hint: hint.strength, default=None)
        for hint in hints:
            if best and hint.strength == best.strength and hint.product != best.product:
                self.remarks.append(
                    Remark(
                        f"{element} is taken for {best.product} ({best.said}), though {hint.said} "
                        f"says {hint.product or 'that it is none'}",
                        hint.place,
                    )
                )
        return best

    def _kind(self, element: str) -> type[Element] | None:
        own = [ranked for ranked in self.facts[element] if not ranked.fact.path]
        best = min(own, key=lambda ranked: ranked.rank, default=None)
        value = best.fact.value if best else None
        return value if isinstance(value, type) and issubclass(value, Element) else None

    # -- the system ---------------------------------------------------------------------------

    def _connect(self) -> None:
        """A client for each edge whose source can hold one."""
        rank_of = {id(reach): rank for rank, reach in self.reaches}
        every, self.edges = self.edges, []
        for edge in every:
            kind, reach = self._kind(edge.source), edge.reach
            if kind is None or "clients" not in field_names(kind):
                self.remarks.append(
                    Remark(
                        f"{edge.source} is given the address of {edge.target} ({reach.said}); "
                        f"{_of_kind(kind)} asks nobody in a model",
                        reach.place,
                    )
                )
                continue
            self.edges.append(edge)
            client = ElementPlace(edge.source).member("clients", edge.target)
            known = {ranked.fact.path for ranked in self.facts[edge.source]}
            if client.path not in known:
                self.facts[edge.source] += [
                    Ranked(client.is_a(Client, reach.place), rank_of[id(reach)]),
                    Ranked(client.says("target", edge.target, reach.place), rank_of[id(reach)]),
                ]

    def _system(self, builder: Builder, name: str, place: Place) -> System:
        members: list[Named] = []
        policies: list[Policy] = []
        for element, facts in self.facts.items():
            if element == SYSTEM:
                policies = [p for p in _parts(builder, facts) if isinstance(p, Policy)]
            elif self._kind(element) is None:
                self.remarks += [
                    Remark(f"nothing says what {element!r} is: {ranked.fact}", ranked.fact.place)
                    for ranked in facts
                ]
            else:
                part = builder.build(facts)
                if isinstance(part, Named):
                    members.append(part)
        system = System(legible(name), members, policies=policies)
        declared_at(system, Site((place,)))
        return system


def _parts(builder: Builder, facts: Sequence[Ranked]) -> Iterator[Element]:
    """What is said about the system as a whole, each part by itself."""
    groups: dict[object, list[Ranked]] = defaultdict(list)
    for ranked in facts:
        groups[ranked.fact.path[0]].append(ranked)
    for step, group in groups.items():
        if isinstance(step, FieldItem):
            yield builder.build(group, (step,))


def _spoken(element: str, reach: Reaches) -> Iterator[Hint]:
    """What the address that a caller is given says about whom it reaches."""
    said = f"{reach.address} in {reach.said}"
    by_scheme = product_of_scheme(reach.address.scheme)
    if by_scheme is not None:
        yield Hint(element, by_scheme, said, SCHEME, reach.place)
    elif not reach.address.scheme and reach.address.port is not None:
        by_port = product_of_port(reach.address.port)
        if by_port is not None:
            yield Hint(element, by_port, said, PORT, reach.place)


def _of_kind(kind: type[Element] | None) -> str:
    for base, word in ((Broker, "a broker"), (Datastore, "a datastore"), (Platform, "a platform")):
        if kind is not None and issubclass(kind, base):
            return word
    return "it"
