"""Folding: a long sequence in fewer messages, with all that is left out counted.

What is said several times in a row is said once. Then calls are folded from the deepest upwards,
until no more participants and messages are left than fit on a screen. Where even the calls of the
first operation are too many, the last of them are named in one line. Participants are always who
takes part, never a boundary; numbers have no gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from archcheck.diagrams.view import Message, MessageFrame
from archcheck.diagrams.view import Sequence as SequenceView

MOST_PARTICIPANTS = 16
"""More participants make a sequence wider than a screen at a size that can be read. A choice."""
MOST_MESSAGES = 60
"""More messages, answers not counted, are longer than anybody reads at once. A choice."""
_NAMED = 6
"""Names in the line that stands for calls that are left out. A choice."""

_Event = Message | MessageFrame


def folded(view: SequenceView) -> SequenceView:
    """The sequence as it can be read; itself where it is short."""
    events = _said_once(view.events)
    depths = sorted({m.depth for m in events if isinstance(m, Message)}, reverse=True)
    for depth in (each for each in depths if each >= 1):
        kept = _down_to(events, depth)
        if _fits(kept):
            return _told(view, kept)
    kept = _down_to(events, 1)
    return _told(view, kept if _fits(kept) else _narrowed(kept))


def _fits(events: Iterable[_Event]) -> bool:
    messages = [event for event in events if isinstance(event, Message)]
    takes_part = {key for m in messages for key in (m.source, m.target)}
    return (
        len(takes_part) <= MOST_PARTICIPANTS
        and sum(m.number > 0 for m in messages) <= MOST_MESSAGES
    )


def _told(view: SequenceView, events: Sequence[_Event]) -> SequenceView:
    """With numbers without gaps, those who are left, and a heading that counts what is not."""
    numbers = {
        old: new
        for new, old in enumerate(
            (m.number for m in events if isinstance(m, Message) and m.number), start=1
        )
    }
    counted = tuple(
        replace(m, number=numbers.get(m.number, 0), again=numbers.get(m.again, 0))
        if isinstance(m, Message)
        else m
        for m in _closed(events)
    )
    takes_part = {k for m in counted if isinstance(m, Message) for k in (m.source, m.target)}
    cards = tuple(card for card in view.participants if card.key in takes_part)
    left = [
        _count(sum(m.number > 0 for m in view.messages) - len(numbers), "message"),
        _count(len(view.participants) - len(cards), "participant"),
    ]
    heading = view.heading
    if any(left):
        said = f"{' and '.join(each for each in left if each)} folded"
        words = (heading.subtitle.rstrip("."), said)
        heading = replace(heading, subtitle="; ".join(each for each in words if each))
    return SequenceView(heading, cards, counted)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}" if number else ""


# -- repetition -----------------------------------------------------------------------------------


def _said_once(events: Sequence[_Event]) -> list[_Event]:
    """Equal exchanges in a row as one, with how often; the first one in full is left alone."""
    found: list[_Event] = []
    for exchange in _exchanges(events):
        size = len(exchange)
        before = found[-size:]
        first = before[0] if len(before) == size else None
        message = exchange[0]
        if (
            isinstance(first, Message)
            and isinstance(message, Message)
            and message.number
            and _same(first, message)
            and [*map(_bare, before[1:])] == [*map(_bare, exchange[1:])]
        ):
            found[-size] = replace(first, times=first.times + 1)
        else:
            found += exchange
    return found


def _exchanges(events: Sequence[_Event]) -> Iterator[list[_Event]]:
    """Each message with the answer that follows it at once; all else by itself."""
    waiting: list[_Event] = []
    for event in events:
        if waiting and not (isinstance(event, Message) and _answers(event, waiting[0])):
            yield waiting
            waiting = []
        waiting.append(event)
        if not isinstance(event, Message) or event.style == "dotted":
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _answers(event: Message, asked: _Event) -> bool:
    is_back = isinstance(asked, Message) and (event.source, event.target) == (
        asked.target,
        asked.source,
    )
    return event.style == "dotted" and is_back


def _same(one: Message, other: Message) -> bool:
    return _bare(one) == _bare(other)


def _bare(event: _Event) -> _Event:
    return replace(event, number=0, times=1) if isinstance(event, Message) else event


# -- depth and width ------------------------------------------------------------------------------


def _down_to(events: Sequence[_Event], depth: int) -> list[_Event]:
    """Without what is deeper; the messages above count what is below them."""
    found: list[_Event] = []
    above = -1
    for event in events:
        if event.depth <= depth:
            if isinstance(event, Message) and event.number:
                above = len(found)
            found.append(event)
        elif isinstance(event, Message) and event.number and above >= 0:
            whole = found[above]
            assert isinstance(whole, Message)  # noqa: S101  # above is only set at messages
            found[above] = replace(whole, hidden=whole.hidden + event.times)
    return [*_closed(found)]


def _narrowed(events: Sequence[_Event]) -> list[_Event]:
    """The first participants and messages; of the rest, one line that names some."""
    kept: dict[str, None] = {}
    found: list[_Event] = []
    left: list[Message] = []
    numbered = 0
    for event in events:
        if isinstance(event, MessageFrame):
            found.append(event)
            continue
        ends = {event.source, event.target} - kept.keys()
        fits = len(kept) + len(ends) <= MOST_PARTICIPANTS and numbered < MOST_MESSAGES
        if event.number and not fits:
            left.append(event)
        elif not ends:
            if event.depth == 0:  # the answer that ends the journey
                found += _rest(left, kept)
                left = []
            found.append(event)
        elif event.number:
            kept |= dict.fromkeys((event.source, event.target))
            found.append(event)
        numbered += event.number > 0 and fits
    return [*_closed([*found, *_rest(left, kept)])]


def _rest(left: Sequence[Message], kept: Iterable[str]) -> Iterator[Message]:
    asking = [message.source for message in left if message.source in kept]
    if asking:
        names = [*dict.fromkeys(message.target for message in left)]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        said = f"{_count(len(left), 'more message')}: {', '.join(names[:_NAMED])}{more}"
        yield Message(asking[0], asking[0], said, depth=1)


def _closed(events: Iterable[_Event]) -> Iterator[_Event]:
    """Without frames, and branches of frames, in which nothing is left."""
    found: list[_Event] = []
    for event in events:
        _add(found, event)
    yield from found


def _add(events: list[_Event], event: _Event) -> None:
    last = events[-1] if events else None
    if isinstance(event, MessageFrame) and event.what == "end":
        while isinstance(last, MessageFrame) and last.what == "else":
            events.pop()
            last = events[-1] if events else None
        if isinstance(last, MessageFrame) and last.what == "start":
            events.pop()
            return
    is_first = isinstance(last, MessageFrame) and last.what in ("start", "else")
    if isinstance(event, MessageFrame) and event.what == "else" and is_first:
        return
    events.append(event)
