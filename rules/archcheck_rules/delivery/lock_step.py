"""No two services must be released together.

Why it matters: services that can only change together are one service with two pipelines: each
release waits for the other team, and going back takes both back.

How to fix: keep the old version of the interface until the last caller has moved (expand, then
contract), and share schemas instead of libraries.

False positives: services that one team releases as one product; they may as well be one.

Sources: Newman, Building Microservices, 2nd edition, 2021, chapter 1 (independent
deployability); Taibi, Lenarduzzi and Pahl, Microservices Anti-Patterns: A Taxonomy, 2019.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from archcheck import Pipeline, Service, System
from archcheck.findings import Result, Rule, Violation
from archcheck.graph import Graph
from archcheck.graph.walks import components

rule = Rule("DLV004", "lock-step", severity="warning", method="graph", on_unknown="never")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    together = defaultdict[str, set[str]](set)
    for service in graph.system.services:
        if isinstance(service.pipeline, Pipeline):
            for other in {str(name) for name in service.pipeline.released_with} - {service.name}:
                together[service.name].add(other)
                together[other].add(service.name)
    for component in components(together):
        names = sorted(component)
        first = next(s for s in graph.system.services if s.name in component and _binds(s))
        yield Violation(
            first,
            f"{', '.join(names[:-1])} and {names[-1]} must be released together",
            fix="keep the old interface until all callers have moved, and empty released_with",
            evidence=tuple(graph.system.find(name) for name in names),
        )


def _binds(service: Service) -> bool:
    return isinstance(service.pipeline, Pipeline) and bool(service.pipeline.released_with)


def _released(*pairs: tuple[str, str]) -> System:
    with_ = {name: [b for a, b in pairs if a == name] for name in ("a", "b", "c", "d")}
    return System(
        "shop",
        [Service(name, pipeline=Pipeline(released_with=others)) for name, others in with_.items()],
    )


@rule.bad("a")
def two_at_a_time() -> System:
    return _released(("a", "b"))


@rule.bad("a", "c")
def two_pairs() -> System:
    return _released(("a", "b"), ("c", "d"))


@rule.borderline("a")
def a_chain_of_three_is_one_group() -> System:
    return _released(("a", "b"), ("c", "b"))


@rule.borderline()
def a_service_with_itself() -> System:
    return _released(("a", "a"))


@rule.good
def each_on_its_own() -> System:
    return _released()
