"""Finding violations, the cheapest edits for them, and what those leave: round by round.

The first round is the cheapest repair of all that is wrong with the model. What its edits break in
turn (a replica more can be a connection too many) is repaired in the next round, at its own cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

from archcheck.editing import (
    COSTS,
    Edit,
    Patch,
    apply,
    by_hand,
    checked_costs,
    kind_of,
    patch_of,
    rebased,
)
from archcheck.findings import Rule, Violation, subject_name
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import Rational, exact
from archcheck.model import System
from archcheck.proof.budget import BudgetSpentError, ProofBudget
from archcheck.proof.limits.load import LIMIT
from archcheck.proof.repair.choices import ARITHMETIC, REPAIRABLE, EditChoice, choices_for, merged
from archcheck.proof.repair.search import NO_TIME, NOT_FOUND, Wanted, cheapest
from archcheck.proof.retry_storms import BOUND

_MOST_ROUNDS = 5
"""Rounds in which edits repair what the edits before them have caused. A choice: what is left then
is reported as left."""
_NOTHING = Rational(0)
STALE = "MOD007"
"""The rule that finds suppressions of what is no more: one that a repair leaves behind is removed
with it, and keeps nobody from mending."""
Found: TypeAlias = frozenset[tuple[str, str]]
"""Rule id and name of the subject of every finding."""


@dataclass(frozen=True)
class JourneyChange:
    """What a repair makes of a journey's 95th percentile or share of errors under a scenario.

    ``metric`` is ``"p95"``, in seconds, or ``"errors"``, a share of one. ``is_certain``: the
    interval of the difference between runs with the same random numbers excludes zero.
    """

    scenario: str
    journey: str
    metric: str
    before: float
    after: float
    is_certain: bool


@dataclass(frozen=True, repr=False)
class Repair:
    """The edits, what they cost, the system that they give, and what is wrong before and after."""

    original: System
    system: System
    edits: tuple[Edit, ...]
    cost: Rational
    before: Found
    after: Found
    at_least: Rational = _NOTHING
    """No edits that mend as much cost less; ``cost`` itself where that is proved, 0 where nothing
    is known."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why something is left as it is, by ``RULE subject`` or by the subject alone."""
    is_out_of_time: bool = False
    """Whether more might be repaired in more time."""
    refused: tuple[tuple[Edit, str], ...] = ()
    """Edits that would mend something at the cost of answers, and what they cost."""
    untried: tuple[Edit, ...] = ()
    """Edits that are not offered because nobody knows what they cost: too many others cost answers,
    or the time was up."""
    wanted: frozenset[str] = REPAIRABLE
    """The rules whose findings were to be mended, those among them that no edit mends, too."""
    only: frozenset[str] = REPAIRABLE
    """Those of them that edits mend; all others guard."""
    not_run: tuple[str, ...] = ()
    """What was not compared with the original, and why."""
    needless: tuple[str, ...] = ()
    """Suppressions of what is mended: they are to be removed with it."""
    is_chosen: bool = False
    """Whether somebody was asked about each edit."""
    without_simulation: bool = False
    """Whether there are rules that simulate, whose findings are not counted."""
    effects: tuple[JourneyChange, ...] | None = None
    """What the edits make of the journeys in runs; ``None`` where there was no time to run."""
    running_cost: tuple[float, float, str] | None = None
    """What the nodes cost an hour before and after, and in what; ``None``: no load is declared."""
    find: Callable[[System], Found] | None = field(default=None, repr=False, compare=False)
    """What counts as a finding of a system."""
    worthwhile: Callable[[Sequence[Edit]], Sequence[Edit]] | None = field(
        default=None, repr=False, compare=False
    )
    """Of some of the edits, those that cost no answers and mend something without the others."""

    def __repr__(self) -> str:
        places = f"{len(self.before)} places with a finding before, {len(self.after)} after"
        return f"<Repair of {self.original.name}: {len(self.edits)} edits, {places}>"

    @cached_property
    def impossible(self) -> tuple[str, ...]:
        """What is left of what was to be mended, with the reason: ``RULE subject: why``."""
        why = NO_TIME if self.is_out_of_time else NOT_FOUND
        return tuple(
            f"{rule} {name}: {self.reasons.get(f'{rule} {name}', self.reasons.get(name, why))}"
            for rule, name in sorted(self.after)
            if rule in self.only
        )

    @property
    def is_complete(self) -> bool:
        """Whether nothing of what can be repaired is left."""
        return not self.impossible

    @cached_property
    def patch(self) -> Patch:
        """The edits as changes of the files that declare the original.

        Where some cannot be written, those are left out too that are no repair without them.
        """
        patch = patch_of(self.original, self.edits, self.system)
        listed: tuple[str, ...] = patch.by_hand
        while self.worthwhile is not None and len(patch.written) < len(self.edits):
            kept = self.worthwhile(patch.written)
            if len(kept) == len(patch.written):
                break
            left = [edit for edit in patch.written if edit not in kept]
            listed += by_hand(self.original, left, "of no use without the others by hand")
            patch = patch_of(self.original, kept)
            listed += patch.by_hand
        return replace(patch, by_hand=listed)

    @cached_property
    def after_patch(self) -> Found:
        """What is wrong with the system that the patch gives."""
        if self.find is None or len(self.patch.written) == len(self.edits):
            return self.after
        return self.find(apply(self.original, self.patch.written))


def repair(
    system: System,
    rules: Sequence[Rule],
    find: Callable[[System], Found],
    *,
    costs: Mapping[str, float] = COSTS,
    options: Mapping[str, object] | None = None,
    floors: Mapping[str, Rational] | None = None,
    ceilings: Mapping[str, Rational] | None = None,
    budget: ProofBudget | None = None,
) -> Repair:
    """The cheapest edits of the kinds in ``costs`` with which ``rules`` hold.

    ``find`` says what counts as a finding of a system: suppressed ones do not. ``floors``: the
    shortest timeouts that may be set, in seconds, by the names of steps; without one, what the
    model declares of its target. ``ceilings``: the longest ones. When the time is up, what is found
    by then is the repair. Raises :class:`ModelError` for kinds of edits that do not exist.
    """
    prices = {kind: exact(cost) for kind, cost in checked_costs(costs).items()}
    repairable = [rule for rule in rules if rule.id in REPAIRABLE]
    only = frozenset(rule.id for rule in repairable)
    before = find(system)
    current, found = system, before
    at_least = _NOTHING
    thresholds = _Thresholds.of(repairable, options or {})
    edits: list[Edit] = []
    reasons: dict[str, str] = {}
    is_out_of_time = True
    with (budget or ProofBudget()).running(1.0), suppress(BudgetSpentError):
        for _ in range(_MOST_ROUNDS):
            graph = Graph(current)
            open_ = list(_violations(graph, repairable, options or {}, found))
            if not open_:
                break
            wanted, needs = _wanted(graph, open_, prices, thresholds)
            reasons.update(needs)
            solution = cheapest(graph, wanted, prices, floors or {}, ceilings or {})
            reasons.update(solution.given_up)
            if not solution.edits:
                break
            if not edits:  # later rounds mend what other edits might not have broken
                at_least = solution.at_least
            edits += rebased(system, current, solution.edits)
            current = apply(current, solution.edits)
            found = find(current)
        is_out_of_time = NO_TIME in reasons.values()
    edits = merged(edits)  # a later round may change again what an earlier one did
    total = sum((prices[kind_of(edit)] for edit in edits), _NOTHING)
    at_least = min(at_least, total)
    return Repair(
        system,
        current,
        tuple(edits),
        total,
        before,
        found,
        at_least,
        reasons,
        is_out_of_time,
        wanted=frozenset(rule.id for rule in rules),
        only=only,
        find=find,
    )


@dataclass(frozen=True)
class _Thresholds:
    """What the rules allow that count something, as they are configured."""

    factor: Rational = BOUND
    busy: Rational = LIMIT

    @classmethod
    def of(cls, rules: Iterable[Rule], options: Mapping[str, object]) -> _Thresholds:
        configured = {
            rule.id: options.get(rule.id) or rule.options() for rule in rules if rule.options
        }
        return cls(
            exact(getattr(configured.get("RES007"), "bound", float(BOUND))),
            exact(getattr(configured.get("PRF001"), "limit", float(LIMIT))),
        )


def _violations(
    graph: Graph, rules: Iterable[Rule], options: Mapping[str, object], found: Found
) -> Iterable[tuple[str, Violation]]:
    for rule in rules:
        if not any(identity == rule.id for identity, _ in found):
            continue
        for result in rule.run(graph, options.get(rule.id)):
            if isinstance(result, Violation) and (rule.id, subject_name(result.subject)) in found:
                yield rule.id, result


def _wanted(
    graph: Graph,
    open_: Sequence[tuple[str, Violation]],
    prices: Mapping[str, Rational],
    thresholds: _Thresholds,
) -> tuple[Wanted, dict[str, str]]:
    """What must be brought about, and why the rest cannot be with the edits that are allowed."""
    timeouts: list[Interaction] = []
    choices: list[tuple[EditChoice, ...]] = []
    reasons: dict[str, str] = {}
    for rule, violation in open_:
        name = subject_name(violation.subject)
        if rule == "RES001":
            if "timeout" in prices and isinstance(violation.subject, Interaction):
                timeouts.append(violation.subject)
            else:
                reasons[f"{rule} {name}"] = "no allowed edit sets a timeout"
        elif rule not in ARITHMETIC:
            every = choices_for(graph, rule, violation, thresholds.busy)
            allowed = tuple(c for c in every if all(kind in prices for kind in c.kinds))
            if allowed:
                choices.append(allowed)
            else:
                needed = " or ".join(dict.fromkeys("+".join(dict.fromkeys(c.kinds)) for c in every))
                reasons[f"{rule} {name}"] = f"needs {needed or 'what no edit does'}"
    rules = {rule for rule, _ in open_}
    deadlines = bool(rules & {"RES001", "RES002", "RES003"})
    factor = thresholds.factor if "RES007" in rules else None
    return Wanted(deadlines, factor, tuple(timeouts), tuple(choices)), reasons
