"""Quorums overlap as the claimed consistency says, and survive the loss of any zone.

Why it matters: copies that are read and copies that are written need to share one, or a read can
miss a write that was confirmed. And a quorum of which one zone holds too much is gone with it.

Strong consistency asks that R + W is more than the N copies. Copy n lies in the n-th declared
zone, round and round; after the loss of any zones the larger of R and W must be left. Copies that
follow by consensus (``replication="consensus"``, as in CockroachDB and TiDB) need a majority.

How to fix: `Quorum(copies=3, read=2, write=2)` over three zones. A quorum of all copies never
survives the loss of a zone.

False positives: placements that are not even; declare as many zones as there are copies.

Sources: Gifford, Weighted Voting for Replicated Data, SOSP 1979; DeCandia et al., Dynamo, SOSP
2007; Kleppmann, Designing Data-Intensive Applications, 2017, chapter 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from archcheck import Cassandra, CockroachDB, MySQL, Quorum, System, effective
from archcheck.findings import NotApplicable, Result, Rule, Undecided, option
from archcheck.graph import Graph
from archcheck.graph.copies import copies_of, zones_of
from archcheck.proof import quorums, results


@dataclass(frozen=True)
class Options:
    """Thresholds of the rule."""

    zones: int = option(1, "zones that may be lost at the same time")


rule = Rule("DAT016", "quorum-lost", severity="error", method="proof", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    answers = list(quorums(graph, options.zones))
    unsaid = list(_unsaid(graph))
    if not answers and not unsaid:
        yield NotApplicable("no datastore declares a quorum or needs a majority of its copies")
    yield from results(answers)
    yield from unsaid


def _unsaid(graph: Graph) -> Iterator[Undecided]:
    """What it takes to know whether a majority is left of copies that follow by consensus."""
    for store in graph.system.datastores:
        is_led = effective(store, "replication").value == "consensus"
        if not is_led or getattr(store, "quorum", None) is not None:
            continue
        if copies_of(store) is None:
            yield Undecided(store, "copies")
        elif not zones_of(store):
            yield Undecided(store, "zones", "holds with one for each copy")


def _timeline(
    quorum: Quorum,
    zones: Sequence[str] = ("a", "b", "c"),
    consistency: Literal["strong", "eventual"] = "strong",
) -> System:
    store = Cassandra("timeline", quorum=quorum, zones=zones, consistency=consistency)
    return System("shop", [store])


@rule.bad("timeline")
def reads_miss_writes() -> System:
    return _timeline(Quorum(copies=3, read=1, write=2))


@rule.bad("timeline")
def one_zone_has_two_of_three() -> System:
    return _timeline(Quorum(copies=3, read=2, write=2), ["a", "b"])


@rule.bad("timeline", "timeline")
def neither() -> System:
    return _timeline(Quorum(copies=3, read=1, write=1), ["a"])


@rule.bad("ledger")
def a_majority_in_two_zones() -> System:
    return System("shop", [CockroachDB("ledger", zones=["a", "b"])])


@rule.good
def a_majority_in_three_zones() -> System:
    return System("shop", [CockroachDB("ledger", zones=["a", "b", "c"])])


@rule.borderline()
def eventual_reads_may_miss() -> System:
    return _timeline(Quorum(copies=3, read=1, write=1), consistency="eventual")


@rule.borderline("timeline")
def all_must_write() -> System:
    return _timeline(Quorum(copies=3, read=1, write=3))


@rule.good
def a_majority_of_three() -> System:
    return _timeline(Quorum(copies=3, read=2, write=2))


@rule.unknown("zones")
def nobody_says_where() -> System:
    return _timeline(Quorum(copies=3, read=2, write=2), ())


@rule.unknown("consistency")
def nobody_says_what_is_claimed() -> System:
    store = MySQL("ledger", quorum=Quorum(copies=3, read=2, write=2), zones=["a", "b", "c"])
    return System("shop", [store])


@rule.unknown("zones")
def nobody_says_where_the_majority_is() -> System:
    return System("shop", [CockroachDB("ledger")])
