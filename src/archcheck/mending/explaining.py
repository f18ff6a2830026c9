"""Why an edit is offered: what it mends, what else would have been possible, and why not."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from archcheck.configuration import Settings
from archcheck.editing import COSTS, Edit, apply, kind_of
from archcheck.findings import Rule, Violation, subject_name
from archcheck.graph import Graph
from archcheck.graph.exact import Rational, exact
from archcheck.proof.repair import ARITHMETIC, REPAIRABLE, EditChoice, Repair, choices_for

_CHEAPER = "costs less by itself; the edits together were compared, not one by one"


@dataclass(frozen=True)
class Alternative:
    """Something else that would mend the same: what, what it costs, and why it was not chosen.

    ``edits`` is empty where the rule's advice is all that is known of it.
    """

    text: str
    cost: Rational | None
    why_not: str
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """An edit of a repair, the findings (rule, subject) that are there without it, and instead."""

    edit: Edit
    cost: Rational
    mends: tuple[tuple[str, str], ...] | None
    """``None``: there was no time to see."""
    alternatives: tuple[Alternative, ...]


def explain(
    repair: Repair,
    rules: Sequence[Rule],
    *,
    settings: Settings | None = None,
    costs: Mapping[str, float] | None = None,
    seconds: float = math.inf,
) -> tuple[Explanation, ...]:
    """Each edit of ``repair``, in order.

    ``rules``, ``settings`` and ``costs`` are those of :func:`archcheck.fix`; ``seconds``: after
    which no further edit is looked at.
    """
    deadline = time.monotonic() + seconds
    settings = settings or Settings()
    prices = (settings.edits or COSTS) if costs is None else costs
    graph = Graph(repair.original)
    found = dict(_violations(graph, settings.chosen(rules), settings, repair))
    explained = []
    for edit in repair.edits:
        cost = exact(prices[kind_of(edit)])
        if time.monotonic() > deadline:
            explained.append(Explanation(edit, cost, None, ()))
            continue
        mends = _mended(repair, edit)
        others = [
            alternative
            for key in mends
            if key in found
            for alternative in _alternatives(graph, key[0], found[key], repair, prices, cost)
        ]
        unique = tuple({each.text: each for each in others}.values())
        explained.append(Explanation(edit, cost, mends, unique))
    return tuple(explained)


def _mended(repair: Repair, edit: Edit) -> tuple[tuple[str, str], ...]:
    """What is found without the edit, the others made; else what it mends by itself."""
    if repair.find is None:
        return ()
    others = [each for each in repair.edits if each is not edit]
    without = repair.find(apply(repair.original, others)) - repair.after
    alone = repair.before - repair.find(apply(repair.original, [edit])) if not without else ()
    # what the edits together leave is mended by none of them
    return tuple(sorted(frozenset(without or alone) - repair.after))


def _violations(
    graph: Graph, rules: Sequence[Rule], settings: Settings, repair: Repair
) -> Iterator[tuple[tuple[str, str], Violation]]:
    mended = {rule for rule, _ in repair.before - repair.after}
    for rule in rules:
        if rule.id in REPAIRABLE and rule.id in mended:
            for result in rule.run(graph, settings.options.get(rule.id)):
                if isinstance(result, Violation):
                    yield (rule.id, subject_name(result.subject)), result


def _alternatives(
    graph: Graph,
    rule: str,
    violation: Violation,
    repair: Repair,
    prices: Mapping[str, float],
    chosen: Rational,
) -> Iterator[Alternative]:
    """``chosen``: what the edit costs that was made instead."""
    if rule in ARITHMETIC:
        if violation.fix:
            yield Alternative(violation.fix, None, f"as {rule} advises")
        return
    made = {(id(edit.part), name) for edit in repair.edits for name in edit.values}
    for choice in choices_for(graph, rule, violation):
        if not all((id(e.part), name) in made for e in choice.edits for name in e.values):
            yield _alternative(choice, repair, prices, chosen)


def _alternative(
    choice: EditChoice, repair: Repair, prices: Mapping[str, float], chosen: Rational
) -> Alternative:
    text = "; ".join(map(str, choice.edits))
    refused = {str(edit): why for edit, why in repair.refused}
    why = next((refused[str(edit)] for edit in choice.edits if str(edit) in refused), None)
    closed = sorted({kind for kind in choice.kinds if kind not in prices})
    if closed:
        return Alternative(text, None, f"not allowed: {', '.join(closed)}")
    cost = sum((exact(prices[kind]) for kind in choice.kinds), Rational(0))
    if why is None and cost != chosen:
        why = "costs more" if cost > chosen else _CHEAPER
    return Alternative(text, cost, why or "costs as much", choice.edits)
