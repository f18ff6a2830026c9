"""What a client says is what each of its calls would say: for rules, proofs and runs."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from depth import thorough
from differential.generator import system_from
from in_clients import in_clients

from archcheck import (
    Absent,
    Call,
    CircuitBreaker,
    Client,
    Deterministic,
    Endpoint,
    Fallback,
    Journey,
    Kubernetes,
    Load,
    ModelError,
    MySQL,
    Network,
    Read,
    Retry,
    Scenario,
    Service,
    Step,
    System,
    Work,
)
from archcheck.findings import Example, Rule, evaluate
from archcheck.findings.rule import EXAMPLES_DAY
from archcheck.graph import Graph
from archcheck.model import ScenarioError, from_json, to_json
from archcheck.plugins import rules
from archcheck.simulation import simulate
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.plan import Plan
from archcheck.units import ms, percent, s

CASES = [
    pytest.param(rule, example, id=f"{rule.id}-{example.build.__name__}")
    for rule in rules()
    for example in rule.examples
    if in_clients(example.build()) != example.build()
]


def said(rule: Rule, system: System) -> object:
    outcome = evaluate(rule, Graph(system, today=EXAMPLES_DAY))
    assert not outcome.broken
    return (
        [
            (p.subject, p.message, p.fix, tuple(part.text for part in p.evidence))
            for finding in outcome.findings
            for p in finding.occurrences
        ],
        [(q.missing, name) for q in outcome.questions for name, _, _ in q.subjects],
    )


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_a_rule_says_the_same_of_a_client(rule: Rule, example: Example) -> None:
    system = example.build()
    assert said(rule, in_clients(system)) == said(rule, system)


@thorough
def test_a_run_is_the_same_with_clients() -> None:
    moved = 0
    for seed in range(300):
        system = system_from(Random(seed))
        other = in_clients(system)
        moved += other != system
        assert plan_of(other) == plan_of(system), seed
    assert moved > 150


def plan_of(system: System) -> Plan | str:
    try:
        return compile_plan(system, system.scenarios[0])
    except ScenarioError as error:
        return str(error)


# -- what a client is -----------------------------------------------------------------------------


def shop(*steps: Step, clients: Sequence[Client] = (), replicas: int = 1) -> System:
    return System(
        "shop",
        [
            Service(
                "orders",
                endpoints=[Endpoint("place", steps=list(steps))],
                clients=clients,
                deployment=Kubernetes(replicas=replicas),
            ),
            Service(
                "bank",
                endpoints=[
                    Endpoint("charge", steps=[Work(1 * ms)], error_rate=100 * percent),
                    Endpoint("refund", steps=[Work(1 * ms)]),
                ],
            ),
            MySQL("ledger", read=1 * ms),
        ],
        journeys=[Journey("buy", "orders.place")],
        network=Network(delay=0 * ms),
    )


def asked(system: System) -> dict[str, object]:
    return {step.target_name: step.step for step in Graph(system).interactions}


def test_a_call_may_say_otherwise_and_a_callee_more_than_all() -> None:
    steps = asked(
        shop(
            Call("bank.charge"),
            Call("bank.refund", timeout=Absent("it is never slow")),
            Read("ledger"),
            clients=[
                Client(timeout=2 * s, retry=Retry(attempts=2)),
                Client("bank", timeout=800 * ms),
            ],
        )
    )
    charge, refund, ledger = (steps[n] for n in ("bank.charge", "bank.refund", "ledger"))
    assert (charge.timeout, charge.retry.attempts) == (800 * ms, 2)  # type: ignore[attr-defined]
    assert isinstance(refund.timeout, Absent)  # type: ignore[attr-defined]
    assert ledger.timeout == 2 * s  # type: ignore[attr-defined]


def test_the_breaker_of_a_client_is_one_for_all_its_calls_in_a_replica() -> None:
    breaker = CircuitBreaker(failure_rate=50 * percent, minimum_calls=10, open_for=1000 * s)
    together = shop(
        Call("bank.charge", optional=True),
        Call("bank.refund", optional=True),
        clients=[Client("bank", breaker=breaker)],
        replicas=2,
    )
    scenario = Scenario("calm", load=[Load("buy", Deterministic(10 / s))], duration=20 * s)
    plan = compile_plan(together, scenario)
    assert len(plan.breakers) == 1
    result = simulate(together, scenario, warmup=0 * s)
    refunds = next(call for call in result.calls if call.name.endswith("bank.refund"))
    # half of the calls fail: each replica makes ten calls, and then none, neither to refund
    assert refunds.calls - refunds.broken == 2 * 5
    assert refunds.broken > 100


def test_a_fallback_goes_through_the_client_of_whom_it_asks() -> None:
    system = shop(
        Call("bank.charge", fallback=Fallback("call", target="bank.refund")),
        clients=[Client("bank", timeout=30 * ms)],
    )
    plan = compile_plan(system, Scenario("calm", load=[Load("buy", Deterministic(1 / s))]))
    charge, refund = (c for c in plan.calls if " -> bank." in c.name and "orders" in c.name)
    assert (charge.policy.timeout, refund.policy.timeout) == (0.03, 0.03)


def test_mistakes_in_clients_have_a_sentence() -> None:
    with pytest.raises(ModelError, match="there is no 'bnk' in the system; did you mean 'bank'"):
        shop(clients=[Client("bnk")])
    with pytest.raises(ModelError, match=r"'bank\.charge' is an endpoint, not"):
        shop(clients=[Client("bank.charge")])
    with pytest.raises(ModelError, match="has two clients for 'bank', already declared at"):
        shop(clients=[Client("bank"), Client("bank", timeout=1 * s)])
    with pytest.raises(ModelError, match="has two clients for all that it asks"):
        shop(clients=[Client(), Client(timeout=1 * s)])


def test_clients_come_back_from_json() -> None:
    system = shop(Call("bank.charge"), clients=[Client("bank", timeout=1 * s), Client()])
    assert from_json(to_json(system)) == system
