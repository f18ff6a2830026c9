"""Finding violations, the cheapest edits for them, and what those leave: round by round.

The first round is the cheapest repair of all that is wrong with the model. What its edits break in
turn (a replica more can be a connection too many) is repaired in the next round, at its own cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from archcheck.editing import COSTS, Edit, Patch, apply, checked_costs, patch_of
from archcheck.findings import Rule, Violation, subject_name
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import Rational, exact
from archcheck.model import System
from archcheck.proof.amplification import BOUND
from archcheck.proof.budget import Budget
from archcheck.proof.limits.load import LIMIT
from archcheck.proof.repair.choices import ARITHMETIC, REPAIRABLE, Choice, choices_for
from archcheck.proof.repair.search import Wanted, cheapest

_MOST_ROUNDS = 5
"""Rounds in which edits repair what the edits before them have caused. A choice: what is left then
is reported as left."""
_NOTHING = Rational(0)
Found: TypeAlias = frozenset[tuple[str, str]]
"""Rule id and name of the subject of every finding."""


@dataclass(frozen=True)
class Repair:
    """The edits, what they cost, the system that they give, and what is wrong before and after."""

    original: System
    system: System
    edits: tuple[Edit, ...]
    cost: Rational
    before: Found
    after: Found
    at_least: Rational = _NOTHING
    """No repair of what was found at first costs less; ``cost`` itself where that is proved."""
    impossible: tuple[str, ...] = ()
    """What no allowed edit repairs."""
    losses: tuple[str, ...] = ()
    """What the edits take under the declared loads, in sentences: edits that cost answers are no
    repair."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing of what can be repaired is left, and nothing is lost."""
        return not self.impossible and not self.losses

    @cached_property
    def patch(self) -> Patch:
        """The edits as changes of the files that declare the original."""
        return patch_of(self.original, self.edits, self.system)


def repair(
    system: System,
    rules: Sequence[Rule],
    find: Callable[[System], Found],
    *,
    costs: Mapping[str, float] = COSTS,
    options: Mapping[str, object] | None = None,
    budget: Budget | None = None,
) -> Repair:
    """The cheapest edits of the kinds in ``costs`` with which ``rules`` hold.

    ``find`` says what counts as a finding of a system: suppressed ones do not. Raises
    :class:`ModelError` for kinds of edits that do not exist, and
    :class:`~archcheck.proof.BudgetSpentError` when the time is up.
    """
    prices = {kind: exact(cost) for kind, cost in checked_costs(costs).items()}
    repairable = [rule for rule in rules if rule.id in REPAIRABLE]
    before = find(system)
    current, found = system, before
    total = at_least = _NOTHING
    thresholds = _Thresholds.of(repairable, options or {})
    edits: list[Edit] = []
    impossible: tuple[str, ...] = ()
    with (budget or Budget()).running():
        for _ in range(_MOST_ROUNDS):
            graph = Graph(current)
            open_ = list(_violations(graph, repairable, options or {}, found))
            if not open_:
                break
            wanted, impossible = _wanted(graph, open_, prices, thresholds)
            solution = cheapest(graph, wanted, prices)
            if solution is None or not solution.edits:
                break
            edits += solution.edits
            total += solution.cost
            at_least += solution.at_least
            current = apply(current, solution.edits)
            found = find(current)
    known = {text.partition(":")[0] for text in impossible}
    left = sorted(f for f in found if f[0] in REPAIRABLE and " ".join(f) not in known)
    impossible = (*impossible, *(f"{rule} {name}: no allowed edits mend it" for rule, name in left))
    return Repair(system, current, tuple(edits), total, before, found, at_least, impossible)


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
) -> tuple[Wanted, tuple[str, ...]]:
    """What must be brought about, and what cannot be with the edits that are allowed."""
    timeouts: list[Interaction] = []
    choices: list[tuple[Choice, ...]] = []
    impossible: list[str] = []
    for rule, violation in open_:
        name = subject_name(violation.subject)
        if rule == "RES001":
            if "timeout" in prices and isinstance(violation.subject, Interaction):
                timeouts.append(violation.subject)
            else:
                impossible.append(f"{rule} {name}: no allowed edit sets a timeout")
        elif rule not in ARITHMETIC:
            every = choices_for(graph, rule, violation, thresholds.busy)
            allowed = tuple(c for c in every if all(kind in prices for kind in c.kinds))
            if allowed:
                choices.append(allowed)
            else:
                needed = " or ".join(dict.fromkeys("+".join(dict.fromkeys(c.kinds)) for c in every))
                impossible.append(f"{rule} {name}: needs {needed or 'what no edit does'}")
    rules = {rule for rule, _ in open_}
    deadlines = bool(rules & {"RES001", "RES002", "RES003"})
    factor = thresholds.factor if "RES007" in rules else None
    return Wanted(deadlines, factor, tuple(timeouts), tuple(choices)), tuple(impossible)
