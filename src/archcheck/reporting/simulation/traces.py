"""Traces: every journey, request and attempt of a run in a file, written while it goes on.

``.parquet`` through pyarrow (the extra ``trace``), ``.csv`` without anything. A row for each that
has ended, in that order: ``kind``, ``name``, ``trace`` (the journey that it belongs to), ``span``
(itself; an attempt and the request that it makes have the same), ``start`` and ``seconds``, and the
``outcome``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archcheck.extras import what_to_install
from archcheck.files import replacing
from archcheck.model import ScenarioError
from archcheck.simulation.plan import Plan
from archcheck.simulation.trace import Span, SpanKind, Tracer

COLUMNS = ("kind", "name", "trace", "span", "start", "seconds", "outcome")


class TraceFile:
    """A tracer that hands rows to a writer. ``share`` of the journeys are written."""

    def __init__(self, writer: Any, share: float) -> None:
        self.share = share
        self._writer = writer
        self._names: dict[SpanKind, list[str]] = {}

    def begin(self, plan: Plan) -> None:
        self._names = {
            SpanKind.JOURNEY: [each.name for each in plan.journeys],
            SpanKind.REQUEST: [each.name for each in plan.operations],
            SpanKind.ATTEMPT: [each.name for each in plan.calls],
        }

    def write(self, spans: Sequence[Span]) -> None:
        self._writer.write([self._row(span) for span in spans])

    def _row(self, span: Span) -> tuple[str, str, str, str, float, float, str]:
        return (
            span.kind.name.lower(),
            self._names[span.kind][span.place],
            f"{span.root:016x}",
            f"{span.key:016x}",
            span.start,
            span.end - span.start,
            span.outcome.name.lower(),
        )


class _Csv:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(COLUMNS)

    def write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._writer.writerows(rows)

    def close(self) -> None:
        self._file.close()


class _Parquet:
    def __init__(self, path: Path) -> None:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            raise ScenarioError(f"{what_to_install('pyarrow')}, or name the file .csv") from None
        text = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
        kinds = (text, text, pyarrow.string(), pyarrow.string(), *[pyarrow.float64()] * 2, text)
        self._schema = pyarrow.schema(zip(COLUMNS, kinds, strict=True))
        self._table = pyarrow.Table
        self._writer = parquet.ParquetWriter(path, self._schema)

    def write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            columns = dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
            self._writer.write_table(self._table.from_pydict(columns, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


@contextmanager
def trace_file(target: str, share: float) -> Iterator[Tracer]:
    """A tracer that writes to a file, ``.parquet`` or ``.csv``, which is there when it is whole.

    Raises :class:`ScenarioError` for another ending, a share that is none, or a missing package.
    """
    path = Path(target)
    if not 0 < share <= 1:
        raise ScenarioError(f"a share of the journeys is between 0 and 1, got {share:g}")
    if path.suffix not in (".csv", ".parquet"):
        raise ScenarioError(f"a trace is a .parquet or .csv file, got {target!r}")
    with replacing(path) as written:
        writer = _Csv(written) if path.suffix == ".csv" else _Parquet(written)
        try:
            yield TraceFile(writer, share)
        finally:
            writer.close()
