"""Overlays: what a check or a run says, laid over a view as colours, notes and widths.

An overlay speaks of elements by name, so it fits every view; a card that stands for several
elements shows the gravest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from archcheck.configuration import RANK
from archcheck.diagrams.view import Arrow, Card, Diagram, Sign, Tone
from archcheck.graph import Graph
from archcheck.model import ArchcheckError, System
from archcheck.proof import Proofs, Refuted, marked
from archcheck.simulation import SimulationResult
from archcheck.simulation.plan import THROUGH_MESH
from archcheck.units import spoken
from archcheck.verification import Verification

# Where colours change is a choice. Busy: an M/M/1 queue waits 1 service time at 50%, 2.3 at
# 70%, 5.7 at 85%. Errors: usual objectives (99.95%, 99%), and what everybody notices (5%).
BUSY: tuple[tuple[float, Tone, str], ...] = (
    (0.5, "calm", "below 50% busy"),
    (0.7, "warm", "50% to 70%"),
    (0.85, "hot", "70% to 85%"),
    (math.inf, "critical", "above 85%"),
)
ERRORS: tuple[tuple[float, Tone, str], ...] = (
    (0.0005, "calm", "below 0.05% errors"),
    (0.01, "warm", "0.05% to 1%"),
    (0.05, "hot", "1% to 5%"),
    (math.inf, "critical", "above 5%"),
)
LATENCY: tuple[tuple[float, Tone, str], ...] = (
    (0.25, "calm", "p95 below a quarter of the slowest"),
    (0.5, "warm", "a quarter to a half"),
    (0.75, "hot", "a half to three quarters"),
    (math.inf, "critical", "the slowest"),
)
_THICKEST = 8.0
"""Times the usual width of an arrow: wide enough to stand out, narrower than its tip."""


@dataclass(frozen=True)
class Mark:
    """What is said of one element; the mark with the higher ``rank`` is the graver one."""

    tone: Tone
    note: str
    rank: float = 0.0


@dataclass(frozen=True)
class Overlay:
    """Marks of elements by name, and weights of the ways between two elements."""

    name: str
    marks: Mapping[str, Mark] = field(default_factory=dict)
    weights: Mapping[tuple[str, str], tuple[float, str]] = field(default_factory=dict)
    """Source and target to a weight and a label."""
    legend: tuple[Sign, ...] = ()


def laid_over(view: Diagram, overlay: Overlay) -> Diagram:
    """The view with an overlay."""
    cards = tuple(_marked(card, overlay) for card in view.cards)
    names = {card.key: card.stands_for or (card.key,) for card in cards}
    arrows = tuple(_weighed(arrow, overlay, names) for arrow in view.arrows)
    return replace(view, cards=cards, arrows=arrows, legend=(*view.legend, *overlay.legend))


def _marked(card: Card, overlay: Overlay) -> Card:
    found = [overlay.marks[name] for name in card.stands_for if name in overlay.marks]
    if not found:
        return card
    gravest = max(found, key=lambda mark: mark.rank)
    note = gravest.note if len(card.stands_for) == 1 else f"at most {gravest.note}"
    return replace(card, tone=gravest.tone, note=note)


def _weighed(arrow: Arrow, overlay: Overlay, names: Mapping[str, tuple[str, ...]]) -> Arrow:
    found = [
        overlay.weights[pair]
        for source in names.get(arrow.source, ())
        for target in names.get(arrow.target, ())
        if (pair := (source, target)) in overlay.weights
    ]
    if not found:
        return arrow
    label = found[0][1] if len(found) == 1 else arrow.label
    return replace(arrow, weight=max(weight for weight, _ in found), label=label)


def _tone(value: float, levels: Iterable[tuple[float, Tone, str]]) -> Tone:
    return next(tone for limit, tone, _ in levels if value < limit or limit == math.inf)


def _scale(levels: Iterable[tuple[float, Tone, str]]) -> tuple[Sign, ...]:
    return tuple(Sign(text, tone=tone) for _, tone, text in levels)


# -- what a run measured ----------------------------------------------------------------------


def utilisation(result: SimulationResult) -> Overlay:
    """How busy each element's busiest resource was, on average over the run."""
    busy = busiest(result)
    marks = {n: Mark(_tone(v, BUSY), f"{v:.0%} busy", v) for n, v in busy.items()}
    return Overlay("utilisation", marks, legend=_scale(BUSY))


def busiest(result: SimulationResult) -> dict[str, float]:
    """Element to the utilisation of its busiest resource, the consumers of a service among them."""
    found: dict[str, float] = {}
    for resource in result.resources:
        if not math.isnan(resource.utilisation):
            name = resource.name.partition(".")[0]
            found[name] = max(found.get(name, 0.0), resource.utilisation)
    return found


def latency(result: SimulationResult) -> Overlay:
    """The 95th percentile of each element's slowest operation."""
    slowest = slowest_operations(result)
    most = max(slowest.values(), default=1.0) or 1.0
    marks = {
        name: Mark(_tone(value / most, LATENCY), f"p95 {seconds(value)}", value)
        for name, value in slowest.items()
    }
    return Overlay("latency", marks, legend=_scale(LATENCY))


def slowest_operations(result: SimulationResult) -> dict[str, float]:
    """Element to the 95th percentile, in seconds, of its slowest operation."""
    found: dict[str, float] = {}
    for operation in result.operations:
        owner = operation.name.rpartition(".")[0] or operation.name
        if not math.isnan(operation.latency.p95):
            found[owner] = max(found.get(owner, 0.0), operation.latency.p95)
    return found


def errors(result: SimulationResult) -> Overlay:
    """The share of each element's requests without a good answer."""
    marks = {
        name: Mark(_tone(share, ERRORS), f"{share:.2%} errors", share)
        for name, share in error_rates(result).items()
    }
    return Overlay("errors", marks, legend=_scale(ERRORS))


def error_rates(result: SimulationResult) -> dict[str, float]:
    """Element to the share of its finished requests that had no good answer."""
    finished: dict[str, int] = {}
    bad: dict[str, float] = {}
    for operation in result.operations:
        owner = operation.name.rpartition(".")[0] or operation.name
        if operation.finished:
            finished[owner] = finished.get(owner, 0) + operation.finished
            bad[owner] = bad.get(owner, 0.0) + operation.error_rate * operation.finished
    return {name: bad[name] / count for name, count in finished.items()}


def flow(result: SimulationResult) -> Overlay:
    """The width of each way: how many attempts a second went over it."""
    rates = flow_rates(result)
    most = max(rates.values(), default=0.0)
    weights = {
        pair: (1 + (_THICKEST - 1) * math.sqrt(rate / most), f"{rate:,.3g}/s")
        for pair, rate in rates.items()
        if rate > 0
    }
    return Overlay("flow", weights=weights, legend=(Sign("thicker: more calls a second"),))


def flow_rates(result: SimulationResult) -> dict[tuple[str, str], float]:
    """Source and target element to calls, queries and messages a second, repeats included.

    Calls are counted by the run, behind the mesh where it makes attempts of its own; of queries and
    messages the run counts the operations that make them, and the model says how many each makes.
    """
    graph = Graph(result.system)
    span = (result.simulated - result.warmup) * result.replications or math.inf
    started = {each.name: each.started / span for each in (*result.operations, *result.jobs)}
    counted = {call.name: (call.calls + call.retries + call.hedges) / span for call in result.calls}
    rates: dict[tuple[str, str], float] = {}
    for step in {step.name: step for step in graph.interactions}.values():
        same = [s for s in graph.outgoing[step.operation.name] if s.name == step.name]
        expected = started.get(step.operation.name, 0.0) * sum(s.visits for s in same)
        pair = (step.source.name, step.target.name)
        asked = counted.get(step.name, expected)
        rates[pair] = rates.get(pair, 0.0) + counted.get(step.name + THROUGH_MESH, asked)
    for topic, readers in graph.consumers.items():
        for reader in readers:
            pair = (topic, graph.operations[reader].owner.name)
            rates[pair] = rates.get(pair, 0.0) + started.get(reader, 0.0)
    return rates


MEASURES: Mapping[str, Callable[[SimulationResult], Overlay]] = {
    "utilisation": utilisation,
    "latency": latency,
    "errors": errors,
    "flow": flow,
}
"""The overlays that need a simulation."""


def overlay_of(
    result: Verification | Proofs | SimulationResult, name: str | None = None
) -> Overlay:
    """What a result says of each element; of a simulation the measure called ``name``.

    Raises :class:`ArchcheckError` for an overlay that the result does not have.
    """
    if isinstance(result, SimulationResult):
        chosen = name or "utilisation"
        if chosen not in MEASURES:
            known = ", ".join(MEASURES)
            raise ArchcheckError(f"a simulation has no overlay {chosen!r}; it has {known}")
        return MEASURES[chosen](result)
    if name is not None:
        raise ArchcheckError(f"only a simulation has overlays to choose from; leave {name!r} out")
    if isinstance(result, Verification):
        return findings(result)
    return counterexample(result.refuted)


# -- what the rules and proofs say -------------------------------------------------------------


def findings(verification: Verification) -> Overlay:
    """The gravest finding of each element, and how many there are."""
    found: dict[str, list[tuple[int, str]]] = {}
    for finding in verification.findings:
        for occurrence in finding.occurrences:
            for name in spoken_of(verification.system, occurrence.subject):
                found.setdefault(name, []).append((RANK[finding.severity], finding.severity))
    tones: dict[str, Tone] = {"error": "error", "warning": "warning", "info": "info"}
    marks = {}
    for name, each in found.items():
        rank, severity = max(each)
        count = sum(r == rank for r, _ in each)
        note = f"{count} {severity}{'' if count == 1 else 's'}"
        marks[name] = Mark(tones[severity], note, 1000 * rank + count)
    legend = tuple(Sign(f"has {word}s", tone=tone) for word, tone in tones.items())
    return Overlay("findings", marks, legend=legend)


def spoken_of(system: System, subject: str) -> tuple[str, ...]:
    """The elements that the subject of a finding is about: an element, an operation, a call."""
    names = system.directory.elements
    source = subject.partition(" -> ")[0]
    for word in (source, source.rpartition(".")[0]):
        if word in names:
            return (word,)
    return ()


def counterexample(refuted: Iterable[Refuted]) -> Overlay:
    """What the counterexamples do to each element."""
    marks = {name: Mark("error", text, 1.0) for name, text in marked(refuted).items()}
    return Overlay("proof", marks, legend=(Sign("fails in the counterexample", tone="error"),))


def seconds(value: float) -> str:
    """``1.5 s``, ``12.3 ms``."""
    return spoken(value) if value >= 5e-7 else "0 ms"
