"""No element that fails is made to work more than a bound of times over.

Why it matters: every layer that retries multiplies what arrives below it. Layers that each try
three times send 27 requests to a database that is already failing, which keeps it failing.

A step that may be tried n times counts n; the factors of a path multiply. A retry budget of b
counts 1 + b, a breaker that opens at a failure rate f counts 1/(1 - f), both in the long run: a
breaker needs enough load to open, and to stay open. A deadline that all callers pass on bounds the
attempts that each wait for a timeout. Hedges, the retries of a mesh, deliveries of messages and the
questions of fallbacks count. A step that is optional or has a fallback keeps its failures to
itself; then only timeouts above it that may be over before the answer multiply. The rule looks at
one element that fails at a time; `archcheck prove` asks what holds when those above it fail or are
late as well. A lost cache does not multiply: rule RES024 asks whether that is carried.

How to fix: retry in one layer only, and give retries a budget:
`Retry(attempts=3, budget=RetryBudget(10 * percent))`.

False positives: failures that are never retried by more than one layer because each layer turns
them into another kind of failure; say so with `on=` and `Absent`.

Sources: Google SRE book, chapter 22 (retry amplification); AWS Builders' Library, Timeouts, retries
and backoff with jitter; Envoy, retry budgets; gRPC proposal A6 (retry throttling).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import (
    Absent,
    Call,
    CircuitBreaker,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    MySQL,
    Named,
    Poisson,
    Read,
    Retry,
    RetryBudget,
    Scenario,
    Service,
    System,
)
from archcheck.findings import Result, Rule, option
from archcheck.graph import Graph
from archcheck.proof import Refuted, RetryStorm, exact, results, retry_amplification
from archcheck.units import ms, percent, s


@dataclass(frozen=True)
class Options:
    """Thresholds of the rule."""

    bound: float = option(10.0, "times that the work of an element may be multiplied")


rule = Rule("RES007", "retry-amplification", severity="error", method="proof", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    yield from results(
        answer
        for answer in retry_amplification(graph, exact(options.bound), one_failure=True)
        if not (isinstance(answer, Refuted) and _only_passed_on(answer))
    )


def _only_passed_on(answer: Refuted) -> bool:
    """Whether the last step of the path does not retry: what it calls from is reported.

    But for a consumer, whose messages come again: what it asks first is reported for it.
    """
    storm = answer.counterexample
    if not isinstance(storm, RetryStorm) or storm.factors[-1] != 1:
        return False
    return len(storm.path) > 1 and storm.path[-2].mode != "publish"


def _chain(*layers: Call | Read) -> System:
    """Services a, b, c ... that each ask the next one, and a database at the end."""
    members: list[Named] = [MySQL("db")]
    for name, step in zip("abc", layers, strict=False):
        members.append(Service(name, endpoints=[Endpoint("go", steps=[step])]))
    return System("shop", members)


def _tries(attempts: int, target: str, budget: RetryBudget | None = None) -> Call:
    return Call(target, retry=Retry(attempts=attempts, backoff=10 * ms, budget=budget))


_READ = Read("db", retry=Retry(attempts=3))


@rule.bad("db")
def three_layers_of_three() -> System:
    return _chain(_tries(3, "b"), _tries(3, "c"), _READ)


@rule.bad("c")
def two_layers_of_four() -> System:
    return _chain(_tries(4, "b"), _tries(4, "c"), Read("db"))


@rule.borderline()
def exactly_ten() -> System:
    return _chain(_tries(5, "b"), _tries(2, "c"), Read("db"))


@rule.borderline("b")
def eleven() -> System:
    return _chain(_tries(11, "b"), Read("db", retry=Absent("the caller does")))


@rule.good
def a_budget_in_each_layer() -> System:
    budget = RetryBudget(20 * percent)
    return _chain(_tries(5, "b", budget), _tries(5, "c", budget), _READ)


@rule.good
def a_breaker_stops_them() -> System:
    half = CircuitBreaker(failure_rate=50 * percent, open_for=60 * s)
    guarded = Call("b", retry=Retry(attempts=9), breaker=half)
    store, _, *others = _chain(guarded, Call("c", retry=Absent("no")), _READ).elements
    twice = Kubernetes(replicas=2)
    first = Service("a", endpoints=[Endpoint("go", steps=[guarded])], deployment=twice)
    return System(
        "shop",
        [store, first, *others],
        journeys=[Journey("use", "a.go")],
        scenarios=[Scenario("calm", load=[Load("use", Poisson(100 / s))])],
    )


@rule.unknown("retry")
def nobody_says_whether_the_middle_layer_retries() -> System:
    return _chain(_tries(3, "b"), Call("c"), _READ)
