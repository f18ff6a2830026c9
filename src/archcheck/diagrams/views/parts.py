"""What the views have in common: headings, the card of an element, the arrow of interactions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from archcheck.diagrams.look import TeamLook
from archcheck.diagrams.timestamps import date_of
from archcheck.diagrams.view import Arrow, Card, CardGroup, Heading, Shape, Sign
from archcheck.graph import Graph, Interaction
from archcheck.model import (
    Broker,
    Cached,
    Channel,
    Datastore,
    External,
    Named,
    Person,
    Platform,
    Service,
)
from archcheck.units import Duration

LINES = (
    Sign("waits for the answer", style="solid"),
    Sign("asynchronous", style="dashed"),
)
"""The legend of arrows that are interactions."""
UNSAID = Sign("what it asks is not declared", style="dotted")
"""The same of clients without a step, and of the order of starts where nothing else is known."""
_NEARLY_ALL, _FEW = 0.75, 5
"""The share of calling pairs from which on a protocol goes to the legend, and how many pairs there
must be at least. A choice: on a small picture, or where protocols vary, labels are read at once."""


@dataclass(frozen=True)
class Canvas:
    """What a view is made from: a system's graph, and the look of its diagrams."""

    graph: Graph
    look: TeamLook = field(default_factory=TeamLook)

    def heading(self, what: str, subtitle: str = "") -> Heading:
        """The title of a view, with the system's revision and date."""
        system = self.graph.system
        revision = f"revision {system.revision}" if system.revision else ""
        dated = str(date_of(system) or "")
        return Heading(
            f"{system.name}: {what}",
            subtitle or system.description or "",
            ", ".join(word for word in (revision, dated) if word),
        )

    @cached_property
    def drawn(self) -> tuple[Named, ...]:
        """The elements that have a card: a broker is shown by its topics where it has some."""
        system = self.graph.system
        shown_by_topics = {str(channel.broker) for channel in system.channels if channel.broker}
        kinds = ("callable", "datastore", "broker", "channel", "platform")
        return tuple(
            member
            for member in system.elements
            if member.referred_as in kinds and member.name not in shown_by_topics
        )

    def card(self, member: Named, *, group: str | None = None, subtitle: str | None = None) -> Card:
        """An element with its icon and what it is."""
        broker = self.broker_of(member)
        return Card(
            key=member.name,
            title=member.name,
            subtitle=described(member, broker) if subtitle is None else subtitle,
            group=group,
            shape=shape_of(member),
            icon=self.look.icon(member, broker),
            link=getattr(member, "docs", None) or "",
            tags=tuple(getattr(member, "tags", ())),
            member=member,
            stands_for=(member.name,),
            description=getattr(member, "description", None) or _on(broker),
        )

    def broker_of(self, member: Named) -> Named | None:
        """The broker of a topic or queue."""
        if isinstance(member, Channel) and member.broker:
            return self.graph.system.find(str(member.broker))
        return None

    def group_of(self, member: Named) -> str | None:
        """The group of an element in views by boundary: its boundary, or that it is a platform."""
        if isinstance(member, Platform):
            return "platform:observability"
        return self.graph.boundary_of(member)

    def boundary_groups(self, cards: Iterable[Card]) -> tuple[CardGroup, ...]:
        """The groups that these cards lie in."""
        declared = {part.name: part for part in self.graph.system.boundaries}
        keys = dict.fromkeys(card.group for card in cards if card.group)
        return tuple(
            CardGroup(
                key,
                key.removeprefix("platform:"),
                link=(declared[key].docs or "") if key in declared else "",
            )
            for key in keys
        )


def _on(broker: Named | None) -> str:
    """Where a topic or queue lies, since its broker has no card of its own."""
    return f"on {broker.name}" if broker is not None else ""


def shape_of(member: Named) -> Shape:
    """How text formats and the legend tell kinds of elements apart."""
    match member:
        case Datastore():
            return "store"
        case Channel() | Broker():
            return "queue"
        case Person():
            return "person"
        case External():
            return "external"
        case _:
            return "box"


def described(member: Named, broker: Named | None = None) -> str:
    """What an element is, in a few words: framework and replicas, product and shards."""
    match member:
        case Service():
            replicas = member.deployment.fewest_replicas() if member.deployment else None
            times = f" \N{MULTIPLICATION SIGN} {replicas}" if replicas and replicas > 1 else ""
            return f"{member.runtime.label if member.runtime else member.kind}{times}"
        case Datastore():
            shards = f", {member.shards} shards" if (member.shards or 1) > 1 else ""
            return f"{member.label}{shards}"
        case Channel():
            product = broker.label if isinstance(broker, Broker) else ""
            return f"{product} {member.kind}".strip()
        case Broker() | Platform():
            return member.label
        case _:
            return member.kind


def arrow(source: str, target: str, steps: Iterable[Interaction], shared: str = "") -> Arrow:
    """All ``steps`` between two cards: how they are spoken, and their timeouts.

    ``shared``: the protocol that the legend names, so that it is left out of the label.
    """
    found = tuple(steps)
    is_asynchronous = all(step.mode == "publish" for step in found)
    spoken_so = protocols(found)
    is_shared = bool(shared) and spoken_so == shared
    label = ", ".join(text for text in ("" if is_shared else spoken_so, timeouts(found)) if text)
    return Arrow(
        source,
        target,
        label,
        "dashed" if is_asynchronous else "solid",
        "\n".join(dict.fromkeys(step.name for step in found)),
        shared=shared if is_shared else "",
    )


def shared_protocol(pairs: Iterable[Iterable[Interaction]]) -> str:
    """The protocol of nearly all pairs that call each other; empty where there is none."""
    said = [words for steps in pairs if (words := protocols(s for s in steps if s.mode == "call"))]
    if len(said) < _FEW:
        return ""
    protocol, count = Counter(said).most_common(1)[0]
    return protocol if count >= _NEARLY_ALL * len(said) else ""


def spoken(step: Interaction) -> str:
    """How one step is spoken: its protocol, or what it does with data."""
    if step.mode == "call":
        return step.protocol.label if step.protocol else ""
    return "cache" if isinstance(step.step, Cached) else step.mode


def protocols(steps: Iterable[Interaction]) -> str:
    """How the steps are spoken, each way once."""
    return " + ".join(dict.fromkeys(word for step in steps if (word := spoken(step))))


def timeouts(steps: Iterable[Interaction]) -> str:
    """The timeouts that the steps declare."""
    known = sorted({step.timeout for step in steps if isinstance(step.timeout, Duration)})
    if not known:
        return ""
    return str(known[0]) if len(known) == 1 else f"{known[0]} to {known[-1]}"
