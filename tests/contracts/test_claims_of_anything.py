"""Claims about systems of the whole vocabulary, attacked by faults at the worst times.

What a proof says of deadlines, retries and failures no run may break: not while elements fail, are
slow, cut off or lost for the whole run, one after the other or at once.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from random import Random
from typing import Any

import pytest
from contracts.anything import NO, ZONES, Anything
from contracts.test_runs_and_proofs import longest_spans
from depth import sample
from differential.compare import Collected

from archcheck import (
    Burst,
    Cached,
    Call,
    Client,
    Constant,
    Consumer,
    CutLink,
    Deterministic,
    Element,
    Endpoint,
    Errors,
    External,
    Fallback,
    Fault,
    FlushCache,
    Journey,
    Kafka,
    Kill,
    Load,
    LocalCache,
    MySQL,
    Network,
    Publish,
    Read,
    Release,
    Repeat,
    Scenario,
    ScenarioError,
    Service,
    Slow,
    Step,
    System,
    Topic,
    Wait,
    ZoneLoss,
)
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import exact
from archcheck.graph.transfer import ONE_WAY
from archcheck.model.errors import EndlessError
from archcheck.proof import (
    Answer,
    FailureSet,
    Proved,
    Refuted,
    Undecided,
    carried,
    cut_sets,
    deadline_budgets,
    retry_amplification,
    zone_loss,
)
from archcheck.proof.amplification import Amplification
from archcheck.proof.worst_cases import WorstCases
from archcheck.simulation import simulate
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import fast
from archcheck.simulation.plan import Plan
from archcheck.simulation.trace import Span, SpanKind
from archcheck.units import Duration, ms, percent, s

pytestmark = pytest.mark.skipif(not fast.is_compiled(), reason="the engine is not compiled")

END = 3.0
ALWAYS = 1000 * s
ROUNDING = 1e-9
NOISE = 0.05
"""Of a share of a minute in which work of ten milliseconds comes at random."""


class Attacker:
    """Faults on a system: for the whole run, for a moment, and several at once."""

    def __init__(self, random: Random, system: System) -> None:
        self.random = random
        self.system = system
        self.names = [member.name for member in system.services]

    def faults(self) -> list[Fault]:
        found = [self.fault() for _ in range(self.random.choice([0, 1, 1, 2, 4]))]
        return [fault for fault in found if self.has_effect(fault)]

    def fault(self) -> Fault:
        start = self.random.choice([0.0, 0.0, self.random.uniform(0, END)])
        end = self.random.choice([END + 60, start + 0.05, start + 1])
        window = {"start": start * s, "end": end * s}
        asked = self.random.choice([*self.names, "db", "bank", "cache"])
        service = self.random.choice(self.names)
        return self.random.choice(
            [
                lambda: Slow(asked, factor=self.random.choice([0.1, 10.0, 1000.0]), **window),
                lambda: Errors(asked, rate=self.random.choice([30, 100]) * percent, **window),
                lambda: CutLink(service, asked, **window),
                lambda: Kill(service, replicas=self.random.choice([1, 2, 3]), **window),
                lambda: Kill("db", **window),
                lambda: ZoneLoss(self.random.choice(ZONES), **window),
                lambda: FlushCache("cache", **window),
                lambda: Burst(3.0, journey=self.random.choice([None, "use"]), **window),
                lambda: Release(service, start=window["start"], start_up=0.1 * s),
            ]
        )()

    def has_effect(self, fault: Fault) -> bool:
        try:
            compile_plan(self.system, scenario(self.system, [fault]))
        except (ScenarioError, EndlessError):
            return False
        return True


def scenario(system: System, faults: Sequence[Fault], journey: str = "use") -> Scenario:
    load = [Load(journey, Deterministic(20 / s))]
    return Scenario("attacked", load=load, faults=faults)


def attacked(system: System, faults: Sequence[Fault], seed: int) -> tuple[Plan, list[Span]]:
    plan = compile_plan(system, scenario(system, faults, "both" if seed % 3 == 0 else "use"))
    tracer = Collected()
    fast.run(plan, seed=seed, duration=END + 2, warmup=0.0, tracer=tracer)
    return plan, tracer.spans


# -- deadlines -----------------------------------------------------------------------------------


def open_ended(graph: Graph, faults: Sequence[Fault]) -> set[str]:
    """Elements that faults make slower than declared, and who waits for them without a limit."""
    found = {str(each.target) for each in faults if isinstance(each, Slow | CutLink)}
    for _ in graph.operations:
        for step in graph.interactions:
            for asked in (step, step.fallback):
                if asked is not None and waits_for(asked, found):
                    found.add(step.source.name)
    return found


def waits_for(step: Interaction, slow: set[str]) -> bool:
    return step.target.name in slow and step.protection.attempt() is None


def check_waits(system: System, seed: int) -> None:
    faults = Attacker(Random(seed), system).faults()
    graph = Graph(system)
    cases = WorstCases(graph)
    plan, spans = attacked(system, faults, seed)
    longest = longest_spans(plan, spans)
    unbounded = open_ended(graph, faults)
    for name, operation in graph.operations.items():
        case = cases.of(name)
        if case.gaps or operation.owner.name in unbounded or isinstance(operation.part, Consumer):
            continue
        most = float(case.at_most) + float(ONE_WAY) * case.passages
        assert longest.get(name, 0.0) <= most + ROUNDING, (name, longest[name], most, faults)


# -- retries -------------------------------------------------------------------------------------


def check_counts(system: System, seed: int) -> None:
    """How often each element is asked for a journey, against how often it is asked anyway."""
    graph = Graph(system)
    protected = [step.protection for step in graph.interactions]
    if any(retry.budget for guard in protected for retry in guard.retries):
        return  # what a budget lets through in the long run, it lets through at once
    if any(is_by_chance(part) for part in parts(system)):
        return  # chance decides how often something is asked anyway
    visits = graph.visits(system.journeys[0])
    worst = Amplification(graph)
    faults = Attacker(Random(seed), system).faults()
    if graph.consumers:  # a lost replica's message comes again, which the claims assume away
        faults = [each for each in faults if not isinstance(each, Kill | ZoneLoss | Release)]
    plan, spans = attacked(system, faults, seed)
    roots = {
        span.root
        for span in spans
        if span.kind == SpanKind.JOURNEY and plan.journeys[span.place].name == "use"
    }
    has_breaker = any(guard.breaker for guard in protected)
    usual = {**visits.of_targets(), **visits.operations}
    for name, counts in asked_for(plan, spans, roots).items():
        way = worst.of(name)
        if way.gaps or not usual.get(name):
            continue  # or only a fallback leads to it
        lost = math.prod(way.caches.values())
        most = float(way.at_most * lost) * max(1.0, usual[name])
        assert has_breaker or max(counts) <= most + ROUNDING, (name, max(counts), most)
        assert sum(counts) <= (most + ROUNDING) * len(roots), (name, sum(counts), most)


def is_by_chance(part: Element) -> bool:
    share = getattr(part, "probability", None) or getattr(part, "hit_ratio", None)
    return share is not None and 0 < float(share) < 1


def parts(value: object) -> Iterator[Element]:
    """An element and all that is in it."""
    if isinstance(value, Element):
        yield value
        for each in fields(value):  # type: ignore[arg-type]  # every element is a dataclass
            yield from parts(getattr(value, each.name))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from parts(each)


def asked_for(plan: Plan, spans: Sequence[Span], roots: set[int]) -> dict[str, list[int]]:
    found: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for span in spans:
        if span.kind == SpanKind.REQUEST and span.root in roots:
            name = plan.operations[span.place].name
            if not name.startswith(("sidecar", "cache", "local")):  # lookups are no retries
                found["db" if name.startswith("db") else name][span.root] += 1
    return {name: list(counts.values()) for name, counts in found.items()}


# -- failures ------------------------------------------------------------------------------------


def good(system: System, *faults: Fault) -> float:
    """The share of good answers, of those who have one, once callers can have noticed."""
    always = scenario(system, faults)
    found = simulate(system, always, duration=300 * s, warmup=60 * s).journey("use")
    return (found.ok + found.degraded) / found.finished if found.finished else 0.0


def zones(system: System) -> Answer:
    return next(answer for answer in zone_loss(Graph(system)) if "use" in answer.claim)


def survives(system: System) -> Answer:
    return next(answer for answer in cut_sets(Graph(system), 1) if "use" in answer.claim)


def check_failures(system: System) -> None:
    """What survives any single failure has good answers with each of them."""
    nested = all(isinstance(answer, Proved) for answer in deadline_budgets(Graph(system)))
    if not nested or good(system) < 1:
        return  # both are assumed
    for answer, kinds in ((zones(system), ZoneLoss), (survives(system), Fault)):
        if isinstance(answer, Proved):
            for fault in single_failures(system):
                if isinstance(fault, kinds):
                    assert good(system, fault) > 0.95, (answer.claim, fault)


def single_failures(system: System) -> Iterator[Fault]:
    possible: list[Fault] = [ZoneLoss(zone, start=0 * s, end=ALWAYS) for zone in ZONES]
    possible += [Errors("bank", rate=100 * percent, start=0 * s, end=ALWAYS)]
    possible += [Kill(each.name, start=0 * s, end=ALWAYS) for each in system.services]
    possible += [Kill("db", start=0 * s, end=ALWAYS)]
    steps = list(Graph(system).synchronous())
    asked = [(x.source.name, x.target.name, x.can_fail_softly) for x in steps]
    hard = {(source, target) for source, target, is_soft in asked if not is_soft}
    for source, target in sorted({(a, b) for a, b, _ in asked} - hard):
        possible.append(CutLink(source=source, target=target, start=0 * s, end=ALWAYS))
    attacker = Attacker(Random(0), system)
    yield from (fault for fault in possible if attacker.has_effect(fault))


# -- loads ---------------------------------------------------------------------------------------


def check_loads(system: System, seed: int) -> None:
    """What is proved to stay under its limit does, also while others fail or nobody waits long."""
    random = Random(seed)
    names = [*(each.name for each in system.services), "bank", "cache"]
    failing = [Errors(name, rate=100 * percent) for name in names if random.random() < 0.3]
    attacker = Attacker(random, system)
    faults = [fault for fault in failing if attacker.has_effect(fault)]
    steady = replace(system.scenarios[0], faults=faults, duration=None)
    answers = [
        answer
        for answer in carried(Graph(system))
        if isinstance(answer, Proved) and answer.claim.endswith(" in steady")
    ]
    if not answers:
        return
    found = simulate(system, steady, duration=60 * s, warmup=5 * s)
    for answer in answers:
        name, limit = str(answer.subject.name), limit_of(answer)  # type: ignore[union-attr]
        for resource in found.resources:
            if resource.name == name and resource.what in answer.claim:
                assert resource.utilisation <= limit + NOISE, (answer.claim, resource.utilisation)


def limit_of(answer: Answer) -> float:
    _, _, after = answer.claim.partition(" under ")
    return float(after.partition("%")[0]) / 100


# -- at random -----------------------------------------------------------------------------------


def check(seed: int) -> None:
    random = Random(seed)
    maker = Anything(random)
    system = maker.system()
    try:
        if not maker.is_loud:
            check_waits(system, seed)
        check_counts(system, seed)
        if maker.is_calm:
            check_failures(system)
        check_loads(Anything(Random(seed), is_busy=True).system(), seed)
    except EndlessError:
        return


@pytest.mark.parametrize("chunk", sample(range(10)))
def test_no_run_breaks_what_is_proved_of_anything(chunk: int) -> None:
    for seed in range(chunk * 10, (chunk + 1) * 10):
        try:
            check(seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from None


# -- what was found ------------------------------------------------------------------------------


def small(*steps: Step, **others: Any) -> System:
    """``web`` takes the steps, and asks nobody else."""
    web = Service("web", endpoints=[Endpoint("go", steps=steps)], **others)
    return System(
        "small",
        [
            web,
            Service("b", endpoints=[Endpoint("go")]),
            Kafka("kafka"),
            Topic("told", broker="kafka"),
            LocalCache("local", read=Constant(3 * ms)),
        ],
        journeys=[Journey("use", "web.go")],
        network=Network(delay=2 * ms),
    )


@pytest.mark.parametrize(
    ("step", "takes"),
    [
        (Publish("told"), 4 * ms),
        (Cached("local", [Wait(Constant(1 * ms))], hit_ratio=0 * percent), 4 * ms),
    ],
)
def test_the_worst_case_counts_what_a_run_takes(step: Step, takes: Duration) -> None:
    system = small(step)
    plan, spans = attacked(system, [], 1)
    assert longest_spans(plan, spans)["web.go"] == pytest.approx(float(takes))
    assert WorstCases(Graph(system)).of("web.go").seconds == exact(takes)


def test_a_link_that_is_cut_stops_a_step_whose_fallback_uses_it_too() -> None:
    fallback = Fallback("call", target="b.go")
    call = Call("b", timeout=50 * ms, retry=NO, optional=True, fallback=fallback)
    silent = replace(small(call), journeys=[Journey("use", "web.go", critical=True)])
    assert isinstance(survives(silent), Undecided)  # nobody says when the fallback gives up
    patient = small(call, clients=[Client("b", timeout=NO)])
    patient = replace(patient, journeys=[Journey("use", "web.go", critical=True)])
    assert isinstance(survives(patient), Refuted)
    assert good(patient, CutLink("web", "b", start=0 * s, end=ALWAYS)) == 0


def test_no_link_leads_to_a_cache_in_the_process() -> None:
    cut = CutLink("web", "local")
    system = small(Cached("local", [Wait(Constant(1 * ms))]))
    with pytest.raises(ScenarioError, match="in the process"):
        compile_plan(system, scenario(system, [cut]))


def test_what_a_fallback_asks_in_turn_comes_on_top() -> None:
    """Thirty reads by who answers instead, beside the one that there is anyway."""
    read = Read("db", timeout=50 * ms, retry=NO)
    asks = Call("bank", timeout=50 * ms, retry=NO, fallback=Fallback("call", target="b.go"))
    system = System(
        "deep",
        [
            Service("web", endpoints=[Endpoint("go", steps=[read, asks])]),
            Service("b", endpoints=[Endpoint("go", steps=[Repeat(30, [read])])]),
            External("bank", latency=Constant(1 * ms)),
            MySQL("db", read=Constant(1 * ms)),
        ],
        journeys=[Journey("use", "web.go")],
    )
    down = Errors("bank", rate=100 * percent)
    plan, spans = attacked(system, [down], 1)
    roots = {span.root for span in spans if span.kind == SpanKind.JOURNEY}
    assert max(asked_for(plan, spans, roots)["db"]) == 31
    (answer,) = [found for found in retry_amplification(Graph(system)) if "of db by" in found.claim]
    assert isinstance(answer, Undecided)
    assert "31" in answer.reason


def test_a_fallback_over_the_same_link_is_none_when_that_is_cut() -> None:
    call = Call("b", timeout=50 * ms, retry=NO, fallback=Fallback("call", target="b.go"))
    system = small(call, clients=[Client("b", timeout=50 * ms, retry=NO)])
    system = replace(system, journeys=[Journey("use", "web.go", critical=True)])
    answer = survives(system)
    assert isinstance(answer, Refuted)
    assert isinstance(answer.counterexample, FailureSet)
    found = {frozenset(map(str, units)) for units in answer.counterexample.sets}
    assert frozenset({"the link web -> b"}) in found
    assert good(system, CutLink("web", "b", start=0 * s, end=ALWAYS)) == 0


@pytest.mark.parametrize("seed", [197, 1_000_105])
def test_an_endless_wait_of_nobody_is_no_wait(seed: int) -> None:
    """The seeds are of stores that are too busy, and of a step that is never taken."""
    list(carried(Graph(Anything(Random(seed), is_busy=True).system())))
