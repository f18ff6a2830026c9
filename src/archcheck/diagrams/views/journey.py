"""A journey: its numbered path over the containers, and the same as a sequence diagram.

The steps are followed in the order of their declaration. An operation is followed once; where it
is called again the message says at which number it stands. What messages cause comes at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from archcheck.diagrams.view import Arrow, Card, Diagram, Message, MessageFrame, Sign, Style
from archcheck.diagrams.view import Sequence as SequenceView
from archcheck.diagrams.views.parts import LINES, Canvas, spoken
from archcheck.graph import Interaction, Operation
from archcheck.graph.shapes import Shape, shape_of
from archcheck.model import (
    Consumer,
    Journey,
    ModelError,
    Named,
    Step,
)
from archcheck.model.element import nearest
from archcheck.model.steps import Group as StepGroup
from archcheck.units import Duration

_USER = "(user)"
_SHOWN_NUMBERS = 6
"""Numbers of steps on an arrow: more are wider than the gap between two cards."""


def journey_view(canvas: Canvas, name: str) -> Diagram:
    """The elements that the journey called ``name`` visits, its messages numbered on the arrows.

    Raises :class:`ModelError` for an unknown journey.
    """
    journey = journey_of(canvas, name)
    told = sequence_view(canvas, name)
    between: dict[tuple[str, str], list[Message]] = {}
    for message in told.messages:
        if message.source != message.target and message.number:
            between.setdefault((message.source, message.target), []).append(message)
    arrows = [
        Arrow(
            source,
            target,
            _numbers(messages),
            "dashed" if all(m.style == "dashed" for m in messages) else "solid",
            "\n".join(m.said for m in messages),
        )
        for (source, target), messages in between.items()
    ]
    return Diagram(
        canvas.heading(f"journey {name}", journey.description or ""),
        told.participants,
        tuple(arrows),
        canvas.boundary_groups(told.participants),
        (Sign("the order of the calls", style="solid"), LINES[1]),
    )


def sequence_view(canvas: Canvas, name: str) -> SequenceView:
    """The journey called ``name`` as a sequence. Raises :class:`ModelError` when unknown."""
    journey = journey_of(canvas, name)
    walk = _Walk(canvas, journey)
    events = tuple(walk.events())
    return SequenceView(
        canvas.heading(f"sequence of {name}", journey.description or ""),
        tuple(walk.cards.values()),
        events,
    )


def journey_of(canvas: Canvas, name: str) -> Journey:
    """The journey called ``name``. Raises :class:`ModelError` with the nearest names."""
    known = {journey.name: journey for journey in canvas.graph.system.journeys}
    if name not in known:
        system = canvas.graph.system.name
        raise ModelError(f"the system {system!r} has no journey {name!r}{nearest(name, [*known])}")
    return known[name]


def _numbers(messages: Sequence[Message]) -> str:
    numbers = [str(message.number) for message in messages]
    if len(numbers) <= _SHOWN_NUMBERS:
        return ", ".join(numbers)
    return f"{', '.join(numbers[: _SHOWN_NUMBERS - 1])} ... {numbers[-1]}"


class _Walk:
    """Follows a journey; ``cards`` collects who takes part, in the order of their first message."""

    def __init__(self, canvas: Canvas, journey: Journey) -> None:
        self._canvas = canvas
        self._graph = canvas.graph
        self._journey = journey
        self._number = 0
        self._told: dict[str, int] = {}
        self._triggered: list[tuple[Named, int]] = []
        self._depth = 0
        self._consumed: set[str] = set()
        self.cards: dict[str, Card] = {}

    def events(self) -> Iterator[Message | MessageFrame]:
        """All messages and frames, in order."""
        user = self._start()
        for entry in self._journey.all_entries():
            owner, endpoint = self._graph.system.endpoint(entry)
            self._take_part(owner)
            operation = f"{owner.name}.{endpoint.name}" if endpoint else owner.name
            words = endpoint.name if endpoint else "request"
            yield self._message(user, owner.name, words)
            if operation in self._graph.operations:
                yield from self._operation(self._graph.operations[operation])
            yield Message(owner.name, user, "answer", "dotted")
        while self._triggered:
            channel, self._depth = self._triggered.pop(0)
            yield from self._consumers(channel)

    def _start(self) -> str:
        users = self._journey.users
        if users is not None and str(users) in self._graph.system.directory.elements:
            self._take_part(self._graph.system.find(str(users)))
            return str(users)
        self.cards[_USER] = Card(_USER, "user", "not declared", shape="person")
        return _USER

    def _take_part(self, member: Named) -> None:
        card = self._canvas.card(member, group=self._canvas.group_of(member))
        self.cards.setdefault(member.name, card)

    def _message(
        self,
        source: str,
        target: str,
        text: str,
        notes: Sequence[str] = (),
        *,
        again: int = 0,
        later: bool = False,
    ) -> Message:
        self._number += 1
        style: Style = "dashed" if later else "solid"
        return Message(source, target, text, style, self._number, tuple(notes), self._depth, again)

    def _operation(self, operation: Operation) -> Iterator[Message | MessageFrame]:
        self._told[operation.name] = self._number
        self._depth += 1
        yield from self._steps(operation.part.steps, self._graph.leaving(operation.name))
        self._depth -= 1

    def _steps(
        self, steps: Sequence[Step], known: dict[int, Interaction]
    ) -> Iterator[Message | MessageFrame]:
        for step in steps:
            if isinstance(step, StepGroup):
                yield from self._group(shape_of(self._graph.system, step), known)
            elif id(step) in known:
                yield from self._interaction(known[id(step)])

    def _group(
        self, shape: Shape, known: dict[int, Interaction]
    ) -> Iterator[Message | MessageFrame]:
        if shape.lookup is not None:
            yield self._exchange(known[id(shape.lookup)])
        branches = [[*self._steps(sequence, known)] for sequence in shape.sequences]
        told = [branch for branch in branches if branch]
        frame = _frame(shape)
        if frame is None or not told:
            yield from (part for branch in told for part in branch)
            return
        for index, branch in enumerate(told):
            yield self._at_depth(MessageFrame("else") if index else frame)
            yield from branch
        yield self._at_depth(MessageFrame("end"))

    def _at_depth(self, frame: MessageFrame) -> MessageFrame:
        return replace(frame, depth=self._depth)

    def _interaction(self, step: Interaction) -> Iterator[Message | MessageFrame]:
        """A step; where another one is asked when it fails, both as alternatives."""
        if step.fallback is None:
            yield from self._asked(step)
            return
        yield self._at_depth(MessageFrame("start", "alt"))
        yield from self._asked(step)
        yield self._at_depth(MessageFrame("else", text="when it fails"))
        yield from self._asked(step.fallback)
        yield self._at_depth(MessageFrame("end"))

    def _asked(self, step: Interaction) -> Iterator[Message | MessageFrame]:
        again = self._told.get(step.target_name, 0) if step.mode == "call" else 0
        yield self._exchange(step, again)
        if step.mode == "publish":
            self._triggered.append((step.target, self._depth))
        elif step.mode == "call":
            operation = self._graph.operations.get(step.target_name)
            if operation is not None and not again:
                yield from self._operation(operation)
            yield Message(step.target.name, step.source.name, "answer", "dotted", depth=self._depth)

    def _exchange(self, step: Interaction, again: int = 0) -> Message:
        self._take_part(step.target)
        words = step.endpoint.name if step.endpoint else spoken(step)
        notes = [f"within {step.timeout}"] if isinstance(step.timeout, Duration) else []
        notes += ["optional"] if step.optional and step.mode != "cache" else []
        is_later = step.mode == "publish"
        return self._message(
            step.source.name, step.target.name, words or "request", notes,
            again=again, later=is_later,
        )  # fmt: skip

    def _consumers(self, channel: Named) -> Iterator[Message | MessageFrame]:
        for name in self._graph.consumers.get(channel.name, ()):
            operation = self._graph.operations[name]
            if name in self._consumed or not isinstance(operation.part, Consumer):
                continue
            self._consumed.add(name)
            self._take_part(operation.owner)
            yield self._message(channel.name, operation.owner.name, operation.part.name, later=True)
            yield from self._operation(operation)


def _frame(shape: Shape) -> MessageFrame | None:
    """The combined fragment of UML around the steps of a group."""
    if shape.is_parallel:
        return MessageFrame("start", "par")
    if shape.flag is not None:
        name, is_on = shape.flag
        return MessageFrame("start", "opt", f"flag {name} is {'on' if is_on else 'off'}")
    if shape.lookup is not None:
        known = f", {shape.share:.3g} of the lookups" if shape.is_share_known else ""
        return MessageFrame("start", "opt", f"on a miss{known}")
    if shape.times > 1:
        item = " (grows with the data)" if shape.grows else ""
        return MessageFrame("start", "loop", f"{shape.times} times{item}")
    if shape.share < 1:
        return MessageFrame("start", "opt", f"{shape.share:.3g} of the requests")
    return None
