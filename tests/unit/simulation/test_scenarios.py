"""Faults, loads and what cannot be simulated, each on a system of a few lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fidelity.harness import longest, run, service, system, work

from archcheck import (
    Autoscale,
    Burst,
    Call,
    Choice,
    Closed,
    Constant,
    CutLink,
    Deterministic,
    Docker,
    Empirical,
    Endpoint,
    Errors,
    FlushCache,
    Journey,
    Kill,
    Kubernetes,
    Load,
    Mix,
    Move,
    MySQL,
    Poisson,
    Probe,
    Read,
    Recorded,
    Release,
    RollingUpdate,
    Scenario,
    ScenarioError,
    Schedule,
    Service,
    Session,
    Slo,
    Slow,
    Step,
    System,
    Work,
    ZoneLoss,
)
from archcheck.loading import load
from archcheck.model import ModelError, from_json, to_json
from archcheck.model.scenarios import Fault
from archcheck.reporting.objectives import objectives_sheet
from archcheck.simulation import SimulationResult, parse_fault, simulate
from archcheck.units import Duration, ms, percent, s

# -- faults -----------------------------------------------------------------------------------


def test_a_slow_element_is_slow_for_a_while() -> None:
    model = system(service("front", work(10)))
    result = run(model, 1, 2, 3, faults=(Slow("front", factor=5, start=1.5 * s, end=2.5 * s),))
    assert longest(result) == pytest.approx(0.050)
    assert result.journey("visit").latency.mean == pytest.approx(0.070 / 3)


def test_errors_last_as_long_as_their_window() -> None:
    model = system(service("front", work(10)))
    fault = Errors("front.run", rate=100 * percent, start=1.5 * s, end=2.5 * s)
    visit = run(model, 1, 2, 3, faults=(fault,)).journey("visit")
    assert (visit.ok, visit.failed) == (2, 1)


def probed(replicas: int, probe: Probe | None) -> System:
    deployment = Kubernetes(image="shop/x:1.0", replicas=replicas, readiness=probe)
    call = Call("back.run", balancing="round_robin")
    return system(service("front", call), service("back", work(100), deployment=deployment))


def test_a_killed_replica_fails_what_it_holds_and_callers_notice_later() -> None:
    """Two seconds until the probe has failed twice: one of the two calls before that fails."""
    model = probed(2, Probe("tcp", period=1 * s, failure_threshold=2))
    held = run(model, 1, 1, faults=(Kill("back", start=1.05 * s, end=20 * s),))
    assert (held.journey("visit").ok, held.journey("visit").failed) == (1, 1)
    fault = (Kill("back", start=5 * s, end=20 * s),)
    assert run(model, 6, 6.2, faults=fault).journey("visit").failed == 1
    assert run(model, 8, 8.2, faults=fault).journey("visit").failed == 0
    assert run(model, 21, 21.2, faults=fault).journey("visit").failed == 0
    blind = run(probed(2, None), 8, 8.2, 9, 9.2, faults=fault)
    assert blind.journey("visit").failed == 2


def test_a_lost_zone_takes_its_replicas() -> None:
    deployment = Docker(replicas=3, zones=["a", "b", "c"])
    call = Call("back.run", balancing="round_robin")
    model = system(service("front", call), service("back", work(1), deployment=deployment))
    result = run(model, *range(2, 32), faults=(ZoneLoss("b", start=1 * s, end=60 * s),))
    assert result.journey("visit").failed == 10


def test_a_node_stays_dead_until_the_last_of_its_faults_is_over() -> None:
    deployment = Docker(replicas=1, zones=["a"])
    model = system(
        service("front", Call("back.run")), service("back", work(1), deployment=deployment)
    )
    faults = (Kill("back", start=1 * s, end=5 * s), ZoneLoss("a", start=3 * s, end=9 * s))
    visit = run(model, 2, 4, 6, 8, 10, faults=faults).journey("visit")
    assert (visit.ok, visit.failed) == (1, 4)
    cuts = (
        CutLink("front", "back", start=1 * s, end=5 * s),
        CutLink("front", "back.run", start=3 * s, end=9 * s),
    )
    assert longest(run(model, 2, faults=cuts)) == pytest.approx(7.0)


def test_a_kill_finds_the_replicas_of_a_new_version() -> None:
    deployment = Docker(replicas=2, rollout=RollingUpdate(max_surge=1, max_unavailable=0))
    model = system(
        service("front", Call("back.run", balancing="round_robin")),
        service("back", work(1), deployment=deployment),
    )
    faults = (
        Release("back", start=1 * s, start_up=1 * s),
        Kill("back", replicas=2, start=10 * s, end=20 * s),
    )
    visit = run(model, 5, 12, 14, 25, faults=faults).journey("visit")
    assert (visit.ok, visit.failed) == (2, 2)


def test_a_cut_link_gives_no_answer_until_the_timeout_or_until_it_is_back() -> None:
    def visit(timeout: Duration | None) -> SimulationResult:
        model = system(
            service("front", Call("back.run", timeout=timeout)), service("back", work(1))
        )
        cut = CutLink("front", "back", start=1 * s, end=5 * s)
        return run(model, 2, 6, faults=(cut,))

    assert longest(visit(500 * ms)) == pytest.approx(0.5)
    assert longest(visit(None)) == pytest.approx(3.0)
    assert visit(None).journey("visit").ok == 1


def test_a_burst_multiplies_the_load() -> None:
    model = system(service("front", work(1)))
    scenario = Scenario(
        "x",
        load=[Load("visit", Deterministic(100 / s))],
        faults=[Burst(3.0, start=10 * s, end=20 * s)],
    )
    result = simulate(model, scenario, duration=30 * s, warmup=0 * s)
    assert result.journey("visit").started == pytest.approx(3_000 + 2_000, abs=3)


def test_a_rolling_release_serves_all_the_time() -> None:
    deployment = Kubernetes(
        image="shop/x:1.0",
        replicas=4,
        rollout=RollingUpdate(max_surge=1, max_unavailable=0),
        grace=30 * s,
    )
    model = system(
        service("front", Call("back.run", balancing="round_robin")),
        service("back", work(100), deployment=deployment),
    )
    release = Release("back", start=5 * s, start_up=2 * s)
    times = [k / 10 for k in range(10, 300)]
    result = run(model, *times, faults=(release,))
    assert result.journey("visit").ok == len(times)
    servers = result.servers_series["back"]
    assert max(servers) > servers[0] >= min(servers) > 0.99 * servers[0]


# -- load -------------------------------------------------------------------------------------


def test_times_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "times.txt"
    path.write_text("1.0\n1.5\n\n2.25\n", encoding="utf-8")
    model = system(service("front", work(1)))
    scenario = Scenario("x", load=[Load("visit", Recorded(file=str(path)))])
    result = simulate(model, scenario, duration=10 * s, warmup=0 * s)
    assert result.journey("visit").started == 3
    path.write_text("1.0\nsoon\n", encoding="utf-8")
    with pytest.raises(
        ScenarioError, match=r"times.txt:2: needs a time in seconds, at most 100 years, got 'soon'"
    ):
        simulate(model, scenario, duration=10 * s)


def test_measured_times_are_read_from_a_file_beside_the_model(tmp_path: Path) -> None:
    times = tmp_path / "times.txt"
    model = tmp_path / "model.py"
    model.write_text(
        "from archcheck import *\n"
        "from archcheck.units import *\n"
        "web = Service('web', runtime=Go(), endpoints=[\n"
        "    Endpoint('go', steps=[Work(Empirical(file='times.txt'))])])\n"
        "use = Journey('use', 'web.go')\n"
        "calm = Scenario('calm', load=[Load(use, Deterministic(1 / s))])\n",
        encoding="utf-8",
    )

    def refused() -> str:
        with pytest.raises(ModelError) as found:
            load(model)
        return str(found.value).replace(str(tmp_path), "").lstrip("/")

    assert refused().endswith(
        "model.py:4: times.txt: cannot read recorded times: No such file or directory"
    )
    times.write_text("0.1\n-1\n", encoding="utf-8")
    assert refused().endswith("times.txt:2: needs a time in seconds, at most 100 years, got '-1'")
    for odd in ("1e200", "1_0", "1 ms", "nan"):
        times.write_text(f"{odd}\n", encoding="utf-8")
        assert f"times.txt:1: needs a time in seconds, at most 100 years, got {odd!r}" in refused()
    times.write_text("\n", encoding="utf-8")
    assert refused().endswith("times.txt: has no measured value")
    times.write_text("\ufeff0.1\r\n0.3\n0.2", encoding="utf-8")
    (found,) = load(model)
    (result,) = simulate(found, found.scenarios[0], duration=100 * s, warmup=0 * s).journeys
    assert 0.19 < result.latency.mean < 0.21
    assert result.latency.max == pytest.approx(0.3)
    again = from_json(to_json(found), str(tmp_path / "model.json"))
    assert again == found


@pytest.mark.parametrize("file", ["/dev/zero", "/etc/hostname", "../times.txt", "."])
def test_a_model_that_anybody_wrote_names_no_files_elsewhere(file: str, tmp_path: Path) -> None:
    (tmp_path / "times.txt").write_text("1\n", encoding="utf-8")
    (tmp_path / "models").mkdir()
    model = tmp_path / "models" / "m.json"
    web = service("web", Work(Empirical([1 * s])))
    text = to_json(system(web)).replace('"values"', '"file"')
    model.write_text(re.sub(r'"file": \[[^\]]*\]', f'"file": "{file}"', text), encoding="utf-8")
    with pytest.raises(ModelError, match=r"in the folder of the model, or below it|is no file"):
        load(model)


@pytest.mark.parametrize("fields", [{}, {"values": [1 * s], "file": "times.txt"}])
def test_measured_times_are_in_the_model_or_in_a_file(fields: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="or a file that has them, and not both"):
        Empirical(**fields)


def test_a_session_walks_by_its_probabilities() -> None:
    """home, then product three times out of four, then always home again or leave."""
    journeys = [Journey("home", "front.run"), Journey("product", "front.run")]
    model = system(service("front", work(1)), journeys=journeys)
    session = Session(
        "home",
        Poisson(50 / s),
        moves=[Move(after="home", to=[Choice("product", 3)], leave=1)],
        pause=Constant(10 * ms),
    )
    result = simulate(model, Scenario("x", load=[session]), duration=100 * s, warmup=0 * s)
    home, product = (result.journey(name).started for name in ("home", "product"))
    assert product / home == pytest.approx(0.75, abs=0.03)


def test_a_schedule_runs_its_call_in_every_period() -> None:
    model = system(service("front", work(1)), Schedule("nightly", calls="front.run", every=7 * s))
    result = run(model, 1)
    (job,) = result.jobs
    assert (job.name, job.started) == ("nightly", 8)
    assert [journey.name for journey in result.journeys] == ["visit"]


# -- what cannot be simulated -----------------------------------------------------------------


def ring(threads: int, timeout: Duration | None = None) -> System:
    """a.run calls b.run, which calls a.look: both hold a thread of a."""
    steps: list[Step] = [work(5), Call("b.run", timeout=timeout)]
    a = service("a", *steps, threads=threads)
    a = Service(
        "a",
        runtime=a.runtime,
        deployment=a.deployment,
        endpoints=[*a.endpoints, Endpoint("look", steps=[work(5)])],
    )
    return system(a, service("b", work(5), Call("a.look"), threads=threads))


def test_a_deadlock_is_named() -> None:
    scenario = Scenario("x", load=[Load("visit", Poisson(400 / s))])
    with pytest.raises(ScenarioError, match=r"deadlock after .*: every thread of a"):
        simulate(ring(2), scenario, duration=20 * s)
    assert simulate(ring(50), Scenario("x", load=[Load("visit", Poisson(10 / s))]), duration=9 * s)
    assert simulate(ring(2, 100 * ms), scenario, duration=5 * s).journey("visit").started


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ([Slow("bakc", factor=2)], "a fault on 'bakc', which the system does not have"),
        ([Kill("back", replicas=3)], "cannot take 3 of the 1 nodes of back"),
        ([ZoneLoss("mars")], "nothing runs in the zone 'mars'"),
        ([Burst(2.0, journey="visti")], "there is no journey 'visti'"),
        ([Burst(0.5)], "a burst needs a factor above 1"),
        ([Slow("back", factor=2, start=5 * s, end=2 * s)], "ends at 2 s, before it starts at 5 s"),
        ([Release("db")], "Release needs a service, and 'db' is none"),
        ([CutLink("nobody", "back")], "the source of CutLink needs a service or a datastore"),
    ],
)
def test_faults_that_do_not_fit_are_refused(faults: list[Fault], message: str) -> None:
    model = system(
        service("front", Call("back.run"), Read("db")), service("back", work(1)), MySQL("db")
    )
    scenario = Scenario("x", load=[Load("visit", Poisson(1 / s))], faults=faults)
    with pytest.raises(ScenarioError, match=message):
        simulate(model, scenario, duration=1 * s)


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (Load("vist", Poisson(1 / s)), "loads the journey 'vist'.*did you mean 'visit'"),
        (Load("visit", Poisson(0 / s)), "the load visit has a rate of zero"),
        (Load("visit", Recorded(times=[2 * s, 1 * s])), "do not ascend"),
        (Load("visit", Recorded(file="nowhere.txt")), "nowhere.txt: cannot read recorded times"),
        (Mix([], Closed(1, think=1 * s)), "a mix needs at least one choice"),
        (
            Session("home", Poisson(1 / s), moves=[], pause=1 * s),
            "loads the journey 'home'",
        ),
    ],
)
def test_loads_that_do_not_exist_are_refused(load: Load | Mix | Session, message: str) -> None:
    model = system(service("front", work(1)))
    with pytest.raises(ScenarioError, match=message):
        simulate(model, Scenario("x", load=[load]), duration=1 * s)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("payments slow x5 from 60s to 90s", Slow("payments", factor=5, start=60 * s, end=90 * s)),
        (
            "payments.Charge slow x 2.5 from 1 min",
            Slow("payments.Charge", factor=2.5, start=60 * s),
        ),
        ("bank fails 30% from 1s to 2s", Errors("bank", rate=30 * percent, start=1 * s, end=2 * s)),
        ("a loses 2 replicas at 5s", Kill("a", replicas=2, start=5 * s)),
        ("a loses a replica from 5s", Kill("a", start=5 * s)),
        ("zone eu-1a lost from 5s to 9s", ZoneLoss("eu-1a", start=5 * s, end=9 * s)),
        ("a -> my db cut from 5s to 9s", CutLink("a", "my db", start=5 * s, end=9 * s)),
        ("page cache flushed at 5s", FlushCache("page cache", start=5 * s)),
        ("payments released at 500ms", Release("payments", start=500 * ms)),
        ("load x3 from 5s to 9s", Burst(3.0, start=5 * s, end=9 * s)),
        ("checkout load x3 from 5s", Burst(3.0, journey="checkout", start=5 * s)),
    ],
)
def test_faults_as_people_say_them(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("payments slow x5", "does not say when"),
        ("payments explodes at 5s", "does not say what goes wrong"),
        ("payments slow x0 at 5s", "factor"),
        ("a fails 130% at 5s", "rate"),
        ("payments slow x5 from 5 parsecs", "parsecs"),
        ("", "does not say when"),
    ],
)
def test_faults_that_nobody_understands(text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        parse_fault(text)


def test_the_assumption_with_the_most_influence_comes_first() -> None:
    model = System(
        "x",
        [service("front", Read("db")), MySQL("db", parallelism=1, max_connections=10)],
        journeys=[Journey("visit", "front.run")],
    )
    result = run(model, *(k / 10 for k in range(1, 200)))
    first, *others = result.assumptions
    assert (first.subject, first.attribute) == ("db", "read")
    assert first.influence > 0.5
    assert [a.influence for a in others] == sorted((a.influence for a in others), reverse=True)


def test_autoscaling_by_another_metric_is_listed() -> None:
    scale = Autoscale(min=1, max=3, target_metric="lag")
    deployment = Kubernetes(image="shop/x:1.0", autoscale=scale)
    result = run(system(service("front", work(1), deployment=deployment)), 1)
    assert result.not_simulated == ("autoscaling by another metric than CPU (1)",)


def test_objectives_stay_open_when_no_request_comes() -> None:
    """Times of a log that are seconds since 1970 lie behind the end of every run."""
    journey = Journey("visit", "front.run", slo=Slo(p95=100 * ms, availability=99 * percent))
    model = system(service("front", work(1)), journeys=[journey])
    for count in (1, 5):
        load = [Load("visit", Recorded(times=[1_700_000_000 * s]))]
        result = simulate(model, Scenario("log", load=load), duration=60 * s, replications=count)
        assert [reading.state for reading in result.objectives] == ["open", "open"]
        assert all("no request came" in str(reading) for reading in result.objectives)
        assert "no request of visit came" in objectives_sheet(result.objectives).remark
