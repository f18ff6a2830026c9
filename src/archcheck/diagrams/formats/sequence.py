"""A sequence diagram as SVG: participants in columns, messages downwards, frames around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from archcheck.diagrams.card_text import LABEL, SMALL, card_text
from archcheck.diagrams.formats.activations import Bar, bars
from archcheck.diagrams.formats.picture import assembled
from archcheck.diagrams.formats.primitives import DASHES, Icons, Piece, rect_svg, text_svg, tip_svg
from archcheck.diagrams.formats.svg import card_svg
from archcheck.diagrams.layout import Box
from archcheck.diagrams.look import TeamLook, Theme
from archcheck.diagrams.text_width import printable, width, wrapped
from archcheck.diagrams.view import Message, MessageFrame, Sequence, Sign

_ROW, _FRAME_ROW, _GAP, _LOOP = 30.0, 24.0, 26.0, 26.0
"""Pixels: height of a message and of a frame's head, space between cards, width of a call to
oneself. A matter of taste."""
_BAR, _SHORT = 8.0, 14.0
"""Pixels: width of an activation bar, and height of one whose end nobody says."""
_TEXT = 230.0
"""Pixels after which the text of a message begins a new line."""
_SIGNS = (
    Sign("waits for the answer", style="solid"),
    Sign("asynchronous", style="dashed"),
    Sign("answer", style="dotted"),
)


def sequence_svg(view: Sequence, *, theme: Theme = "light", look: TeamLook | None = None) -> str:
    """The whole picture."""
    look = look or TeamLook()
    icons = Icons()
    return assembled(view.heading, sequence_piece(view, icons, look), _SIGNS, icons, theme)


def sequence_piece(view: Sequence, icons: Icons, look: TeamLook) -> Piece:
    """The diagram without heading and legend."""
    return _Drawing(view, icons, look).piece()


@dataclass
class _Open:
    """A frame that has begun: where, at which depth, and where its dividers are."""

    frame: MessageFrame
    top: float
    depth: int
    dividers: list[tuple[float, str]]


class _Drawing:
    def __init__(self, view: Sequence, icons: Icons, look: TeamLook) -> None:
        self._view = view
        self._icons = icons
        self._look = look
        self._order = {card.key: index for index, card in enumerate(view.participants)}
        self._sizes = [card_text(card).size for card in view.participants]
        self._columns = self._spread()
        self._head = max((high for _, high in self._sizes), default=0.0)
        self._depth = self._deepest()

    def _deepest(self) -> int:
        depth = deepest = 0
        for event in self._view.events:
            if isinstance(event, MessageFrame):
                depth += {"start": 1, "end": -1}.get(event.what, 0)
                deepest = max(deepest, depth)
        return deepest

    def _spread(self) -> list[float]:
        """The middles of the columns: far enough apart for cards and for what is said."""
        between = [(left[0] + right[0]) / 2 + _GAP for left, right in pairwise(self._sizes)]
        for message in self._view.messages:
            start, end = self._order[message.source], self._order[message.target]
            need = min(width(_words(message), LABEL), _TEXT) + 30
            if start == end:
                if start < len(between):
                    between[start] = max(between[start], need + _LOOP)
                continue
            low, high = sorted((start, end))
            missing = need - sum(between[low:high])
            if missing > 0:
                for index in range(low, high):
                    between[index] += missing / (high - low)
        middles = [self._sizes[0][0] / 2 if self._sizes else 0.0]
        for gap in between:
            middles.append(middles[-1] + gap)
        return middles

    def piece(self) -> Piece:
        """The diagram without heading and legend."""
        indent = 8.0 * self._depth + 8
        self._columns = [middle + indent for middle in self._columns]
        right = max(
            self._columns[-1] + self._sizes[-1][0] / 2,
            *(self._reach(message) for message in self._view.messages),
            0.0,
        )
        wide = right + indent
        y, events, frames = self._head + 14, [], []
        rows: list[float] = []
        open_frames: list[_Open] = []
        for event in self._view.events:
            if isinstance(event, Message):
                lines = self._lines(event)
                y += _ROW + (len(lines) - 1) * LABEL * 1.2
                events.append(self._message(event, lines, y))
            elif event.what == "start":
                open_frames.append(_Open(event, y + 10, len(open_frames), []))
                y += _FRAME_ROW
            elif event.what == "else":
                open_frames[-1].dividers.append((y + 12, event.text))
                y += 26 if event.text else 14
            else:
                y += 12
                frames.append(_frame(open_frames.pop(), y, wide))
            rows.append(y)
        bottom = y + 18
        lines_of_life = "".join(
            f'<path class="line" stroke-width="1" stroke-dasharray="3 5" '
            f'd="M{x:.1f},{self._head:.1f}V{bottom:.1f}"/>'
            for x in self._columns
        )
        at_work = (self._bar(bar, rows) for bar in bars(self._view.events))
        body = "".join([*reversed(frames), lines_of_life, *at_work, *self._cards(), *events])
        return Piece(body, wide, bottom)

    def _bar(self, bar: Bar, rows: list[float]) -> str:
        x = self._columns[self._order[bar.participant]] - _BAR / 2 + bar.level * _BAR / 2
        top = rows[bar.first]
        high = _SHORT if bar.is_short else max(_SHORT, rows[bar.last] - top)
        box = Box(round(x, 1), round(top, 1), _BAR, round(high, 1))
        return rect_svg(box, "card", 1.5)

    def _reach(self, message: Message) -> float:
        start, end = (self._columns[self._order[key]] for key in (message.source, message.target))
        if start == end:
            return start + _LOOP + min(width(_words(message), LABEL), _TEXT) + 8
        return max(start, end)

    def _cards(self) -> Iterator[str]:
        for card, x, (wide, high) in zip(
            self._view.participants, self._columns, self._sizes, strict=True
        ):
            box = Box(round(x - wide / 2, 1), round(self._head - high, 1), wide, high)
            yield card_svg(card, box, self._icons, self._look)

    def _lines(self, message: Message) -> list[str]:
        start, end = (self._columns[self._order[key]] for key in (message.source, message.target))
        room = abs(end - start) - 24 if start != end else _TEXT
        return wrapped(_words(message), max(room, 60.0), LABEL, lines=4)

    def _message(self, message: Message, lines: list[str], y: float) -> str:
        start, end = (self._columns[self._order[key]] for key in (message.source, message.target))
        dash = DASHES[message.style]
        if start == end:
            path = f"M{start:.1f},{y - 10:.1f}h{_LOOP:g}v10h{-_LOOP + 4:g}"
            tip = tip_svg((start + 8, y), (start, y), 1.2)
            x, anchor, first = start + _LOOP + 6, "start", y - 3
        else:
            sign = 1 if end > start else -1
            start, end = start + sign * _BAR / 2, end - sign * _BAR / 2
            path = f"M{start:.1f},{y:.1f}H{end - 7 * sign:.1f}"
            tip = tip_svg((end - 8 * sign, y), (end, y), 1.2)
            x, anchor, first = (start + end) / 2, "middle", y - 5
        texts = "".join(
            f'<text class="halo" x="{x:.1f}" y="{first - (len(lines) - 1 - i) * LABEL * 1.2:.1f}" '
            f'font-size="{LABEL:g}" text-anchor="{anchor}">{escape(line)}</text>'
            for i, line in enumerate(lines)
        )
        ends = f'data-source="{escape(message.source)}" data-target="{escape(message.target)}"'
        told = f"{printable(message.source)} -> {printable(message.target)}: {_words(message)}"
        return (
            f'<g class="edge" {ends}><title>{escape(told)}</title>'
            f'<path class="line" stroke-width="1.3"{dash} d="{path}"/>{tip}{texts}</g>\n'
        )


def _words(message: Message) -> str:
    return printable(message.said)


def _frame(opened: _Open, bottom: float, wide: float) -> str:
    """A frame around messages, with its kind in the upper left corner."""
    x = 2 + 8.0 * opened.depth
    text = printable(f"{opened.frame.kind} {opened.frame.text}")
    lines = "".join(
        f'<path class="line" stroke-width="1" stroke-dasharray="4 4" '
        f'd="M{x:g},{y:.1f}H{wide - x:.1f}"/>'
        for y, _ in opened.dividers
    )
    lines += "".join(
        text_svg(printable(text), x + 8, y + 13, SMALL, "muted")
        for y, text in opened.dividers
        if text
    )
    return (
        f'<rect class="group" fill-opacity="0.55" x="{x:g}" y="{opened.top:.1f}" '
        f'width="{wide - 2 * x:.1f}" height="{bottom - opened.top:.1f}" rx="6"/>'
        f'<text class="muted" x="{x + 8:g}" y="{opened.top + 13:.1f}" font-size="{SMALL:g}" '
        f'font-weight="700">{escape(text)}</text>{lines}\n'
    )
