"""What the page's script knows: elements, overlays and what can be searched, as plain data."""

from __future__ import annotations

import linecache
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archcheck.diagrams import Overlay, overlays
from archcheck.diagrams.text_width import printable
from archcheck.diagrams.views.parts import described
from archcheck.findings import Finding
from archcheck.graph import Interaction
from archcheck.graph.reach import dependencies, dependents
from archcheck.model import Broker, Channel, Datastore, Named, Place, Service
from archcheck.reporting.console import figure
from archcheck.reporting.report.drawings import PagePicture
from archcheck.reporting.report.elements import owner_of
from archcheck.reporting.report.losses import Lost
from archcheck.reporting.report.review import Review
from archcheck.reporting.report.sections import identities
from archcheck.simulation import SimulationResult
from archcheck.units import Duration

_LONGEST_CODE = 40
"""Lines of a declaration in the panel. A choice that bounds the size of the file."""
_SHOWN_RELATIONS = 60
"""Relations of an element in the panel. A choice, for hubs that everybody calls."""


def facts(
    review: Review,
    pictures: Sequence[PagePicture],
    findings: Sequence[Finding],
    losses: Sequence[Lost],
) -> dict[str, Any]:
    """Everything that the script needs; texts are texts, never markup."""
    laid = [*_overlays(review)]
    spoken = _spoken_of(review, findings)
    groups = _groups(pictures)
    asks, asked = dependencies(review.canvas.graph), dependents(review.canvas.graph)
    return {
        "elements": {
            member.name: {
                **_element(review, member, spoken),
                "asks": asks[member.name],
                "asked": asked[member.name],
            }
            for member in review.canvas.drawn
        },
        "views": [
            {
                "id": picture.identity,
                "title": picture.title,
                "remark": picture.remark,
                "cards": {
                    key: None if key in groups else list(names)
                    for key, names in picture.cards.items()
                    if names != (key,)
                },
            }
            for picture in pictures
        ],
        "groups": groups,
        "losses": _losses(losses, {m.name: n for n, m in enumerate(review.canvas.drawn)}),
        "code": _code(review),
        "overlays": {overlay.name: _overlay(overlay) for overlay in laid},
        "series": _series(review.run) if review.run is not None else None,
    }


def _groups(pictures: Sequence[PagePicture]) -> dict[str, list[str]]:
    """Collapsed group to its elements, where it stands for the same ones in every picture."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for picture in pictures:
        for key, names in picture.cards.items():
            if key.startswith("group "):
                found.setdefault(key, set()).add(names)
    return {key: [*names.pop()] for key, names in found.items() if len(names) == 1}


def _losses(losses: Sequence[Lost], numbers: Mapping[str, int]) -> dict[str, Any]:
    """Element to the journeys that its loss stops and degrades, and the elements of each effect.

    Elements are numbers in the order of ``elements``: hundreds meet hundreds.
    """
    found: dict[str, Any] = {}
    for lost in losses:
        by_effect: dict[int, list[int]] = {}
        for name, effect in lost.effects.items():
            if name in numbers:
                by_effect.setdefault(effect, []).append(numbers[name])
        if not lost.is_zone:
            found[lost.name] = [lost.stops, lost.degrades, by_effect]
    return found


# -- elements -------------------------------------------------------------------------------------


def _element(review: Review, member: Named, spoken: Mapping[str, list[str]]) -> dict[str, Any]:
    graph = review.canvas.graph
    place = graph.system.place(member)
    words = [
        ("boundary", graph.boundary_of(member)),
        ("owner", owner_of(graph, member) or ("not declared" if _is_owned(member) else "")),
        ("belongs to", getattr(member, "belongs_to", None)),
        ("tags", ", ".join(getattr(member, "tags", ()))),
    ]
    return {
        "kind": member.kind,
        "boundary": graph.boundary_of(member) or "",
        "what": described(member, review.canvas.broker_of(member)),
        "description": getattr(member, "description", None) or "",
        "docs": getattr(member, "docs", None) or "",
        "words": [[label, str(value)] for label, value in words if value],
        "place": str(place) if place else "",
        "findings": spoken.get(member.name, []),
        "figures": [*_figures(review.run, member.name)] if review.run is not None else [],
        "relations": [*_relations(review, member)],
    }


def _is_owned(member: Named) -> bool:
    """Whether somebody ought to answer for it."""
    return isinstance(member, Service | Datastore | Channel | Broker)


def _code(review: Review) -> dict[str, list[str]]:
    """Place to the declaration there; elements that a loop makes share theirs."""
    places = (review.system.place(member) for member in review.canvas.drawn)
    return {str(place): _declaration(place) for place in dict.fromkeys(places) if place}


def _declaration(place: Place) -> list[str]:
    """The lines of the constructor call that begins on a line."""
    lines: list[str] = []
    depth = 0
    while len(lines) < _LONGEST_CODE:
        line = linecache.getline(place.file, place.line + len(lines))
        if not line:
            break
        lines.append(line.rstrip().expandtabs(4)[:300])
        depth += sum(line.count(sign) for sign in "([{") - sum(line.count(s) for s in ")]}")
        if depth <= 0:
            return lines
    return [*lines, "..."] if lines else []


def _spoken_of(review: Review, findings: Sequence[Finding]) -> dict[str, list[str]]:
    """Element to the findings about it, as the page calls them."""
    found: dict[str, dict[str, None]] = {}
    for identity, finding in zip(identities(findings), findings, strict=True):
        for occurrence in finding.occurrences:
            for name in overlays.spoken_of(review.system, occurrence.subject):
                found.setdefault(name, {})[identity] = None
    return {name: [*names] for name, names in found.items()}


def _figures(run: SimulationResult, name: str) -> Iterator[list[str]]:
    for operation in run.operations:
        if (operation.name.rpartition(".")[0] or operation.name) == name and operation.finished:
            latency = overlays.seconds(operation.latency.p95)
            rate = f"{figure(operation.throughput)}/s"
            errors = f", {operation.error_rate:.2%} errors" if operation.error_rate else ""
            yield [operation.name.rpartition(".")[2], f"{rate}, p95 {latency}{errors}"]
    for resource in run.resources:
        if resource.name == name and not math.isnan(resource.utilisation):
            waits = overlays.seconds(resource.mean_wait)
            yield [resource.what, f"{resource.utilisation:.1%} busy, {waits} mean wait"]


def _relations(review: Review, member: Named) -> Iterator[list[str]]:
    graph = review.canvas.graph
    out: Sequence[Interaction] = graph.made_by.get(member.name, ())
    into: Sequence[Interaction] = graph.incoming.get(member.name, ())
    found = [["to", step.target.name, _told(step)] for step in out]
    found += [["from", step.source.name, _told(step)] for step in into]
    for reader in graph.consumers.get(member.name, ()):
        found.append(["to", graph.operations[reader].owner.name, f"{reader} consumes it"])
    for topic, readers in graph.consumers.items():
        found += [["from", topic, f"consumed by {r}"] for r in readers if _owns(member, r)]
    yield from found[:_SHOWN_RELATIONS]


def _owns(member: Named, operation: str) -> bool:
    return operation.rpartition(".")[0] == member.name


def _told(step: Interaction) -> str:
    timeout = f", within {step.timeout}" if isinstance(step.timeout, Duration) else ""
    return f"{step.mode} {step.operation.part.name} -> {step.target_name}{timeout}"


# -- overlays -------------------------------------------------------------------------------------


def _overlays(review: Review) -> Iterator[Overlay]:
    yield overlays.findings(review.verification)
    if review.proofs is not None:
        yield overlays.counterexample(review.proofs.refuted)
    if review.run is not None:
        yield from (make(review.run) for make in overlays.MEASURES.values())


def _overlay(overlay: Overlay) -> dict[str, Any]:
    return {
        "marks": {
            name: [mark.tone, printable(mark.note), mark.rank]
            for name, mark in overlay.marks.items()
        },
        "weights": [
            [source, target, round(weight, 2), label]
            for (source, target), (weight, label) in overlay.weights.items()
        ],
        "legend": [[sign.tone, sign.text] for sign in overlay.legend],
    }


def _series(run: SimulationResult) -> dict[str, Any]:
    """What the time slider shows: how busy resources are, and how the journeys fare."""
    count = max((len(series) for series in run.utilisation_series.values()), default=0)
    busy: dict[str, list[float]] = {}
    waiting: dict[str, list[float]] = {}
    for name in run.utilisation_series:
        owner = name if name in run.system.directory.elements else name.rpartition(".")[0]
        for found, series, digits in (
            (busy, run.utilisation_series[name], 3),
            (waiting, run.waiting_series.get(name, ()), 2),
        ):
            known = found.setdefault(owner, [0.0] * count)
            found[owner] = [round(max(a, b), digits) for a, b in zip(known, series, strict=False)]
    busy = {name: values for name, values in busy.items() if max(values, default=0) >= 0.005}
    waiting = {name: values for name, values in waiting.items() if max(values, default=0) >= 0.05}
    return {
        "duration": run.duration,
        "count": count,
        "busy": busy,
        "waiting": waiting,
        "levels": [[_level(limit), tone] for limit, tone, _ in overlays.BUSY],
        "journeys": {
            name: [
                [_short(point.throughput), _short(point.failures), _short(point.p95)]
                for point in points
            ]
            for name, points in run.series.items()
        },
        "faults": [
            [type(fault).__name__, float(fault.start), min(float(fault.end), run.duration)]
            for fault in run.scenario.faults
        ],
    }


def _level(limit: float) -> float | None:
    return None if math.isinf(limit) else limit


def _short(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None
