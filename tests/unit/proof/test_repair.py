"""The cheapest repair against trying every set of edits with every value."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction as Rational

import pytest
from depth import examples
from hypothesis import given
from hypothesis import strategies as st

from archcheck import (
    Absent,
    Call,
    Constant,
    Endpoint,
    Journey,
    Kafka,
    Kubernetes,
    ModelError,
    MySQL,
    Network,
    Pool,
    Publish,
    Read,
    Retry,
    Service,
    Slo,
    System,
    Topic,
    Write,
)
from archcheck.configuration import Settings
from archcheck.editing import checked_costs
from archcheck.findings import Rule
from archcheck.plugins import rules
from archcheck.proof.repair import Repair, repair
from archcheck.proof.repair import search as module
from archcheck.units import ms
from archcheck.verification import verify

GRID = range(5, 105, 5)


def chosen(*ids: str) -> list[Rule]:
    return [rule for rule in rules() if rule.id in ids]


def found(system: System, picked: list[Rule]) -> frozenset[tuple[str, str]]:
    done = verify(system, picked, settings=Settings(profile="strict"))
    return frozenset(
        (finding.rule.id, place.subject)
        for finding in done.findings
        for place in finding.occurrences
    )


def mended(system: System, *ids: str, **options: object) -> Repair:
    picked = chosen(*ids)
    return repair(system, picked, lambda made: found(made, picked), **options)  # type: ignore[arg-type]


def shop(
    waits: tuple[int, int, int], tries: tuple[int, int], least: tuple[int, int], limit: int
) -> System:
    """A call whose callee makes a call and a query, each with its attempts."""

    def retry(attempts: int) -> Retry:
        return Retry(attempts=attempts, backoff=0 * ms, jitter=False)

    return System(
        "shop",
        [
            MySQL("db", write=Constant(least[1] * ms)),
            Service(
                "web", endpoints=[Endpoint("buy", steps=[Call("orders", timeout=waits[0] * ms)])]
            ),
            Service(
                "orders",
                endpoints=[
                    Endpoint(
                        "place",
                        steps=[
                            Call("bank", timeout=waits[1] * ms, retry=retry(tries[0])),
                            Write("db", timeout=waits[2] * ms, retry=retry(tries[1])),
                        ],
                    )
                ],
            ),
            Service("bank", endpoints=[Endpoint("pay", slo=Slo(p99=least[0] * ms))]),
        ],
        journeys=[Journey("checkout", "web.buy", timeout=limit * ms)],
        network=Network(delay=0 * ms),
    )


def fewest(
    waits: tuple[int, int, int],
    tries: tuple[int, int],
    least: tuple[int, int],
    limit: int,
    costs: dict[str, float],
) -> float | None:
    """The smallest price over all values of all timeouts and attempts."""
    best = None
    options = [
        {wait, *(value for value in GRID if value >= floor)}
        for wait, floor in zip(waits, (5, *least), strict=True)
    ]
    counts = [range(1, most + 1) for most in tries]
    for (outer, first, second), (a, b) in itertools.product(
        itertools.product(*options), itertools.product(*counts)
    ):
        if a * first + b * second <= outer <= limit:
            new = (outer, first, second)
            price = costs["timeout"] * sum(x != y for x, y in zip(new, waits, strict=True))
            price += costs["attempts"] * sum(x != y for x, y in zip((a, b), tries, strict=True))
            best = price if best is None else min(best, price)
    return best


FIVES = st.integers(1, 12).map(lambda n: 5 * n)


@examples(60)
@given(
    st.tuples(FIVES, FIVES, FIVES),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
    st.tuples(FIVES, FIVES),
    st.integers(2, 20).map(lambda n: 5 * n),
    st.sampled_from([{"timeout": 1.0, "attempts": 1.0}, {"timeout": 1.0, "attempts": 2.5}]),
)
def test_no_other_edits_cost_less(
    waits: tuple[int, int, int],
    tries: tuple[int, int],
    least: tuple[int, int],
    limit: int,
    costs: dict[str, float],
) -> None:
    system = shop(waits, tries, least, limit)
    done = mended(system, "RES002", "RES003", costs=costs)
    expected = fewest(waits, tries, least, limit, costs)
    if expected is None:
        assert done.after
        assert done.impossible
    else:
        assert done.after == frozenset()
        assert float(done.cost) == expected
        assert done.at_least == done.cost


def test_edits_are_the_kinds_that_are_allowed() -> None:
    system = shop((70, 30, 30), (2, 1), (5, 5), 70)
    assert {
        name for e in mended(system, "RES003", costs={"attempts": 1.0}).edits for name in e.values
    } == {"attempts"}
    done = mended(system, "RES003", costs={"breaker": 1.0})
    assert done.edits == ()
    assert done.impossible == ("RES003 web.buy -> orders.place: no allowed edits mend it",)


@examples(40)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_a_storm_is_calmed_with_the_fewest_edits(attempts: list[int]) -> None:
    members: list[Service | MySQL] = [MySQL("db")]
    for number, count in enumerate(attempts):
        last = number == len(attempts) - 1
        retry = Retry(attempts=count, backoff=0 * ms)
        step = Read("db", retry=retry) if last else Call(f"s{number + 1}", retry=retry)
        members.append(Service(f"s{number}", endpoints=[Endpoint("go", steps=[step])]))
    done = mended(System("made", members), "RES007", costs={"attempts": 1.0})
    product = Rational(1)
    for count in attempts:
        product *= count
    fewest_ = 0
    for count in sorted(attempts, reverse=True):  # the largest first is best: one edit makes it 1
        if product > 10:
            product /= count
            fewest_ += 1
    assert done.cost == fewest_
    assert done.after == frozenset()


def test_the_bound_of_the_rule_counts() -> None:
    retry = Retry(attempts=5, backoff=0 * ms)
    made = System(
        "made",
        [
            Service("a", endpoints=[Endpoint("go", steps=[Call("b", retry=retry)])]),
            Service("b", endpoints=[Endpoint("go")]),
        ],
    )
    (rule,) = chosen("RES007")
    assert rule.options is not None
    strict = {"RES007": rule.options(bound=3.0)}

    def findings(system: System) -> frozenset[tuple[str, str]]:
        done = verify(system, [rule], settings=Settings(options=strict))
        return frozenset((f.rule.id, p.subject) for f in done.findings for p in f.occurrences)

    done = repair(made, [rule], findings, options=strict)
    assert done.before
    assert done.after == frozenset()
    assert [edit.values for edit in done.edits] == [{"attempts": 3}]


def test_a_call_without_a_timeout_takes_what_its_callee_takes() -> None:
    """Two of them are too long for the caller, which must be more patient."""
    relay = Absent("the callee has one")
    made = System(
        "made",
        [
            MySQL("db", read=Constant(1 * ms)),
            Service("a", endpoints=[Endpoint("go", steps=[Call("b", timeout=100 * ms)])]),
            Service("b", endpoints=[Endpoint("go", steps=[Call("c", timeout=relay)] * 2)]),
            Service("c", endpoints=[Endpoint("go", steps=[Read("db", timeout=60 * ms)])]),
        ],
    )
    done = mended(made, "RES003")
    assert done.after == frozenset()
    assert done.cost == 1


@pytest.mark.parametrize(("floors", "timeout"), [({}, 250), ({"orders.place -> placed": 0.4}, 400)])
def test_a_message_that_is_waited_for_gets_a_timeout(
    floors: dict[str, float], timeout: int
) -> None:
    """No run measures how long a broker takes: without a floor it is what RES001 advises."""
    system = System(
        "shop",
        [
            Kafka("kafka", nodes=3),
            Topic("placed", broker="kafka"),
            Service("orders", endpoints=[Endpoint("place", steps=[Publish("placed")])]),
        ],
    )
    measured = {step: Rational(str(seconds)) for step, seconds in floors.items()}
    done = mended(system, "RES001", floors=measured)
    assert [edit.values for edit in done.edits] == [{"timeout": timeout * ms}]
    assert done.is_complete


def test_what_is_hopeless_costs_nothing() -> None:
    """Users who wait 1 ms cannot be served: what is done for the others is as cheap as without."""
    system = shop((70, 30, 30), (2, 1), (5, 5), 70)
    alone = mended(system, "RES003")
    hasty = Journey("hasty", "web.buy", timeout=1 * ms)
    done = mended(replace(system, journeys=[*system.journeys, hasty]), "RES003")
    assert done.cost == alone.cost == done.at_least
    assert done.after == {("RES003", "hasty")}
    assert done.impossible[0].startswith("RES003 hasty: ")


def test_what_is_left_is_said() -> None:
    picked = chosen("RES003")
    system = shop((70, 30, 30), (2, 1), (5, 5), 70)
    still = frozenset({("RES003", "something else"), *found(system, picked)})
    done = repair(system, picked, lambda _: still)
    assert not done.is_complete
    assert "RES003 something else: no edits were found that mend it" in done.impossible


def test_a_breaker_can_do_for_two_rules() -> None:
    steps = [Call("b", retry=Retry(attempts=20, backoff=0 * ms))]
    made = System(
        "made",
        [
            Service("a", endpoints=[Endpoint("go", steps=steps)]),
            Service("b", endpoints=[Endpoint("go")]),
        ],
    )
    done = mended(made, "RES007", costs={"attempts": 5.0, "breaker": 2.0})
    assert [list(edit.values) for edit in done.edits] == [["breaker"]]
    assert done.cost == 2


def test_pools_replicas_zones_and_timeouts_together() -> None:
    up = Kubernetes(replicas=1, zones=["a"])
    made = System(
        "made",
        [
            MySQL("db", max_connections=50, copies=3, zones=["a", "b", "c"], failover="automatic"),
            Service(
                "web",
                deployment=up,
                pools=[Pool("db", 20)],
                endpoints=[Endpoint("go", steps=[Read("db")])],
            ),
        ],
        journeys=[Journey("use", "web.go", critical=True)],
    )
    done = mended(made, "RES001", "RES012", "RES013", "DEP002", "DAT005")
    assert done.before == {
        ("RES001", "web.go -> db"),
        ("RES012", "web"),
        ("RES013", "use"),
        ("DEP002", "web"),
    }
    assert done.after == frozenset()  # the second replica made a pool too large: the next round's
    assert {name for edit in done.edits for name in edit.values} == {
        "timeout",
        "replicas",
        "zones",
        "size",
    }


def test_a_search_that_is_cut_short_says_how_far_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EFFORT", 1)
    done = mended(shop((50, 30, 30), (2, 1), (5, 5), 50), "RES003")
    assert done.after == frozenset()
    assert done.at_least <= done.cost


@pytest.mark.parametrize(
    ("costs", "sentence"),
    [
        ({}, "no edit is allowed; allow some of timeout, attempts"),
        ({"timeuot": 1.0}, "there is no kind of edit 'timeuot'; did you mean 'timeout'"),
        ({"timeout": 0.0}, "the cost of timeout must be above 0"),
        ({"timeout": float("nan")}, "the cost of timeout must be above 0"),
    ],
)
def test_wrong_costs_are_one_sentence(costs: dict[str, float], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        checked_costs(costs)
