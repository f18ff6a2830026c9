"""Repairs as text, and their tables: edits, what they mend, and what they make of the load."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.text import Text

from archcheck.mending import Explanation
from archcheck.proof.repair import REPAIRABLE, STALE, Found, JourneyChange, Repair
from archcheck.reporting.console import counted, figure, printable
from archcheck.reporting.patches import print_patch
from archcheck.reporting.sheets import Sheet, Words, print_sheet
from archcheck.units import spoken


def print_repair(console: Console, found: Repair) -> None:
    """The edits with their cost, the patch, what it changes and what is left."""
    name = printable(found.system.name)
    console.print(Text.assemble((name, "bold"), f": {headline(found)}"))
    for edit in found.edits:
        console.print(Text(f"  {printable(str(edit))}"))
    _print_not_offered(console, found)
    if found.edits:
        console.print()
        print_patch(console, found.patch)
    console.print()
    for text in outcome(found):
        console.print(Text(printable(text)))
    _print_effects(console, found)


def headline(found: Repair) -> str:
    """How many edits, and what they cost."""
    if not found.edits:
        return _why_nothing(found)
    bound = ""
    if found.at_least == found.cost and not found.is_out_of_time:
        bound = ", the least that is possible"
    elif 0 < found.at_least < found.cost:
        bound = f", no repair costs less than {float(found.at_least):g}"
    return f"{counted(len(found.edits), 'edit')} at a cost of {float(found.cost):g}{bound}"


def _why_nothing(found: Repair) -> str:
    """Why there are no edits."""
    if not any(rule in found.only for rule, _ in found.before):
        return "nothing is found that fix could mend"
    if found.is_chosen:
        return "nothing was taken"
    if found.refused or found.untried:
        return "no edits are offered"
    if found.is_out_of_time:
        return "nothing was found in the time: allow more with --proof-budget"
    return "no allowed edits mend anything"


def outcome(found: Repair) -> Iterator[str]:
    """What is fixed, introduced and left."""
    by_hand = found.patch.by_hand
    needless = _needless(found)
    after = found.after_patch - needless
    fixed, caused = found.before - after, after - found.before
    places = counted(len(found.before), "place")
    yield (
        f"{places} with a finding before, {len(after)} after"
        f"{' the patch' if by_hand else ''}: {len(fixed)} fixed, {len(caused)} introduced"
    )
    if by_hand:
        whole = len(found.after - needless)
        yield f"with the {counted(len(by_hand), 'edit')} by hand: {whole} after"
    yield from (f"introduced: {rule} {subject}" for rule, subject in sorted(caused))
    for name in found.needless:
        yield f"remove with it: the {name}, which suppresses nothing any more"
    yield from (f"left: {text}" for text in found.impossible)
    yield from _beyond(found)
    if found.without_simulation:
        yield "not counted: what rules find that simulate"


def _needless(found: Repair) -> Found:
    """The findings that are gone when suppressions are removed that suppress nothing any more."""
    return frozenset((STALE, name) for name in found.needless)


def _beyond(found: Repair) -> Iterator[str]:
    """What no edit mends, by rule."""
    left = [rule for rule, _ in found.after - _needless(found) if rule in found.wanted]
    counts = Counter(rule for rule in left if rule not in REPAIRABLE)
    if counts:
        names = ", ".join(f"{rule} ({count})" for rule, count in sorted(counts.items()))
        yield f"left, as fix has no edits for it: {names}"


def _print_effects(console: Console, found: Repair) -> None:
    """What the edits make of journeys and of the price, beside what they mend."""
    changes = changes_sheet(found)
    if changes is not None:
        print_sheet(console, changes)
    for text in under_load(found):
        console.print(text)


def changes_sheet(found: Repair) -> Sheet | None:
    """The journeys that the edits change under load, before and after."""
    changed = (*_changed(found.effects or ()),)
    if not changed:
        return None
    remark = (
        "runs with the same random numbers; * marks differences whose 95% interval excludes zero"
    )
    columns = (Words("scenario"), Words("journey"), *("p95 today", "then", "errors today", "then"))
    return Sheet("under load, before and after", columns, changed, remark)


def under_load(found: Repair) -> Iterator[str]:
    """What else is to say of the load, and what the nodes cost."""
    if not found.edits:
        return
    if found.effects is None:
        yield "not compared under load: the time was up"
    elif found.effects and changes_sheet(found) is None:
        yield "in these runs under the declared loads, no journey changes beyond its interval"
    if found.running_cost is not None:
        before, after, currency = found.running_cost
        if before != after:
            yield f"it runs at {figure(before)} {currency}/h today, at {figure(after)} afterwards"


def _changed(effects: Iterable[JourneyChange]) -> Iterator[tuple[str, ...]]:
    """The journeys that change for certain, and by as much as a reader can see."""
    by_journey: dict[tuple[str, str], list[JourneyChange]] = {}
    for each in effects:
        by_journey.setdefault((each.scenario, each.journey), []).append(each)
    for name, pair in by_journey.items():
        shown = [(_value(each, each.before), _value(each, each.after)) for each in pair]
        certain = [
            each.is_certain and old != new for each, (old, new) in zip(pair, shown, strict=True)
        ]
        if any(certain):
            marks = ["*" if each else "" for each in certain]
            cells = [(old, f"{new}{m}") for (old, new), m in zip(shown, marks, strict=True)]
            yield (*name, *(cell for pair in cells for cell in pair))


def _value(effect: JourneyChange, value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.2%}" if effect.metric == "errors" else spoken(value)


def what_it_mends(explained: Explanation) -> str:
    """The findings that an edit mends, in words."""
    if explained.mends is None:
        return "not looked at: the time was up"
    names = ", ".join(f"{rule} {subject}" for rule, subject in explained.mends)
    return names or "nothing by itself"


def print_explanations(console: Console, explained: Iterable[Explanation]) -> None:
    """Each edit with what it mends, and what else would."""
    for each in explained:
        console.print()
        console.print(
            Text.assemble(
                (printable(str(each.edit)), "bold"), f", at a cost of {float(each.cost):g}"
            )
        )
        console.print(Text(f"  mends: {printable(what_it_mends(each))}"))
        for other in each.alternatives:
            cost = "" if other.cost is None else f" at a cost of {float(other.cost):g}"
            console.print(
                Text(f"  instead{cost}: {printable(other.text)} ({printable(other.why_not)})")
            )


def _print_not_offered(console: Console, found: Repair) -> None:
    """What was found and left out, and what it was not compared under."""
    if found.refused:
        console.print("\nnot offered, as answers or findings would be their price:")
    for edit, why in found.refused:
        console.print(Text(f"  {printable(str(edit))}: {printable(why)}"))
    if found.untried:
        console.print(
            f"\nnot offered, as they were not tried beside the original (too many others cost "
            f"answers, or the time was up): {counted(len(found.untried), 'edit')}, such as "
            f"{printable(str(found.untried[0]))}"
        )
    if found.not_run:
        console.print(f"not compared: {printable(', '.join(found.not_run))}")
