"""No request waits for a long chain of services.

Why it matters: latencies and failures add up along the chain, every timeout must fit into the
one before it, and nobody sees the end of it from the beginning.

The depth is the number of services that wait for each other at the same time, the entry and an
external party at the end included; datastores do not count. Calls of fallbacks and sagas count, and
steps behind feature flags in each configuration. Chains that bite their own tail are rule BND001's.

How to fix: let the first services collect what the last ones need, cache, or turn the tail into
events.

False positives: thin gateways and sidecars that are modelled as services; raise ``max_depth``.

Sources: Taibi, Lenarduzzi and Pahl, Microservices Anti-Patterns: A Taxonomy, 2019; Azure
Architecture Center, Asynchronous Request-Reply. The default limit is our proposal; the depth of
most call graphs in Alibaba's traces is 3 to 5 (Luo et al., SoCC 2021).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import Call, Endpoint, Service, System
from archcheck.findings import Result, Rule, Violation, option
from archcheck.graph import Graph, Interaction
from archcheck.graph.idempotence import is_read
from archcheck.proof.feature_flags import FeatureFlags


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_depth: int = option(5, "services that wait for each other at the same time")


rule = Rule(
    "BND011",
    "deep-call-chain",
    severity="warning",
    method="graph",
    on_unknown="never",
    options=Options,
)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    called = {step.target_name for step in graph.every_call()}
    starts = set(graph.entered_from_outside()) | (graph.operations.keys() - called)
    flags = FeatureFlags(graph.system)
    for name, operation in graph.operations.items():
        if name not in starts:
            continue
        chain = graph.longest_chain(name)
        if _depth(chain) > options.max_depth and not _is_possible(flags, chain):
            chain = max(
                (graph.longest_chain(name, one) for one in flags.configurations() or ()),
                key=_depth,
                default=chain,
            )
        if (depth := _depth(chain)) > options.max_depth:
            yield Violation(
                operation,
                f"{name} waits for a chain of {depth} services, more than {options.max_depth}: "
                f"{_path(operation.owner.name, chain)}",
                fix="cache or collect earlier what the end of the chain gives"
                + ("" if is_read(chain[-1]) else ", or make it an event"),
                evidence=chain,
                cause="a chain of synchronous calls is too deep",
            )


def _depth(chain: tuple[Interaction, ...]) -> int:
    return len({name for step in chain for name in (step.source.name, step.target.name)})


def _is_possible(flags: FeatureFlags, chain: tuple[Interaction, ...]) -> bool:
    return flags.configuration(flag for step in chain for flag in step.flags) is not None


def _path(start: str, chain: tuple[Interaction, ...]) -> str:
    names = [start]
    for step in chain:
        if step.target.name != names[-1]:
            names.append(step.target.name)
    return " -> ".join(names)


def _chain(services: int) -> System:
    members = [
        Service(f"s{n}", endpoints=[Endpoint("run", steps=[Call(f"s{n + 1}.run")])])
        for n in range(1, services)
    ]
    return System("shop", [*members, Service(f"s{services}", endpoints=[Endpoint("run")])])


@rule.bad("s1.run")
def six_in_a_row() -> System:
    return _chain(6)


@rule.borderline()
def five_in_a_row() -> System:
    return _chain(5)


@rule.good
def wide_but_shallow() -> System:
    calls = [Call(f"s{n}.run") for n in range(9)]
    leaves = [Service(f"s{n}", endpoints=[Endpoint("run")]) for n in range(9)]
    return System("shop", [Service("web", endpoints=[Endpoint("page", steps=calls)]), *leaves])
