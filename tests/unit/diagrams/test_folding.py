"""Long sequences: folded by repetition and depth, numbered without gaps, nothing uncounted."""

from __future__ import annotations

import pytest
from depth import examples
from drawings import SYSTEMS, drawing
from hypothesis import given
from marketplace import marketplace
from strategies import systems

from archcheck import Call, Endpoint, Fallback, Journey, MySQL, Parallel, Read, Service, System
from archcheck.diagrams import Sequence, canvas_of, view_of
from archcheck.diagrams.folding import MOST_MESSAGES, MOST_PARTICIPANTS, folded
from archcheck.diagrams.formats.activations import bars
from archcheck.diagrams.view import Message, MessageFrame
from archcheck.units import ms


def sequence(system: System, journey: str = "visit") -> Sequence:
    found = view_of(canvas_of(system), "sequence", journey)
    assert isinstance(found, Sequence)
    return found


def chain(depth: int, reads: int = 1, wide: int = 1) -> System:
    """``depth`` services one below the other, each reads; the first one calls ``wide`` of them."""
    services = []
    for number in range(depth):
        steps = [Read("db") for _ in range(reads)]
        below = [Call(f"s{number + 1}.go", timeout=10 * ms)] if number + 1 < depth else []
        services.append(Service(f"s{number}", endpoints=[Endpoint("go", steps=[*below, *steps])]))
    calls = [Call(f"w{number}.go") for number in range(wide)]
    others = [Service(f"w{number}", endpoints=[Endpoint("go")]) for number in range(wide)]
    front = Service("front", endpoints=[Endpoint("go", steps=[Call("s0.go"), *calls])])
    return System(
        "chain", [front, *services, *others, MySQL("db")], journeys=[Journey("visit", "front.go")]
    )


def checked(found: Sequence, whole: Sequence) -> None:
    numbers = [m.number for m in found.messages if m.number]
    assert numbers == [*range(1, len(numbers) + 1)]
    assert all(0 <= m.again < m.number for m in found.messages if m.number)
    keys = {card.key for card in found.participants}
    assert keys == {key for m in found.messages for key in (m.source, m.target)}
    assert [c for c in whole.participants if c.key in keys] == [*found.participants]
    depth = 0
    before: MessageFrame | Message | None = None
    for event in found.events:
        if isinstance(event, MessageFrame):
            depth += {"start": 1, "end": -1}.get(event.what, 0)
            is_empty = isinstance(before, MessageFrame) and before.what in ("start", "else")
            assert not (is_empty and event.what in ("else", "end"))
        assert depth >= 0
        before = event
    assert depth == 0


@pytest.mark.parametrize("system", SYSTEMS)
def test_real_journeys_fit_and_show_participants_not_boundaries(system: str) -> None:
    whole = drawing(system, "sequence")
    assert isinstance(whole, Sequence)
    found = folded(whole)
    checked(found, whole)
    assert len(found.participants) <= MOST_PARTICIPANTS
    assert sum(m.number > 0 for m in found.messages) <= MOST_MESSAGES
    assert not any(card.shape == "group" for card in found.participants)
    if len(found.messages) < len(whole.messages):
        left = sum(m.number > 0 for m in whole.messages) - sum(m.number > 0 for m in found.messages)
        assert f"{left} messages" in found.heading.subtitle


@examples(60)
@given(systems())
def test_every_journey_can_be_folded(system: System) -> None:
    for journey in system.journeys:
        whole = sequence(system, journey.name)
        checked(folded(whole), whole)


def test_a_short_sequence_stays_as_it_is() -> None:
    whole = sequence(chain(3))
    assert folded(whole) == whole


def test_what_is_said_in_a_row_is_said_once() -> None:
    found = folded(sequence(chain(1, reads=5)))
    reads = [m for m in found.messages if m.target == "db"]
    assert [m.said for m in reads] == ["3. read (5 times)"]
    assert "4 messages folded" in found.heading.subtitle


def test_the_deepest_calls_are_folded_first_and_counted_above() -> None:
    found = folded(sequence(chain(30)))
    checked(found, sequence(chain(30)))
    assert len(found.participants) == MOST_PARTICIPANTS
    deepest = max(found.messages, key=lambda m: m.depth)
    assert deepest.hidden > 10
    assert f"{deepest.hidden} more below" in deepest.said
    names = [card.key for card in found.participants]
    assert names[:4] == ["(user)", "front", "s0", "s1"]
    assert "s29" not in names


def test_more_calls_than_fit_are_named_in_one_line_before_the_answer() -> None:
    found = folded(sequence(chain(1, reads=0, wide=40)))
    assert len(found.participants) == MOST_PARTICIPANTS
    *_, rest, answer = found.messages
    assert rest.source == rest.target == "front"
    assert rest.text.startswith("27 more messages: w13, w14,")
    assert rest.text.endswith("and 21 more")
    assert (answer.source, answer.target) == ("front", "(user)")


def test_a_fallback_is_an_alternative() -> None:
    steps = [Call("a.go", fallback=Fallback("call", target="b.go"))]
    system = System(
        "two",
        [
            Service("front", endpoints=[Endpoint("go", steps=steps)]),
            Service("a", endpoints=[Endpoint("go")]),
            Service("b", endpoints=[Endpoint("go")]),
        ],
        journeys=[Journey("visit", "front.go")],
    )
    events = sequence(system).events
    told = [(e.what, e.kind, e.text) if isinstance(e, MessageFrame) else e.target for e in events]
    assert told == [
        "front", ("start", "alt", ""), "a", "front", ("else", "", "when it fails"), "b", "front",
        ("end", "", ""), "(user)",
    ]  # fmt: skip


def test_a_bar_lasts_from_a_call_to_its_answer() -> None:
    steps = [Parallel([Call("a.go"), Call("b.go")]), Read("db")]
    system = System(
        "bars",
        [
            Service("front", endpoints=[Endpoint("go", steps=steps)]),
            Service("a", endpoints=[Endpoint("go", steps=[Call("b.go")])]),
            Service("b", endpoints=[Endpoint("go")]),
            MySQL("db"),
        ],
        journeys=[Journey("visit", "front.go")],
    )
    events = sequence(system).events
    found = bars(events)
    assert len(found) == 5
    for bar in found:
        begun = events[bar.first]
        assert isinstance(begun, Message)
        if begun.target == "db":
            assert bar.is_short
            continue
        ended = events[bar.last]
        assert isinstance(ended, Message)
        assert (ended.source, ended.target) == (begun.target, begun.source)
    assert (found[0].participant, found[0].first, found[0].last) == ("front", 0, len(events) - 1)


def test_a_consumer_is_at_work_until_the_next_message_is_taken() -> None:
    told = sequence(marketplace(7), "checkout")
    by_first = {bar.first: bar for bar in bars(told.events)}
    taken = [
        (index, event)
        for index, event in enumerate(told.events)
        if isinstance(event, Message) and event.source == "orders-events"
    ]
    ((index, event),) = taken
    assert event.target == "orders-jobs"
    last = told.events[by_first[index].last]
    assert isinstance(last, Message)
    assert (last.source, last.target) == ("orders-jobs", "orders-archive")
