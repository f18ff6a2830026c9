"""How a request goes through its steps, one after the other or beside each other.

A :class:`Walk` goes through the steps of a block; a step that has to wait continues it from a
callback. A :class:`Branch` is the walk through a branch of a parallel step, a :class:`Join` waits
for the branches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from math import log
from typing import TYPE_CHECKING

from archcheck.simulation.attribution import SHIFT, Cause, Notes
from archcheck.simulation.plan import FOREVER, Outcome, SamplerShape, StepKind, StepSpec
from archcheck.simulation.randomness import child, uniform
from archcheck.simulation.sampling import sample

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.caches import Loading
    from archcheck.simulation.engines.reference.calls import PendingCall
    from archcheck.simulation.engines.reference.engine import Engine
    from archcheck.simulation.engines.reference.requests import Request

_OK = int(Outcome.OK)
_DEGRADED = int(Outcome.DEGRADED)

_WORK = int(Cause.WORK)
_OUTSIDE = int(Cause.OUTSIDE)
_CPU = int(Cause.CPU)
_NETWORK = int(Cause.NETWORK)

_ROUNDING = 1e-12
"""Seconds below which a wait is a rounding error."""


class Walk(ABC):
    """The steps of a block, one after the other.

    ``stack``: where to go on after a group of steps, and what to do then: (steps, position, key,
    repeat to do again or nothing, its round, cache entry to fill or nothing).
    """

    __slots__ = (
        "asked", "call", "deadline", "engine", "goes_on", "is_asking", "join", "key", "notes",
        "position", "rank", "root", "seconds", "stack", "steps",
    )  # fmt: skip

    steps: tuple[StepSpec, ...]
    asked: float
    seconds: float
    goes_on: bool

    def __init__(self, engine: Engine, root: int, key: int, rank: int) -> None:
        self.engine = engine
        self.root = root
        self.key = key
        self.rank = rank
        self.deadline = FOREVER
        self.notes: Notes = []
        self.position = 0
        self.stack: list[
            tuple[tuple[StepSpec, ...], int, int, StepSpec | None, int, Loading | None]
        ] = []
        self.call: PendingCall | None = None
        self.is_asking = False
        self.join: Join | None = None

    @property
    @abstractmethod
    def request(self) -> Request:
        """The request whose steps these are."""

    @abstractmethod
    def done(self, succeeded: bool, cancelled: bool) -> None:
        """The block has ended."""

    def advance(self) -> None:
        """The step before has ended well: go on until a step has to wait, or to the end."""
        request = self.request
        while True:
            if request.is_stopped:
                return
            if self.position == len(self.steps):
                if not self.stack:
                    self.done(True, False)
                    return
                self._pop()
                continue
            if request.is_cancelled:
                self.fail(cancelled=True)
                return
            step = self.steps[self.position]
            self.position += 1
            if not _HANDLERS[step.kind](self, step):
                return

    def fail(self, *, cancelled: bool = False) -> None:
        """A step has failed, or nobody waits any more: the block ends."""
        if self.request.is_stopped:
            return
        for *_, loading in reversed(self.stack):
            if loading is not None:
                loading.fail()
        self.stack.clear()
        self.done(False, cancelled)

    def push(self, block: int, loading: Loading | None = None) -> None:
        """Run a block before going on."""
        self.stack.append((self.steps, self.position, self.key, None, 0, loading))
        self.steps = self.engine.plan.blocks[block]
        self.position = 0

    def _pop(self) -> None:
        steps, position, key, again, number, loading = self.stack.pop()
        if loading is not None:
            loading.succeed()
        if again is not None and number < int(again.number):
            self.stack.append((steps, position, key, again, number + 1, None))
            self.position = 0
            self.key = child(key, again.place, number + 1)
            return
        self.steps, self.position, self.key = steps, position, key

    # -- steps: each says whether the walk can go on at once -------------------------------------

    def work(self, step: StepSpec) -> bool:
        request, engine = self.request, self.engine
        assert step.sampler is not None  # noqa: S101  # the compiler gives every WORK a sampler
        sampler = step.sampler
        if sampler.shape == SamplerShape.EXPONENTIAL:  # most work is
            seconds = -sampler.a * log(uniform(engine.streams[step.place], self.key))
        else:
            seconds = sample(sampler, engine.streams[step.place], self.key)
        if engine.faults.slowness:
            seconds *= engine.faults.slowness.get(request.index, 1.0)
        home = request.home
        if home is None:
            self.notes += (_OUTSIDE + (request.index << SHIFT), seconds)
            engine.after(seconds, self.advance)
            return False
        self.notes += (_WORK + (home.node_group.index << SHIFT), seconds)
        if home.cores is None or step.kind == StepKind.WAIT:
            engine.after(seconds, self.advance)
        elif not home.is_dead:
            self.asked, self.seconds = engine.time, seconds
            rank = home.ranks[self.rank] if home.ranks else 0
            home.cores.work(seconds, self._worked, rank)
        else:
            self.fail()  # what its process left behind
        return False

    def _worked(self) -> None:
        waited = self.engine.time - self.asked - self.seconds
        home = self.request.home
        if waited > _ROUNDING and home is not None:
            self.notes += (_CPU + (home.node_group.index << SHIFT), waited)
        self.advance()

    def ask(self, step: StepSpec) -> bool:
        engine, caller = self.engine, self.request.home or self.request.caller
        self.call = call = engine.new_call(engine, caller, step.call, self, self.key)
        return self.goes_on_after(call)

    def goes_on_after(self, call: PendingCall) -> bool:
        """Make a call; whether the walk can go on because it has its answer at once."""
        self.is_asking, self.goes_on = True, False
        call.start()
        self.is_asking = False
        return self.goes_on

    def answered(self, outcome: int, fallback: int) -> None:
        """The call of this step is over."""
        self.call = None
        if outcome > _DEGRADED and fallback < 0:
            self.fail()
            return
        if outcome != _OK:
            self.request.is_degraded = True
        if outcome > _DEGRADED:
            self.push(fallback)
        self.go_on()

    def go_on(self) -> None:
        """Advance; an answer that is there at once is left to the step that asked."""
        if self.is_asking:
            self.goes_on = True
        else:
            self.advance()

    def publish(self, step: StepSpec) -> bool:
        key = child(self.key, step.place, 0)
        self.engine.publish(step.channel, self.root, key)
        if step.number > 0:
            self.notes += (_NETWORK, step.number)
        self.engine.after(step.number, self.advance)
        return False

    def parallel(self, step: StepSpec) -> bool:
        Join(self, step).start()
        return not any(step.waited)

    def with_probability(self, step: StepSpec) -> bool:
        if uniform(self.engine.streams[step.place], self.key) < step.number:
            self.push(step.blocks[0])
        return True

    def repeat(self, step: StepSpec) -> bool:
        self.stack.append((self.steps, self.position, self.key, step, 1, None))
        self.steps = self.engine.plan.blocks[step.blocks[0]]
        self.position = 0
        self.key = child(self.key, step.place, 1)
        return True

    def cached(self, step: StepSpec) -> bool:
        return self.engine.look_up(self, step)

    def series(self, step: StepSpec) -> bool:
        self.push(step.blocks[0])
        return True


_HANDLERS: tuple[Callable[[Walk, StepSpec], bool], ...] = (
    Walk.work,
    Walk.ask,
    Walk.publish,
    Walk.parallel,
    Walk.with_probability,
    Walk.repeat,
    Walk.cached,
    Walk.series,
    Walk.work,
)
"""In the order of :class:`StepKind`."""


class Branch(Walk):
    """A branch of a parallel step."""

    __slots__ = ("_request", "is_waited", "parent")

    def __init__(self, parent: Join, block: int, is_waited: bool) -> None:
        walk = parent.walk
        super().__init__(walk.engine, walk.root, walk.key, walk.rank)
        self._request = walk.request
        self.deadline = walk.deadline
        self.steps = walk.engine.plan.blocks[block]
        self.parent = parent
        self.is_waited = is_waited

    @property
    def request(self) -> Request:
        return self._request

    def done(self, succeeded: bool, cancelled: bool) -> None:
        if self.is_waited:
            self.parent.joined(self, succeeded, cancelled)


class Join:
    """The branches of a parallel step: over when all required ones are, or one of them failed."""

    def __init__(self, walk: Walk, step: StepSpec) -> None:
        self.walk = walk
        self.missing = sum(step.waited)
        self.is_over = self.missing == 0
        self.branches = [
            Branch(self, block, waited)
            for block, waited in zip(step.blocks, step.waited, strict=True)
        ]

    def start(self) -> None:
        """Begin all branches."""
        if self.missing:
            self.walk.join = self
        for branch in self.branches:
            branch.advance()

    def joined(self, branch: Branch, succeeded: bool, cancelled: bool) -> None:
        """A required branch has ended."""
        if self.is_over:
            return
        self.missing -= 1
        if succeeded and self.missing:
            return
        self.is_over = True
        walk = self.walk
        walk.join = None
        walk.notes += branch.notes
        if succeeded:
            walk.engine.soon.append(walk.advance)
        else:
            walk.fail(cancelled=cancelled)
