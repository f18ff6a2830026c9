"""The worst case of what lies below a call fits its timeout, and that of a journey its users.

Why it matters: each timeout may be sensible by itself, and yet attempts, pauses and calls one
after the other add up to more than the caller waits. Then the last of them is never of use: its
work is done for somebody who has gone, in the very moment in which everything is slow.

Attempts, the longest backoffs, hedges, fallback calls, repeats and everything that may happen
count; parallel branches count as the longest. Computing counts as its declared 99th percentile,
else as its mean and three standard deviations. A call that passes its deadline on fits by itself,
unless its callee declares that it ignores it. The wait at a bulkhead is a part of the timeout, as
in Resilience4j. A call of an external party is held against the longest that the party takes,
whether or not the model declares its endpoints. A journey is held against the patience of its
users. Its objective for latency is not: a promise for 99% of the requests leaves room for the worst
case (rules PRF002 and PRF003 hold it against what requests take). A single step that is longer than
its caller's timeout is rule RES002's.

How to fix: shorten what the evidence lists last, try less often, run calls side by side, or pass
the deadline on. `archcheck prove --suggest timeouts` finds timeouts that fit.

False positives: steps that never fail together, since a failure of the first ends the request.

Sources: grpc.io, Deadlines, and proposal A6 (a deadline spans all attempts); Google SRE book,
chapter 22 (deadline propagation).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Absent,
    Call,
    Constant,
    Endpoint,
    External,
    Fallback,
    GoKit,
    Hedge,
    Journey,
    MySQL,
    Network,
    Parallel,
    Read,
    Retry,
    Runtime,
    Service,
    Slo,
    Step,
    System,
    Work,
    Write,
)
from archcheck.findings import NotApplicable, Result, Rule
from archcheck.graph import Graph, Interaction
from archcheck.proof import LongestRun, Refuted, deadline_budgets, results
from archcheck.proof.worst_cases import WorstCases, worst_cases
from archcheck.units import Duration, ms, s

rule = Rule("RES003", "deadline-budget", severity="error", method="proof")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    cases = worst_cases(graph)
    answers = list(deadline_budgets(graph, cases, objectives=False))
    if not answers:
        yield NotApplicable("no call between services has a timeout, no journey a patience")
    yield from results(
        answer
        for answer in answers
        if not (isinstance(answer, Refuted) and _one_step_is_longer(cases, answer))
    )


def _one_step_is_longer(cases: WorstCases, answer: Refuted) -> bool:
    """Whether it is a caller's timeout that a single step of its callee exceeds (RES002)."""
    run, call = answer.counterexample, answer.subject
    if not isinstance(run, LongestRun) or not isinstance(call, Interaction):
        return False
    return any(case.seconds > run.limit for _, case in cases.single_steps(call.target_name))


def _shop(
    patience: Duration,
    *steps: Step,
    limit: Duration | None = None,
    runtime: Runtime | None = None,
) -> System:
    return System(
        "shop",
        [
            MySQL("ledger"),
            Service("web", endpoints=[Endpoint("buy", steps=[Call("orders", timeout=patience)])]),
            Service("orders", runtime=runtime, endpoints=[Endpoint("place", steps=steps)]),
            Service("bank", endpoints=[Endpoint("pay", steps=[Read("ledger", timeout=80 * ms)])]),
        ],
        journeys=[Journey("checkout", "web.buy", timeout=limit)],
        network=Network(delay=0.5 * ms),
    )


_PAY = Call("bank", timeout=300 * ms)


@rule.bad("web.buy -> orders.place")
def two_calls_one_after_the_other() -> System:
    return _shop(500 * ms, _PAY, Write("ledger", timeout=300 * ms))


@rule.bad("web.buy -> orders.place")
def attempts_and_pauses_add_up() -> System:
    retry = Retry(attempts=2, backoff=100 * ms)
    return _shop(
        500 * ms,
        Work(Constant(10 * ms)),
        Call("bank", timeout=150 * ms, retry=retry),
        Read("ledger", timeout=100 * ms),
    )


@rule.bad("checkout")
def the_users_have_gone() -> System:
    return _shop(800 * ms, _PAY, limit=700 * ms)


@rule.borderline()
def a_percentile_is_not_the_worst_case() -> System:
    system = _shop(800 * ms, _PAY)
    promise = Journey("checkout", "web.buy", slo=Slo(p95=100 * ms, p99=500 * ms))
    return System("shop", system.elements, journeys=[promise])


@rule.borderline()
def exactly_as_long() -> System:
    return _shop(601 * ms, _PAY, Write("ledger", timeout=300 * ms), limit=601 * ms)


@rule.borderline("web.buy -> orders.place")
def a_hedge_and_a_fallback_come_on_top() -> System:
    hedged = Call(
        "bank", timeout=300 * ms, hedge=Hedge(50 * ms), fallback=Fallback("call", target="bank.pay")
    )
    return _shop(429 * ms, hedged)  # 350 ms, and more than 80 ms of the fallback


@rule.good
def side_by_side() -> System:
    branches = Parallel([_PAY, Write("ledger", timeout=300 * ms)])
    return _shop(400 * ms, branches, limit=1 * s)


@rule.good
def the_deadline_is_passed_on() -> System:
    return _passed_on(GoKit())


@rule.unknown("runtime.deadline_propagation")
def nobody_says_what_its_callee_makes_of_it() -> System:
    return _passed_on(None)


def _passed_on(runtime: Runtime | None) -> System:
    steps = [Call("orders", timeout=500 * ms, propagates_deadline=True)]
    web = Service("web", endpoints=[Endpoint("buy", steps=steps)])
    rest = _shop(1 * s, _PAY, Write("ledger", timeout=300 * ms), runtime=runtime).elements
    return System("shop", [web, *(part for part in rest if part.name != "web")])


@rule.unknown("timeout")
def nobody_knows_how_long_the_query_may_take() -> System:
    return _shop(500 * ms, _PAY, Write("ledger"))


@rule.borderline()
def without_a_timeout_the_callee_says_how_long() -> System:
    return _shop(80 * ms, Call("bank", timeout=Absent("the bank has one")))


def _of_a_partner(latency: Duration | None) -> System:
    place = Endpoint("place", steps=[Call("bank", timeout=1 * s)])
    bank = External("bank", latency=Constant(latency) if latency is not None else None)
    return System(
        "shop", [bank, Service("orders", endpoints=[place])], network=Network(delay=0 * ms)
    )


@rule.bad("orders.place -> bank")
def a_partner_that_always_takes_longer() -> System:
    return _of_a_partner(5 * s)


@rule.borderline()
def a_partner_that_takes_as_long() -> System:
    return _of_a_partner(1 * s)


@rule.unknown("latency")
def nobody_knows_how_long_a_partner_takes() -> System:
    return _of_a_partner(None)
