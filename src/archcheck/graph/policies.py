"""What a policy forbids: which elements may not depend on which."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck.graph import Graph
from archcheck.graph.selectors import dependable, selected
from archcheck.model import Allow, Deny, Independent, Layers, OnlyVia, OnlyWithin, Policy


@dataclass(frozen=True)
class Block:
    """Dependencies of anything in ``sources`` on anything in ``targets``."""

    sources: frozenset[str]
    targets: frozenset[str]


def selectors_of(policy: Policy) -> tuple[str, ...]:
    """The selectors that a policy names."""
    match policy:
        case Layers():
            return tuple(policy.layers)
        case Independent():
            return tuple(policy.parts)
        case Deny():
            return (policy.source, policy.target)
        case Allow():
            return (policy.source, *policy.targets)
        case OnlyVia():
            return (policy.target, policy.via)
        case OnlyWithin():
            return (policy.target, policy.part)
        case _:
            return ()


def exempt_edges(policy: Policy) -> frozenset[tuple[str, str]]:
    """The edges that a policy leaves out."""
    edges = (edge.partition("->") for edge in policy.except_for)
    return frozenset((source.strip(), target.strip()) for source, _, target in edges)


def forbidden(graph: Graph, policy: Policy) -> Iterator[Block]:
    """What a policy forbids, exemptions aside; an element may always depend on itself."""

    def names(selector: str) -> frozenset[str]:
        return frozenset(selected(graph, selector))

    everything = frozenset(member.name for member in dependable(graph))
    match policy:
        case Layers():
            yield from _layers([names(layer) for layer in policy.layers], policy.strict)
        case Independent():
            for part, other in itertools.permutations(policy.parts, 2):
                yield Block(names(part), names(other))
        case Deny():
            yield Block(names(policy.source), names(policy.target))
        case Allow():
            allowed = frozenset().union(*map(names, policy.targets)) | names(policy.source)
            yield Block(names(policy.source), everything - allowed)
        case OnlyVia(target=target, via=inside) | OnlyWithin(target=target, part=inside):
            yield Block(everything - names(inside) - names(target), names(target))


def _layers(layers: list[frozenset[str]], strict: bool) -> Iterator[Block]:
    for upper, lower in itertools.combinations(range(len(layers)), 2):
        yield Block(layers[lower], layers[upper])
        if strict and lower > upper + 1:
            yield Block(layers[upper], layers[lower])


def granted(graph: Graph, policy: Policy) -> Iterator[tuple[str, tuple[Block, ...]]]:
    """The dependencies that a policy speaks of as right, each with how a person would say it."""

    def block(source: str, target: str) -> Block:
        return Block(frozenset(selected(graph, source)), frozenset(selected(graph, target)))

    match policy:
        case Layers():
            pairs = itertools.combinations(policy.layers, 2)
            yield "an upper layer on a lower one", tuple(block(*pair) for pair in pairs)
        case Allow():
            for target in policy.targets:
                yield f"{policy.source} on {target}", (block(policy.source, target),)
        case OnlyVia(target=target, via=inside) | OnlyWithin(target=target, part=inside):
            yield f"{inside} on {target}", (block(inside, target),)
