"""The advice of a finding: applied as it stands, the finding is gone, and names no invented number.

Each case has a system, the rule that it violates, a part of the advice, and the system with the
advice applied.
"""

from __future__ import annotations

import datetime
from typing import NamedTuple

import pytest

from archcheck import (
    Absent,
    BlueGreen,
    Call,
    Cassandra,
    CockroachDB,
    Endpoint,
    Growth,
    Journey,
    Kubernetes,
    Load,
    MySQL,
    Nginx,
    Pipeline,
    Poisson,
    Pool,
    PostgreSQL,
    Quorum,
    Read,
    Redis,
    Saga,
    SagaStep,
    Scenario,
    Service,
    ShardKey,
    System,
    Tracing,
)
from archcheck.findings import EXAMPLES_DAY, RuleOutcome, evaluate
from archcheck.graph import Graph
from archcheck.model import Named
from archcheck.plugins import rules
from archcheck.units import GB, MB, TB, ms, percent, s

RULES = {rule.id: rule for rule in rules()}
KEY = ShardKey(name="customer", cardinality=10**6, immutable=True)


class Advice(NamedTuple):
    """A system before and after, and what the advice between the two says."""

    rule: str
    before: System
    says: str
    after: System


def _shop(*members: Named, **others: object) -> System:
    return System("shop", members, **others)  # type: ignore[arg-type]  # parts of any kind


def _quorum(quorum: Quorum, *zones: str) -> System:
    return _shop(Cassandra("rows", quorum=quorum, consistency="strong", zones=zones))


def _saga(*, charged_twice: bool, guarded: bool) -> System:
    steps = [
        SagaStep("work.reserve", compensation="work.release", guarded=guarded),
        SagaStep("work.charge", pivot=True),
    ]
    work = [
        Endpoint("reserve", idempotent=True),
        Endpoint("release", idempotent=True),
        Endpoint("charge", idempotent=not charged_twice),
    ]
    place = Endpoint("place", atomicity=Saga(steps))
    return _shop(Service("orders", endpoints=[place]), Service("work", endpoints=work))


def _read(shards: int, key: ShardKey | None = None) -> System:
    store = MySQL("rows", read=10 * ms, parallelism=4, shards=shards, shard_key=key)
    web = Service("web", endpoints=[Endpoint("page", steps=[Read("rows")])])
    peak = Scenario("peak", load=[Load("look", Poisson(500 / s))])
    return _shop(store, web, journeys=[Journey("look", "web.page")], scenarios=[peak])


def _busier_each_month(shards: int) -> System:
    growth = Growth(traffic_per_month=10 * percent)
    (web,), peak = _read(1).services, _read(1).scenarios
    store = MySQL("rows", read=10 * ms, parallelism=6, shards=shards, shard_key=KEY, growth=growth)
    return _shop(store, web, journeys=[Journey("look", "web.page")], scenarios=peak)


def _growing(store: type[MySQL] | type[Redis], shards: int | None = None) -> System:
    growth = Growth(size=1.9 * TB, per_month=200 * GB)
    role = {"role": "store"} if store is Redis else {}
    return _shop(store("rows", growth=growth, shards=shards, shard_key=None, **role))


def _dark(tracing: Tracing | Absent) -> System:
    b3 = Tracing(propagation="b3")
    calls = [Endpoint("go", steps=[Call("b.go")]), Endpoint("go", steps=[Call("c.go")])]
    return _shop(
        Service("a", tracing=b3, endpoints=[calls[0]]),
        Service("b", tracing=tracing, endpoints=[calls[1]]),
        Service("c", tracing=b3, endpoints=[Endpoint("go")]),
    )


def _upload(limit: int) -> System:
    upload = Endpoint("upload", request_size=5 * MB)
    return _shop(Service("web", runtime=Nginx(max_request=limit * MB), endpoints=[upload]))


def _connected(most: int) -> System:
    """PostgreSQL keeps three of its connections for superusers."""
    web = Service(
        "web",
        pools=[Pool("rows", 10, processes=4)],
        deployment=Kubernetes(replicas=5),
        endpoints=[Endpoint("page", steps=[Read("rows")])],
    )
    return _shop(PostgreSQL("rows", max_connections=most), web)


def _released(tried: datetime.date) -> System:
    pipeline = Pipeline("GitLab CI", stages=["test", "deploy"], rollback_tested_on=tried)
    web = Service(
        "web",
        deployment=Kubernetes(rollout=BlueGreen()),
        pipeline=pipeline,
        endpoints=[Endpoint("page")],
    )
    return _shop(web, journeys=[Journey("buy", "web.page", critical=True)])


CASES = [
    Advice(
        "DAT016",
        _quorum(Quorum(copies=3, read=1, write=3), "a", "b", "c"),
        "Quorum(copies=3, read=2, write=2)",
        _quorum(Quorum(copies=3, read=2, write=2), "a", "b", "c"),
    ),
    Advice(
        "DAT016",
        _quorum(Quorum(copies=5, read=3, write=3), "a", "b"),
        "at least 3 zones",
        _quorum(Quorum(copies=5, read=3, write=3), "a", "b", "c"),
    ),
    Advice(
        "DAT016",
        _quorum(Quorum(copies=2, read=1, write=2), "a", "b"),
        "Quorum(copies=3, read=2, write=2) over at least 3 zones",
        _quorum(Quorum(copies=3, read=2, write=2), "a", "b", "c"),
    ),
    Advice(
        "DAT016",
        _shop(CockroachDB("rows", zones=["a", "b"])),
        "at least 3 zones",
        _shop(CockroachDB("rows", zones=["a", "b", "c"])),
    ),
    Advice(
        "DAT019",
        _saga(charged_twice=True, guarded=False),
        "idempotent=True for work.charge, guarded=True for the step work.reserve",
        _saga(charged_twice=False, guarded=True),
    ),
    Advice("DAT002", _read(1), "shards=2 with a shard_key", _read(2, KEY)),
    Advice("DAT003", _read(2), "the attribute that nearly all queries name", _read(2, KEY)),
    Advice("EVO014", _busier_each_month(1), "shards=3", _busier_each_month(3)),
    Advice("DAT018", _growing(MySQL), "shards=3 with a shard_key", _growing(MySQL, 3)),
    Advice("DAT018", _growing(Redis), "shards=3, an archive", _growing(Redis, 3)),
    Advice(
        "OBS003",
        _dark(Absent("bought")),
        'propagation="b3"',
        _dark(Tracing(propagation="b3")),
    ),
    Advice("COM006", _upload(1), "at least 5 MB", _upload(5)),
    Advice(
        "DLV003",
        _released(datetime.date(2015, 1, 1)),
        "try it again",
        _released(EXAMPLES_DAY),
    ),
    Advice(
        "DLV001",
        _shop(Service("web", pipeline=Pipeline("Jenkins", stages=["build", "deploy"]))),
        '"test" among the stages of its pipeline',
        _shop(Service("web", pipeline=Pipeline("Jenkins", stages=["build", "test", "deploy"]))),
    ),
    Advice("DAT005", _connected(280), "max_connections=283", _connected(283)),
]


def _outcome(rule: str, system: System) -> RuleOutcome:
    return evaluate(RULES[rule], Graph(system, today=EXAMPLES_DAY))


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}-{case.says}" for case in CASES])
def test_the_finding_is_gone_when_its_advice_is_taken(case: Advice) -> None:
    fixes = [o.fix for f in _outcome(case.rule, case.before).findings for o in f.occurrences]
    assert any(case.says in fix for fix in fixes), fixes
    assert not _outcome(case.rule, case.after).findings


def test_the_new_shards_bring_no_other_finding() -> None:
    assert not _outcome("DAT003", _read(2, KEY)).findings
    assert not _outcome("DAT003", _growing(Redis, 3)).findings
