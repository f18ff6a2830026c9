"""Retry factors against all patterns of failures, and replayed in the simulator."""

from __future__ import annotations

from fractions import Fraction as Rational

import pytest
from depth import examples
from hypothesis import given
from hypothesis import strategies as st

from archcheck import (
    Absent,
    Call,
    CircuitBreaker,
    Constant,
    Deterministic,
    Docker,
    Endpoint,
    Errors,
    GoKit,
    Hedge,
    Journey,
    Load,
    Mesh,
    MySQL,
    Poisson,
    Read,
    Retry,
    RetryBudget,
    Runtime,
    Scenario,
    Service,
    System,
    Work,
)
from archcheck.graph import Graph
from archcheck.proof import Refuted, RetryStorm, Undecided, exact, retry_amplification
from archcheck.proof.amplification import Amplification
from archcheck.simulation import simulate
from archcheck.units import ms, percent, s


def chain(*attempts: int, **options: object) -> System:
    """Services in a row; each tries the next one so often, and the last one a database."""
    members: list[Service | MySQL] = [MySQL("db", read=Constant(1 * ms))]
    for number, count in enumerate(attempts):
        retry = Retry(attempts=count, backoff=0 * ms, jitter=False)
        last = number == len(attempts) - 1
        step = Read("db", retry=retry) if last else Call(f"s{number + 1}", retry=retry)
        members.append(Service(f"s{number}", endpoints=[Endpoint("go", steps=[step])]))
    return System("made", members, journeys=[Journey("use", "s0")], **options)  # type: ignore[arg-type]


def outcomes(attempts: tuple[int, ...]) -> set[tuple[bool, int]]:
    """Whether the first layer gets an answer, and the queries made, for every pattern."""
    if not attempts:
        return {(True, 1), (False, 1)}
    below = outcomes(attempts[1:])
    found, going = set[tuple[bool, int]](), {0}
    for number in range(attempts[0]):
        found |= {(True, made + queries) for made in going for ok, queries in below if ok}
        going = {made + queries for made in going for ok, queries in below if not ok}
        if number == attempts[0] - 1:
            found |= {(False, made) for made in going}
    return found


@examples(60)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_the_factor_is_the_most_that_any_pattern_of_failures_makes(attempts: list[int]) -> None:
    most = max(queries for _, queries in outcomes(tuple(attempts)))
    assert Amplification(Graph(chain(*attempts))).of("db").factor == most


def test_of_several_paths_the_worst_counts() -> None:
    steps = [Call("b", retry=Retry(attempts=2)), Call("c", retry=Retry(attempts=7))]
    read = Endpoint("go", steps=[Read("db", retry=Retry(attempts=3))])
    made = System(
        "made",
        [
            MySQL("db"),
            Service("a", endpoints=[Endpoint("go", steps=steps)]),
            Service("b", endpoints=[read]),
            Service("c", endpoints=[read]),
        ],
    )
    answers = [a for a in retry_amplification(Graph(made)) if isinstance(a, Refuted)]
    (storm,) = [answer.counterexample for answer in answers]
    assert isinstance(storm, RetryStorm)
    assert [step.name for step in storm.path] == ["a.go -> c.go", "c.go -> db"]
    assert storm.factor == 21


@pytest.mark.parametrize(
    ("call", "factor"),
    [
        (Call("b", retry=Retry(attempts=9)), Rational(9)),
        (Call("b", retry=Retry(attempts=9, budget=RetryBudget(20 * percent))), Rational(6, 5)),
        (
            Call("b", retry=Retry(attempts=9), breaker=CircuitBreaker(failure_rate=75 * percent)),
            Rational(4),
        ),
        (
            Call("b", retry=Retry(attempts=2), breaker=CircuitBreaker(failure_rate=75 * percent)),
            Rational(2),
        ),
        (Call("b", retry=Retry(attempts=2), hedge=Hedge(5 * ms, max_attempts=3)), Rational(6)),
        (
            Call("b", retry=Retry(attempts=9, budget=RetryBudget(10 * percent, minimum=5 / s))),
            Rational(16, 10),
        ),
    ],
)
def test_what_holds_retries_back(call: Call, factor: Rational) -> None:
    made = System(
        "made",
        [
            Service("a", deployment=Docker(replicas=1), endpoints=[Endpoint("go", steps=[call])]),
            Service("b", endpoints=[Endpoint("go")]),
        ],
        journeys=[Journey("use", "a")],
        scenarios=[Scenario("usual", load=[Load("use", Poisson(10 / s))])],
    )
    assert Amplification(Graph(made)).of("b.go").factor == factor


@pytest.mark.parametrize(("deployment", "factor"), [(Docker(replicas=20), 21), (None, 30)])
def test_each_replica_has_the_minimum_of_its_budget_to_itself(
    deployment: Docker | None, factor: int
) -> None:
    """How many replicas there are is undeclared: then the budget promises nothing."""
    retry = Retry(attempts=30, budget=RetryBudget(0 * percent, minimum=10 / s))
    front = Endpoint("go", steps=[Call("b", retry=retry)])
    made = System(
        "made",
        [
            Service("a", deployment=deployment, endpoints=[front]),
            Service("b", endpoints=[Endpoint("go")]),
        ],
        journeys=[Journey("use", "a")],
        scenarios=[Scenario("usual", load=[Load("use", Poisson(10 / s))])],
    )
    assert Amplification(Graph(made)).of("b.go").factor == factor


def test_a_mesh_repeats_the_attempts_of_a_call() -> None:
    mesh = Mesh("istio", retry=Retry(attempts=3))
    step = Call("b", retry=Retry(attempts=2))
    made = System(
        "made",
        [
            Service("a", mesh=mesh, endpoints=[Endpoint("go", steps=[step])]),
            Service("b", endpoints=[Endpoint("go")]),
        ],
    )
    assert Amplification(Graph(made)).of("b.go").factor == 6


@pytest.mark.parametrize(("runtime", "attempts"), [(GoKit(), 3), (None, 9)])
def test_a_deadline_that_is_heeded_leaves_room_for_few_timeouts(
    runtime: Runtime | None, attempts: int
) -> None:
    asks = Call("b", timeout=250 * ms, propagates_deadline=True, retry=Absent("no"))
    retry = Retry(attempts=9, backoff=0 * ms, on=["timeout"])
    again = Call("c", timeout=100 * ms, retry=retry)
    made = System(
        "made",
        [
            Service("a", endpoints=[Endpoint("go", steps=[asks])]),
            Service("b", runtime=runtime, endpoints=[Endpoint("go", steps=[again])]),
            Service("c", endpoints=[Endpoint("go")]),
        ],
    )
    assert Amplification(Graph(made)).of("c.go").factor == attempts


def test_an_undeclared_retry_says_how_many_attempts_it_may_have() -> None:
    made = System(
        "made",
        [
            MySQL("db"),
            Service("a", endpoints=[Endpoint("go", steps=[Call("b")])]),
            Service("b", endpoints=[Endpoint("go", steps=[Read("db", retry=Retry(attempts=3))])]),
        ],
    )
    answers = list(retry_amplification(Graph(made)))
    thresholds = [gap.threshold for a in answers if isinstance(a, Undecided) for gap in a.gaps]
    assert thresholds == ["holds with 10 attempts", "holds with 3 attempts"]


@pytest.mark.parametrize("attempts", [(3, 3), (2, 2, 3)])
def test_the_storm_happens_in_the_simulator(attempts: tuple[int, ...]) -> None:
    """While the database fails, each journey makes as many queries as the counterexample says."""
    faults = [Errors("db", rate=100 * percent)]
    load = Scenario("storm", load=[Load("use", Deterministic(2 / s))], faults=faults)
    made = chain(*attempts, scenarios=[load])
    bound = exact(2.0)
    (storm,) = [
        answer.counterexample
        for answer in retry_amplification(Graph(made), bound)
        if isinstance(answer, Refuted) and answer.subject.name == "db"
    ]
    assert isinstance(storm, RetryStorm)
    result = simulate(made, load, duration=20 * s, warmup=0 * s)
    (journey,) = result.journeys
    queries = sum(call.attempts for call in result.calls if "-> db" in call.name)
    assert queries / journey.started == pytest.approx(float(storm.factor), rel=0.05)


def test_work_without_calls_is_no_storm() -> None:
    made = System("made", [Service("a", endpoints=[Endpoint("go", steps=[Work(1 * ms)])])])
    assert list(retry_amplification(Graph(made))) == []
