"""No resource that is proved to carry a load is simulated busier than the proof says.

Random systems with hedges, retries, schedules, stale reads, fallbacks, errors, feature flags,
threads that wait in queues, caches and zones, in the compiled engine.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from archcheck import (
    Absent,
    Call,
    Constant,
    Deterministic,
    Endpoint,
    Exponential,
    Fallback,
    Go,
    Hedge,
    Journey,
    Kubernetes,
    Load,
    MySQL,
    Parallel,
    Poisson,
    Read,
    Repeat,
    Retry,
    RollingUpdate,
    Scenario,
    Schedule,
    Service,
    SpringBoot,
    Step,
    System,
    Uniform,
    WithProbability,
    Work,
    Write,
    simulate,
)
from archcheck.graph import Graph
from archcheck.proof import Proved, carried
from archcheck.simulation.engines import fast
from archcheck.units import ms, percent, s

pytestmark = pytest.mark.skipif(not fast.is_compiled(), reason="the engine is not compiled")

NOISE = 1.03
LIMIT = 0.8
SEEDS = 30


def heaviest(seed: int) -> System:
    """A system under the highest load that it is still proved to carry, in steps of 15%."""
    rates = [2 * 1.15**number for number in range(50)]
    proved = drawn(seed, rates[0])
    for rate in rates[1:]:
        made = drawn(seed, rate)
        if not all(isinstance(answer, Proved) for answer in carried(Graph(made))):
            break
        proved = made
    return proved


def drawn(seed: int, rate: float) -> System:
    """Services call those after them and ask a store."""
    chance = Random(seed)
    services = [_service(chance, number) for number in range(3)]
    clock = Schedule("clock", calls="s2.x", every=chance.choice([0.2, 1, 5]) * s)
    store = MySQL(
        "db",
        copies=chance.choice([1, 2, 3]),
        parallelism=chance.choice([1, 2, 8]),
        max_connections=1000,
        read=_time(chance, 4),
        write=_time(chance, 4),
    )
    arrivals = chance.choice([Poisson, Deterministic])(rate / s)
    span = min(400.0, max(60.0, 20_000 / rate))
    return System(
        "drawn",
        [*services, store, *[clock] * chance.randrange(2)],
        journeys=[Journey("j", "s0.x")],
        scenarios=[Scenario("calm", load=[Load("j", arrivals)], duration=span * s)],
    )


def _service(chance: Random, number: int) -> Service:
    runtime: Any = chance.choice(
        [
            Go("1.22", parallelism=chance.choice([1, 2])),
            SpringBoot(threads=chance.choice([2, 5, 20])),
        ]
    )
    steps = [
        Work(_time(chance, 8)),
        *(_step(chance, number) for _ in range(chance.randrange(1, 4))),
    ]
    return Service(
        f"s{number}",
        runtime=runtime,
        deployment=Kubernetes(
            replicas=chance.choice([1, 2]), zones=["z1"], rollout=RollingUpdate()
        ),
        endpoints=[
            Endpoint(
                "x",
                steps=steps,
                idempotent=True,
                error_rate=chance.choice([None, 1, 20]) and chance.choice([1, 20]) * percent,
            )
        ],
    )


def _step(chance: Random, number: int) -> Step:
    match chance.randrange(6):
        case 0:
            return Work(_time(chance, 5))
        case 1:
            return Repeat(2, [Read("db", timeout=60 * s, retry=Absent("no"))])
        case 2:
            return WithProbability(30 * percent, [Write("db", timeout=60 * s, retry=Absent("no"))])
        case 3:
            return Read("db", stale=True, timeout=60 * s, retry=Absent("no"))
        case _:
            if number == 2:
                return Parallel([Read("db", timeout=60 * s, retry=Absent("no")), Work(1 * ms)])
            return _call(chance, number)


def _call(chance: Random, number: int) -> Call:
    again = Retry(attempts=chance.choice([2, 4]), backoff=5 * ms, jitter=True)
    hedge = Hedge(chance.choice([2, 10, 60]) * ms, max_attempts=chance.choice([2, 3]))
    return Call(
        f"s{number + 1}.x",
        timeout=chance.choice([20 * ms, 100 * ms, 60 * s]),
        retry=chance.choice([Absent("no"), again]),
        hedge=chance.choice([None, None, hedge]),
        fallback=chance.choice([None, Fallback("call", target="s2.x"), Fallback("static")]),
    )


def _time(chance: Random, most: int) -> Any:
    mean = chance.randrange(1, most + 1)
    return chance.choice(
        [Constant(mean * ms), Exponential(mean * ms), Uniform(0 * ms, 2 * mean * ms)]
    )


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_run_is_busier_than_what_is_proved(seed: int) -> None:
    system = heaviest(seed)
    answers = {
        (answer.subject.name, answer.claim.split(" keeps its ")[1].split(" ")[0]): answer  # type: ignore[union-attr]
        for answer in carried(Graph(system))
    }
    result = simulate(system, system.scenarios[0], warmup=10 * s, seed=seed)
    busy = {resource.name: resource for resource in result.resources}
    for (name, what), answer in answers.items():
        nodes = [n for n in (name, f"{name} replicas") if n in busy] if what != "max_rate" else []
        for node in nodes:
            if isinstance(answer, Proved):
                assert busy[node].utilisation <= LIMIT * NOISE, (seed, answer, busy[node])
