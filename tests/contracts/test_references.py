"""Every field that refers to another part of the system is an edge, or says why not.

A new field of the vocabulary makes a test fail until somebody has decided what it means for rules,
proofs, plans, pictures and runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

from archcheck import (
    Cached,
    Call,
    Client,
    Consumer,
    Docker,
    Endpoint,
    External,
    Fallback,
    Journey,
    Kafka,
    MySQL,
    Person,
    Probe,
    Publish,
    Read,
    Redis,
    Saga,
    SagaStep,
    Schedule,
    Service,
    Step,
    System,
    Topic,
    Write,
)
from archcheck.graph import Graph
from archcheck.graph.walks import pairs
from archcheck.model.element import element_types
from archcheck.model.linking import Refers
from archcheck.units import percent, s

Pair = tuple[str, str]


def asked(graph: Graph) -> set[Pair]:
    """Who asks whom."""
    return {(edge.source.name, edge.target.name) for edge in graph.edges}


def connected(graph: Graph) -> set[Pair]:
    """Who reaches whom by a client that no step uses."""
    return set(graph.connections)


def started(graph: Graph) -> set[Pair]:
    """Who begins requests, and where."""
    entered = graph.entered_from_outside().items()
    return {(who.name, operation.partition(".")[0]) for operation, by in entered for who in by}


def read_by(graph: Graph) -> set[Pair]:
    """Which service reads which topic."""
    readers = graph.consumers.items()
    return {(name.partition(".")[0], topic) for topic, names in readers for name in names}


def waits_for(graph: Graph) -> set[Pair]:
    """Who is started after whom."""
    return set(pairs(graph.start_up()))


def web(*steps: Step, **more: Any) -> Service:
    return Service("web", endpoints=[Endpoint("go", steps=[*steps], **more)])


OTHER = Service("other", endpoints=[Endpoint("get")])
DB, CACHE, BANK = MySQL("db"), Redis("cache"), External("bank", endpoints=[Endpoint("pay")])
TOPIC, KAFKA = Topic("events"), Kafka("kafka")
SAGA = Saga([SagaStep("other.get", compensation="bank.pay")])
WEB = web()
EDGES: dict[Pair, tuple[Callable[[Graph], set[Pair]], Pair, list[Any]]] = {
    ("Call", "target"): (asked, ("web", "other"), [web(Call("other")), OTHER]),
    ("Read", "target"): (asked, ("web", "db"), [web(Read("db")), DB]),
    ("Write", "target"): (asked, ("web", "db"), [web(Write("db")), DB]),
    ("Publish", "target"): (asked, ("web", "events"), [web(Publish("events")), TOPIC]),
    ("Cached", "cache"): (
        asked,
        ("web", "cache"),
        [web(Cached("cache", [Read("db")], hit_ratio=50 * percent)), CACHE, DB],
    ),
    ("Fallback", "target"): (
        asked,
        ("web", "other"),
        [web(Call("bank.pay", fallback=Fallback("call", target="other"))), BANK, OTHER],
    ),
    ("SagaStep", "action"): (asked, ("web", "other"), [web(atomicity=SAGA), OTHER, BANK]),
    ("SagaStep", "compensation"): (asked, ("web", "bank"), [web(atomicity=SAGA), OTHER, BANK]),
    ("Client", "target"): (
        connected,
        ("web", "other"),
        [Service("web", clients=[Client("other")]), OTHER],
    ),
    ("Consumer", "topic"): (
        read_by,
        ("web", "events"),
        [Service("web", consumers=[Consumer("events")]), TOPIC],
    ),
    ("Person", "uses"): (started, ("ann", "web"), [Person("ann", uses=["web"]), WEB]),
    ("Schedule", "calls"): (
        started,
        ("night", "web"),
        [Schedule("night", calls="web", every=60 * s), WEB],
    ),
    ("Journey", "entry"): (started, ("use", "web"), [WEB, Journey("use", "web")]),
    ("Journey", "entries"): (
        started,
        ("use", "other"),
        [WEB, OTHER, Journey("use", entries=["web", "other"])],
    ),
    ("Service", "start_after"): (
        waits_for,
        ("web", "db"),
        [Service("web", start_after=["db"]), DB],
    ),
    ("Probe", "touches"): (
        waits_for,
        ("web", "db"),
        [
            Service("web", deployment=Docker(readiness=Probe("http", touches=["db"]))),
            DB,
        ],
    ),
    ("StoreFields", "start_after"): (
        waits_for,
        ("db", "cache"),
        [MySQL("db", start_after=["cache"]), CACHE],
    ),
    ("_Broker", "start_after"): (
        waits_for,
        ("kafka", "db"),
        [Kafka("kafka", start_after=["db"]), DB],
    ),
}
"""Field to the account that knows it, the edge, and the elements that have it."""

_OF_LOADS = "says of which journey a load, a range or a fault is: the journey reaches"
_OF_FAULTS = "says whom a fault hits, which reaches nobody"
_SEES = "who watches reaches whom it watches, but no request does: views of observability have it"
NO_EDGES: dict[Pair, str] = {
    ("_Platform", "start_after"): "platforms are started like all others: the table start_up",
    ("_Channel", "broker"): "a topic lives in its broker: who publishes reaches both",
    ("_Channel", "belongs_to"): "whose data it is: an owner is not asked",
    ("StoreFields", "belongs_to"): "whose data it is: an owner is not asked",
    ("_Channel", "dead_letter"): "where messages end that nobody could process: dead_letters",
    ("Consumer", "dead_letter"): "where messages end that nobody could process: dead_letters",
    ("Feature", "flag"): "a condition of the edges inside of it: their flags",
    ("Flag", "requires"): "which configurations there are",
    ("Flag", "excludes"): "which configurations there are",
    ("Pipeline", "contract_tests"): "tests run before a release, not in the system",
    ("Pipeline", "released_with"): "what is released together: rule DLV003",
    ("Deprecation", "replacement"): "what callers should ask instead, and do not yet",
    ("Saga", "coordinator"): "who keeps the state of the saga: it asks by its own steps",
    ("Pool", "target"): "how many connections the steps to it share",
    ("Journey", "users"): "who starts it: the journey reaches",
    ("Between", "target"): "whose attribute is a range",
    ("_Platform", "scrapes"): _SEES,
    ("OpenTelemetryCollector", "forwards_to"): _SEES,
    ("Grafana", "reads"): _SEES,
    ("Metrics", "platform"): _SEES,
    ("Logs", "platform"): _SEES,
    ("Tracing", "platform"): _SEES,
    ("RateBetween", "journey"): _OF_LOADS,
    ("ShareBetween", "journey"): _OF_LOADS,
    ("Load", "journey"): _OF_LOADS,
    ("Choice", "journey"): _OF_LOADS,
    ("Move", "after"): _OF_LOADS,
    ("Session", "first"): _OF_LOADS,
    ("Burst", "journey"): _OF_LOADS,
    ("Slow", "target"): _OF_FAULTS,
    ("Errors", "target"): _OF_FAULTS,
    ("Kill", "target"): _OF_FAULTS,
    ("CutLink", "source"): _OF_FAULTS,
    ("CutLink", "target"): _OF_FAULTS,
    ("FlushCache", "target"): _OF_FAULTS,
    ("Release", "target"): _OF_FAULTS,
}
"""Field to the reason why nobody reaches anybody by it."""


def fields_that_refer() -> set[Pair]:
    """The class that declares it, and its name."""
    found = set()
    for kind in element_types().values():
        for name, annotation in get_type_hints(kind, include_extras=True).items():
            if any(True for _ in _references(annotation)):
                owners = (base for base in kind.__mro__ if name in vars(base).get(_WRITTEN, {}))
                found.add((next(owners).__name__, name))
    return found


_WRITTEN = "__annotations__"


def _references(annotation: Any) -> Iterator[Refers]:
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        yield from (mark for mark in marks if isinstance(mark, Refers))
        yield from _references(inner)
    else:
        for part in get_args(annotation):
            yield from _references(part)


def test_every_reference_is_an_edge_or_says_why_not() -> None:
    assert fields_that_refer() == {*EDGES, *NO_EDGES}
    assert not EDGES.keys() & NO_EDGES.keys()


@pytest.mark.parametrize("field", EDGES, ids=".".join)
def test_an_edge_is_in_its_account(field: Pair) -> None:
    account, edge, parts = EDGES[field]
    journeys = [part for part in parts if isinstance(part, Journey)]
    elements = [part for part in parts if not isinstance(part, Journey)]
    assert edge in account(Graph(System("made", elements, journeys=journeys)))
