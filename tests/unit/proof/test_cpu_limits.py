"""What deadlines make of CPU limits, against runs of single requests at any moment of a period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from depth import examples
from fidelity.harness import longest, run, service, system
from hypothesis import given
from hypothesis import strategies as st

from archcheck import (
    Absent,
    Bulkhead,
    Client,
    Constant,
    Kubernetes,
    MySQL,
    Parallel,
    Pool,
    Read,
    Repeat,
    Resources,
    Step,
    System,
    Wait,
    Work,
)
from archcheck.graph import Graph
from archcheck.proof.worst_cases import WorstCases
from archcheck.units import Duration, cores

times = st.integers(1, 60).map(lambda count: Constant(Duration(count / 1000)))
steps: st.SearchStrategy[Step] = st.one_of(
    times.map(Work),
    times.map(Wait),
    st.builds(lambda time, count: Repeat(count, [Work(time)]), times, st.integers(1, 3)),
    st.lists(times.map(Work), min_size=2, max_size=3).map(Parallel),
)


def limited(limit: float, *steps: Step, parallel: int) -> System:
    deployment = Kubernetes(resources=Resources(cpu_limit=limit * cores))
    return system(service("web", *steps, cores=parallel, deployment=deployment))


@examples(150)
@given(
    st.integers(1, 300),
    st.lists(steps, min_size=1, max_size=4),
    st.lists(st.integers(0, 99), min_size=1, max_size=10),
    st.integers(3, 8),
)
def test_no_single_request_takes_longer_than_its_bound(
    limit: int, steps: Sequence[Step], phases: Sequence[int], parallel: int
) -> None:
    model = limited(limit / 100, *steps, parallel=parallel)
    case = WorstCases(Graph(model)).of("web.run")
    seconds = float(case.at_most)
    apart = max(5.0, 2 * seconds)
    arrivals = [1 + n * apart + phase / 1000 for n, phase in enumerate(phases)]
    if not case.gaps:
        found = longest(run(model, *arrivals, duration=Duration(arrivals[-1] + apart)))
        assert found <= seconds + 1e-7


def test_branches_that_share_a_quota_are_undecided() -> None:
    """15 ms beside 15 ms: of a quota of 20 ms both have had 10 when they stand still."""
    together = Parallel([Work(Constant(Duration(0.015))), Work(Constant(Duration(0.015)))])
    model = limited(0.2, together, parallel=2)
    (gap,) = WorstCases(Graph(model)).of("web.run").gaps
    assert "CPU limit" in gap.attribute
    assert abs(longest(run(model, 1.0)) - 0.105) < 1e-6
    roomy = limited(2.0, together, parallel=2)
    assert not WorstCases(Graph(roomy)).of("web.run").gaps


def test_branches_that_share_cores_are_undecided() -> None:
    together = Parallel([Work(Constant(Duration(0.04)))] * 3)
    model = system(service("web", together, cores=1))
    (gap,) = WorstCases(Graph(model)).of("web.run").gaps
    assert "more cores" in gap.attribute
    assert abs(longest(run(model, 1.0)) - 0.12) < 1e-6
    assert not WorstCases(Graph(system(service("web", together, cores=3)))).of("web.run").gaps


@pytest.mark.parametrize("room", [1, 3])
@pytest.mark.parametrize("what", ["bulkhead", "pool"])
def test_branches_of_one_request_wait_for_each_other(what: str, room: int) -> None:
    """Three queries of 40 ms at once, and room for one of them or for all."""
    bulkhead = Bulkhead(room, max_wait=Duration(1)) if what == "bulkhead" else Absent("none")
    ask = Read("db", timeout=Duration(1), bulkhead=bulkhead)
    clients = [Client("db", bulkhead=bulkhead)] if what == "bulkhead" else []
    web = replace(
        service("web", Parallel([replace(ask, bulkhead=None)] * 3 if clients else [ask] * 3)),
        clients=clients,
        pools=[Pool("db", size=room)] if what == "pool" else [],
    )
    model = system(web, MySQL("db", parallelism=10, read=Constant(Duration(0.04))))
    gaps = WorstCases(Graph(model)).of("web.run").gaps
    taken = longest(run(model, 1.0))
    if room == 1:
        assert any("3 or more" in gap.attribute for gap in gaps)
        assert taken > 0.11
    else:
        assert not gaps
        assert taken < 0.05
