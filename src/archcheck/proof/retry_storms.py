"""The question of retries: is the work of an element multiplied by at most a bound?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import Rational
from archcheck.model import Consumer, Datastore, Named
from archcheck.proof.amplification import UNBOUNDED, Amplification
from archcheck.proof.answers import (
    ENDLESS,
    Answer,
    Counterexample,
    Gap,
    Proved,
    Refuted,
    Undecided,
    missing,
)
from archcheck.proof.budget import left
from archcheck.proof.patterns import attempts_made

_ONCE = Rational(1)
_LONG_RUN = "budgets and breakers are counted in the long run, not at the moment of a failure"
BOUND = Rational(10)
"""How many times over an element may be made to work, unless a rule says otherwise. A choice: three
layers that try twice stay below it (8), two that try four times do not (16)."""
_ABOVE = (
    "a bound that holds whatever else fails: publishers that try again, dead letters, what "
    "fallbacks ask besides, optional steps that are late themselves, breakers that close and open "
    "again, and good answers to calls that share a breaker or a budget may together make it {}"
)
_NO_PATTERN = (
    "failures at once and answers that never come make it {}; others, of which each layer retries "
    "what it sees in time, may make it {}"
)
_STAYS = "no replica is lost while it works on a message, which would come again"
_QUERIES_ONCE = "queries, and calls of fallbacks, whose retries nobody declares are tried once"


@dataclass(frozen=True)
class RetryStorm(Counterexample):
    """Failures that make ``path`` multiply the work of its last element by ``factor``."""

    path: tuple[Interaction, ...] = ()
    factors: tuple[Rational, ...] = ()

    @property
    def factor(self) -> Rational:
        """The product over the path."""
        return math.prod(self.factors, start=_ONCE)


_ONE = "fewer attempts, or RetryBudget(10 * percent)"
_LAYERS = "retry in one layer of the path only, or RetryBudget(10 * percent) in each"


def retry_amplification(
    graph: Graph, bound: Rational = BOUND, *, one_failure: bool = False
) -> Iterator[Answer]:
    """For each element that is asked for something: is its work multiplied by at most ``bound``?

    One answer for each endpoint, datastore and external that a path with retries leads to.
    ``one_failure``: while nothing fails but that element.
    """
    worst = Amplification(graph, one_failure=one_failure)
    for name, subject in _asked(graph).items():
        left()
        way = worst.of(name)
        claim = f"retries multiply the work of {name} by at most {_times(bound)}"
        if way.factor > bound and (made := _made(graph, worst, name)) <= bound:
            text = _NO_PATTERN.format(_times(made), _times(way.factor))
            yield Undecided(subject, claim, text)
        elif way.factor > bound:
            storm = _storm(worst, name)
            yield Refuted(subject, claim, storm, _fix(storm, _deliveries_from_outside(worst, name)))
        elif way.gaps:
            gaps = tuple(
                Gap(gap.holder, gap.attribute, _holds_with(math.floor(bound / factor), gap))
                for gap, factor in way.gaps.items()
            )
            yield Undecided(subject, claim, missing(gaps), gaps)
        elif way.at_most > bound:
            yield Undecided(subject, claim, _ABOVE.format(_times(way.at_most)))
        else:
            assumed = (_LONG_RUN, _QUERIES_ONCE, *([_STAYS] if graph.consumers else []))
            yield Proved(subject, claim, (*assumed, *_if_caches_stay(name, way.caches)))


def _fix(storm: RetryStorm, outside: Rational) -> str:
    by_message = outside != 1 or any(
        step.mode == "publish" and part != 1
        for step, part in zip(storm.path, storm.factors, strict=True)
    )
    if len(storm.conflict) + (outside != 1) > 1:
        return f"{_LAYERS}, and fewer max_deliveries" if by_message else _LAYERS
    return "fewer max_deliveries of the consumer" if by_message else _ONE


def _made(graph: Graph, worst: Amplification, name: str) -> Rational:
    """What a pattern makes of a request, from the beginning of the path or where one enters."""
    path, factors = worst.path_to(name)
    entries = graph.entered_from_outside()
    starts = [n for n, step in enumerate(path) if n and step.operation.name in entries]
    whole = attempts_made(path, factors) * _deliveries_from_outside(worst, name)
    return max([whole, *(attempts_made(path[n:], factors[n:]) for n in starts)])


def _deliveries_from_outside(worst: Amplification, name: str) -> Rational:
    """How often the message comes that begins the path, if nobody in the system sends it."""
    _, factors = worst.path_to(name)
    return worst.of(name).factor / math.prod(factors, start=_ONCE)


def _holds_with(count: int, gap: Gap) -> str:
    if gap.attribute == ENDLESS:
        return ""
    one, more = ("delivery", "deliveries") if "deliveries" in gap.attribute else _ATTEMPTS
    return f"holds with {count} {one if count == 1 else more}"


_ATTEMPTS = ("attempt", "attempts")


def _if_caches_stay(name: str, caches: Mapping[str, Rational]) -> tuple[str, ...]:
    """What the loss of each cache does to the work of an element behind it."""
    return tuple(
        f"{cache} answers every request: without it, {name} works, too"
        if factor >= UNBOUNDED
        else f"{cache} keeps its hit ratio: without it, {name} works {_times(factor)} times as much"
        for cache, factor in caches.items()
        if factor != 1
    )


def _asked(graph: Graph) -> dict[str, Named | Interaction]:
    """Everything that work arrives at, by name, with the subject of an answer about it."""
    found: dict[str, Named | Interaction] = {}
    for step in graph.interactions:
        for asked in (step, step.fallback):
            if asked is not None and asked.mode in ("call", "read", "write"):
                found.setdefault(asked.target_name, asked.target)
    return found


def _storm(worst: Amplification, name: str) -> RetryStorm:
    path, factors = worst.path_to(name)
    factor, outside = worst.of(name).factor, _deliveries_from_outside(worst, name)
    several = [_times(part) for part in (outside, *factors) if part != 1]
    product = " x ".join(several)
    shown = f": {product}" if len(several) > 1 else ""
    retrying = [step for step, part in zip(path, factors, strict=True) if part != 1]
    asked = "message" if isinstance(path[0].operation.part, Consumer) else "request"
    end = "queries" if isinstance(path[-1].target, Datastore) else "calls"
    return RetryStorm(
        f"while {name} fails, one {asked} makes up to {_times(factor)} {end} of it{shown}",
        (
            *([_again(path[0].operation.name, outside)] if outside != 1 else []),
            *(
                text
                for step, part in zip(path, factors, strict=True)
                for text in (step, _tries(step, part))
            ),
            *([f"together {product} = {_times(factor)}"] if shown else []),
        ),
        tuple(retrying),
        {
            step.target.name: f"asked {_times(worst.of(step.target_name).factor)} times"
            for step in path
            if worst.of(step.target_name).factor > 1
        },
        path,
        factors,
    )


def _tries(step: Interaction, factor: Rational) -> str:
    if step.mode == "publish":
        if factor == 1:
            return "one delivery"
        return _again("its consumer", factor)
    if factor == 1:
        return f"no retry when {step.target_name} fails"
    return f"each time {step.target_name} fails, up to {_times(factor)} attempts"


def _again(consumer: str, factor: Rational) -> str:
    return f"each time {consumer} fails, up to {_times(factor)} deliveries"


def _times(factor: Rational) -> str:
    return str(factor) if factor.denominator == 1 else f"{float(factor):.3g}"
