"""Cache-aside: a lookup, then, on a miss, the steps that a miss costs.

Either the share of hits is given, or the content is simulated key by key: least recently used
entries go first, entries expire, concurrent misses of a key can wait for the first.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from archcheck.simulation.attribution import SHIFT, Cause, FailureReason, Notes
from archcheck.simulation.engines.reference.calls import PendingCall
from archcheck.simulation.plan import CacheSpec, Outcome, StepSpec
from archcheck.simulation.randomness import place_hash, uniform
from archcheck.simulation.sampling import zipf

if TYPE_CHECKING:
    from archcheck.simulation.engines.reference.engine import Engine
    from archcheck.simulation.engines.reference.walks import Walk

_LIFE = place_hash("life")
_JITTER = 0.1
"""How far jitter moves the life of an entry, as a share of it. A choice: enough that entries which
were filled together do not expire together, and small beside what was declared."""


class Content:
    """What a cache holds: keys and when they expire."""

    def __init__(self, engine: Engine, spec: CacheSpec) -> None:
        self.engine = engine
        self.spec = spec
        self._expires: OrderedDict[int, float] = OrderedDict()
        self.loading: dict[int, Loading] = {}

    def has(self, key: int) -> bool:
        """Whether the cache answers for a key."""
        expires = self._expires.get(key)
        if expires is None:
            return False
        if expires <= self.engine.time:
            del self._expires[key]
            return False
        self._expires.move_to_end(key)
        return True

    def put(self, key: int, request: int) -> None:
        """A request has filled in a key."""
        life = self.spec.ttl
        if self.spec.jitter:
            draw = uniform(self.engine.streams[self.spec.place ^ _LIFE], request)
            life *= 1 + _JITTER * (2 * draw - 1)
        self._expires[key] = self.engine.time + life
        self._expires.move_to_end(key)
        if self.spec.capacity and len(self._expires) > self.spec.capacity:
            self._expires.popitem(last=False)

    def flush(self) -> None:
        """The content is lost."""
        self._expires.clear()


class Loading:
    """A request that computes what the cache did not have, and those who wait for it."""

    def __init__(self, content: Content, key: int, walk: Walk) -> None:
        self.content = content
        self.key = key
        self.filler = walk.key
        self.request = walk.request
        self.request.loading += 1
        self.caller = walk.request.caller
        self.caller.loadings[self] = None
        self.waiting: list[tuple[Walk, float]] = []
        self.is_over = False

    def succeed(self) -> None:
        """The value is there: fill the cache, wake the others."""
        self.content.put(self.key, self.filler)
        self._wake(True)

    def fail(self) -> None:
        """There is no value: the others fail too."""
        self._wake(False)

    def _wake(self, succeeded: bool) -> None:
        content = self.content
        if self.is_over:
            return
        self.is_over = True
        self.request.loading -= 1
        self.caller.loadings.pop(self)
        if content.loading.get(self.key) is self:
            del content.loading[self.key]
        place = content.engine.plan.caches.index(content.spec) << SHIFT
        waiting, self.waiting = self.waiting, []
        for walk, since in waiting:
            walk.notes += (Cause.LOADING + place, content.engine.time - since)
            if not succeeded:
                walk.notes += (FailureReason.NOT_LOADED + place, 0.0)
            content.engine.soon.append(walk.advance if succeeded else walk.fail)


class Lookup:
    """The question to the cache; then the walk goes on, or runs the steps of a miss."""

    def __init__(self, walk: Walk, step: StepSpec) -> None:
        self.walk = walk
        self.step = step
        self.engine = walk.engine
        self.notes: Notes = walk.notes
        self.rank = walk.rank
        self.root = walk.root
        self.deadline = walk.deadline

    def start(self) -> bool:
        """Ask; whether the walk can go on at once."""
        walk = self.walk
        walk.call = PendingCall(self.engine, walk.request.caller, self.step.call, self, walk.key)
        return walk.goes_on_after(walk.call)

    def answered(self, outcome: int, fallback: int) -> None:
        """The cache has answered, or not."""
        self.walk.call = None
        if self.walk.request.is_stopped or self.look_in(outcome == Outcome.OK):
            self.walk.go_on()

    def look_in(self, answers: bool) -> bool:
        """Whether the walk can go on; else it waits for another request's value."""
        walk, step = self.walk, self.step
        draws = self.engine.streams[step.place]
        if step.keys is None:
            hit = answers and uniform(draws, walk.key) < step.number
            hit = hit and not self.engine.faults.is_flushed(step.call)
            return self._count(hit, None)
        key = zipf(step.keys, draws, walk.key)
        content = self._content()
        if not answers:
            return self._count(False, None)
        if content.has(key):
            return self._count(True, None)
        if content.spec.coalesced:
            other = content.loading.get(key)
            if (
                other is not None and not walk.request.loading
            ):  # who loads does not wait: no circles
                other.waiting.append((walk, self.engine.time))
                self._note("joined")
                return False
        loading = Loading(content, key, walk)
        if content.spec.coalesced:
            content.loading.setdefault(key, loading)
        return self._count(False, loading)

    def _content(self) -> Content:
        engine = self.engine
        spec = engine.plan.caches[self.step.cache]
        if spec.shared:
            return engine.contents[self.step.cache]
        return self.walk.request.caller.content(self.step.cache)

    def _count(self, hit: bool, loading: Loading | None) -> bool:
        self._note("hits" if hit else "misses")
        if not hit:
            self.walk.push(self.step.blocks[0], loading)
        return True

    def _note(self, what: str) -> None:
        self.engine.count(f"{what}: {self.engine.plan.calls[self.step.call].name}")
