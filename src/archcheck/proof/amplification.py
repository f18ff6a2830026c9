"""Retry amplification: how many times over can failures make an element do the work of a request?

Each attempt of a step may fail, each failure may be retried, and each layer does it by itself: a
layer that tries up to n times multiplies what arrives below it by n in the worst case, and the
layers of a path multiply each other. For every path some pattern of failures reaches the product:
the last element fails all the time, or all but the last time where the run must go on.

What holds a step back, in the long run: a budget of b lets through 1 + b (and its minimum in each
replica), a breaker that opens at a failure rate f lets through 1/(1 - f), since of x attempts for a
request x - 1 have failed. A deadline that is passed on leaves room for T / t attempts that each
wait for their whole timeout t, where only timeouts are retried. A hedge sends its extra copies with
each attempt, and a mesh repeats the attempts of a call.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from archcheck.capacity import demands
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import Rational, exact
from archcheck.model import Datastore, Named, Retry
from archcheck.proof.answers import (
    Answer,
    Counterexample,
    Gap,
    Proved,
    Refuted,
    Undecided,
    missing,
)
from archcheck.proof.budget import left

_LONG_RUN = "budgets and breakers are counted in the long run, not at the moment of a failure"
_ONCE = Rational(1)
BOUND = Rational(10)
"""How many times over an element may be made to work, unless a rule says otherwise. A choice: three
layers that try twice stay below it (8), two that try four times do not (16)."""
_QUERIES_ONCE = "queries whose retries nobody declares are tried once"


@dataclass(frozen=True)
class RetryStorm(Counterexample):
    """Failures that make ``path`` multiply the work of its last element by ``factor``."""

    path: tuple[Interaction, ...] = ()
    factors: tuple[Rational, ...] = ()

    @property
    def factor(self) -> Rational:
        """The product over the path."""
        return math.prod(self.factors, start=_ONCE)


@dataclass(frozen=True)
class _Way:
    """The path on which most attempts arrive at an operation."""

    factor: Rational = _ONCE
    last: Interaction | None = None
    own: Rational = _ONCE
    """The factor of the last step."""
    gaps: Mapping[Gap, Rational] = field(default_factory=dict)
    """Undeclared retries on any way, each with the known factor of the others on its way."""


class Amplification:
    """For each operation and store the worst multiplication over all paths from the outside."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._rates = [demand.steps for demand in demands(graph)]
        self._callers = _callers(graph)
        self._known: dict[str, _Way] = {}
        self._open: set[str] = set()

    def of(self, name: str) -> _Way:
        """The worst way to an operation, datastore or external, by its name."""
        if name in self._open:
            return _Way()
        if name not in self._known:
            self._open.add(name)
            ways = [self._through(step) for step in self._callers.get(name, ())]
            worst = max(ways, key=lambda way: way.factor, default=_Way())
            gaps: dict[Gap, Rational] = {}
            for gap, factor in (entry for way in ways for entry in way.gaps.items()):
                gaps[gap] = max(factor, gaps.get(gap, factor))
            self._known[name] = _Way(worst.factor, worst.last, worst.own, gaps)
            self._open.discard(name)
        return self._known[name]

    def _through(self, step: Interaction) -> _Way:
        above = self.of(step.operation.name)
        own = self.factor(step)
        gaps = {gap: factor * (own or 1) for gap, factor in above.gaps.items()}
        if own is None:
            return _Way(above.factor, step, gaps={**gaps, Gap(step, "retry"): above.factor})
        return _Way(above.factor * own, step, own, gaps)

    def callers_of(self, name: str) -> list[Interaction]:
        """The steps that send work to an operation, datastore or external."""
        return self._callers.get(name, [])

    def path_to(self, name: str) -> tuple[tuple[Interaction, ...], tuple[Rational, ...]]:
        """The steps of the worst way, outermost first, with their factors."""
        steps: list[Interaction] = []
        factors: list[Rational] = []
        way = self.of(name)
        while way.last is not None and way.last not in steps:
            steps.append(way.last)
            factors.append(way.own)
            way = self.of(way.last.operation.name)
        return tuple(reversed(steps)), tuple(reversed(factors))

    def factor(
        self, step: Interaction, tries: int | None = None, breaks_at: Rational | None = None
    ) -> Rational | None:
        """The most attempts of one step, in the long run; ``None``: retries are not declared.

        ``tries`` instead of the declared attempts, and with a breaker that opens at a failure
        rate of ``breaks_at`` where none is declared.
        """
        guard = step.protection
        if guard.retry is None and step.mode == "call":
            return None
        attempts = Rational(guard.tries)
        if isinstance(guard.retry, Retry):
            attempts = Rational(tries) if tries is not None else attempts
            attempts = min(
                attempts, self._budget(step, guard.retry), self._deadline(step, guard.retry)
            )
        rate = exact(guard.breaker.failure_rate) if guard.breaker is not None else breaks_at
        if rate is not None and rate < 1:
            attempts = min(attempts, 1 / (1 - rate))
        if guard.mesh_retry is not None:  # inside each attempt that the code's breaker lets through
            attempts *= min(Rational(guard.mesh_tries), self._budget(step, guard.mesh_retry))
        return attempts * guard.hedged

    def _budget(self, step: Interaction, retry: Retry) -> Rational:
        if retry.budget is None:
            return Rational(retry.attempts)
        share = 1 + exact(retry.budget.ratio)
        if not retry.budget.minimum:
            return share
        rates = [exact(steps[step]) for steps in self._rates if steps.get(step)]
        deployment = getattr(step.source, "deployment", None)
        replicas: int | None = deployment.most_at_once() if deployment is not None else None
        if not rates or replicas is None:  # each replica of the caller has the minimum to itself
            return Rational(retry.attempts)
        return share + exact(retry.budget.minimum) * replicas / min(rates)

    def _deadline(self, step: Interaction, retry: Retry) -> Rational:
        """Attempts that fit a deadline which all callers pass on, if only timeouts are retried."""
        callers = [c for c in self._callers.get(step.operation.name, ()) if c.mode == "call"]
        each = step.protection.attempt()
        early = step.protection.has_sidecar
        if set(retry.on) != {"timeout"} or not each or not callers or early:
            return Rational(retry.attempts)  # a mesh can time out early, by jitter
        limits = [c.protection.attempt() for c in callers if c.protection.passes_deadline_on]
        known = [limit for limit in limits if limit is not None]
        if len(known) < len(callers):
            return Rational(retry.attempts)
        return Rational(math.ceil(max(known) / each))


def _callers(graph: Graph) -> dict[str, list[Interaction]]:
    """What is asked to the steps that ask it; a consumer's are those that publish to its topic."""
    found: dict[str, list[Interaction]] = {}
    for step in graph.interactions:
        if step.mode == "publish":
            for reader in graph.consumers.get(step.target.name, ()):
                found.setdefault(reader, []).append(step)
        elif step.mode != "cache":
            found.setdefault(step.target_name, []).append(step)
    return found


def retry_amplification(graph: Graph, bound: Rational = BOUND) -> Iterator[Answer]:
    """For each element that is asked for something: is its work multiplied by at most ``bound``?

    One answer for each endpoint, datastore and external that a path with retries leads to.
    """
    worst = Amplification(graph)
    for name, subject in _asked(graph).items():
        left()
        way = worst.of(name)
        claim = f"failures multiply the work of {name} by at most {_times(bound)}"
        if way.factor > bound:
            yield Refuted(
                subject,
                claim,
                _storm(worst, name),
                "retry in one layer of the path only, or RetryBudget(10 * percent) in each",
            )
        elif way.gaps:
            gaps = tuple(
                Gap(gap.holder, gap.attribute, f"holds with {math.floor(bound / factor)} attempts")
                for gap, factor in way.gaps.items()
            )
            yield Undecided(subject, claim, missing(gaps), gaps)
        else:
            yield Proved(subject, claim, (_LONG_RUN, _QUERIES_ONCE))


def _asked(graph: Graph) -> dict[str, Named | Interaction]:
    """Everything that work arrives at, by name, with the subject of an answer about it."""
    found: dict[str, Named | Interaction] = {}
    for step in graph.interactions:
        if step.mode in ("call", "read", "write"):
            found.setdefault(step.target_name, step.target)
    return found


def _storm(worst: Amplification, name: str) -> RetryStorm:
    path, factors = worst.path_to(name)
    factor = math.prod(factors, start=_ONCE)
    product = " x ".join(_times(part) for part in factors if part != 1)
    retrying = [step for step, part in zip(path, factors, strict=True) if part != 1]
    end = "queries" if isinstance(path[-1].target, Datastore) else "calls"
    return RetryStorm(
        f"while {name} fails, one request makes up to {_times(factor)} {end} of it: {product}",
        (
            *(
                text
                for step, part in zip(path, factors, strict=True)
                for text in (step, _tries(step, part))
            ),
            f"together {product} = {_times(factor)}",
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
    fails = f"each time {step.target_name} fails"
    return f"{fails}, up to {_times(factor)} attempts" if factor != 1 else f"{fails}, no retry"


def _times(factor: Rational) -> str:
    return str(factor) if factor.denominator == 1 else f"{float(factor):.3g}"
