"""The protocol of a saga, with messages that are lost, delivered twice and overtaken.

A coordinator that never forgets (its state is stored) asks one step after the other and waits for
the answer. A participant does what it is asked, or refuses, unless its step is retriable. Every
message can be late without a limit and overtake others; a bounded number is lost, delivered twice,
or given up on too early. Without an answer the coordinator asks again where the step may be
repeated, or goes back where it still can; after a refusal, too. Going back, it asks for the
compensation of each step that may have happened, last one first, until that is confirmed; after the
pivot it asks until the step is done. A step that refuses there leaves the pivot in effect.

Looked for, among all schedules up to the bound, is one in which a step takes effect twice, is
undone more often than done, or in which the end is neither all nor nothing. All states are visited
breadth first, so the schedule that is shown is a shortest one. An idempotent endpoint that is asked
again changes nothing and gives the same answer; a *guarded* step knows that it was undone before it
was done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.idempotence import is_idempotent
from archcheck.model import Saga, SagaStep
from archcheck.proof.answers import (
    Answer,
    Counterexample,
    Gap,
    Proved,
    Refuted,
    Undecided,
    missing,
)
from archcheck.proof.budget import left

Kind: TypeAlias = Literal["do", "undo", "done", "refused", "undone"]
Message: TypeAlias = tuple[Kind, int]
_MAX_STATES = 100_000
"""States after which a saga is undecided. A choice that bounds memory and time."""


@dataclass(frozen=True)
class Bound:
    """How many messages are lost, how many come twice, how often is given up too early."""

    lost: int = 1
    twice: int = 1
    early: int = 1


@dataclass(frozen=True)
class SagaParticipant:
    """A step of a saga as the protocol sees it."""

    action: str
    compensation: str | None = None
    action_idempotent: bool = True
    compensation_idempotent: bool = True
    guarded: bool = True
    retriable: bool = False


@dataclass(frozen=True)
class _Step:
    """What a participant knows and has done."""

    seen: bool = False
    refused: bool = False
    undone: bool = False
    effect: int = 0


@dataclass(frozen=True)
class _State:
    """Everything that decides what can happen next."""

    phase: Literal["forward", "back", "committed", "aborted"]
    at: int
    steps: tuple[_Step, ...]
    network: tuple[Message, ...]
    bound: Bound


_Move: TypeAlias = tuple[str, _State]


@dataclass(frozen=True)
class SagaSchedule(Counterexample):
    """A sequence of events that breaks a saga."""

    events: tuple[str, ...] = ()


class SagaProtocol:
    """All that can happen in one saga; ``pivot`` is the number of its point of no return."""

    def __init__(self, participants: tuple[SagaParticipant, ...], pivot: int) -> None:
        self.participants = participants
        self.pivot = pivot

    def start(self, bound: Bound) -> _State:
        """The first step has been asked for."""
        return _State("forward", 0, (_Step(),) * len(self.participants), (("do", 0),), bound)

    def moves(self, state: _State) -> Iterator[_Move]:
        """Everything that can happen next."""
        for message in dict.fromkeys(state.network):
            rest = _without(state.network, message)
            yield from self._delivered(replace(state, network=rest), message)
            if state.bound.lost:
                fewer = replace(state.bound, lost=state.bound.lost - 1)
                lost = replace(state, network=rest, bound=fewer)
                yield f"{self._name(message)} is lost", lost
            if state.bound.twice and message[0] in ("do", "undo"):
                fewer = replace(state.bound, twice=state.bound.twice - 1)
                twice = replace(state, network=_with(state.network, message), bound=fewer)
                yield f"{self._name(message)} is sent twice", twice
        yield from self._impatient(state)

    def broken(self, state: _State) -> str:
        """What is wrong with a state; nothing while it may still turn out well."""
        for part, step in zip(self.participants, state.steps, strict=True):
            if step.effect > 1:
                return f"{part.action} has taken effect twice"
            if step.effect < 0:
                return f"{part.compensation} has undone more than was done"
        if state.network or state.phase not in ("committed", "aborted"):
            return ""
        wanted = 1 if state.phase == "committed" else 0
        for part, step in zip(self.participants, state.steps, strict=True):
            if step.effect != wanted:
                if wanted:
                    return f"the saga has ended well, and {part.action} has no effect"
                return f"the saga has gone back, and {part.action} is still in effect"
        return ""

    def _name(self, message: Message) -> str:
        kind, number = message
        part = self.participants[number]
        match kind:
            case "do":
                return f"the request {part.action}"
            case "undo":
                return f"the request {part.compensation}"
            case "undone":
                return f"the answer of {part.compensation}"
            case _:
                return f"the answer of {part.action}"

    # -- participants -------------------------------------------------------------------------

    def _delivered(self, state: _State, message: Message) -> Iterator[_Move]:
        kind, number = message
        part, step = self.participants[number], state.steps[number]
        match kind:
            case "do" if step.undone and part.guarded and not step.seen:
                yield f"{part.action} arrives after {part.compensation} and is void", state
            case "do" if step.seen and part.action_idempotent:
                event = f"{part.action} arrives again and changes nothing"
                yield event, _sent(state, ("done", number))
            case "do" if step.refused and part.action_idempotent:
                yield f"{part.action} is refused again", _sent(state, ("refused", number))
            case "do":
                done = replace(step, seen=True, effect=step.effect + 1)
                yield f"{part.action} is done", _sent(_put(state, number, done), ("done", number))
                if not step.seen and not part.retriable:
                    refused = _put(state, number, replace(step, refused=True))
                    yield f"{part.action} is refused", _sent(refused, ("refused", number))
            case "undo":
                yield self._undone(state, number)
            case _:
                yield from self._answered(state, kind, number)

    def _undone(self, state: _State, number: int) -> _Move:
        part, step = self.participants[number], state.steps[number]
        if part.compensation_idempotent:
            effect = 0 if step.seen and not step.undone else step.effect
            event = f"{part.compensation} is done"
            if step.undone or not step.seen:
                event = f"{part.compensation} arrives and has nothing to undo"
        else:
            effect, event = step.effect - 1, f"{part.compensation} is done"
        after = replace(step, undone=True, effect=effect)
        return event, _sent(_put(state, number, after), ("undone", number))

    # -- the coordinator ----------------------------------------------------------------------

    def _answered(self, state: _State, kind: Kind, number: int) -> Iterator[_Move]:
        part = self.participants[number]
        waits = state.at == number
        match kind:
            case "done" if waits and state.phase == "forward":
                yield f"the coordinator learns that {part.action} is done", self._next(state)
            case "refused" if waits and state.phase == "forward":
                event = f"the coordinator learns that {part.action} is refused and goes back"
                yield event, self._back(state, number - 1)
            case "undone" if waits and state.phase == "back":
                event = f"the coordinator learns that {part.compensation} is done"
                yield event, self._back(state, number - 1)
            case _:
                yield f"a late answer of {part.action} is ignored", state

    def _next(self, state: _State) -> _State:
        if state.at + 1 == len(self.participants):
            return replace(state, phase="committed")
        return _sent(replace(state, at=state.at + 1), ("do", state.at + 1))

    def _back(self, state: _State, number: int) -> _State:
        """Ask for the compensation of the last step up to ``number`` that has one."""
        while number >= 0 and self.participants[number].compensation is None:
            number -= 1
        if number < 0:
            return replace(state, phase="aborted")
        return _sent(replace(state, phase="back", at=number), ("undo", number))

    def _impatient(self, state: _State) -> Iterator[_Move]:
        """No answer comes: at once when none is on its way, else too early and not often."""
        if state.phase not in ("forward", "back"):
            return
        coming = any(number == state.at for _, number in state.network)
        if coming:
            if not state.bound.early:
                return
            fewer = replace(state.bound, early=state.bound.early - 1)
            state = replace(state, bound=fewer)
        part = self.participants[state.at]
        if state.phase == "back":
            event = f"no answer of {part.compensation}: the coordinator asks again"
            yield event, _sent(state, ("undo", state.at))
            return
        forward_only = state.at > self.pivot
        repeatable = part.action_idempotent or part.retriable or forward_only
        if repeatable:
            event = f"no answer of {part.action}: the coordinator asks again"
            yield event, _sent(state, ("do", state.at))
        knows_how = part.compensation is not None or not repeatable
        if not forward_only and knows_how:
            event = f"no answer of {part.action}: the coordinator goes back"
            yield event, self._back(state, state.at)


def _without(network: tuple[Message, ...], message: Message) -> tuple[Message, ...]:
    place = network.index(message)
    return network[:place] + network[place + 1 :]


def _with(network: tuple[Message, ...], message: Message) -> tuple[Message, ...]:
    return tuple(sorted((*network, message)))


def _sent(state: _State, message: Message) -> _State:
    return replace(state, network=_with(state.network, message))


def _put(state: _State, number: int, step: _Step) -> _State:
    steps = (*state.steps[:number], step, *state.steps[number + 1 :])
    return replace(state, steps=steps)


def explore(protocol: SagaProtocol, bound: Bound) -> tuple[tuple[str, ...], str] | None:
    """The shortest events that break a saga, and what is then wrong; ``None``: none do.

    Raises :class:`OverflowError` when there are too many states.
    """
    first = protocol.start(bound)
    came_from: dict[_State, tuple[str, _State] | None] = {first: None}
    waiting = deque([first])
    while waiting:
        state = waiting.popleft()
        wrong = protocol.broken(state)
        if wrong:
            return _events(came_from, state), wrong
        for event, following in protocol.moves(state):
            if following not in came_from:
                came_from[following] = (event, state)
                waiting.append(following)
        if len(came_from) > _MAX_STATES:
            raise OverflowError(f"more than {_MAX_STATES:,} states")
        left()
    return None


def _events(came_from: dict[_State, tuple[str, _State] | None], state: _State) -> tuple[str, ...]:
    events: list[str] = []
    while (step := came_from[state]) is not None:
        event, state = step
        events.append(event)
    return tuple(reversed(events))


def sagas(graph: Graph, bound: Bound | None = None) -> Iterator[Answer]:
    """For each saga: does it end with all or nothing, each once, whatever happens to messages?"""
    limits = bound or Bound()
    for operation in graph.operations.values():
        saga = getattr(operation.part, "atomicity", None)
        if isinstance(saga, Saga) and saga.steps:
            yield _judged(graph, operation, saga, limits)


def _judged(graph: Graph, operation: Operation, saga: Saga, bound: Bound) -> Answer:
    claim = (
        f"the saga of {operation.name} ends with all or nothing, with up to {bound.lost} lost, "
        f"{bound.twice} doubled and {bound.early} overtaken messages"
    )
    gaps: list[Gap] = []
    pivots = [number for number, step in enumerate(saga.steps) if step.pivot]
    pivot = pivots[0] if pivots else len(saga.steps) - 1
    parts = tuple(
        _participant(graph, operation, step, number > pivot, gaps)
        for number, step in enumerate(saga.steps)
    )
    try:
        found = explore(SagaProtocol(parts, pivot), bound)
    except OverflowError as error:
        return Undecided(operation, claim, f"the saga has {error}")
    if not _is_in_order(graph, operation, parts):
        gaps.append(Gap(operation, _ORDER))
    if found is not None:
        events, wrong = found
        message = f"the saga of {operation.name} breaks: {wrong}"
        marks = {part.action.partition(".")[0]: "broken" for part in parts if part.action in wrong}
        shown = SagaSchedule(message, (*events, wrong), (operation,), marks, events)
        return Refuted(operation, claim, shown, _fix(parts, pivot))
    if gaps:
        return Undecided(operation, claim, missing(gaps), tuple(dict.fromkeys(gaps)))
    return Proved(operation, claim, _ASSUMED)


def _is_in_order(
    graph: Graph, operation: Operation, participants: tuple[SagaParticipant, ...]
) -> bool:
    """Whether an operation that asks steps of its saga itself asks all of them, one by one.

    Those of its own service it need not call.
    """
    own = f"{operation.owner.name}."
    actions = [part.action for part in participants if not part.action.startswith(own)]
    asked = [
        step
        for step in graph.outgoing.get(operation.name, ())
        if step.mode == "call" and step.target_name in actions
    ]
    if not asked:
        return True
    beside = [id(step.parallel) for step in asked if step.in_parallel]
    one_by_one = len(set(beside)) == len(beside) and all(map(_is_always_heard, asked))
    return one_by_one and [step.target_name for step in asked] == actions


def _is_always_heard(step: Interaction) -> bool:
    """Whether a call is made by every request, once, and its failure is the caller's."""
    return step.is_awaited and not step.can_fail_softly and step.visits == 1 and not step.flags


_ORDER = "calls of all steps of its saga, in its order, each once and always, none that may fail"
_ASSUMED = (
    "its steps are asked in the order in which they are listed, each after the answer to the last",
    "the coordinator's state is stored and survives it",
    "compensations and retriable steps succeed when they are asked often enough",
)


def _fix(parts: tuple[SagaParticipant, ...], pivot: int) -> str:
    """What each participant lacks, by name."""
    twice = [part.action for part in parts if not part.action_idempotent]
    twice += [p.compensation for p in parts if p.compensation and not p.compensation_idempotent]
    late = [part.action for part in parts if part.compensation and not part.guarded]
    stuck = [part.action for part in parts[pivot + 1 :] if not part.retriable]
    found = [("idempotent=True for", twice), ("guarded=True for the step", late)]
    found.append(("retriable=True for the step", stuck))
    words = [f"{what} {' and '.join(dict.fromkeys(names))}" for what, names in found if names]
    return ", ".join(words)


def _participant(
    graph: Graph, operation: Operation, step: SagaStep, is_late: bool, gaps: list[Gap]
) -> SagaParticipant:
    """A step; what is not declared is taken as it is best, and noted."""

    def idempotent(reference: str) -> bool:
        owner, endpoint = graph.system.endpoint(reference)
        name = f"{owner.name}.{endpoint.name}" if endpoint else ""
        asked = graph.operations.get(name)
        declared = is_idempotent(graph, asked) if asked is not None else None
        if declared is None:
            gaps.append(Gap(asked or operation, "idempotent"))
        return declared is not False

    action = str(step.action)
    compensation = str(step.compensation) if step.compensation is not None else None
    if is_late and step.retriable is None:
        gaps.append(Gap(operation, f"atomicity.steps[{action}].retriable"))
    if compensation is not None and step.guarded is None:
        gaps.append(Gap(operation, f"atomicity.steps[{action}].guarded"))
    return SagaParticipant(
        action,
        compensation,
        idempotent(action),
        idempotent(compensation) if compensation is not None else True,
        step.guarded is not False,
        bool(step.retriable) or (is_late and step.retriable is None),
    )
