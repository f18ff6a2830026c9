"""Nested possession: servers that are held while they wait for other servers.

Oracles: published solutions of the layered queueing network tools (the regression models of
github.com/layeredqueuing/V5, solved exactly by petrisrvn: Franks, Woodside et al.), within 3%;
and Markov chains that are solved here.

In those models the number of calls of an activity is geometric with the given mean, and its host
demand is cut into as many exponential slices; a reference task is users without think time.
"""

from __future__ import annotations

import numpy as np
import pytest
from fidelity.harness import (
    assert_contains,
    latency,
    mean_of,
    runs,
    service,
    system,
    throughput,
    utilisation,
)

from archcheck import (
    Call,
    Closed,
    Constant,
    Endpoint,
    Journey,
    Mix,
    Parallel,
    Scenario,
    Series,
    Service,
    Step,
    WithProbability,
    Work,
)
from archcheck.model.scenarios import Choice
from archcheck.simulation import SimulationResult, simulate
from archcheck.units import Duration, Fraction, s

PUBLISHED = 0.03
DEPTH = 25


def sliced(demand: float, target: str, mean: float = 1.0, depth: int = DEPTH) -> list[Step]:
    """An activity: slices of work, between which it calls a geometric number of times."""
    share = mean / (1 + mean)
    work = Work(Duration(demand / (1 + mean)))
    if depth == 0:
        return [work]
    return [
        work,
        WithProbability(Fraction(share), [Call(target), *sliced(demand, target, mean, depth - 1)]),
    ]


END = service("end", Work(Constant(0 * s)))


def solve(
    users: int,
    demand: float,
    targets: dict[str, float],
    *services: Service,
    cycles: float = 12_000.0,
) -> list[SimulationResult]:
    """Users who call targets a mean number of times in a cycle.

    Each slice of their work is a round in which they call one target, or end with ``visit``.
    """
    total = 1 + sum(targets.values())
    names = {target: target.replace(".", "-") for target in targets}
    journeys = [Journey("visit", "end.run"), *(Journey(names[t], t) for t in targets)]
    choices = [Choice("visit", 1.0), *(Choice(names[t], mean) for t, mean in targets.items())]
    model = system(END, *services, journeys=journeys)
    return runs(model, Mix(choices, Closed(users, think=Duration(demand / total))), cycles, count=3)


@pytest.mark.on_both
def test_10_interlock() -> None:
    """One client that calls a server twice, once through another: nobody ever waits."""
    found = solve(
        1,
        1.0,
        {"t1.run": 1, "t2.run": 1},
        service("t1", *sliced(1.0, "t2.run"), threads=1),
        service("t2", Work(1 * s), threads=1),
    )
    assert mean_of(found, throughput) == pytest.approx(0.25, rel=PUBLISHED)
    assert mean_of(found, utilisation("t1")) == pytest.approx(0.5, rel=PUBLISHED)
    assert mean_of(found, utilisation("t2")) == pytest.approx(0.5, rel=PUBLISHED)


def test_12_interlock() -> None:
    """Two clients: they wait for t1 while it waits for t2, and for t2 themselves."""
    found = solve(
        2,
        1.0,
        {"t1.run": 1, "t2.run": 1},
        service("t1", *sliced(1.0, "t2.run"), threads=1),
        service("t2", Work(1 * s), threads=1),
        cycles=60_000.0,
    )
    assert mean_of(found, throughput) == pytest.approx(0.345407, rel=PUBLISHED)
    assert mean_of(found, utilisation("t1")) == pytest.approx(0.774369, rel=PUBLISHED)
    assert mean_of(found, utilisation("t2")) == pytest.approx(0.690811, rel=PUBLISHED)
    wait = mean_of(found, lambda r: r.resource("t1").mean_wait)
    assert wait == pytest.approx(1.11288, rel=PUBLISHED)
    served = mean_of(found, lambda r: r.operation("t1.run").latency.mean) - wait
    assert served == pytest.approx(2.24194, rel=PUBLISHED)


def test_bug_740_two_classes_and_a_fork_inside_a_server() -> None:
    """A task with one thread serves two classes; one forks on its only processor and joins."""
    fork = Parallel([Series(sliced(0.1, f"{name}.run")) for name in ("t1", "t2")])
    t0 = Service(
        "t0",
        runtime=service("x", threads=1, cores=1, scheduling="fifo").runtime,
        deployment=END.deployment,
        endpoints=[
            Endpoint("a", steps=[Work(0.1 * s), fork]),
            Endpoint("b", steps=sliced(1.0, "t3.run")),
        ],
    )
    others = [service(name, Work(1 * s), threads=1) for name in ("t1", "t2", "t3")]
    other_end = service("stop", Work(Constant(0 * s)))
    journeys = [
        Journey("visit", "end.run"),
        Journey("a", "t0.a"),
        Journey("stop", "stop.run"),
        Journey("b", "t0.b"),
    ]
    model = system(END, other_end, t0, *others, journeys=journeys)
    load = [
        Mix([Choice("visit", 1), Choice("a", 1)], Closed(1, think=0.5 * s), name="c0"),
        Mix([Choice("stop", 1), Choice("b", 1)], Closed(2, think=0.5 * s), name="c1"),
    ]
    found = [
        simulate(model, Scenario("x", load=load), duration=15_000 * s, warmup=500 * s, seed=seed)
        for seed in (1, 2, 3)
    ]
    assert mean_of(found, throughput) == pytest.approx(0.161765, rel=PUBLISHED)
    second = mean_of(found, lambda r: r.journey("stop").throughput)
    assert second == pytest.approx(0.327471, rel=PUBLISHED)
    assert mean_of(found, utilisation("t0")) == pytest.approx(0.980782, rel=PUBLISHED)
    assert mean_of(found, utilisation("t3")) == pytest.approx(0.327471, rel=PUBLISHED)


def test_20_multiserver() -> None:
    found = solve(4, 1.0, {"server.run": 1}, service("server", Work(1 * s), threads=2))
    assert mean_of(found, throughput) == pytest.approx(1.7, rel=PUBLISHED)
    wait = mean_of(found, lambda r: r.resource("server").mean_wait)
    assert wait == pytest.approx(0.352942, rel=PUBLISHED)


def test_50_replication() -> None:
    """Four clients, two servers, each client with one of them: two of M/M/1//2."""
    found = solve(2, 1.0, {"server.run": 1}, service("server", Work(1 * s), threads=1))
    assert mean_of(found, throughput) == pytest.approx(2 * 0.4, rel=PUBLISHED)
    assert mean_of(found, utilisation("server")) == pytest.approx(0.8, rel=PUBLISHED)


def test_07_sanity_a_server_that_sleeps() -> None:
    """A thread is held half of the time without its processor."""
    server = service("server", Work(0.5 * s), Work(0.5 * s, blocking=True), threads=1, cores=1)
    found = solve(1, 1.0, {"server.run": 1}, server)
    assert mean_of(found, throughput) == pytest.approx(0.5, rel=PUBLISHED)
    assert mean_of(found, utilisation("server")) == pytest.approx(0.5, rel=PUBLISHED)
    assert mean_of(found, utilisation("server cores")) == pytest.approx(0.25, rel=PUBLISHED)


# -- Markov chains ----------------------------------------------------------------------------


def nested_chain(
    users: int, think: float, fronts: int, before: float, backs: int, inside: float, after: float
) -> float:
    """Throughput of users who call a service that works, calls a second one, and works again.

    State: fronts that work before, that wait for or are in the second service, that work after;
    the others think or wait for a front. Solved as a continuous-time Markov chain.
    """
    states = [
        (a, b, c, q)
        for a in range(fronts + 1)
        for b in range(fronts + 1 - a)
        for c in range(fronts + 1 - a - b)
        for q in range(users + 1 - a - b - c)
        if q == 0 or a + b + c == fronts
    ]
    index = {state: i for i, state in enumerate(states)}
    rates = np.zeros((len(states), len(states)))

    def move(source: tuple[int, ...], target: tuple[int, ...], rate: float) -> None:
        if rate > 0:
            rates[index[source], index[target]] += rate  # type: ignore[index]

    for a, b, c, q in states:
        held = a + b + c
        thinking = users - held - q
        if thinking:
            arrived = (a + 1, b, c, q) if held < fronts else (a, b, c, q + 1)
            move((a, b, c, q), arrived, thinking / think)
        if a:
            move((a, b, c, q), (a - 1, b + 1, c, q), a / before)
        if b:
            move((a, b, c, q), (a, b - 1, c + 1, q), min(b, backs) / inside)
        if c:
            done = (a + 1, b, c - 1, q - 1) if q else (a, b, c - 1, q)
            move((a, b, c, q), done, c / after)
    generator = rates - np.diag(rates.sum(axis=1))
    generator[:, 0] = 1.0
    right = np.zeros(len(states))
    right[0] = 1.0
    stationary = np.linalg.solve(generator.T, right)
    return float(sum(p * c / after for p, (_, _, c, _) in zip(stationary, states, strict=True)))


@pytest.mark.parametrize(
    ("users", "fronts", "backs"), [(4, 2, 1), (10, 3, 1), (10, 5, 2), (20, 8, 3), (6, 6, 1)]
)
def test_nested_possession_agrees_with_its_markov_chain(
    users: int, fronts: int, backs: int
) -> None:
    model = system(
        service("front", Work(0.02 * s), Call("back.run"), Work(0.01 * s), threads=fronts),
        service("back", Work(0.03 * s), threads=backs),
    )
    found = runs(model, Closed(users, think=0.1 * s), 60.0)
    exact = nested_chain(users, 0.1, fronts, 0.02, backs, 0.03, 0.01)
    assert_contains(found, throughput, exact)
    assert_contains(found, latency, users / exact - 0.1)
