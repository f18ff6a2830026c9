"""The method of layers against the layered queueing network tools, and Markov chains.

Published: the regression models of github.com/layeredqueuing/V5, solved exactly by petrisrvn, and
92-open by lqns (Franks, Woodside et al.).
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fidelity.test_layered import nested_chain

from archcheck.capacity.networks import (
    LayeredSolution,
    Processor,
    Task,
    TaskEntry,
    solve_layered,
)
from archcheck.model import ModelError

PUBLISHED = 0.10
FREE = Processor("free")


def users(count: int, work: float, calls: dict[str, float], think: float = 0.0) -> Task:
    return Task(
        "users",
        "free",
        [TaskEntry("users", work, calls)],
        threads=count,
        is_reference=True,
        think=think,
    )


def task(
    name: str,
    work: float,
    calls: dict[str, float] | None = None,
    *,
    threads: float = 1,
    after: float = 0.0,
    calls_after: dict[str, float] | None = None,
    on: str = "free",
) -> Task:
    entry = TaskEntry(name, work, calls or {}, after, calls_after or {})
    return Task(name, on, [entry], threads=threads)


def solved(*tasks: Task) -> LayeredSolution:
    return solve_layered([FREE, Processor("one", 1, sharing=False)], tasks)


@pytest.mark.parametrize(
    ("tasks", "throughput"),
    [
        ((users(1, 1, {"a": 1, "b": 1}), task("a", 1, {"b": 1}), task("b", 1)), 0.25),
        ((users(2, 1, {"a": 1, "b": 1}), task("a", 1, {"b": 1}), task("b", 1)), 0.345407),
        (
            (
                users(2, 1, {"a": 1, "b": 1}),
                task("a", 0.5, after=0.5, calls_after={"b": 1}),
                task("b", 1),
            ),
            0.364152,
        ),
        ((users(1, 1, {"a": 1, "b": 1}), task("a", 1, on="one"), task("b", 1, on="one")), 0.333333),
        ((users(4, 1, {"a": 1}), task("a", 1, threads=2)), 1.7),
        ((users(3, 1, {"a": 1}), task("a", 1, threads=3)), 1.5),
        ((users(3, 1, {"a": 1}), task("a", 1, threads=math.inf)), 1.5),
        ((users(1, 1, {"a": 1}), task("a", 1, after=1)), 0.4),
        ((users(2, 1, {"a": 1}), task("a", 1)), 0.8),
    ],
    ids=[
        "10-interlock",
        "12-interlock",
        "13-interlock",
        "15-split-interlock",
        "20-multiserver",
        "22-multiserver",
        "23-multiserver",
        "31-overtaking",
        "50-replication",
    ],
)
def test_published_throughputs(tasks: tuple[Task, ...], throughput: float) -> None:
    assert solved(*tasks).throughputs["users"] == pytest.approx(throughput, rel=PUBLISHED)


def test_12_interlock_in_detail() -> None:
    found = solved(users(2, 1, {"a": 1, "b": 1}), task("a", 1, {"b": 1}), task("b", 1))
    assert found.waits["users", "a"] == pytest.approx(1.11288, rel=PUBLISHED)
    assert found.services["a"] == pytest.approx(2.24194, rel=PUBLISHED)
    assert found.utilisations["a"] == pytest.approx(0.774369, rel=PUBLISHED)
    assert found.utilisations["b"] == pytest.approx(0.690811, rel=PUBLISHED)


def test_92_open() -> None:
    names = {"dbd": 10.52, "dbp": 10.73, "wsd": 7.55, "wsp": 17.12}
    entry = TaskEntry("choose", 1e-5, dict.fromkeys(names, 1.0), rate=0.01)
    choose = Task("choose", "free", [entry], threads=math.inf)
    found = solved(choose, *(task(name, time) for name, time in names.items()))
    assert found.services["choose"] == pytest.approx(52.5995, rel=1e-4)
    assert found.waits["choose", "dbd"] == pytest.approx(1.23682, rel=1e-4)
    assert found.waits["choose", "wsp"] == pytest.approx(3.53637, rel=1e-4)


@pytest.mark.parametrize(
    ("count", "fronts", "backs"), [(4, 2, 1), (10, 3, 1), (10, 5, 2), (20, 8, 3), (6, 6, 1)]
)
def test_nested_possession_agrees_with_its_markov_chain(
    count: int, fronts: int, backs: int
) -> None:
    found = solved(
        users(count, 0, {"front": 1}, think=0.1),
        task("front", 0.03, {"back": 1}, threads=fronts),
        task("back", 0.03, threads=backs),
    )
    exact = nested_chain(count, 0.1, fronts, 0.02, backs, 0.03, 0.01)
    assert found.throughputs["front"] == pytest.approx(exact, rel=0.03)


def test_no_task_is_more_than_busy() -> None:
    found = solved(users(40, 0.1, {"a": 1}), task("a", 0.5, after=0.5))
    assert found.utilisations["a"] <= 1 + 1e-6
    assert found.throughputs["a"] == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(
    ("tasks", "says"),
    [
        ((task("a", 1), task("a", 1)), "two parts with the name 'a'"),
        ((task("a", 1, on="there"),), "'there', which is no processor"),
        ((task("a", 1, {"b": 1}),), "'b', which is no entry"),
        ((task("a", 1, {"b": 1}), task("b", 1, {"a": 1})), "in a circle"),
        (
            (Task("a", "free", [TaskEntry("x", 0, {"b": 1}, rate=2)], math.inf), task("b", 1)),
            "for ever",
        ),
        ((users(1, 0, {}),), "take no time"),
    ],
)
def test_wrong_input(tasks: tuple[Task, ...], says: str) -> None:
    with pytest.raises(ModelError) as caught:
        solved(*tasks)
    assert says in str(caught.value)


def test_copies_are_tasks_of_their_own() -> None:
    """Two copies of a task, each with a pool and a core of its own, and the same spelled out."""
    one, pool = Processor("core", 1, copies=2), "pool"
    together = solve_layered(
        [FREE, one],
        [
            users(20, 0.01, {"a": 1}, think=0.2),
            replace(task("a", 0.02, {pool: 2}, threads=3, on="core"), copies=2, own=[pool]),
            replace(task(pool, 0.0, {"db": 1}, threads=2), copies=2),
            task("db", 0.01, threads=2),
        ],
    )
    apart = solve_layered(
        [FREE, Processor("core 1", 1), Processor("core 2", 1)],
        [
            users(20, 0.01, {"a 1": 0.5, "a 2": 0.5}, think=0.2),
            *(task(f"a {n}", 0.02, {f"p {n}": 2}, threads=3, on=f"core {n}") for n in (1, 2)),
            *(task(f"p {n}", 0.0, {"db": 1}, threads=2) for n in (1, 2)),
            task("db", 0.01, threads=2),
        ],
    )
    assert together.converged
    assert together.throughputs["users"] == pytest.approx(apart.throughputs["users"], rel=0.02)
    assert together.answers["a"] == pytest.approx(apart.answers["a 1"], rel=0.04)
    assert together.utilisations["a"] == pytest.approx(2 * apart.utilisations["a 1"], rel=0.04)
