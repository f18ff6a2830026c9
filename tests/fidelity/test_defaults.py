"""What frameworks and stores do when nobody sets anything, and that results say so."""

from __future__ import annotations

import pytest
from fidelity.harness import longest, run, system, work

from archcheck import Endpoint, Kubernetes, Read, Redis, Release, Service, SpringBoot, TiDB
from archcheck.model import effective
from archcheck.units import ms, s


def served(runtime: SpringBoot) -> Service:
    return Service("b", runtime=runtime, endpoints=[Endpoint("run", steps=[work(1000)])])


def test_tomcat_queues_what_has_no_thread() -> None:
    """The case ``tomcat``: 1,000 requests at once, 200 threads, a second each."""
    result = run(system(served(SpringBoot("4.1"))), *(1 + n * 1e-6 for n in range(1000)))
    assert result.journey("visit").ok == 1000
    assert longest(result) == pytest.approx(5.0, rel=1e-3)
    assumed = {each.attribute: each.value for each in result.assumptions if each.subject == "b"}
    assert assumed["threads"] == "200"
    assert assumed["accept_queue"] == "8092"


@pytest.mark.parametrize("threads", [1, 10, 500])
def test_connections_are_those_that_wait_and_those_that_are_served(threads: int) -> None:
    waiting = effective(SpringBoot("4.1", threads=threads), "accept_queue").value
    assert waiting + threads == 8192 + 100


def test_a_release_lists_what_kubernetes_does_by_default() -> None:
    front = Service(
        "front", deployment=Kubernetes(replicas=2), endpoints=[Endpoint("run", steps=[work(1)])]
    )
    result = run(system(front), 1, faults=(Release("front", start=2 * s),))
    assumed = {each.attribute: each.value for each in result.assumptions if each.subject == "front"}
    assert assumed["grace"] == "30 s"
    assert assumed["rollout"] == "RollingUpdate()"


def test_documented_numbers_of_stores_are_listed() -> None:
    reads = [Read("tidb", stale=True, timeout=9 * ms), Read("redis", timeout=9 * ms)]
    front = Service("front", endpoints=[Endpoint("run", steps=reads)])
    result = run(system(front, TiDB("tidb"), Redis("redis")), 1)
    assumed = {(each.subject, each.attribute): each.value for each in result.assumptions}
    assert assumed["tidb", "copies"] == "3"
    assert assumed["redis", "parallelism"] == "1"
    assert assumed["redis", "max_connections"] == "10000"
