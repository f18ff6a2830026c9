"""No run waits longer, or asks more often, than a proof allows; rules and proofs say the same.

Random systems with meshes, hedges, retries, fallbacks and deadlines, under faults, in the compiled
engine (which the differential tests hold to the reference engine).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction as Rational
from random import Random
from typing import Any

import archcheck_rules.resilience.deadline_budget as res003
import archcheck_rules.resilience.no_timeout as res001
import archcheck_rules.resilience.timeout_inversion as res002
import pytest
from depth import examples, sample
from differential.compare import Collected
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from archcheck import (
    Absent,
    Call,
    CircuitBreaker,
    Client,
    Constant,
    CustomRuntime,
    CutLink,
    Deterministic,
    Endpoint,
    Errors,
    Fallback,
    Fault,
    Feature,
    Flag,
    Hedge,
    Journey,
    Load,
    Mesh,
    MySQL,
    Network,
    Parallel,
    Read,
    Repeat,
    Retry,
    Scenario,
    Service,
    Slow,
    Step,
    System,
    WithProbability,
    Work,
)
from archcheck.findings import Rule, Violation
from archcheck.graph import Graph
from archcheck.graph.protection import Protection
from archcheck.proof import Refuted, deadline_budgets
from archcheck.proof.amplification import Amplification
from archcheck.proof.worst_cases import WorstCases
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import fast
from archcheck.simulation.plan import THROUGH_MESH, Outcome, Plan
from archcheck.simulation.record import Record
from archcheck.simulation.trace import Span, SpanKind
from archcheck.units import ms, percent, s

pytestmark = pytest.mark.skipif(not fast.is_compiled(), reason="the engine is not compiled")

ROOMY = CustomRuntime(concurrency="lightweight", parallelism=10_000)
"""Nobody waits for a core, which proofs of deadlines do not speak of."""
END = 3.0
ROUNDING = 1e-9
SLOWED = ("db", "s0")
"""Elements that faults make slower than declared: their own time has no bound."""


class Guarded:
    """Draws a system in which services call those before them, with everything that guards."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def pick(self, *values: Any) -> Any:
        return values[self.random.randrange(len(values))]

    def retry(self) -> Retry:
        return Retry(
            attempts=self.pick(2, 3),
            backoff=self.pick(0 * ms, 5 * ms, 20 * ms),
            factor=self.pick(1.0, 2.0),
            jitter=self.pick(True, False),
            max_backoff=self.pick(None, 6 * ms),
            on=self.pick(("timeout", "rejected", "failed"), ("timeout",), ("failed",), ("broken",)),
        )

    def mesh(self) -> Mesh:
        return Mesh(
            "istio",
            timeout=self.pick(None, 10 * ms, 60 * ms),
            retry=self.pick(None, self.retry(), self.retry()),
            per_try_timeout=self.pick(None, 7 * ms, 25 * ms),
            outlier_detection=self.pick(None, True),
        )

    def fallback(self, callees: Sequence[str]) -> Fallback | Absent | None:
        if self.random.random() < 0.2:
            return Fallback("call", target=self.pick(*callees))
        return self.pick(None, None, Absent("nothing else"), Fallback("static"))

    def asked(self, callees: Sequence[str]) -> Step:
        common = {
            "timeout": self.pick(None, 8 * ms, 20 * ms, 50 * ms),
            "retry": self.pick(None, Absent("once"), self.retry()),
            "optional": self.pick(False, False, True),
            "fallback": self.fallback(callees),
            "breaker": self.pick(
                None, None, CircuitBreaker(failure_rate=50 * percent, minimum_calls=5)
            ),
        }
        if self.random.random() < 0.25:
            return Read("db", **common)
        return Call(
            self.pick(*callees),
            hedge=self.pick(None, None, Hedge(self.pick(3, 8, 20) * ms, max_attempts=2)),
            propagates_deadline=self.pick(None, False, True),
            **common,
        )

    def step(self, callees: Sequence[str], depth: int = 0) -> Step:
        kind = self.random.randrange(10)
        if kind < 2 or not callees:
            return Work(Constant(self.pick(1, 3) * ms))
        if kind < 7 or depth:
            return self.asked(callees)
        inner = [self.step(callees, 1) for _ in range(self.pick(1, 2))]
        match kind:
            case 7:
                return Parallel([*inner, self.step(callees, 1)])
            case 8:
                return self.pick(
                    Repeat(self.pick(2, 3), inner),
                    Feature("new", inner, off=self.pick(True, False)),
                )
            case _:
                return WithProbability(50 * percent, inner)

    def system(self) -> System:
        services = []
        for number in range(self.pick(3, 4)):
            callees = [f"s{before}" for before in range(number)]
            steps = [self.step(callees) for _ in range(self.pick(1, 2, 3))]
            mesh = self.pick(None, self.mesh())
            endpoint = Endpoint("go", steps=steps)
            clients = [] if self.random.random() < 0.3 else [Client(timeout=self.pick(8, 50) * ms)]
            services.append(
                Service(
                    f"s{number}", runtime=ROOMY, mesh=mesh, endpoints=[endpoint], clients=clients
                )
            )
        return System(
            "made",
            [MySQL("db", read=Constant(2 * ms), max_connections=100_000), Flag("new"), *services],
            journeys=[Journey("use", services[-1].name, timeout=self.pick(None, 30 * ms, 90 * ms))],
            scenarios=[Scenario("calm", load=[Load("use", Deterministic(20 / s))])],
            network=Network(delay=self.pick(0, 0, 2) * ms),
        )

    def faults(self, system: System) -> list[Fault]:
        names = [service.name for service in system.services]
        found: list[Fault] = []
        for asked in SLOWED:
            if self.random.random() < 0.6:
                found.append(Slow(asked, factor=self.pick(10, 1000), start=0 * s, end=END * s))
        for name in names[:-1]:
            if self.random.random() < 0.3:
                rate = self.pick(30, 100) * percent
                found.append(Errors(name, rate=rate, start=0 * s, end=END * s))
        if self.random.random() < 0.3:
            found.append(CutLink(names[-1], names[0], start=1 * s, end=END * s))
        return found


def run(system: System, faults: Sequence[Fault], seed: int) -> tuple[Plan, list[Span], Record]:
    asked = {step.target.name for step in Graph(system).interactions if step.visits}
    reached = [fault for fault in faults if getattr(fault, "target", "") in asked]
    plan = compile_plan(system, Scenario("faulty", load=system.scenarios[0].load, faults=reached))
    tracer = Collected()
    record = fast.run(plan, seed=seed, duration=END + 2, warmup=0.0, tracer=tracer)
    return plan, tracer.spans, record


def longest_spans(plan: Plan, spans: Sequence[Span]) -> dict[str, float]:
    """Operations and journeys to the longest that one of them took."""
    found: dict[str, float] = defaultdict(float)
    for span in spans:
        if span.kind == SpanKind.ATTEMPT:
            continue
        rows: Any = plan.journeys if span.kind == SpanKind.JOURNEY else plan.operations
        name = rows[span.place].name
        found[name] = max(found[name], span.end - span.start)
    return found


def check_waits(system: System, plan: Plan, spans: Sequence[Span]) -> None:
    cases = WorstCases(Graph(system))
    longest = longest_spans(plan, spans)
    unbounded = {*SLOWED, *with_unbounded_fallbacks(cases.graph)}
    for service in system.services:
        name, case = f"{service.name}.go", cases.of(f"{service.name}.go")
        if service.name not in unbounded and not case.gaps:
            assert longest.get(name, 0.0) <= float(case.at_most) + ROUNDING, name
    whole = cases.of_journey(system.journeys[0])
    if not whole.gaps and system.journeys[0].entry not in unbounded:
        assert longest.get("use", 0.0) <= float(whole.seconds) + ROUNDING


def with_unbounded_fallbacks(graph: Graph) -> set[str]:
    """Services whose fallback only its callee bounds: faults make that slower than declared."""
    return {
        step.source.name
        for step in graph.interactions
        if step.fallback is not None and step.fallback.protection.attempt() is None
    }


def check_counts(system: System, plan: Plan, record: Record) -> None:
    """Attempts of the code for each call, and what arrives behind the mesh for each of them."""
    bounds: dict[str, tuple[int, int]] = defaultdict(lambda: (1, 1))
    for name, guard in guarded_calls(Graph(system)):
        tries, behind = bounds[name]
        bounds[name] = max(tries, guard.tries * guard.hedged), max(behind, guard.mesh_tries)
    calls: dict[str, int] = defaultdict(int)
    attempts: dict[str, int] = defaultdict(int)
    for site, measured in zip(plan.calls, record.calls, strict=True):
        calls[site.name] += measured.calls
        attempts[site.name] += measured.calls + measured.retries + measured.hedges
    for name, count in attempts.items():
        asked = name.removesuffix(THROUGH_MESH)
        allowed = bounds[asked][1] if name != asked else bounds[asked][0]
        assert count <= allowed * calls[name], name


def guarded_calls(graph: Graph) -> Iterator[tuple[str, Protection]]:
    """All calls and queries by the name that a run gives them, those of fallbacks included."""
    for step in graph.interactions:
        yield f"{step.name}{'.read' if step.mode == 'read' else ''}", step.protection
        if step.fallback is not None:
            yield step.fallback.name, step.fallback.protection


def check_rules(system: System) -> None:
    graph = Graph(system)
    refuted = {id(a.subject) for a in deadline_budgets(graph) if isinstance(a, Refuted)}
    said = {id(subject) for rule in (res002.rule, res003.rule) for subject in violated(rule, graph)}
    assert said == refuted


def violated(rule: Rule, graph: Graph) -> list[Any]:
    return [result.subject for result in rule.run(graph) if isinstance(result, Violation)]


def check(random: Random, seed: int) -> None:
    guarded = Guarded(random)
    system = guarded.system()
    plan, spans, record = run(system, guarded.faults(system), seed)
    check_waits(system, plan, spans)
    check_counts(system, plan, record)
    check_rules(system)


@pytest.mark.parametrize("chunk", sample(range(10)))
def test_no_run_breaks_what_is_proved_and_rules_agree(chunk: int) -> None:
    for seed in range(chunk * 40, (chunk + 1) * 40):
        try:
            check(Random(seed), seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from None


@examples(100, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.integers(0, 1000))
def test_a_broken_claim_is_shrunk_to_the_smallest_system(source: Random, seed: int) -> None:
    check(source, seed)


# -- contradictions that were found by hand --------------------------------------------------------


def shop(*steps: Step, mesh: Mesh | None = None, patience: Any = 400 * ms) -> System:
    """``web`` waits for ``orders``, which asks a bank that never answers in time."""
    slow = Endpoint("pay", steps=[Work(Constant(10 * s))])
    orders = Endpoint("place", steps=steps)
    call = Call("orders", timeout=patience, retry=Absent("once"))
    return System(
        "shop",
        [
            MySQL("db", read=Constant(100 * ms), max_connections=1000),
            Service("web", runtime=ROOMY, endpoints=[Endpoint("buy", steps=[call])]),
            Service("orders", runtime=ROOMY, mesh=mesh, endpoints=[orders]),
            Service("bank", runtime=ROOMY, endpoints=[slow]),
        ],
        journeys=[Journey("use", "web")],
        scenarios=[Scenario("calm", load=[Load("use", Deterministic(1 / s))])],
        network=Network(delay=0 * s),
    )


def verdicts(system: System) -> tuple[bool, bool]:
    """Whether the proof says that ``web`` gives up too early, and whether the rules do."""
    graph = Graph(system)
    check_rules(system)
    [call] = graph.outgoing["web.buy"]
    refuted = [a.subject for a in deadline_budgets(graph) if isinstance(a, Refuted)]
    rules = [*violated(res002.rule, graph), *violated(res003.rule, graph)]
    return call in refuted, call in rules


def attempts_at(system: System, name: str) -> int:
    plan, _, record = run(system, [], 1)
    return sum(
        measured.calls + measured.retries
        for site, measured in zip(plan.calls, record.calls, strict=True)
        if site.name == name
    )


def test_a_hedge_makes_a_call_longer_for_rules_and_proofs() -> None:
    hedged = Call("bank", timeout=300 * ms, hedge=Hedge(50 * ms))
    assert verdicts(shop(hedged, patience=320 * ms)) == (True, True)
    assert verdicts(shop(hedged, patience=350 * ms)) == (False, False)


def test_a_mesh_does_not_see_queries() -> None:
    quick = Mesh("istio", timeout=10 * ms, retry=Retry(attempts=3))
    system = shop(Read("db"), mesh=quick)
    assert [s.target_name for s in violated(res001.rule, Graph(system))] == ["db"]
    _, spans, _ = run(system, [], 1)
    assert {span.outcome for span in spans if span.kind == SpanKind.JOURNEY} == {Outcome.OK}
    assert attempts_at(system, "orders.place -> db.read") == 4  # one for each journey


def test_a_mesh_tries_again_within_the_timeout_of_the_code() -> None:
    mesh = Mesh("istio", retry=Retry(attempts=4))
    system = shop(Call("bank", timeout=300 * ms, retry=Absent("mesh"), optional=True), mesh=mesh)
    assert verdicts(system) == (False, False)
    plan, spans, _ = run(system, [], 1)
    assert longest_spans(plan, spans)["use"] == pytest.approx(0.3)


def test_attempts_of_code_and_mesh_multiply_everywhere() -> None:
    mesh = Mesh("istio", retry=Retry(attempts=4, backoff=0 * s), per_try_timeout=10 * ms)
    thrice = Call("bank", timeout=300 * ms, retry=Retry(attempts=3, backoff=0 * s))
    system = shop(thrice, mesh=mesh, patience=1 * s)
    [step] = [s for s in Graph(system).interactions if s.target.name == "bank"]
    assert Amplification(Graph(system)).factor(step) == 12
    assert step.protection.attempts == 12
    assert attempts_at(system, "orders.place -> bank.pay (mesh)") == 4 * 12
    assert WorstCases(Graph(system)).of("orders.place").seconds == Rational(120, 1000)
