"""Both engines on one plan: the first event that differs, or the first number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest

from archcheck import ScenarioError
from archcheck.simulation.engines import fast, reference
from archcheck.simulation.histogram import Histogram
from archcheck.simulation.plan import Outcome, Plan
from archcheck.simulation.record import Record
from archcheck.simulation.trace import Span, SpanKind

Run = tuple[list[Span], Record | str]


class Collected:
    """A tracer that keeps everything."""

    def __init__(self, share: float = 1.0) -> None:
        self.share = share
        self.spans: list[Span] = []
        self.write = self.spans.extend

    def begin(self, plan: Plan) -> None:
        """Nothing to prepare."""


def difference(plan: Plan, *, seed: int, duration: float, warmup: float = 0.0) -> str | None:
    """What the engines do not agree on; ``None`` when they agree to the last bit."""
    expected = _run(reference.run, plan, seed, duration, warmup)
    found = _run(fast.run, plan, seed, duration, warmup)
    return in_spans(plan, expected[0], found[0]) or _in_records(expected[1], found[1])


def _run(engine: Callable[..., Record], plan: Plan, seed: int, until: float, warm: float) -> Run:
    tracer = Collected()
    try:
        record = engine(plan, seed=seed, duration=until, warmup=warm, tracer=tracer)
        return tracer.spans, record
    except ScenarioError as error:
        return [], str(error)


def in_spans(plan: Plan, expected: list[Span], found: list[Span]) -> str | None:
    for number, (one, other) in enumerate(zip_longest(expected, found)):
        if one != other:
            return (
                f"event {number}: the reference engine has {_told(plan, one)}, "
                f"the compiled one {_told(plan, other)}"
            )
    return None


def _told(plan: Plan, span: Span | None) -> str:
    if span is None:
        return "nothing more"
    table = {
        SpanKind.JOURNEY: plan.journeys,
        SpanKind.REQUEST: plan.operations,
        SpanKind.ATTEMPT: plan.calls,
    }[SpanKind(span.kind)]
    return (
        f"{SpanKind(span.kind).name.lower()} {table[span.place].name} ({span.key:016x}) "
        f"from {span.start!r} to {span.end!r}: {Outcome(span.outcome).name.lower()}"
    )


def _in_records(expected: Record | str, found: Record | str) -> str | None:
    if isinstance(expected, str) or isinstance(found, str):
        return None if expected == found else f"{expected!r} is not {found!r}"
    for (name, one), (_, other) in zip(_numbers(expected), _numbers(found), strict=True):
        if one != other:
            return f"{name}: {one!r} in the reference engine, {other!r} in the compiled one"
    return None


def _numbers(record: Record) -> Iterator[tuple[str, object]]:
    yield "events", record.events
    yield "counts", dict(record.counts.values)
    for name in ("busy_series", "capacity_series", "waiting_series"):
        yield name, getattr(record, name)
    yield from _counted(record)
    yield from _journeys(record)


def _counted(record: Record) -> Iterator[tuple[str, object]]:
    for table in ("journeys", "operations"):
        for index, tally in enumerate(getattr(record, table)):
            yield f"{table}[{index}].started", tally.started
            yield f"{table}[{index}].answered", tally.answered
            for outcome in Outcome:
                name = f"{table}[{index}].{outcome.name}"
                yield from _of_histogram(name, tally.latency[outcome])
    for table in ("calls", "stations", "pools", "bulkheads"):
        for index, measured in enumerate(getattr(record, table)):
            for field in measured.__slots__:
                yield f"{table}[{index}].{field}", getattr(measured, field)


def _journeys(record: Record) -> Iterator[tuple[str, object]]:
    for index, attribution in enumerate(record.attribution):
        yield f"attribution[{index}].counts", dict(attribution.counts)
        yield f"attribution[{index}].totals", dict(attribution.totals)
        yield f"attribution[{index}].seconds", _sums(attribution.seconds)
    for index, series in enumerate(record.series):
        yield f"series[{index}].finished", series.finished
        yield f"series[{index}].failed", series.failed
        for number, histogram in enumerate(series.latency):
            yield from _of_histogram(f"series[{index}].{number}", histogram)
    for index, failures in enumerate(record.failures):
        yield f"failures[{index}].counts", dict(failures.counts)
        yield f"failures[{index}].series", dict(failures.series)
    for index, batches in enumerate(record.batches):
        yield f"batches[{index}]", vars(batches)


def _of_histogram(name: str, histogram: Histogram) -> Iterator[tuple[str, object]]:
    yield f"{name}.count", histogram.count
    yield f"{name}.sum", histogram.sum
    yield f"{name}.max", histogram.max
    yield f"{name}.buckets", histogram.buckets


def _sums(seconds: dict[int, dict[int, float]]) -> dict[int, dict[int, float]]:
    """Without what is zero, which only one of the engines keeps."""
    return {
        bucket: {code: value for code, value in sums.items() if value}
        for bucket, sums in seconds.items()
    }
