"""Activation bars of a sequence: from a message to its answer, or to the end of its work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archcheck.diagrams.view import Message, MessageFrame


@dataclass(frozen=True)
class Bar:
    """A participant is at work from one event to another, both counted from zero.

    ``level``: how many bars of the same participant are open before it; ``is_short``: nobody says
    when the work ends, as of a query or of a message that is put down.
    """

    participant: str
    first: int
    last: int
    level: int
    is_short: bool


def bars(events: Sequence[Message | MessageFrame]) -> list[Bar]:
    """The bars of all messages that somebody takes, in the order of their beginning."""
    ends = _ends(events)
    found: list[Bar] = []
    for index, event in enumerate(events):
        if not isinstance(event, Message) or not event.number:
            continue
        last = ends.get(index, index)
        open_ = [
            bar for bar in found if bar.participant == event.target and bar.first < index < bar.last
        ]
        found.append(Bar(event.target, index, last, len(open_), last == index))
    return found


def _ends(events: Sequence[Message | MessageFrame]) -> dict[int, int]:
    """Message to the event that ends its work: its answer, or the last one below it."""
    found: dict[int, int] = {}
    waiting: list[tuple[int, Message]] = []
    for index, event in enumerate(events):
        if not isinstance(event, Message):
            continue
        if event.style == "dotted":
            ends = (event.target, event.source)
            asked = [each for each in waiting if (each[1].source, each[1].target) == ends]
            if asked:
                found[asked[-1][0]] = index
                waiting = waiting[: waiting.index(asked[-1])]
        elif event.style == "solid":
            waiting.append((index, event))
        else:
            found |= _below(events, index, event)
    return found


def _below(events: Sequence[Message | MessageFrame], index: int, begun: Message) -> dict[int, int]:
    """What a message makes its reader do goes on until the next one that is as high."""
    last = index
    for place in range(index + 1, len(events)):
        event = events[place]
        if isinstance(event, Message):
            if event.depth <= begun.depth or (event.source != begun.target and last == index):
                break
            last = place
    return {index: last} if last > index else {}
