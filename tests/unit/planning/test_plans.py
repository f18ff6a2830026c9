"""Capacity plans against brute force: a fine sweep of simulations, all sizes."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from depth import examples, sample
from hypothesis import example, given
from hypothesis import strategies as st

from archcheck import (
    Absent,
    Autoscale,
    Call,
    Constant,
    Consumer,
    CustomRuntime,
    Endpoint,
    External,
    Journey,
    Kubernetes,
    Load,
    MySQL,
    Network,
    Poisson,
    Prices,
    Publish,
    Queue,
    RabbitMQ,
    Ramp,
    RateLimit,
    Read,
    Resources,
    Retry,
    Scenario,
    Service,
    Slo,
    System,
    Work,
    with_,
)
from archcheck.findings import objectives_of, tightest
from archcheck.model import ScenarioError
from archcheck.planning import (
    at_peak,
    busiest_scenario,
    loaded,
    plan_capacity,
    sized,
    solve_plan,
)
from archcheck.planning.bottlenecks import climb
from archcheck.planning.changes import zone_lost
from archcheck.planning.readings import read_flow
from archcheck.planning.sizing import size
from archcheck.reporting.planning.tables import verdicts
from archcheck.simulation import simulate
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.plan import Plan
from archcheck.units import Fraction, GiB, cores, ms, percent, s


def chain(
    *,
    rate: float = 100,
    front: int = 2,
    back: int = 2,
    bound: float = 120,
    prices: Prices | None = None,
    zones: tuple[str, ...] = (),
    growth: Fraction | None = None,
) -> System:
    """A front that calls a back that reads a store."""
    cpus = Resources(cpu=2 * cores, memory=4 * GiB)
    return System(
        "chain",
        [
            Service(
                "front",
                runtime=CustomRuntime(concurrency="blocking", threads=8),
                deployment=Kubernetes(replicas=front, zones=zones, resources=cpus),
                endpoints=[Endpoint("run", steps=[Work(5 * ms), Call("back.run")])],
            ),
            Service(
                "back",
                runtime=CustomRuntime(concurrency="blocking", threads=4),
                deployment=Kubernetes(replicas=back, zones=zones, price_per_hour=0.5),
                endpoints=[Endpoint("run", steps=[Work(20 * ms), Read("store")])],
            ),
            MySQL("store", read=2 * ms, parallelism=8, shards=1, copies=2),
        ],
        journeys=[Journey("go", "front.run", slo=Slo(p95=bound * ms))],
        scenarios=[Scenario("load", load=[Load("go", Poisson(rate / s))], growth=growth)],
        prices=prices,
    )


def steady(system: System, factor: float = 1.0) -> Plan:
    return loaded(at_peak(compile_plan(system, system.scenarios[0])), factor)


@pytest.mark.parametrize("bound", sample([120, 80, 300]))
def test_the_sustainable_rate_is_that_of_a_fine_sweep(bound: float) -> None:
    system = chain(bound=bound)
    found = plan_capacity(system, target=1.0).sustained
    assert found is not None
    assert found.confirmed

    def meets(factor: float) -> bool:
        plan = steady(system, factor)
        result = simulate(
            system,
            system.scenarios[0],
            plan=plan,
            duration=80 * s,
            warmup=10 * s,
            replications=3,
            seed=77,
            jobs=2,
        )
        return result.journey("go").latency.p95 <= bound / 1000

    low, high = 0.5 * found.factor, 1.5 * found.factor
    while high - low > 0.005 * found.factor:
        middle = (low + high) / 2
        low, high = (middle, high) if meets(middle) else (low, middle)
    assert found.factor == pytest.approx(low, rel=0.03)
    assert found.low * 0.98 <= low <= found.high * 1.02


@examples(12)
@example(factor=5.75, bound=70, price=2.0, loses=True)  # 17 of the cheap back replicas
@given(
    st.floats(0.5, 6.0),
    st.sampled_from([70, 90, 150]),
    st.floats(0.2, 3.0),
    st.booleans(),
)
def test_the_cheapest_sizes_are_those_of_an_exhaustive_search(
    factor: float, bound: float, price: float, loses: bool
) -> None:
    system = chain(bound=bound, prices=Prices(cpu_hour=price), zones=("a", "b", "c"))
    plan = steady(system, factor)
    targets = objectives_of(system, ["go"])
    found = size(system, plan, factor, targets, None, loses_zone=loses)
    names = [group.name for group in plan.groups]
    costs = {"front": 2 * price, "back": 0.5, "store": 2 * price}

    def holds(counts: tuple[int, ...]) -> bool:
        nodes = {names.index(n): c for n, c in zip(("front", "back", "store"), counts, strict=True)}
        changed = sized(plan, nodes)
        flow = solve_plan(zone_lost(changed) if loses else changed)
        return tightest(read_flow(targets, flow, 0.8)).strain <= 1

    best = min(
        (
            sum(costs[n] * c for n, c in zip(("front", "back", "store"), counts, strict=True))
            for counts in itertools.product(range(1, 8), range(1, 41), range(1, 3))
            if holds(counts)
        ),
        default=math.inf,
    )
    if math.isinf(best):
        assert found.unreachable or found.cost > max(costs.values()) * 7
    else:
        assert found.cost == pytest.approx(best)
        assert found.is_least


def test_what_a_limit_turns_away_is_not_carried() -> None:
    """Nobody promised an availability: still, a plan does not let the load grow without end."""
    limited = Endpoint("run", steps=[Work(5 * ms)], rate_limit=RateLimit(100 / s, burst=100))
    runtime = CustomRuntime(concurrency="blocking", threads=8)
    system = System(
        "limited",
        [Service("front", runtime=runtime, endpoints=[limited])],
        journeys=[Journey("go", "front.run")],
        scenarios=[Scenario("load", load=[Load("go", Poisson(50 / s))])],
    )
    plan = plan_capacity(system)
    assert plan.sustained is not None
    assert plan.sustained.factor == pytest.approx(2.0, rel=0.1)


def test_what_no_size_can_reach_is_named() -> None:
    plan = plan_capacity(chain(bound=30), target=2.0)
    assert plan.sizing is not None
    assert "p95 of go at most 30 ms: no size helps" in plan.sizing.unreachable
    assert "spent at back" in plan.sizing.unreachable
    assert not plan.is_fine


def test_a_rate_limit_is_named() -> None:
    system = System(
        "limited",
        [
            Service(
                "front",
                runtime=CustomRuntime(concurrency="blocking", threads=8),
                deployment=Kubernetes(replicas=2),
                endpoints=[
                    Endpoint(
                        "run", steps=[Work(2 * ms)], rate_limit=RateLimit(150 / s, per="service")
                    )
                ],
            )
        ],
        journeys=[Journey("go", "front.run", slo=Slo(availability=99 * percent))],
        scenarios=[Scenario("load", load=[Load("go", Poisson(100 / s))])],
    )
    plan = plan_capacity(system, target=3.0)
    assert plan.sizing is not None
    assert "the rate limit of front.run (150/s)" in plan.sizing.unreachable
    assert plan.bottlenecks[-1].resource is None
    assert "rate limit" in plan.bottlenecks[-1].reason
    assert plan.sustained is not None
    assert plan.sustained.factor == pytest.approx(1.5, rel=0.05)


def test_the_ladder_goes_from_the_first_bottleneck_to_the_next() -> None:
    system = chain(bound=100_000)
    bottlenecks = list(climb(steady(system), objectives_of(system, ["go"])))
    assert [each.resource for each in bottlenecks][:2] == ["back threads", "front threads"]
    factors = [each.factor for each in bottlenecks]
    assert factors == sorted(factors)
    # the back's eight threads carry 8 / 22 ms; the front, which waits for them, is full before
    assert 0.8 < bottlenecks[0].factor * 100 * 0.022 / 8 <= 0.98


def test_messages_that_are_lost_are_named() -> None:
    """No objective speaks of them: half of the calls fail, each message comes twice."""
    system = System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("order", steps=[Work(2 * ms), Publish("orders")])]),
            Service(
                "mail",
                consumers=[Consumer("orders", steps=[Call("smtp")], max_deliveries=2)],
            ),
            External("smtp", latency=Constant(20 * ms), error_rate=50 * percent),
            RabbitMQ("rabbit"),
            Queue("orders", broker="rabbit", dead_letter=Absent("the mail is sent again by hand")),
        ],
        journeys=[Journey("order", "web.order", slo=Slo(p99=100 * ms))],
        scenarios=[Scenario("day", load=[Load("order", Poisson(20 / s))])],
    )
    plan = plan_capacity(system, target=1.0)
    (lost,) = plan.lost
    assert (lost.consumer, lost.dead_letters) == ("mail.consume", 0)
    assert lost.share == pytest.approx(0.25, abs=0.03)
    assert any(
        state == "open" and "of the messages of mail.consume are dropped" in said
        for state, said in verdicts(plan)
    )


def test_headroom_follows_the_declared_growth() -> None:
    plan = plan_capacity(chain(growth=10 * percent), target=1.0)
    assert plan.headroom is not None
    assert plan.sustained is not None
    assert plan.headroom.months == pytest.approx(math.log(plan.sustained.factor) / math.log(1.1))
    assert plan.headroom.low <= plan.headroom.months <= plan.headroom.high


def test_costs_add_up() -> None:
    system = chain(prices=Prices(cpu_hour=0.1, gib_hour=0.01, currency="EUR"))
    plan = plan_capacity(system, target=1.0)
    costs = plan.costs
    assert costs is not None
    by_name = {each.name: each for each in costs.elements}
    assert by_name["front"].per_node == pytest.approx(2 * 0.1 + 4 * 0.01)
    assert by_name["back"].per_hour == pytest.approx(2 * 0.5)
    assert by_name["store"].copies == 2
    (journey,) = costs.journeys
    assert journey.per_thousand * 100 * 3.6 == pytest.approx(costs.per_hour)
    assert costs.wasted == pytest.approx(
        sum(each.per_hour * (1 - each.load) for each in costs.elements)
    )


def test_what_moves_the_answer_most_is_the_work_of_the_bottleneck() -> None:
    plan = plan_capacity(chain(), target=1.0)
    first = plan.influences[0]
    assert (first.subject, first.number) == ("back", "time of its work")
    assert first.effect < -0.05


def test_the_busiest_scenario_is_planned_at_its_peak() -> None:
    system = chain()
    quiet, sale = (
        Scenario("quiet", load=[Load("go", Poisson(150 / s))]),
        Scenario("sale", load=[Load("go", Ramp(10 / s, 200 / s, over=60 * s))]),
    )
    both = System("both", system.elements, journeys=system.journeys, scenarios=[quiet, sale])
    assert busiest_scenario(both).name == "sale"
    assert plan_capacity(both, target=1.0).flow.journey("go").rate == pytest.approx(200)


def test_autoscalers_have_scaled_out() -> None:
    system = chain()
    elastic = Kubernetes(replicas=2, autoscale=Autoscale(min=2, max=9, target_cpu=60 * percent))
    changed = with_(system, {"back.autoscale": elastic.autoscale})
    nodes = {group.name: group.nodes for group in steady(changed).groups}
    assert nodes["back"] == 9


def test_stopped_work_says_what_is_there() -> None:
    begun: list[str] = []
    plan = plan_capacity(
        chain(),
        progress=lambda what, done: begun.append(what),
        stop=lambda: "headroom" in begun,
    )
    assert not plan.is_complete
    assert plan.sustained is not None
    assert plan.bottlenecks
    assert plan.curve is None


def test_the_same_seed_gives_the_same_plan() -> None:
    one, other = plan_capacity(chain(), jobs=1), plan_capacity(chain(), jobs=2)
    assert one.sustained == other.sustained
    assert one.sizing == other.sizing


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"target": 0.0}, "the target load must be above 0"),
        ({"growth": Fraction(20.0)}, "a growth of 2000% a month"),
        ({"most_busy": 1.5}, "between 0% and 100%"),
    ],
)
def test_numbers_that_mean_nothing(options: dict[str, float], says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        plan_capacity(chain(), **options)  # type: ignore[arg-type]
    assert says in str(caught.value)


def test_a_system_without_a_load() -> None:
    with pytest.raises(ScenarioError, match="declares no endpoint"):
        plan_capacity(System("empty", []))
    with pytest.raises(ScenarioError, match="no scenario with a load"):
        plan_capacity(replace(chain(), scenarios=()))


def test_constant_work_without_queue() -> None:
    """Work that never waits has no limit but its cores."""
    system = System(
        "one",
        [
            Service(
                "a",
                runtime=CustomRuntime(concurrency="blocking", threads=1),
                deployment=Kubernetes(replicas=1),
                endpoints=[Endpoint("run", steps=[Work(Constant(10 * ms))])],
            )
        ],
        journeys=[Journey("go", "a.run")],
        scenarios=[Scenario("load", load=[Load("go", Poisson(10 / s))])],
    )
    plan = plan_capacity(system, target=1.0)
    assert plan.sustained is not None
    assert plan.sustained.factor == pytest.approx(9.8, rel=0.03)


def test_cores_beside_threads_are_named_once() -> None:
    runtime = CustomRuntime(concurrency="blocking", threads=50, parallelism=1)
    web = Service(
        "web", runtime=runtime, endpoints=[Endpoint("go", steps=[Work(Constant(10 * ms))])]
    )
    system = System(
        "one",
        [web],
        journeys=[Journey("use", "web.go")],
        scenarios=[Scenario("day", load=[Load("use", Poisson(50 / s))])],
    )
    plan = plan_capacity(system, budget=5.0)
    said = "\n".join(text for _, text in verdicts(plan))
    assert "web cores at most 98%" in said
    assert "cores cores" not in said


def collapsing(*journeys: Journey) -> System:
    """A call that is given up and tried again long before its callee is full of good answers."""
    nothing = Absent("not in this system")
    asks = Call("b.run", timeout=60 * ms, retry=Retry(attempts=3, backoff=1 * ms), fallback=nothing)
    patient = CustomRuntime(concurrency="blocking", threads=200, accept_queue=nothing)
    few = CustomRuntime(concurrency="blocking", threads=2, accept_queue=nothing)
    one = Kubernetes(replicas=1)
    return System(
        "collapsing",
        [
            Service(
                "a",
                deployment=one,
                runtime=patient,
                endpoints=[
                    Endpoint("run", steps=[asks], idempotent=True),
                    Endpoint("other", steps=[Work(1 * ms)], idempotent=True),
                ],
            ),
            Service(
                "b",
                deployment=one,
                runtime=few,
                endpoints=[Endpoint("run", steps=[Work(10 * ms)], idempotent=True)],
            ),
        ],
        journeys=journeys,
        network=Network(delay=0 * s),
        scenarios=[Scenario("r", load=[Load(each.name, Poisson(100 / s)) for each in journeys])],
    )


PROMISING = Journey("visit", "a.run", slo=Slo(p95=200 * ms, availability=99 * percent))


def test_what_simulations_contradict_is_not_said_of_the_analytic_solution() -> None:
    """A calm state that is fine up to x1.4, and a collapse before x1, which simulations find."""
    plan = plan_capacity(collapsing(PROMISING))
    assert plan.is_contradicted
    assert plan.sustained is not None
    assert plan.sustained.factor < 1
    assert plan.alone == {"visit": plan.sustained}
    assert any("contradict" in text and state == "open" for state, text in verdicts(plan))
    assert plan.curve is not None
    assert all(each.factor < 1 for each in plan.curve.points)


def test_sizes_grow_where_a_simulation_finds_a_collapse() -> None:
    plan = plan_capacity(collapsing(PROMISING))
    assert plan.sizing is not None
    assert plan.sizing.state == "met"
    assert plan.sizing.nodes["b"] == 3  # two are enough in the calm state


def test_a_journey_alone_is_simulated_where_the_analytic_solution_is_contradicted() -> None:
    plan = plan_capacity(collapsing(PROMISING, Journey("other", "a.other")))
    assert plan.is_contradicted
    assert plan.alone["visit"].confirmed
    assert plan.alone["visit"].factor < 1
