"""Policies against each other: can all be of use together, and does each add anything?

A policy forbids blocks of dependencies, sources times targets, and some speak of dependencies as
right: ``OnlyVia`` and ``OnlyWithin`` of those that remain, ``Allow`` of each target, ``Layers`` of
those downwards. A set of policies contradicts itself where all of what one permits is forbidden
by others; a policy is dead where others forbid all that it forbids. Elements that no policy tells
apart are one class, so both questions are about few pairs of classes, whatever the system's size.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from archcheck.graph import Graph
from archcheck.graph.policies import Block, exempt_edges, forbidden, granted
from archcheck.graph.selectors import dependable
from archcheck.model import Policy
from archcheck.proof.answers import Answer, Counterexample, Proved, Refuted

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class _Forbidding:
    """A policy and the pairs of classes between which it forbids dependencies."""

    policy: Policy
    pairs: frozenset[Pair]


class _Classes:
    """Elements by what the policies say of them."""

    def __init__(self, graph: Graph, policies: Sequence[Policy]) -> None:
        self._blocks = {id(policy): tuple(forbidden(graph, policy)) for policy in policies}
        sides: dict[frozenset[str], None] = {}
        for policy in policies:
            right = [block for _, blocks in granted(graph, policy) for block in blocks]
            for block in (*self._blocks[id(policy)], *right):
                sides.update({block.sources: None, block.targets: None})
            for edge in exempt_edges(policy):
                sides.update({frozenset({name}): None for name in edge})
        self._class_of: dict[str, int] = {}
        self._size: list[int] = []
        numbers: dict[tuple[bool, ...], int] = {}
        for member in dependable(graph):
            signature = tuple(member.name in side for side in sides)
            number = numbers.setdefault(signature, len(numbers))
            self._class_of[member.name] = number
            self._size += [0] * (number == len(self._size))
            self._size[number] += 1

    def pairs(self, blocks: Iterable[Block]) -> frozenset[Pair]:
        """The pairs of classes in blocks; a class of one element has no dependency inside."""
        found = {
            (source, target)
            for block in blocks
            for source in {self._class_of[name] for name in block.sources}
            for target in {self._class_of[name] for name in block.targets}
        }
        return frozenset(p for p in found if p[0] != p[1] or self._size[p[0]] > 1)

    def forbidden(self, policy: Policy) -> frozenset[Pair]:
        """What a policy forbids, its exemptions left out."""
        exempt = {
            (self._class_of[source], self._class_of[target])
            for source, target in exempt_edges(policy)
            if source in self._class_of and target in self._class_of
        }
        return self.pairs(self._blocks[id(policy)]) - exempt


def contradictions(graph: Graph) -> Iterator[Answer]:
    """For each policy: do the others leave something of what it permits?"""
    policies = graph.system.policies
    classes = _Classes(graph, policies)
    bans = [_Forbidding(policy, classes.forbidden(policy)) for policy in policies]
    for policy in policies:
        for words, blocks in granted(graph, policy):
            wanted = classes.pairs(blocks)
            claim = f"{policy.title()}: other policies leave some dependency of {words}"
            if not wanted:
                continue  # a selector matches nothing: that is rule BND005's
            if not wanted <= frozenset().union(*(ban.pairs for ban in bans)):
                yield Proved(policy, claim)
                continue
            conflict = _smallest(wanted, bans)
            names = " and ".join(repr(other.title()) for other in conflict if other is not policy)
            others = sum(other is not policy for other in conflict)
            shown = Counterexample(
                f"{policy.title()!r} permits dependencies of {words}, and "
                f"{names or 'itself'} {'forbids' if others < 2 else 'together forbid'} all of them",
                tuple(conflict),
                (policy, *(other for other in conflict if other is not policy)),
            )
            yield Refuted(policy, claim, shown, "remove or narrow one of the policies")


def dead_policies(graph: Graph) -> Iterator[Answer]:
    """For each policy: does it forbid anything that the others do not?

    Of policies that forbid the same, the last ones are dead, so that all dead ones can go at once.
    """
    policies = graph.system.policies
    classes = _Classes(graph, policies)
    alive = [_Forbidding(policy, classes.forbidden(policy)) for policy in policies]
    dead: dict[int, tuple[Policy, ...]] = {}
    for ban in reversed(list(alive)):
        others = [other for other in alive if other is not ban and _counts(other, ban)]
        if ban.pairs and ban.pairs <= frozenset().union(*(other.pairs for other in others)):
            dead[id(ban.policy)] = _smallest(ban.pairs, others)
            alive.remove(ban)
    for policy in policies:
        claim = f"{policy.title()}: forbids something that no other policy forbids"
        implied = dead.get(id(policy))
        if implied is None:
            yield Proved(policy, claim)
            continue
        names = " and ".join(repr(other.title()) for other in implied)
        shown = Counterexample(
            f"{policy.title()!r} forbids nothing among today's elements that {names} "
            f"{'does' if len(implied) == 1 else 'do'} not forbid",
            implied,
            implied,
        )
        yield Refuted(policy, claim, shown, "remove the policy, unless it is for elements to come")


def _counts(other: _Forbidding, ban: _Forbidding) -> bool:
    """Whether one policy forbids in the same way: paths count for paths, with no more exempt."""
    if not ban.policy.transitive:
        return True
    return other.policy.transitive and exempt_edges(other.policy) <= exempt_edges(ban.policy)


def _smallest(wanted: frozenset[Pair], bans: Sequence[_Forbidding]) -> tuple[Policy, ...]:
    """The fewest policies that forbid all of ``wanted``, the first declared ones of several."""
    useful = [ban for ban in bans if ban.pairs & wanted]
    for size in range(1, 4):
        for chosen in itertools.combinations(useful, size):
            if wanted <= frozenset().union(*(ban.pairs for ban in chosen)):
                return tuple(ban.policy for ban in chosen)
    for ban in tuple(useful):  # many: at least none of them can be left out
        rest = [other for other in useful if other is not ban]
        if wanted <= frozenset().union(*(other.pairs for other in rest)):
            useful = rest
    return tuple(ban.policy for ban in useful)
