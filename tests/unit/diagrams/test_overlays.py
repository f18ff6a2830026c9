"""Overlays say what the results say."""

from __future__ import annotations

import math

from drawings import canvas

from archcheck import (
    Constant,
    Consumer,
    Endpoint,
    Journey,
    Kafka,
    Load,
    Poisson,
    Publish,
    Scenario,
    Service,
    System,
    Topic,
    Work,
)
from archcheck.diagrams import Diagram, laid_over, overlays, readable, view_of
from archcheck.graph import Graph
from archcheck.proof import prove
from archcheck.simulation import SimulationResult, simulate
from archcheck.units import ms, s
from archcheck.verification import verify


def shop() -> Diagram:
    found = view_of(canvas("shop"))
    assert isinstance(found, Diagram)
    return found


def run() -> SimulationResult:
    system = canvas("shop").graph.system
    return simulate(system, system.scenario("evening"), duration=20 * s, warmup=2 * s)


def test_utilisation_is_that_of_the_busiest_resource() -> None:
    result = run()
    view = laid_over(shop(), overlays.utilisation(result))
    busy = overlays.busiest(result)
    own = [r for r in result.resources if r.name.partition(".")[0] == "orders"]
    assert busy["orders"] == max(r.utilisation for r in own if not math.isnan(r.utilisation))
    assert view.card("orders").note == f"{busy['orders']:.0%} busy"
    assert view.card("orders").tone == "calm"
    assert view.card("grafana").note == ""


def test_consumers_keep_their_service_busy() -> None:
    slow = Consumer("placed", name="tell", concurrency=1, steps=[Work(Constant(40 * ms))])
    system = System(
        "shop",
        [
            Kafka("kafka", nodes=3),
            Topic("placed", broker="kafka", partitions=1),
            Service("orders", endpoints=[Endpoint("place", steps=[Publish("placed")])]),
            Service("mails", consumers=[slow]),
        ],
        journeys=[Journey("order", "orders.place")],
        scenarios=[Scenario("calm", load=[Load("order", Poisson(20 / s))])],
    )
    busy = overlays.busiest(
        simulate(system, system.scenario("calm"), duration=20 * s, warmup=0 * s)
    )
    assert 0.6 < busy["mails"] < 1
    assert all(system.find(name) or "->" in name for name in busy)


def test_latency_and_errors_come_from_the_operations() -> None:
    result = run()
    slowest = overlays.slowest_operations(result)
    assert slowest["edge"] == max(
        result.operation(name).latency.p95 for name in ("edge.browse", "edge.checkout")
    )
    assert overlays.error_rates(result)["edge"] < 0.05


def test_flow_counts_what_went_over_each_way() -> None:
    """The rate into the edge's callees is that of the journeys."""
    result = run()
    rates = overlays.flow_rates(result)
    span = result.simulated - result.warmup
    expected = result.journey("checkout").started / span
    assert rates["edge", "orders"] == expected or abs(rates["edge", "orders"] / expected - 1) < 0.1
    view = laid_over(shop(), overlays.flow(result))
    widths = {(a.source, a.target): a.weight for a in view.arrows}
    assert widths["edge", "catalogue"] > widths["edge", "orders"] > 1


def test_findings_are_counted_by_their_gravest() -> None:
    system = canvas("online_boutique").graph.system
    checked = verify(system)
    overlay = overlays.findings(checked)
    places = [
        finding.severity
        for finding in checked.findings
        for occurrence in finding.occurrences
        if overlays.spoken_of(system, occurrence.subject) == ("checkoutservice",)
    ]
    errors = places.count("error")
    assert errors
    assert overlay.marks["checkoutservice"].tone == "error"
    assert overlay.marks["checkoutservice"].note == f"{errors} error{'s' * (errors > 1)}"


def test_a_counterexample_marks_what_it_breaks() -> None:
    graph = canvas("online_boutique").graph
    overlay = overlays.counterexample(prove(Graph(graph.system)).refuted)
    assert overlay.marks
    assert set(overlay.marks) <= set(graph.system.directory.elements)


def test_a_collapsed_card_shows_the_gravest_of_its_elements() -> None:
    found = view_of(canvas("landscape"))
    assert isinstance(found, Diagram)
    marks = {
        "orders-1": overlays.Mark("warm", "60% busy", 0.6),
        "orders-2": overlays.Mark("critical", "99% busy", 0.99),
    }
    view = laid_over(readable(found), overlays.Overlay("utilisation", marks))
    card = view.card("group orders")
    assert (card.tone, card.note) == ("critical", "at most 99% busy")
