"""Circuit breakers see enough calls to open, and their timings make sense.

Why it matters: a breaker that never has the minimum of calls in its window never opens. It looks
like protection on the diagram and is none.

Breakers live in each replica of the caller, so a replica's share of the rate counts, of an
autoscaled one that of the fewest replicas: it has more where the load is higher. Calls to one
callee that have the same breaker, such as that of a ``Client``, fill it together. With a window of
time, rate x window must reach the minimum of calls; with a window of calls, the minimum (the
window, where that is smaller, as in Resilience4j) must be reached within ``max_detection``. A call
counts as slow only when it may last longer than ``slow_call``, so that must be below the timeout;
and a timeout beyond a window of time is noticed too late.

A call without a timeout is rule RES001's finding, and not looked at here.

How to fix: a smaller ``minimum_calls``, a longer window, or fewer replicas.

False positives: callers whose real load is higher than the declared one.

Sources: Resilience4j, CircuitBreaker (minimumNumberOfCalls, slidingWindowType,
slowCallDurationThreshold); Azure Architecture Center, Circuit Breaker pattern.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archcheck import (
    Call,
    CircuitBreaker,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    Poisson,
    Scenario,
    Service,
    System,
)
from archcheck.capacity import demands
from archcheck.editing.spelling import plain_source
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph, Interaction
from archcheck.graph.shared import sharing
from archcheck.units import Duration, Rate, minutes, percent, s


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_detection: Duration = option(1 * minutes, "time in which failing calls must be noticed")


rule = Rule("RES010", "breaker-never-opens", severity="warning", method="calc", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    guarded = sharing(graph, "breaker")
    if not guarded:
        yield NotApplicable("no call has a circuit breaker")
    for steps in guarded:
        if (breaker := steps[0].protection.breaker) is not None:
            for step in steps:
                yield from _timings(step, breaker)
            yield from _opens(steps, breaker, _peak(graph, steps), options)


def _peak(graph: Graph, steps: Sequence[Interaction]) -> float | None:
    """The most calls a second that these make together, where a load reaches one of them."""
    rates = [
        sum(demand.steps.get(step, 0.0) for step in steps)
        for demand in demands(graph)
        if any(step in demand.steps for step in steps)
    ]
    return max(rates, default=None)


def _timings(step: Interaction, breaker: CircuitBreaker) -> Iterator[Violation]:
    attempt = step.protection.attempt()
    if attempt is None:
        return  # rule RES001 asks for it
    timeout = Duration(float(attempt))
    if breaker.slow_call is not None and breaker.slow_call >= timeout:
        yield Violation(
            step,
            f"the breaker of {step.name} counts calls as slow from {breaker.slow_call}, and none "
            f"lasts longer than its timeout of {timeout}",
            fix=f"slow_call below {timeout}",
        )
    if isinstance(breaker.window, Duration) and timeout >= breaker.window:
        yield Violation(
            step,
            f"the breaker of {step.name} looks back {breaker.window}, no further than the timeout "
            f"of {timeout}",
            fix=f"window={plain_source(timeout * 10)}",
        )


def _opens(
    steps: Sequence[Interaction],
    breaker: CircuitBreaker,
    rate: float | None,
    options: Options,
) -> Iterator[Result]:
    step = steps[0]
    window = breaker.window if isinstance(breaker.window, Duration) else options.max_detection
    needed = breaker.minimum_calls
    if not isinstance(breaker.window, Duration):
        needed = min(needed, breaker.window)  # as Resilience4j does
    replicas = _replicas(step)
    least = Rate(needed / float(window))
    if rate is None:
        yield Undecided(step, "a load that reaches it", f"holds from {least:.3} in each replica")
    elif replicas is None:
        yield Undecided(step.source, "deployment.replicas", f"holds with {least:.3} in each")
    elif rate / replicas < float(least) * (1 - 1e-9):
        yield Violation(
            step,
            f"the breaker of {_whose(steps)} needs {needed} calls in {window} and sees "
            f"{rate / replicas * float(window):.3g} in each replica",
            fix=f"minimum_calls={max(1, int(rate / replicas * float(window) / 2))}",
            evidence=(
                f"{Rate(rate):.3} over {replicas} {'replica' if replicas == 1 else 'replicas'}",
                *(steps if len(steps) > 1 else ()),
            ),
        )


def _whose(steps: Sequence[Interaction]) -> str:
    first = steps[0]
    return first.name if len(steps) == 1 else f"{first.source.name} for {first.target.name}"


def _replicas(step: Interaction) -> int | None:
    deployment = getattr(step.source, "deployment", None)
    return deployment.fewest_replicas() if deployment else None


def _guarded(
    breaker: CircuitBreaker, rate: float = 20, *, loaded: bool = True, replicas: int | None = 2
) -> System:
    call = Call("pay.charge", breaker=breaker, timeout=1 * s)
    return System(
        "shop",
        [
            Service(
                "shop",
                deployment=Kubernetes(replicas=replicas) if replicas else None,
                endpoints=[Endpoint("buy", steps=[call])],
            ),
            Service("pay", endpoints=[Endpoint("charge")]),
        ],
        journeys=[Journey("buy", "shop.buy")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(rate / s))])] if loaded else [],
    )


@rule.bad("shop.buy -> pay.charge")
def a_short_window_and_many_calls() -> System:
    return _guarded(CircuitBreaker(failure_rate=50 * percent, window=10 * s, minimum_calls=200))


@rule.bad("shop.buy -> pay.charge")
def too_quiet_to_fill_a_window_of_calls() -> System:
    return _guarded(CircuitBreaker(failure_rate=50 * percent), rate=1)


@rule.bad("shop.buy -> pay.charge", "shop.buy -> pay.charge")
def timings_that_cannot_work() -> System:
    return _guarded(
        CircuitBreaker(failure_rate=50 * percent, window=1 * s, minimum_calls=5, slow_call=1 * s)
    )


@rule.borderline()
def just_enough_calls() -> System:
    return _guarded(CircuitBreaker(failure_rate=50 * percent, window=10 * s, minimum_calls=100))


@rule.good
def ten_calls_in_ten_seconds() -> System:
    return _guarded(
        CircuitBreaker(
            failure_rate=50 * percent, window=10 * s, minimum_calls=10, slow_call=0.5 * s
        )
    )


@rule.good
def a_small_window_of_calls() -> System:
    return _guarded(CircuitBreaker(failure_rate=50 * percent, window=20), rate=1)


@rule.unknown("a load that reaches it")
def no_load_is_declared() -> System:
    return _guarded(CircuitBreaker(failure_rate=50 * percent), loaded=False)


@rule.unknown("deployment.replicas")
def nobody_knows_how_many_share_the_calls() -> System:
    return _guarded(CircuitBreaker(failure_rate=50 * percent), replicas=None)
