"""Calls between teams are covered by contract tests in the provider's pipeline.

Why it matters: the provider cannot know which field a consumer reads; without a test it learns
it from the consumer's outage.

A client that no step uses tells of a call as well. Named consumers are covered only if a stage runs
the tests: ``contract_test``, or ``test``.

How to fix: run the consumers' expectations (Pact) or a compatibility check (buf breaking,
oasdiff) in the provider's pipeline, and name the consumers: ``contract_tests=["orders"]``.

False positives: consumers and providers that are always released together; they have one owner.

Sources: Fowler, Consumer-Driven Contracts, 2006; buf, breaking-change detection; Pact.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Call, Client, Endpoint, Pipeline, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.walks import pairs

_RUN_BY = frozenset({"contract_test", "test"})
"""The stages that run contract tests."""

rule = Rule("DLV002", "no-contract-test", severity="warning", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    calls = graph.service_calls()
    for source, target in graph.connections:
        calls[source].setdefault(target, [])
    for consumer_name, provider_name in pairs(calls):
        steps = calls[consumer_name][provider_name]
        consumer = graph.system.find(consumer_name)
        provider = graph.system.find(provider_name)
        if not isinstance(consumer, Service) or not isinstance(provider, Service):
            continue
        asks, answers = graph.owner_of(consumer), graph.owner_of(provider)
        if asks is None or answers is None:
            yield Undecided(consumer if asks is None else provider, "owner")
        elif asks == answers:
            continue
        elif provider.pipeline is None:
            yield Undecided(provider, "pipeline")
        elif isinstance(provider.pipeline, Absent) or (
            consumer_name not in provider.pipeline.contract_tests
        ):
            yield Violation(
                provider,
                f"{asks}'s {consumer_name} calls {provider_name} of {answers}, "
                "and no contract test covers it",
                fix=f'contract_tests=["{consumer_name}"] in the pipeline of {provider_name}, and '
                'a stage "contract_test" that runs them',
                evidence=tuple(steps),
            )
        elif not provider.pipeline.stages:
            yield Undecided(provider, "pipeline.stages")
        elif not _RUN_BY.intersection(provider.pipeline.stages):
            yield Violation(
                provider,
                f"the contract test of {provider_name} for {asks}'s {consumer_name} is "
                "in no stage of its pipeline",
                fix=f'a stage "contract_test" in the pipeline of {provider_name}',
                evidence=tuple(steps),
            )


def _across_teams(pipeline: Pipeline | None) -> System:
    return System(
        "shop",
        [
            Service(
                "orders", owner="team-a", endpoints=[Endpoint("place", steps=[Call("stock.get")])]
            ),
            Service("stock", owner="team-b", endpoints=[Endpoint("get")], pipeline=pipeline),
        ],
    )


@rule.bad("stock")
def nobody_tests_the_contract() -> System:
    return _across_teams(Pipeline(stages=["build", "test"]))


@rule.bad("stock")
def no_stage_runs_the_test() -> System:
    return _across_teams(Pipeline(stages=["build", "deploy"], contract_tests=["orders"]))


@rule.good
def the_provider_tests_it() -> System:
    return _across_teams(Pipeline(stages=["build", "test"], contract_tests=["orders"]))


@rule.unknown("pipeline")
def nobody_says() -> System:
    return _across_teams(None)


@rule.unknown("pipeline.stages")
def nobody_says_what_runs() -> System:
    return _across_teams(Pipeline(contract_tests=["orders"]))


@rule.bad("stock")
def a_client_of_another_team() -> System:
    return System(
        "shop",
        [
            Service("orders", owner="team-a", clients=[Client("stock")]),
            Service("stock", owner="team-b", pipeline=Pipeline(stages=["build", "test"])),
        ],
    )


@rule.borderline()
def the_same_team() -> System:
    return System(
        "shop",
        [
            Service("orders", owner="team-a", endpoints=[Endpoint("get", steps=[Call("stock")])]),
            Service("stock", owner="team-a", endpoints=[Endpoint("get")]),
        ],
    )


@rule.borderline("stock")
def only_another_consumer_is_covered() -> System:
    def consumer(name: str, owner: str) -> Service:
        return Service(name, owner=owner, endpoints=[Endpoint("get", steps=[Call("stock")])])

    tested = Pipeline(stages=["contract_test"], contract_tests=["web"])
    stock = Service("stock", owner="team-b", endpoints=[Endpoint("get")], pipeline=tested)
    return System("shop", [consumer("orders", "team-a"), consumer("web", "team-c"), stock])


@rule.unknown("owner")
def nobody_says_whose_they_are() -> System:
    return System(
        "shop",
        [
            Service("orders", endpoints=[Endpoint("get", steps=[Call("stock")])]),
            Service("stock", owner="team-a", endpoints=[Endpoint("get")]),
        ],
    )
