"""Rates, latencies and bottlenecks against sums done by hand."""

from __future__ import annotations

import pytest

from archcheck import (
    Cached,
    Call,
    Choice,
    Closed,
    Constant,
    Consumer,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    Mix,
    Mmpp,
    Move,
    MySQL,
    Named,
    Network,
    Parallel,
    Poisson,
    Publish,
    Ramp,
    RateStep,
    Read,
    Redis,
    Scenario,
    Service,
    Session,
    SpringBoot,
    Stepped,
    System,
    Topic,
    Work,
    Write,
)
from archcheck.capacity import (
    ConsumerFlow,
    Demand,
    OperationLatencies,
    consumer_flows,
    demands,
    journey_rates,
    mean_wait,
    operation_rates,
    resources,
)
from archcheck.capacity.load import session_rates
from archcheck.graph import Graph
from archcheck.units import minutes, ms, percent, s


@pytest.fixture
def graph() -> Graph:
    both = Parallel([Call("back.look"), Work(4 * ms)])
    return Graph(
        System(
            "s",
            [
                Service(
                    "front",
                    runtime=SpringBoot("3.4", threads=10),
                    deployment=Kubernetes(replicas=2),
                    endpoints=[Endpoint("get", steps=[Work(3 * ms), both])],
                ),
                Service("back", endpoints=[Endpoint("look", steps=[Read("rows")])]),
                MySQL("rows", read=5 * ms, max_connections=50),
                Journey("j", "front.get"),
            ],
            network=Network(delay=1 * ms),
        )
    )


def test_latency_adds_steps_and_takes_the_slowest_branch(graph: Graph) -> None:
    assert OperationLatencies(graph).of("front.get").seconds == pytest.approx(
        0.003 + 0.002 + 0.002 + 0.005
    )


def test_a_thread_is_held_to_the_end(graph: Graph) -> None:
    sized, unsized = resources(graph, {"j": 100.0})
    front = next(resource for resource in sized if resource.holder.name == "front")
    assert front.servers == 20
    assert front.busy == pytest.approx(100 * 0.012)
    assert front.headroom == pytest.approx(20 / 1.2)
    # back only waits for a query; whether that holds a thread, its runtime would say
    assert [(need.holder.name, need.attribute) for need in unsized] == [("back", "runtime")]


def test_rates_follow_the_visits(graph: Graph) -> None:
    rates = operation_rates(graph, {"j": 7.0})
    assert (rates["front.get"], rates["back.look"], rates["rows"]) == (7.0, 7.0, 7.0)


def test_peak_rates_of_streams() -> None:
    assert Ramp(10 / s, 60 / s, over=1 * minutes).peak_rate() == 60
    assert Closed(30, think=2 * s).peak_rate() == 15


def test_a_mix_is_divided_by_weight_and_loads_add() -> None:
    scenario = Scenario(
        "peak",
        load=[
            Mix([Choice("a", 3), Choice("b", 1)], Poisson(100 / s)),
            Load("b", Poisson(5 / s)),
        ],
    )
    assert journey_rates(scenario) == {"a": 75.0, "b": 30.0}


# -- demand: what a scenario asks of each element -------------------------------------------------


def loaded(*elements: Named, rate: float = 100, hit: float | None = None) -> Demand:
    steps = [Read("rows"), Write("rows"), Read("rows", stale=True)]
    inner = [Cached("hot", steps, hit_ratio=hit * percent)] if hit is not None else steps
    system = System(
        "s",
        [
            MySQL("rows", read=2 * ms, write=4 * ms, shards=2, copies=2, parallelism=3),
            Redis("hot", read=1 * ms),
            Service("a", endpoints=[Endpoint("do", steps=inner)]),
            *elements,
        ],
        journeys=[Journey("j", "a.do")],
        scenarios=[Scenario("x", load=[Load("j", Poisson(rate / s))])],
    )
    (demand,) = demands(Graph(system))
    return demand


def test_a_resource_waits_as_one_queue_of_all_servers(graph: Graph) -> None:
    sized, _ = resources(graph, {"j": 1000.0})
    rows = next(resource for resource in sized if resource.holder.name == "rows")
    assert rows.rate == pytest.approx(1000)
    assert rows.wait == pytest.approx(mean_wait(50, 1000, 0.005))


def test_stale_reads_go_to_the_copies_and_all_else_to_the_primary() -> None:
    demand = loaded()
    (rows,) = demand.stores.values()
    assert (rows.reads, rows.stale_reads, rows.writes) == (200, 100, 100)
    # over two shards: 100/s x 4 ms + 100/s x 2 ms on the primary, 100/s x 2 ms on the copy
    assert rows.busiest_node() == pytest.approx((0.4 + 0.2) / 2)
    assert rows.servers_of_a_node() == (3, "parallelism")


def test_more_of_a_step_adds_to_what_is_there() -> None:
    demand = loaded()
    (rows,) = demand.stores.values()
    step = next(step for step in demand.steps if step.mode == "write")
    more = rows.with_more(step, 50.0)
    assert (more.writes, rows.writes) == (150, 100)


def test_a_cold_cache_lets_everything_through() -> None:
    warm = loaded(hit=90.0)
    (cold,) = demands(Graph(warm.graph.system, cold_caches=True))
    assert warm.rates["rows"] == pytest.approx(30)
    assert cold.rates["rows"] == pytest.approx(300)
    assert warm.rates["hot"] == cold.rates["hot"] == pytest.approx(100)


def test_growth_is_looked_at_where_the_load_changes_its_course() -> None:
    front = Service("front", endpoints=[Endpoint("get")])
    steps = [RateStep(10 / s, 60 * s), RateStep(30 / s, 60 * s)]
    streams = {
        Ramp(10 / s, 40 / s, over=60 * s): 1 + 30 / 60 * 20 / 10,
        Stepped(steps): 3.0,
        Poisson(10 / s): 1.0,
        Mmpp(10 / s, 50 / s, calm_lasts=10 * s, busy_lasts=1 * s): 5.0,
    }
    for stream, expected in streams.items():
        system = System(
            "s",
            [front],
            journeys=[Journey("j", "front.get")],
            scenarios=[Scenario("x", load=[Load("j", stream)])],
        )
        (demand,) = demands(Graph(system))
        assert demand.growth(front, 20.0) == pytest.approx(expected)


def test_consumers_work_on_no_more_messages_than_there_are_partitions() -> None:
    def flow(partitions: int | None, concurrency: int | None) -> ConsumerFlow:
        listen = Consumer("t", concurrency=concurrency, steps=[Work(Constant(100 * ms))])
        system = System(
            "s",
            [
                Topic("t", partitions=partitions),
                Service("a", endpoints=[Endpoint("do", steps=[Publish("t")])]),
                Service("b", deployment=Kubernetes(replicas=3), consumers=[listen]),
            ],
            journeys=[Journey("j", "a.do")],
            scenarios=[Scenario("x", load=[Load("j", Poisson(20 / s))])],
        )
        (demand,) = demands(Graph(system))
        (found,) = consumer_flows(demand)
        return found

    assert (flow(12, 2).slots, flow(12, 2).capacity, flow(12, 2).needed) == (6, 60.0, 2.0)
    assert flow(4, 2).slots == 4
    assert (flow(4, None).slots, [m.attribute for m in flow(4, None).missing]) == (
        None,
        ["concurrency"],
    )
    assert [m.attribute for m in flow(None, 2).missing] == ["partitions"]


def test_a_session_visits_its_journeys_by_the_traffic_equations() -> None:
    """home, then product three times out of four; from product back home half of the time."""
    moves = [
        Move(after="home", to=[Choice("product", 3)], leave=1),
        Move(after="product", to=[Choice("home", 1)], leave=1),
    ]
    session = Session("home", Poisson(10 / s), moves=moves, pause=1 * s)
    rates = session_rates(session, 10.0)
    home = 1 / (1 - 0.75 * 0.5)
    assert rates["home"] == pytest.approx(10 * home)
    assert rates["product"] == pytest.approx(10 * home * 0.75)


def test_users_who_never_leave_share_their_time() -> None:
    """A circle of two: each journey every second time, however many steps are looked at."""
    circle = [Move(after="a", to=[Choice("b", 1)]), Move(after="b", to=[Choice("a", 1)])]
    closed = Session("a", Closed(20, think=5 * s), moves=circle, pause=4 * s)
    assert session_rates(closed, 4.0) == pytest.approx({"a": 2.5, "b": 2.5})
    assert session_rates(Session("a", Poisson(1 / s), moves=circle, pause=4 * s), 1.0) == {}
