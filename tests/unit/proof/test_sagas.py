"""Sagas against an exploration of all schedules that is written another way."""

from __future__ import annotations

import itertools
import random

import pytest
from depth import examples
from hypothesis import given
from hypothesis import strategies as st

from archcheck import Call, Endpoint, MySQL, Parallel, Read, Saga, SagaStep, Service, Step, System
from archcheck.graph import Graph
from archcheck.proof import Proved, Refuted, SagaSchedule, Undecided, sagas
from archcheck.proof.sagas import Bound, SagaParticipant, SagaProtocol, explore
from archcheck.units import s

PARTICIPANTS = st.builds(
    lambda number, undo, first, second, guarded, again: SagaParticipant(
        f"do{number}", f"undo{number}" if undo else None, first, second, guarded, again
    ),
    st.integers(0, 9),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


class World:
    """One schedule, step by step, with plain mutable state; what happens is chosen from outside."""

    def __init__(self, parts: tuple[SagaParticipant, ...], pivot: int, bound: Bound) -> None:
        self.parts, self.pivot = parts, pivot
        self.lost, self.twice, self.early = bound.lost, bound.twice, bound.early
        self.box = [("do", 0)]
        self.going, self.at = "forward", 0
        self.seen, self.no, self.undone = set[int](), set[int](), set[int]()
        self.effect = [0] * len(parts)

    def key(self) -> object:
        return (
            tuple(sorted(self.box)),
            (self.going, self.at, self.lost, self.twice, self.early),
            (frozenset(self.seen), frozenset(self.no), frozenset(self.undone)),
            tuple(self.effect),
        )

    def copy(self) -> World:
        other = object.__new__(World)
        other.__dict__ = {
            name: value.copy() if isinstance(value, list | set) else value
            for name, value in self.__dict__.items()
        }
        return other

    def choices(self) -> list[tuple[str, tuple[str, int], str]]:
        found = []
        for message in sorted(set(self.box)):
            kind, n = message
            fresh = kind == "do" and n not in self.seen
            if kind == "do" and n in self.no and self.parts[n].action_idempotent:
                found.append(("take", message, "no"))
            else:
                found.append(("take", message, "yes"))
                void = n in self.undone and self.parts[n].guarded
                if fresh and not void and not self.parts[n].retriable:
                    found.append(("take", message, "no"))
            if self.lost:
                found.append(("lose", message, ""))
            if self.twice and kind in ("do", "undo"):
                found.append(("copy", message, ""))
        if self.going in ("forward", "back"):
            coming = any(n == self.at for _, n in self.box)
            if not coming or self.early:
                found += [("wait", ("", self.at), how) for how in self.after_waiting()]
        return found

    def after_waiting(self) -> list[str]:
        if self.going == "back":
            return ["again"]
        part, later = self.parts[self.at], self.at > self.pivot
        again = part.action_idempotent or part.retriable or later
        back = not later and (part.compensation is not None or not again)
        return ["again"] * again + ["back"] * back

    def do(self, choice: tuple[str, tuple[str, int], str]) -> None:
        what, message, how = choice
        if what == "wait":
            if any(n == self.at for _, n in self.box):
                self.early -= 1
            if how == "back":
                self.go_back(self.at)
            else:
                self.box.append(("undo" if self.going == "back" else "do", self.at))
        elif what == "lose":
            self.box.remove(message)
            self.lost -= 1
        elif what == "copy":
            self.box.append(message)
            self.twice -= 1
        else:
            self.box.remove(message)
            self.take(message, how)

    def take(self, message: tuple[str, int], how: str) -> None:
        kind, n = message
        part = self.parts[n]
        if kind == "do":
            if n in self.undone and part.guarded and n not in self.seen:
                return
            if n in self.seen and part.action_idempotent:
                self.box.append(("done", n))
            elif how == "no":
                self.no.add(n)
                self.box.append(("refused", n))
            else:
                self.seen.add(n)
                self.effect[n] += 1
                self.box.append(("done", n))
        elif kind == "undo":
            if not part.compensation_idempotent:
                self.effect[n] -= 1
            elif n in self.seen and n not in self.undone:
                self.effect[n] = 0
            self.undone.add(n)
            self.box.append(("undone", n))
        else:
            self.learn(kind, n)

    def learn(self, kind: str, n: int) -> None:
        if n == self.at and (kind, self.going) == ("done", "forward"):
            self.at += 1
            if self.at == len(self.parts):
                self.at, self.going = n, "committed"
            else:
                self.box.append(("do", self.at))
        elif n == self.at and (kind, self.going) in (("refused", "forward"), ("undone", "back")):
            self.go_back(n - 1)

    def go_back(self, n: int) -> None:
        while n >= 0 and self.parts[n].compensation is None:
            n -= 1
        if n < 0:
            self.going = "aborted"
        else:
            self.going, self.at = "back", n
            self.box.append(("undo", n))

    def is_broken(self) -> bool:
        if any(effect not in (0, 1) for effect in self.effect):
            return True
        ended = not self.box and self.going in ("committed", "aborted")
        return ended and any(e != (self.going == "committed") for e in self.effect)


def can_break(parts: tuple[SagaParticipant, ...], pivot: int, bound: Bound) -> bool:
    """All schedules, depth first."""
    waiting, seen = [World(parts, pivot, bound)], set[object]()
    while waiting:
        world = waiting.pop()
        if world.key() in seen:
            continue
        seen.add(world.key())
        if world.is_broken():
            return True
        for choice in world.choices():
            following = world.copy()
            following.do(choice)
            waiting.append(following)
    return False


@examples(150)
@given(
    st.lists(PARTICIPANTS, min_size=1, max_size=3),
    st.integers(0, 2),
    st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 1)),
)
def test_a_saga_breaks_in_some_schedule_or_in_none(
    parts: list[SagaParticipant], pivot: int, bound: tuple[int, int, int]
) -> None:
    chosen = tuple(parts), min(pivot, len(parts) - 1)
    found = explore(SagaProtocol(*chosen), Bound(*bound))
    assert (found is not None) == can_break(*chosen, Bound(*bound))


@examples(60)
@given(st.lists(PARTICIPANTS, min_size=1, max_size=3), st.integers(0, 2))
def test_the_schedule_that_is_shown_happens(parts: list[SagaParticipant], pivot: int) -> None:
    """Followed event by event, it ends in the state that is called broken."""
    protocol = SagaProtocol(tuple(parts), min(pivot, len(parts) - 1))
    found = explore(protocol, Bound())
    if found is None:
        return
    events, wrong = found
    states = [protocol.start(Bound())]
    for event in events:
        states = [
            after for state in states for name, after in protocol.moves(state) if name == event
        ]
    assert wrong in {protocol.broken(state) for state in states}


def test_random_schedules_of_a_proved_saga_end_well() -> None:
    parts = (
        SagaParticipant("reserve", "release"),
        SagaParticipant("charge"),
        SagaParticipant("confirm", retriable=True),
    )
    assert explore(SagaProtocol(parts, 1), Bound(2, 2, 2)) is None
    for seed in range(200):
        chance = random.Random(seed)
        world = World(parts, 1, Bound(2, 2, 2))
        for _ in itertools.count():
            choices = world.choices()
            if not choices:
                break
            world.do(chance.choice(choices))
            assert not world.is_broken()


def test_a_bound_is_part_of_the_claim() -> None:
    parts = (SagaParticipant("charge", action_idempotent=False),)
    assert explore(SagaProtocol(parts, 0), Bound(0, 0, 0)) is None
    events, wrong = explore(SagaProtocol(parts, 0), Bound(0, 1, 0)) or ((), "")
    assert wrong == "charge has taken effect twice"
    assert events == ("the request charge is sent twice", "charge is done", "charge is done")


@pytest.mark.parametrize(
    ("idempotent", "guarded", "kind"),
    [
        (True, True, Proved),
        (False, True, Refuted),
        (None, True, Undecided),
        (True, None, Undecided),
    ],
)
def test_what_a_model_says_of_its_saga(
    idempotent: bool | None, guarded: bool | None, kind: type
) -> None:
    steps = [
        SagaStep("b.do", compensation="b.undo", guarded=guarded),
        SagaStep("b.end", pivot=True),
    ]
    names = ("do", "undo", "end")
    system = System(
        "made",
        [
            Service("a", endpoints=[Endpoint("run", atomicity=Saga(steps))]),
            Service("b", endpoints=[Endpoint(name, idempotent=idempotent) for name in names]),
        ],
    )
    (answer,) = sagas(Graph(system))
    assert isinstance(answer, kind)
    if isinstance(answer, Refuted):
        assert isinstance(answer.counterexample, SagaSchedule)
        assert answer.counterexample.events


@pytest.mark.parametrize(
    ("retriable", "kind"), [(True, Proved), (False, Refuted), (None, Undecided)]
)
def test_a_step_after_the_pivot_can_refuse(retriable: bool | None, kind: type) -> None:
    """What is past the point of no return has no way back."""
    steps = [
        SagaStep("b.do", compensation="b.undo", guarded=True),
        SagaStep("b.charge", pivot=True),
        SagaStep("b.end", retriable=retriable),
    ]
    names = ("do", "undo", "charge", "end")
    system = System(
        "made",
        [
            Service("a", endpoints=[Endpoint("run", atomicity=Saga(steps))]),
            Service("b", endpoints=[Endpoint(name, idempotent=True) for name in names]),
        ],
    )
    (answer,) = sagas(Graph(system))
    assert isinstance(answer, kind)
    if isinstance(answer, Refuted):
        assert "the coordinator learns that b.end is refused and goes back" in str(answer)
        assert "retriable=True" in answer.fix
    if isinstance(answer, Undecided):
        assert [gap.attribute for gap in answer.gaps] == ["atomicity.steps[b.end].retriable"]


CALLS = {name: Call(f"b.{name}", timeout=1 * s) for name in ("do", "end")}


@pytest.mark.parametrize(
    ("steps", "kind"),
    [
        ([], Proved),
        ([CALLS["do"], CALLS["end"]], Proved),
        ([Parallel([CALLS["do"], Read("db")]), CALLS["end"]], Proved),
        ([CALLS["end"], CALLS["do"]], Undecided),
        ([CALLS["do"]], Undecided),
        ([Parallel([CALLS["do"], CALLS["end"]])], Undecided),
    ],
)
def test_who_asks_the_steps_of_its_saga_itself_keeps_to_its_order(
    steps: list[Step], kind: type
) -> None:
    """Who takes the pivot first, and then is refused, has half of it."""
    saga = Saga(
        [
            SagaStep("b.do", compensation="b.undo", guarded=True),
            SagaStep("b.end", pivot=True),
            SagaStep("a.tell", retriable=True),
        ]
    )
    run = Endpoint("run", atomicity=saga, steps=steps)
    system = System(
        "made",
        [
            MySQL("db"),
            Service("a", endpoints=[run, Endpoint("tell", idempotent=True)]),
            Service("b", endpoints=[Endpoint(n, idempotent=True) for n in ("do", "undo", "end")]),
        ],
    )
    (answer,) = sagas(Graph(system))
    assert isinstance(answer, kind)
