"""Worst cases against an enumeration of every run, and replayed in the simulator."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction as Rational

import pytest
from depth import examples
from hypothesis import given
from hypothesis import strategies as st

from archcheck import (
    Absent,
    Call,
    Constant,
    Deterministic,
    Endpoint,
    Fallback,
    Feature,
    Flag,
    Hedge,
    Journey,
    Load,
    MySQL,
    Network,
    Parallel,
    Repeat,
    Retry,
    Scenario,
    Series,
    Service,
    Slo,
    Slow,
    Step,
    System,
    WithProbability,
    Work,
    Write,
)
from archcheck.editing import apply
from archcheck.graph import Graph
from archcheck.proof import LongestRun, Proved, Refuted, Undecided, deadline_budgets, exact
from archcheck.proof.timeouts import suggest_timeouts
from archcheck.proof.worst_cases import WorstCases
from archcheck.simulation import simulate
from archcheck.units import Duration, ms, s

# -- all runs ---------------------------------------------------------------------------------


def durations(step: Step, callee: frozenset[int]) -> frozenset[int]:
    """Every time in milliseconds that a step can take, each attempt and branch tried both ways."""
    match step:
        case Work(time=Constant(value=value)):
            return frozenset({round(float(value) * 1000)})
        case Parallel(steps=steps):
            waited = [durations(b, callee) for b in steps if not getattr(b, "optional", False)]
            return frozenset(max(times) for times in itertools.product(*waited))
        case WithProbability(steps=steps):
            return frozenset({0}) | in_a_row(steps, callee)
        case Repeat(steps=steps, times=times):
            return in_a_row([*steps] * times, callee)
        case Series(steps=steps):
            return in_a_row(steps, callee)
        case Call() | Write():
            return attempts(step, callee)
    raise AssertionError(step)


def in_a_row(steps: Sequence[Step], callee: frozenset[int]) -> frozenset[int]:
    every = [durations(step, callee) for step in steps]
    return frozenset(sum(times) for times in itertools.product(*every)) if every else frozenset({0})


def attempts(step: Call | Write, callee: frozenset[int]) -> frozenset[int]:
    """Each attempt answers at once, fails at once or waits for its timeout, then it pauses."""
    timeout = round(float(step.timeout) * 1000)  # type: ignore[arg-type]
    retry = step.retry if isinstance(step.retry, Retry) else Retry(attempts=1)
    found, going = set[int](), {0}
    for number in range(retry.attempts):
        ends = {total + spent for total in going for spent in (0, timeout)}
        found |= ends
        pause = round(float(retry.backoff or 0) * 1000 * retry.factor**number)
        going = {
            total + wait for total in ends for wait in ((0, pause) if retry.jitter else (pause,))
        }
    fallback = step.fallback
    if isinstance(fallback, Fallback) and fallback.kind == "call":
        found |= {total + more for total in found for more in callee}
    return frozenset(found)


TIMES = st.integers(1, 40).map(lambda n: n * ms)
RETRIES = st.builds(
    lambda attempts, backoff, jitter: Retry(attempts=attempts, backoff=backoff * ms, jitter=jitter),
    st.integers(1, 3),
    st.integers(0, 9),
    st.booleans(),
)
FALLBACKS = st.none() | st.just(Fallback("static")) | st.just(Fallback("call", target="c.go"))
LEAVES = st.one_of(
    TIMES.map(lambda time: Work(Constant(time))),
    st.builds(
        lambda timeout, retry, fallback: Call(
            "b.go", timeout=timeout, retry=retry, fallback=fallback
        ),
        TIMES,
        RETRIES,
        FALLBACKS,
    ),
    st.builds(lambda timeout, retry: Write("db", timeout=timeout, retry=retry), TIMES, RETRIES),
)
STEPS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map(Parallel),
        st.lists(inner, min_size=1, max_size=2).map(lambda steps: WithProbability("50%", steps)),
        inner.map(lambda step: Repeat(2, [step])),
        st.lists(inner, min_size=1, max_size=2).map(Series),
    ),
    max_leaves=4,
)


def system(steps: Sequence[Step], *, limit: Duration = 1 * s) -> System:
    """An endpoint with the steps, and those that it asks."""
    return System(
        "made",
        [
            MySQL("db"),
            Service("a", endpoints=[Endpoint("go", steps=steps)]),
            Service("b", endpoints=[Endpoint("go")]),
            Service("c", endpoints=[Endpoint("go", steps=[Work(Constant(7 * ms))])]),
        ],
        journeys=[Journey("use", "a.go", timeout=limit)],
        network=Network(delay=0 * s),
    )


@examples(300)
@given(st.lists(STEPS, min_size=1, max_size=2))
def test_the_worst_case_is_the_longest_of_all_runs(steps: list[Step]) -> None:
    longest = max(in_a_row(steps, frozenset({7})))
    made = system(steps)
    case = WorstCases(Graph(made)).of("a.go")
    assert case.seconds == Rational(longest, 1000)
    assert not case.gaps
    for limit, verdict in ((longest, Proved), (longest - 1, Refuted)):
        if limit > 0:
            (answer,) = [
                answer
                for answer in deadline_budgets(Graph(system(steps, limit=limit * ms)))
                if isinstance(answer.subject, Journey)
            ]
            assert isinstance(answer, verdict)


@examples(150)
@given(st.lists(STEPS, min_size=1, max_size=2), st.integers(1, 200))
def test_the_conflict_exceeds_the_limit_and_nothing_of_it_can_be_left_out(
    steps: list[Step], limit: int
) -> None:
    for answer in deadline_budgets(Graph(system(steps, limit=limit * ms))):
        if isinstance(answer, Refuted) and isinstance(answer.counterexample, LongestRun):
            run = answer.counterexample
            assert sum(part.seconds for part in run.waits) > run.limit
            named = [p for p in run.waits if p.subject in run.conflict or "computes" in p.text]
            assert sum(part.seconds for part in named) > run.limit


# -- synthesis --------------------------------------------------------------------------------


@examples(150)
@given(st.lists(STEPS, min_size=1, max_size=2), st.integers(5, 300))
def test_suggested_timeouts_meet_every_budget_or_none_do(steps: list[Step], limit: int) -> None:
    made = system(steps, limit=limit * ms)
    found = suggest_timeouts(Graph(made))
    if not found.conflicts:
        mended = apply(made, found.edits)
        assert not any(isinstance(a, Refuted) for a in deadline_budgets(Graph(mended)))
    else:  # even with next to no timeouts the computing alone is too long
        (conflict,) = found.conflicts
        assert isinstance(conflict.counterexample, LongestRun)
        assert sum(part.seconds for part in conflict.counterexample.waits) > Rational(limit, 1000)


def chain(first: int, second: int, limit: int, p99: int = 20) -> System:
    pay = Endpoint("pay", slo=Slo(p99=p99 * ms))
    return System(
        "made",
        [
            Service("web", endpoints=[Endpoint("buy", steps=[Call("orders", timeout=first * ms)])]),
            Service(
                "orders",
                endpoints=[
                    Endpoint("place", steps=[Call("bank.pay", timeout=second * ms) for _ in "ab"])
                ],
            ),
            Service("bank", endpoints=[pay]),
        ],
        journeys=[Journey("checkout", "web.buy", timeout=limit * ms)],
    )


def test_timeouts_stay_as_declared_where_they_fit() -> None:
    assert suggest_timeouts(Graph(chain(300, 150, 300))).edits == ()


def test_timeouts_go_the_same_share_of_the_way() -> None:
    edits = suggest_timeouts(Graph(chain(300, 200, 300))).edits
    assert [float(edit.values["timeout"]) for edit in edits] == [0.149, 0.149]


def test_no_timeouts_fit_what_the_callees_need() -> None:
    found = suggest_timeouts(Graph(chain(300, 150, 39)))
    (conflict,) = found.conflicts
    assert "checkout" in str(conflict.counterexample)
    assert suggest_timeouts(Graph(chain(300, 150, 40))).conflicts == ()


# -- examples ---------------------------------------------------------------------------------


def one(steps: Sequence[Step]) -> Rational:
    return WorstCases(Graph(system(steps))).of("a.go").seconds


def test_a_hedge_is_sent_while_the_first_attempt_is_open() -> None:
    hedged = Call("b", timeout=100 * ms, hedge=Hedge(30 * ms, max_attempts=3))
    assert one([hedged]) == Rational(160, 1000)
    late = Call("b", timeout=100 * ms, hedge=Hedge(101 * ms))
    assert one([late]) == Rational(100, 1000)
    at_the_end = Call("b", timeout=100 * ms, hedge=Hedge(100 * ms))
    assert one([at_the_end]) == Rational(200, 1000)  # sent in the moment of the timeout


def test_a_flag_is_on_or_off_and_never_both() -> None:
    both = [
        Feature("new", [Call("b", timeout=40 * ms)]),
        Feature("new", [Call("b", timeout=30 * ms)], off=True),
    ]
    made = System(
        "made",
        [
            Flag("new"),
            Service("a", endpoints=[Endpoint("go", steps=both)]),
            Service("b", endpoints=[Endpoint("go")]),
        ],
    )
    assert WorstCases(Graph(made)).of("a.go").seconds == Rational(40, 1000)


def test_an_undeclared_timeout_says_how_much_is_left() -> None:
    steps = [Call("b", timeout=40 * ms), Write("db")]
    (_, answer) = deadline_budgets(Graph(system(steps, limit=100 * ms)))
    assert isinstance(answer, Undecided)
    assert [(gap.attribute, gap.threshold) for gap in answer.gaps] == [
        ("timeout", "60 ms are left of 100 ms")
    ]


def test_calls_in_a_circle_have_no_worst_case_without_timeouts() -> None:
    endless = Absent("never")
    made = System(
        "made",
        [
            Service("a", endpoints=[Endpoint("go", steps=[Call("b", timeout=endless)])]),
            Service("b", endpoints=[Endpoint("go", steps=[Call("a", timeout=endless)])]),
        ],
        journeys=[Journey("use", "a", timeout=1 * s)],
    )
    assert all(isinstance(answer, Undecided) for answer in deadline_budgets(Graph(made)))


@pytest.mark.parametrize("attempts", [1, 3])
def test_the_counterexample_happens_in_the_simulator(attempts: int) -> None:
    """With everything below slow, a request takes what the story says it takes."""
    retry = Retry(attempts=attempts, backoff=20 * ms, jitter=False)
    steps = [
        Work(Constant(5 * ms)),
        Call("b", timeout=50 * ms, retry=retry, optional=True),
        Write("db", timeout=30 * ms, optional=True),
    ]
    elements = [
        MySQL("db", write=Constant(1 * ms)),
        Service("a", endpoints=[Endpoint("go", steps=steps)]),
        Service("b", endpoints=[Endpoint("go", steps=[Work(Constant(1 * ms))])]),
    ]
    slow = [Slow("db", factor=1e6, start=0 * s), Slow("b", factor=1e6, start=0 * s)]
    load = Scenario("one", load=[Load("use", Deterministic(1 / s))], faults=slow)
    made = System(
        "made",
        elements,
        journeys=[Journey("use", "a.go", slo=Slo(p99=60 * ms))],
        scenarios=[load],
    )
    answers = [a for a in deadline_budgets(Graph(made)) if isinstance(a.subject, Journey)]
    (answer,) = answers
    assert isinstance(answer, Refuted)
    run = answer.counterexample
    assert isinstance(run, LongestRun)
    told = sum((part.seconds for part in run.waits), Rational(0))
    (journey,) = simulate(made, load, duration=5 * s, warmup=0 * s).journeys
    assert exact(journey.latency.p99) == pytest.approx(told, rel=0.02)
