"""Single mechanisms against programs of a few lines, written from the documentation alone.

Both engines come from one design and may share a mistake. So each mechanism is written down once
more, as the pages (`docs/simulation/reference.md`) and the products that they name describe it:
plain Python and no code of the package. Arrivals, service times and faults are fixed times without
ties, so each request must have the same answer at the same time.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from depth import sample
from differential.compare import Collected
from fidelity.harness import service, system

from archcheck import (
    Absent,
    Bulkhead,
    Cached,
    Call,
    CircuitBreaker,
    Client,
    Constant,
    Consumer,
    Errors,
    External,
    Fallback,
    Fault,
    Hedge,
    Journey,
    KeySpace,
    Load,
    Mesh,
    MongoDB,
    Publish,
    Queue,
    RabbitMQ,
    RateLimit,
    Read,
    Recorded,
    Redis,
    Retry,
    RetryBudget,
    Scenario,
    Slow,
    System,
    Work,
    ZoneLoss,
)
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import fast, reference
from archcheck.simulation.plan import Outcome
from archcheck.simulation.trace import SpanKind
from archcheck.units import ms, percent, s

SEEDS = sample(range(12))
ENDS = 60.0
Answer = tuple[float, float, str]
"""When it was asked, when it was answered, and how."""
Told = Callable[[float], tuple[float, str]]
"""How a callee that is asked at a time answers: when, and how."""
Asks = Callable[[float, Callable[[float, str], None]], None]
"""Asks somebody at a time and says whom to tell the time and the kind of the answer."""

ENGINES = [reference.run, fast.run] if fast.is_compiled() else [reference.run]


# -- a clock and a callee ------------------------------------------------------------------------


class Clock:
    """Things that happen later, in the order of their times."""

    def __init__(self) -> None:
        self.now = 0.0
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    def at(self, time: float, action: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._later, (time, self._number, action))

    def run(self) -> None:
        while self._later:
            self.now, _, action = heapq.heappop(self._later)
            action()


@dataclass
class Weather:
    """A callee that takes a fixed time, and at times longer, or fails at once."""

    takes: float
    slow: Sequence[tuple[float, float, int]] = ()
    broken: Sequence[tuple[float, float]] = ()

    def __call__(self, time: float) -> tuple[float, str]:
        if any(start <= time < end for start, end in self.broken):
            return time, "failed"
        factor = 1
        for start, end, times in self.slow:
            if start <= time < end:
                factor *= times
        return time + self.takes * factor, "ok"

    def external(self, name: str) -> External:
        return External(name, latency=Constant(self.takes * s))

    def faults(self, name: str) -> list[Fault]:
        slow = [Slow(name, factor=f, start=a * s, end=b * s) for a, b, f in self.slow]
        broken = [Errors(name, rate=100 * percent, start=a * s, end=b * s) for a, b in self.broken]
        return [*slow, *broken]


def weather(random: Random, *factors: int, takes: float = 0.05) -> Weather:
    """Slow and broken for about half of the time, one after the other."""
    slow, broken, time = [], [], 0.0
    while time < ENDS:
        time += random.uniform(0.2, 3)
        until = time + random.uniform(0.2, 3)
        if factors and random.random() < 0.5:
            slow.append((time, until, random.choice(factors)))
        else:
            broken.append((time, until))
        time = until
    return Weather(takes, slow, broken)


def arrivals(random: Random, count: int = 300, until: float = 40.0) -> list[float]:
    return sorted(random.uniform(0.001, until) for _ in range(count))


# -- what the engines say ------------------------------------------------------------------------


def engines_say(
    model: System, times: Sequence[float], faults: Sequence[Fault] = (), of: str = "visit"
) -> list[list[Answer]]:
    """The answers of a journey, or the requests of an operation, in each engine."""
    load = [Load(model.journeys[0], Recorded(times=[time * s for time in times]))]
    plan = compile_plan(model, Scenario("exact", load=load, faults=faults))
    found = []
    for engine in ENGINES:
        tracer = Collected()
        engine(plan, seed=1, duration=ENDS * 20, warmup=0.0, tracer=tracer)
        found.append(
            sorted(
                (span.start, span.end, Outcome(span.outcome).name.lower())
                for span in tracer.spans
                if span.kind != SpanKind.ATTEMPT and _name(plan, span.kind, span.place) == of
            )
        )
    return found


def _name(plan: Any, kind: int, place: int) -> str:
    rows = plan.journeys if kind == SpanKind.JOURNEY else plan.operations
    return str(rows[place].name)


def assert_same(expected: Sequence[Answer], *found: Sequence[Answer]) -> None:
    for answers in found:
        assert len(answers) == len(expected)
        for number, (ours, theirs) in enumerate(zip(sorted(expected), answers, strict=True)):
            assert theirs[2] == ours[2], (number, ours, theirs)
            assert theirs[:2] == pytest.approx(ours[:2], abs=1e-9), (number, ours, theirs)


def journeys(times: Sequence[float], clock: Clock, ask: Asks) -> list[Answer]:
    """A journey asks at each of the times: without a good answer it has failed."""
    found: list[Answer] = []

    def begin(time: float) -> None:
        def answered(end: float, kind: str) -> None:
            found.append((time, end, kind if kind in ("ok", "degraded") else "failed"))

        clock.at(time, lambda: ask(time, answered))

    for time in times:
        begin(time)
    clock.run()
    return found


def answers_later(clock: Clock, callee: Told) -> Asks:
    def ask(time: float, answered: Callable[[float, str], None]) -> None:
        end, kind = callee(time)
        clock.at(end, lambda: answered(end, kind))

    return ask


# -- a timeout and retries -----------------------------------------------------------------------


def with_timeout(callee: Told, timeout: float) -> Told:
    def ask(time: float) -> tuple[float, str]:
        end, kind = callee(time)
        return (end, kind) if end <= time + timeout else (time + timeout, "timeout")

    return ask


@dataclass
class Again:
    """Attempt n is followed by a wait of ``backoff * factor ** (n - 1)``, at most ``longest``."""

    attempts: int
    backoff: float
    factor: float
    longest: float | None
    on: Sequence[str]

    def after(self, number: int) -> float:
        wait: float = self.backoff * self.factor ** (number - 1)
        return wait if self.longest is None else min(wait, self.longest)

    def retry(self) -> Retry:
        return Retry(
            attempts=self.attempts,
            backoff=self.backoff * s,
            factor=self.factor,
            max_backoff=None if self.longest is None else self.longest * s,
            jitter=False,
            on=list(self.on),  # type: ignore[arg-type]
        )

    def ask(self, callee: Told) -> Told:
        def attempts(time: float) -> tuple[float, str]:
            for number in range(1, self.attempts + 1):
                end, kind = callee(time)
                if kind not in self.on or number == self.attempts:
                    return end, kind
                time = end + self.after(number)
            raise AssertionError

        return attempts


def some_retry(random: Random) -> Again:
    return Again(
        attempts=random.choice([1, 2, 3, 5]),
        backoff=random.choice([0.0, 0.0131, 0.0717]),
        factor=random.choice([1.0, 2.0, 3.5]),
        longest=random.choice([None, 0.1039]),
        on=random.choice([("timeout", "failed"), ("timeout",), ("failed",)]),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_call_with_a_timeout_and_retries(seed: int) -> None:
    """Many are on their way at once: each attempt has a timer of its own."""
    random = Random(seed)
    back = weather(random, 2, 3, 100)
    again, timeout = some_retry(random), random.choice([0.0773, 0.1219, 0.5])
    times, clock = arrivals(random), Clock()
    call = Call("back", timeout=timeout * s, retry=again.retry())
    found = engines_say(
        system(service("front", call), back.external("back")), times, back.faults("back")
    )
    ask = answers_later(clock, again.ask(with_timeout(back, timeout)))
    assert_same(journeys(times, clock, ask), *found)


@pytest.mark.parametrize("seed", SEEDS)
def test_users_who_give_up(seed: int) -> None:
    random = Random(seed)
    back = weather(random, 2, 3, 100)
    again, timeout, patience = some_retry(random), 0.1219, random.choice([0.06, 0.2017, 1])
    times = arrivals(random)
    call = Call("back", timeout=timeout * s, retry=again.retry())
    model = system(
        service("front", call),
        back.external("back"),
        journeys=[Journey("visit", "front.run", timeout=patience * s)],
    )
    ask = again.ask(with_timeout(back, timeout))
    expected = []
    for time in times:
        end, kind = ask(time)
        given_up = end > time + patience
        kind = "ok" if kind == "ok" else "failed"
        expected.append((time, time + patience, "timed_out") if given_up else (time, end, kind))
    assert_same(expected, *engines_say(model, times, back.faults("back")))


# -- a circuit breaker ---------------------------------------------------------------------------


class Breaker:
    """Resilience4j's, as its guide describes it; a result counts in the state that it began in."""

    def __init__(
        self,
        clock: Clock,
        rate: float,
        window: int,
        minimum: int,
        open_for: float,
        probes: int,
        slow: tuple[float, float] | None = None,
        by_time: bool = False,
    ) -> None:
        self.clock, self.rate, self.window, self.minimum = clock, rate, window, minimum
        self.open_for, self.probes, self.slow, self.by_time = open_for, probes, slow, by_time
        self.state, self.since, self.period, self.let_through = "closed", 0.0, 0, 0
        self.results: deque[tuple[int, bool, bool]] = deque()

    def permits(self) -> int | None:
        """The period in which a call that may pass began."""
        if self.state == "open" and self.clock.now >= self.since + self.open_for:
            self._become("half-open")
        if self.state == "open":
            return None
        if self.state == "half-open":
            if self.let_through == self.probes:
                return None
            self.let_through += 1
        return self.period

    def note(self, period: int, failed: bool, took: float) -> None:
        if period != self.period:
            return
        is_slow = self.slow is not None and took > self.slow[0]
        self.results.append((int(self.clock.now), failed, is_slow))
        if self.state == "half-open":
            if len(self.results) == min(self.minimum, self.probes):
                self._become("open" if self._is_bad() else "closed")
            return
        self._forget()
        enough = self.minimum if self.by_time else min(self.minimum, self.window)
        if len(self.results) >= enough and self._is_bad():
            self._become("open")

    def _forget(self) -> None:
        if self.by_time:
            while self.results[0][0] <= int(self.clock.now) - self.window:
                self.results.popleft()
        elif len(self.results) > self.window:
            self.results.popleft()

    def _is_bad(self) -> bool:
        count = len(self.results)
        if sum(failed for _, failed, _ in self.results) >= self.rate * count:
            return True
        slow = sum(is_slow for *_, is_slow in self.results)
        return self.slow is not None and slow >= self.slow[1] * count

    def _become(self, state: str) -> None:
        self.state, self.since, self.let_through = state, self.clock.now, 0
        self.period += 1
        self.results.clear()

    def guard(self, ask: Asks) -> Asks:
        def guarded(time: float, answered: Callable[[float, str], None]) -> None:
            period = self.permits()
            if period is None:
                answered(time, "broken")
                return

            def noted(end: float, kind: str) -> None:
                self.note(period, kind != "ok", end - time)
                answered(end, kind)

            ask(time, noted)

        return guarded


@pytest.mark.parametrize("by_time", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_circuit_breaker(seed: int, by_time: bool) -> None:
    random = Random(seed)
    back, clock, timeout = weather(random, 2, 10, takes=0.0513), Clock(), 0.3071
    rate, window, minimum = random.choice([1, 30, 50, 100]), random.choice([1, 2, 5, 20]), 0
    minimum = random.choice([1, 2, 5, 20, 100])
    open_for, probes = random.choice([0.1137, 0.7319, 2.5131]), random.choice([1, 2, 5])
    slow = random.choice([None, (0.1, 0.5), (0.2, 1.0)])
    breaker = Breaker(
        clock, rate / 100, window, minimum, open_for, probes, slow=slow, by_time=by_time
    )
    declared = CircuitBreaker(
        failure_rate=rate * percent,
        window=window * s if by_time else window,
        minimum_calls=minimum,
        open_for=open_for * s,
        half_open_calls=probes,
        slow_call=slow and slow[0] * s,
        slow_call_rate=slow and slow[1] * 100 * percent,
    )
    call = Call("back", timeout=timeout * s, retry=Absent("once"), breaker=declared)
    times = arrivals(random, random.choice([60, 300, 1000]))
    found = engines_say(
        system(service("front", call), back.external("back")), times, back.faults("back")
    )
    ask = breaker.guard(answers_later(clock, with_timeout(back, timeout)))
    assert_same(journeys(times, clock, ask), *found)


# -- a bulkhead, a rate limit --------------------------------------------------------------------


class Permits:
    """So many at once; the others wait in line, each at most ``max_wait``."""

    def __init__(self, clock: Clock, count: int, max_wait: float) -> None:
        self.clock, self.free, self.max_wait = clock, count, max_wait
        self.line: deque[list[Any]] = deque()

    def guard(self, callee: Told, timeout: float) -> Asks:
        """The timeout runs from the moment at which the attempt is made."""

        def ask(time: float, answered: Callable[[float, str], None]) -> None:
            def go() -> None:
                end, kind = callee(self.clock.now)
                if end > time + timeout:
                    end, kind = time + timeout, "timeout"
                self.clock.at(end, lambda: done(end, kind))

            def done(end: float, kind: str) -> None:
                self.give_back()
                answered(end, kind)

            self.take(time, timeout, go, answered)

        return ask

    def take(self, time: float, timeout: float, go: Any, answered: Any) -> None:
        if self.free:
            self.free -= 1
            go()
        elif not self.max_wait:
            answered(time, "rejected")
        else:
            entry = [go]
            self.line.append(entry)
            end = time + min(self.max_wait, timeout)
            self.clock.at(end, lambda: self.give_up(entry, end, answered))

    def give_up(self, entry: list[Any], end: float, answered: Any) -> None:
        if entry in self.line:
            self.line.remove(entry)
            answered(end, "gave up")

    def give_back(self) -> None:
        if self.line:
            (go,) = self.line.popleft()
            go()
        else:
            self.free += 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bulkhead(seed: int) -> None:
    random = Random(seed)
    back, clock = weather(random, 3, 10, takes=0.1013), Clock()
    count, max_wait = random.choice([1, 2, 3]), random.choice([0.0, 0.0531, 0.3517, 5.0])
    timeout = random.choice([0.2503, 1.507, 20.0])
    bulkhead = Bulkhead(count, max_wait=max_wait * s if max_wait else random.choice([None, 0 * s]))
    call = Call("back", timeout=timeout * s, retry=Absent("once"), bulkhead=bulkhead)
    times = arrivals(random)
    found = engines_say(
        system(service("front", call), back.external("back")), times, back.faults("back")
    )
    ask = Permits(clock, count, max_wait).guard(back, timeout)
    assert_same(journeys(times, clock, ask), *found)


@pytest.mark.parametrize("where", ["caller", "callee"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_token_bucket(seed: int, where: str) -> None:
    random = Random(seed)
    rate, burst = random.choice([0.51, 3.07, 10.3]), random.choice([None, 1, 2, 20])
    limit = RateLimit(rate / s, burst=burst)
    call = Call("back", rate_limit=limit if where == "caller" else None, retry=Absent("once"))
    own = {"rate_limit": limit} if where == "callee" else {}
    back = service("back", Work(Constant(10 * ms)), endpoint=own)
    times = arrivals(random)
    size = float(burst) if burst is not None else max(rate, 1.0)
    tokens, last, expected = size, 0.0, []
    for time in times:
        tokens, last = min(size, tokens + (time - last) * rate), time
        if tokens >= 1:
            tokens -= 1
            expected.append((time, time + 0.01, "ok"))
        else:
            expected.append((time, time, "failed"))
    assert_same(expected, *engines_say(system(service("front", call), back), times))


# -- a retry budget, a hedge ---------------------------------------------------------------------


class Budget:
    """Over ten seconds, in slots of one: retries <= ratio * first tries + minimum * 10 s."""

    def __init__(self, ratio: float, minimum: float) -> None:
        self.ratio, self.minimum = ratio, minimum
        self.firsts: list[float] = []
        self.retries: list[float] = []

    def allows(self, now: float) -> bool:
        since = math.floor(now) - 9
        firsts = sum(time >= since for time in self.firsts)
        retries = sum(time >= since for time in self.retries)
        allowed = retries + 1 <= self.ratio * firsts + self.minimum * 10
        if allowed:
            self.retries.append(now)
        return allowed


@pytest.mark.parametrize("seed", SEEDS)
def test_a_retry_budget(seed: int) -> None:
    random = Random(seed)
    back, clock = weather(random, 2, takes=0.0513), Clock()
    ratio, minimum = random.choice([0, 7, 20, 100]), random.choice([None, 0.1, 0.93, 2.0])
    attempts, backoff = random.choice([2, 3, 10]), random.choice([0.0, 0.0317, 1.7])
    budget = Budget(ratio / 100, minimum or 0.0)
    retry = Retry(
        attempts=attempts,
        backoff=backoff * s,
        factor=1.0,
        jitter=False,
        budget=RetryBudget(ratio * percent, minimum=None if minimum is None else minimum / s),
    )
    times = arrivals(random)
    model = system(
        service("front", Call("back", timeout=0.08 * s, retry=retry)), back.external("back")
    )
    callee = answers_later(clock, with_timeout(back, 0.08))

    def ask(time: float, answered: Callable[[float, str], None], number: int = 1) -> None:
        if number == 1:
            budget.firsts.append(time)

        def done(end: float, kind: str) -> None:
            if kind == "ok" or number == attempts or not budget.allows(end):
                answered(end, kind)
                return
            clock.at(end + backoff, lambda: ask(end + backoff, answered, number + 1))

        callee(time, done)

    found = engines_say(model, times, back.faults("back"))
    assert_same(journeys(times, clock, ask), *found)


def hedged(callee: Told, after: float, most: int) -> Told:
    """One more attempt each time that so long nobody answered; the first good answer counts."""

    def ask(time: float) -> tuple[float, str]:
        answers = [callee(time)]
        while len(answers) < most:
            due = time + after * len(answers)
            good = min((end for end, kind in answers if kind == "ok"), default=math.inf)
            if good <= due or max(end for end, _ in answers) <= due:
                break
            answers.append(callee(due))
        good = min((end for end, kind in answers if kind == "ok"), default=math.inf)
        return (good, "ok") if good < math.inf else max(answers)

    return ask


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hedge(seed: int) -> None:
    random = Random(seed)
    back, clock, again = weather(random, 2, 7, 100), Clock(), some_retry(random)
    after, most = random.choice([0.0307, 0.0711, 0.2039]), random.choice([2, 3, 5])
    timeout = random.choice([0.0913, 0.4171])
    call = Call(
        "back",
        timeout=timeout * s,
        retry=again.retry(),
        hedge=Hedge(after * s, max_attempts=most),
    )
    times = arrivals(random)
    found = engines_say(
        system(service("front", call), back.external("back")), times, back.faults("back")
    )
    ask = answers_later(clock, again.ask(hedged(with_timeout(back, timeout), after, most)))
    assert_same(journeys(times, clock, ask), *found)


# -- a mesh --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_the_attempts_of_a_sidecar(seed: int) -> None:
    """Within each attempt of the code, and within the timeout of the mesh."""
    random = Random(seed)
    back, clock = weather(random, 2, 7, 100), Clock()
    outer, inner = some_retry(random), some_retry(random)
    timeout, whole = random.choice([0.1713, 2.0]), random.choice([0.1311, 0.5117, 10.0])
    per_try = random.choice([0.0713, 0.1617])
    mesh = Mesh("istio", timeout=whole * s, per_try_timeout=per_try * s, retry=inner.retry())
    call = Call("back", timeout=timeout * s, retry=outer.retry())
    times = arrivals(random)
    found = engines_say(
        system(service("front", call, mesh=mesh), back.external("back")), times, back.faults("back")
    )
    tries = inner.ask(with_timeout(back, per_try))

    def proxied(time: float) -> tuple[float, str]:
        """Who asked gets an error when the last attempt was too slow."""
        end, kind = tries(time)
        return end, "ok" if kind == "ok" else "failed"

    sidecar = with_timeout(proxied, whole)
    ask = answers_later(clock, outer.ask(with_timeout(sidecar, timeout)))
    assert_same(journeys(times, clock, ask), *found)


# -- threads and their queue ---------------------------------------------------------------------


@dataclass
class Threads:
    """So many threads, a queue of bounded length, and steps between which a deadline is seen."""

    clock: Clock
    free: int
    room: int
    steps: Sequence[Told]
    sees_deadlines: bool
    line: deque[Any] = field(default_factory=deque)

    def ask(self, time: float, deadline: float, answered: Any) -> None:
        if self.free:
            self.free -= 1
            self.go(0, deadline, answered)
        elif len(self.line) < self.room:
            self.line.append((deadline, answered))
        else:
            answered(time, "rejected")

    def go(self, number: int, deadline: float, answered: Any) -> None:
        now = self.clock.now
        if number == len(self.steps) or (self.sees_deadlines and now >= deadline):
            answered(now, "ok" if number == len(self.steps) else "dropped")
            self.free += 1
            if self.line:
                self.free -= 1
                self.go(0, *self.line.popleft())
            return
        end, _ = self.steps[number](now)
        self.clock.at(end, lambda: self.go(number + 1, deadline, answered))


@pytest.mark.parametrize("passed_on", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_threads_a_queue_and_deadlines(seed: int, passed_on: bool) -> None:
    random = Random(seed)
    clock, count, room = Clock(), random.choice([1, 2, 4]), random.choice([0, 1, 3, 50])
    slow = weather(random, 2, 5).slow
    parts = [Weather(takes, slow) for takes in (0.0513, 0.0917)]
    again, timeout = some_retry(random), random.choice([0.1713, 0.3019, 1.5])
    threads = Threads(clock, count, room, parts, passed_on)
    call = Call("back", timeout=timeout * s, retry=again.retry(), propagates_deadline=passed_on)
    back = service(
        "back", *(Work(Constant(part.takes * s)) for part in parts), threads=count, room=room
    )
    times = arrivals(random)

    def ask(time: float, answered: Callable[[float, str], None], number: int = 1) -> None:
        state = ["open"]

        def once(end: float, kind: str) -> None:
            state.clear()
            if kind not in again.on or number == again.attempts:
                answered(end, kind)
            else:
                due = end + again.after(number)
                clock.at(due, lambda: ask(due, answered, number + 1))

        def told(end: float, kind: str) -> None:
            if state and kind != "dropped":
                once(end, kind)

        def late() -> None:
            if state:
                once(time + timeout, "timeout")

        clock.at(time + timeout, late)
        threads.ask(time, time + timeout, told)

    found = engines_say(system(service("front", call), back), times, parts[0].faults("back"))
    assert_same(journeys(times, clock, ask), *found)


# -- a fallback ----------------------------------------------------------------------------------


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("kind", ["static", "omit", "call", None])
@pytest.mark.parametrize("seed", SEEDS[:4])
def test_a_fallback(seed: int, kind: Any, optional: bool) -> None:
    """Who is asked instead is asked after the last attempt, within the client's timeout."""
    random = Random(seed)
    back, other = weather(random, 2, 100), weather(random, 2, 100, takes=0.0331)
    again, clock, timeout, instead = some_retry(random), Clock(), 0.0913, 0.0517
    fallback = kind and Fallback(kind, target="other" if kind == "call" else None)
    call = Call(
        "back", timeout=timeout * s, retry=again.retry(), optional=optional, fallback=fallback
    )
    times = arrivals(random)
    front = service("front", call, clients=[Client("other", timeout=instead * s)])
    model = system(front, back.external("back"), other.external("other"))
    first = again.ask(with_timeout(back, timeout))

    def ask(time: float) -> tuple[float, str]:
        end, how = first(time)
        if how == "ok":
            return end, how
        if kind == "call":
            end, how = with_timeout(other, instead)(end)
        elif kind is not None:
            how = "ok"
        return end, "degraded" if how == "ok" or optional else how

    faults = [*back.faults("back"), *(other.faults("other") if kind == "call" else [])]
    found = engines_say(model, times, faults)
    assert_same(journeys(times, clock, answers_later(clock, ask)), *found)


# -- a cache -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_the_time_to_live_of_an_entry(seed: int) -> None:
    """One key: what a good answer filled in is there until its time to live is over."""
    random = Random(seed)
    back, lookup = weather(random, 3, 10, takes=0.0713), 0.0011
    ttl = random.choice([0.0311, 0.5171, 3.0313])
    cache = Redis("cache", read=Constant(lookup * s), ttl=ttl * s, jitter=False, parallelism=1000)
    inner = Call("back", timeout=0.3 * s, retry=Absent("once"))
    model = system(
        service("front", Cached("cache", [inner], keys=KeySpace(1))),
        cache,
        back.external("back"),
    )
    times = arrivals(random)
    clock, until = Clock(), [-1.0]
    ask_back = answers_later(clock, with_timeout(back, 0.3))

    def ask(time: float, answered: Callable[[float, str], None]) -> None:
        def looked_up() -> None:
            if clock.now < until[0]:
                answered(clock.now, "ok")
            else:
                ask_back(clock.now, filled)

        def filled(end: float, kind: str) -> None:
            if kind == "ok":
                until[0] = end + ttl
            answered(end, kind)

        clock.at(time + lookup, looked_up)

    found = engines_say(model, times, back.faults("back"))
    assert_same(journeys(times, clock, ask), *found)


@pytest.mark.parametrize("seed", SEEDS)
def test_misses_that_wait_for_the_first(seed: int) -> None:
    random = Random(seed)
    back, lookup = weather(random, 3, 10, takes=0.0713), 0.0011
    ttl = random.choice([0.0311, 0.5171, 3.0313])
    cache = Redis(
        "cache",
        read=Constant(lookup * s),
        ttl=ttl * s,
        jitter=False,
        parallelism=1000,
        coalesced=True,
    )
    inner = Call("back", timeout=0.3 * s, retry=Absent("once"))
    model = system(
        service("front", Cached("cache", [inner], keys=KeySpace(1))), cache, back.external("back")
    )
    times, clock, until = arrivals(random, 600), Clock(), [-1.0]
    filling: list[list[Callable[[float, str], None]]] = []
    ask_back = answers_later(clock, with_timeout(back, 0.3))

    def ask(time: float, answered: Callable[[float, str], None]) -> None:
        def looked_up() -> None:
            if clock.now < until[0]:
                answered(clock.now, "ok")
            elif filling:
                filling[0].append(answered)
            else:
                filling.append([answered])
                ask_back(clock.now, filled)

        clock.at(time + lookup, looked_up)

    def filled(end: float, kind: str) -> None:
        if kind == "ok":
            until[0] = end + ttl
        for answered in filling.pop():
            answered(end, kind)

    found = engines_say(model, times, back.faults("back"))
    assert_same(journeys(times, clock, ask), *found)


# -- a failover ----------------------------------------------------------------------------------


FAILOVER = 30.0
"""Seconds, where nobody declares it (reference.md, what is assumed)."""


@pytest.mark.parametrize("failover", ["automatic", "manual", "none"])
@pytest.mark.parametrize("lasts", [7.0, 17.0, 35.0])
def test_the_primary_of_a_store_is_lost(failover: Any, lasts: float) -> None:
    """Queries fail until another copy has taken over, or the zone is back."""
    begin, takes, times = 5.003, 0.0101, [0.1 + 0.0973 * number for number in range(600)]
    db = MongoDB(
        "db",
        copies=3,
        zones=["a", "b", "c"],
        failover=failover,
        replication="async",
        read=Constant(takes * s),
    )
    model = system(service("front", Read("db", retry=Absent("once"))), db)
    loss = ZoneLoss("a", start=begin * s, end=(begin + lasts) * s)
    back = begin + (min(lasts, FAILOVER) if failover == "automatic" else lasts)
    expected = []
    for time in times:
        if begin <= time < back:
            expected.append((time, time, "failed"))
        elif time < begin < time + takes:
            expected.append((time, begin, "failed"))
        else:
            expected.append((time, time + takes, "ok"))
    assert_same(expected, *engines_say(model, times, [loss]))


class Shard:
    """Copies in zones: one of them answers, and another takes over 30 s after its zone is lost."""

    def __init__(self, clock: Clock, zones: Sequence[str], needed: int, elects: bool) -> None:
        self.clock, self.zones, self.needed, self.elects = clock, zones, needed, elects
        self.answers_in, self.number, self.is_due = zones[0], 0, False
        self.lost: list[str] = []
        self.asked: list[Callable[[], None]] = []

    @property
    def left(self) -> list[str]:
        return [zone for zone in self.zones if zone not in self.lost]

    @property
    def works(self) -> bool:
        return self.answers_in not in self.lost and len(self.left) >= self.needed

    def lose(self, zone: str) -> None:
        if zone == self.answers_in and zone not in self.lost and self.elects:
            number = self.number
            self.clock.at(self.clock.now + FAILOVER, lambda: self.due(number))
        self.lost.append(zone)
        self.fail_all()

    def regain(self, zone: str) -> None:
        self.lost.remove(zone)
        if zone == self.answers_in and zone not in self.lost:
            self.number += 1
            self.is_due = False
        self.take_over()

    def due(self, number: int) -> None:
        if number == self.number:
            self.is_due = True
            self.take_over()

    def take_over(self) -> None:
        if self.is_due and len(self.left) >= self.needed:
            self.answers_in = self.left[0]
            self.number += 1
            self.is_due = False

    def fail_all(self) -> None:
        if not self.works:
            for fail in self.asked:
                fail()
            self.asked.clear()

    def ask(self, takes: float) -> Asks:
        def query(time: float, answered: Callable[[float, str], None]) -> None:
            def ended(kind: str) -> None:
                if fail in self.asked or kind == "failed":
                    answered(self.clock.now, kind)
                if fail in self.asked and kind == "ok":
                    self.asked.remove(fail)

            def fail() -> None:
                ended("failed")

            if self.works:
                self.asked.append(fail)
                self.clock.at(time + takes, lambda: ended("ok"))
            else:
                answered(time, "failed")

        return query


@pytest.mark.parametrize("asks", ["reads", "stale reads", "by consensus"])
@pytest.mark.parametrize("seed", SEEDS)
def test_zones_of_a_store_are_lost_one_after_the_other(seed: int, asks: str) -> None:
    random = Random(seed)
    zones = ["a", "b", "c"][: random.choice([1, 2, 3])]
    copies, takes, clock = random.choice([2, 3, 4]), 0.0501, Clock()
    places = [zones[number % len(zones)] for number in range(copies)]
    needed = copies // 2 + 1 if asks == "by consensus" else 1
    if asks == "stale reads":  # the copies beside the primary answer them
        copies, places = 2, [zones[1 % len(zones)], zones[0]]
    elects = asks != "reads" or random.random() < 0.7
    losses = []
    for _ in range(random.choice([1, 2, 4])):
        begin = random.uniform(1, 30)
        losses.append((random.choice(zones), begin, begin + random.uniform(1, 70)))
    db = MongoDB(
        "db",
        copies=copies,
        zones=zones,
        failover="automatic" if elects else "manual",
        replication="consensus" if asks == "by consensus" else "async",
        read=Constant(takes * s),
    )
    shard = Shard(clock, places, needed, elects)
    for zone, begin, end in losses:
        clock.at(begin, lambda zone=zone: shard.lose(zone))  # type: ignore[misc]
        clock.at(end, lambda zone=zone: shard.regain(zone))  # type: ignore[misc]
    read = Read("db", retry=Absent("once"), stale=asks == "stale reads")
    times = arrivals(random, until=110)
    faults = [ZoneLoss(zone, start=a * s, end=b * s) for zone, a, b in losses]
    found = engines_say(system(service("front", read), db), times, faults)
    assert_same(journeys(times, clock, shard.ask(takes)), *found)


# -- a queue, its consumers and its dead letters -------------------------------------------------


@dataclass
class Line:
    """A queue whose messages come again until somebody ends well or they are dead letters."""

    clock: Clock
    work: Told
    consumers: int
    most: int
    hides: float | None
    waiting: deque[list[Any]] = field(default_factory=deque)
    busy: int = 0
    worked: list[Answer] = field(default_factory=list)
    dead: int = 0

    def put(self, message: list[Any]) -> None:
        """A message: how often it was delivered, its state, and since when it waits."""
        message[2] = self.clock.now
        self.waiting.append(message)
        self.serve()

    def serve(self) -> None:
        while self.waiting and self.busy < self.consumers:
            self.busy += 1
            self.deliver(self.waiting.popleft())

    def deliver(self, message: list[Any]) -> None:
        message[0] += 1
        delivery, begun = message[0], self.clock.now
        message[1] = "taken"
        end, kind = self.work(begun)
        came = message[2]
        self.clock.at(end, lambda: self.ended(message, delivery, came, kind))
        if self.hides is not None:
            self.clock.at(begun + self.hides, lambda: self.appears(message, delivery))

    def ended(self, message: list[Any], delivery: int, came: float, kind: str) -> None:
        self.busy -= 1
        good = kind == "ok"
        self.worked.append((came, self.clock.now, "ok" if good else "failed"))
        if good and message[1] == "waits":  # the copy still waits, so it can acknowledge
            if message in self.waiting:
                self.waiting.remove(message)
            message[1] = "done"
        elif delivery == message[0] and message[1] == "taken":
            if good:
                message[1] = "done"
            elif self.hides is None:
                self.again(message, first=True)
        self.serve()

    def appears(self, message: list[Any], delivery: int) -> None:
        if delivery == message[0] and message[1] == "taken":
            self.again(message, first=False)
            self.serve()

    def again(self, message: list[Any], first: bool) -> None:
        if message[0] >= self.most:
            self.dead += 1
            message[1] = "dead"
            return
        message[1:] = "waits", self.clock.now
        (self.waiting.appendleft if first else self.waiting.append)(message)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_queue_with_redelivery_and_dead_letters(seed: int) -> None:
    random = Random(seed)
    back, clock = weather(random, 3, 20, takes=0.0711), Clock()
    consumers, most = random.choice([1, 2, 7]), random.choice([1, 2, 5])
    hides = random.choice([None, 0.0531, 0.1871, 2.0311])
    line = Line(clock, back, consumers, most, hides)
    worker = service(
        "worker",
        consumers=[
            Consumer(
                "jobs",
                steps=[Call("back", retry=Absent("once"))],
                concurrency=consumers,
                max_deliveries=most,
                dead_letter="dead",
            )
        ],
    )
    jobs = Queue("jobs", broker="rabbit", visibility_timeout=hides and hides * s)
    model = system(
        service("front", Publish("jobs")),
        worker,
        jobs,
        Queue("dead", broker="rabbit"),
        RabbitMQ("rabbit"),
        back.external("back"),
    )
    times = arrivals(random, random.choice([50, 200]))
    for time in times:
        clock.at(time, lambda: line.put([0, "waits", 0.0]))
    clock.run()
    found = engines_say(model, times, back.faults("back"), of="worker.consume")
    assert_same(line.worked, *found)
