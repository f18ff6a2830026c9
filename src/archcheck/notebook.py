"""The notebook's face: results that show themselves.

``system.verify()``, ``.prove()``, ``.simulate(...)``, ``.plan()`` and ``.diagram()`` return the
views of this module. In a terminal they print what the command line prints; in a notebook they show
HTML or the picture. ``.frame()`` gives a data frame of pandas or polars (extra ``frames``),
``.chart()`` the chart that the command line writes, made with Altair, and ``.diagram()`` the
containers with the result laid over them.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from archcheck.diagrams import (
    Drawing,
    Look,
    Overlay,
    Theme,
    View,
    canvas_of,
    checked_format,
    drawing_of,
    laid_over,
    overlays,
    readable,
    svg_of,
    view_of,
)
from archcheck.editing import with_settings
from archcheck.findings.results import subject_name
from archcheck.graph import Graph
from archcheck.model import ArchcheckError, Scenario, ScenarioError, System
from archcheck.planning import CapacityPlan, plan_capacity
from archcheck.proof import Answered
from archcheck.proof import prove as ask_proofs
from archcheck.reporting.charts import (
    Chart,
    capacity_chart,
    chart_svg,
    percentile_chart,
    save_chart,
    simulation_chart,
    theme_of,
)
from archcheck.reporting.planning import print_plan
from archcheck.reporting.proofs import print_proofs
from archcheck.reporting.report import carry_out, report_page
from archcheck.reporting.simulation import print_simulation
from archcheck.reporting.verification import print_verification
from archcheck.simulation import SimulationResult
from archcheck.simulation import simulate as run_simulation
from archcheck.units import Duration, Fraction
from archcheck.verification import Verification
from archcheck.verification import verify as run_verification

if TYPE_CHECKING:
    from rich.console import Console


Library: TypeAlias = Literal["pandas", "polars"]
"""Whose data frames."""


@dataclass(frozen=True)
class VerificationView:
    """What the rules say; ``result`` has the objects."""

    result: Verification

    def __repr__(self) -> str:
        return _text(lambda console: print_verification(console, self.result))

    def _repr_html_(self) -> str:
        return _html(lambda console: print_verification(console, self.result))

    def diagram(self, kind: str = "containers", of: str | None = None) -> DiagramView:
        """A view with the findings of each element."""
        return _overlaid(self.result.system, kind, of, overlays.findings(self.result))

    def frame(self, library: Library = "pandas") -> Any:
        """A row for each place of a finding: rule, severity, element, file, line, message, fix."""
        return _frame(
            library,
            [
                {
                    "rule": finding.rule.id,
                    "name": finding.rule.name,
                    "severity": finding.severity,
                    "element": occurrence.subject,
                    "file": occurrence.place.shown_file() if occurrence.place else None,
                    "line": occurrence.place.line if occurrence.place else None,
                    "message": occurrence.message,
                    "fix": occurrence.fix,
                }
                for finding in self.result.findings
                for occurrence in finding.occurrences
            ],
        )


@dataclass(frozen=True)
class ProofView:
    """What holds in every case; ``asked`` has the answers, question by question."""

    system: System
    asked: tuple[Answered, ...]

    def __repr__(self) -> str:
        return _text(lambda console: print_proofs(console, self.system, self.asked, ()))

    def _repr_html_(self) -> str:
        return _html(lambda console: print_proofs(console, self.system, self.asked, ()))

    def diagram(self, kind: str = "containers", of: str | None = None) -> DiagramView:
        """A view with what the counterexamples do to each element."""
        refuted = (answer for part in self.asked for answer in part.refuted)
        return _overlaid(self.system, kind, of, overlays.counterexample(refuted))

    def frame(self, library: Library = "pandas") -> Any:
        """A row for each answer: question, verdict, subject, claim, and why."""
        return _frame(
            library,
            [
                {
                    "question": part.question.name,
                    "verdict": type(answer).__name__.lower(),
                    "subject": subject_name(answer.subject),
                    "claim": answer.claim,
                    "why": str(answer),
                }
                for part in self.asked
                for answer in part.answers
            ],
        )


@dataclass(frozen=True)
class SimulationView:
    """What a simulation measured; ``result`` has the numbers, in seconds."""

    result: SimulationResult

    def __repr__(self) -> str:
        return _text(lambda console: print_simulation(console, self.result))

    def _repr_html_(self) -> str:
        return _html(lambda console: print_simulation(console, self.result))

    def frame(self, library: Library = "pandas") -> Any:
        """A row for each journey: counts, throughput and latencies in seconds."""
        rows = []
        for journey in self.result.journeys:
            row = asdict(journey)
            latency = row.pop("latency")
            rows.append({**row, **latency})
        return _frame(library, rows)

    def resources(self, library: Library = "pandas") -> Any:
        """A row for each resource: servers, utilisation, queue."""
        return _frame(library, [asdict(resource) for resource in self.result.resources])

    def times(self, library: Library = "pandas") -> Any:
        """A row for each cause at each place: where the time of each journey and band went."""
        return _frame(
            library,
            [
                {"journey": times.journey, "band": band.name, **asdict(share)}
                for times in self.result.times
                for band in times.bands
                for share in band.shares
            ],
        )

    def chart(self, path: str | Path | None = None) -> ChartView:
        """Where the time went and how the run went; also written to a file with a ``path``."""
        return _chart(simulation_chart(self.result), path)

    def percentiles(self, path: str | Path | None = None) -> ChartView:
        """The percentiles of the journeys; also written to a file with a ``path``."""
        return _chart(percentile_chart(self.result), path)

    def diagram(
        self, overlay: str = "utilisation", kind: str = "containers", of: str | None = None
    ) -> DiagramView:
        """A view with what was measured: utilisation, latency, errors or flow."""
        if overlay not in overlays.MEASURES:
            known = ", ".join(overlays.MEASURES)
            raise ArchcheckError(f"a simulation has no overlay {overlay!r}; it has {known}")
        return _overlaid(self.result.system, kind, of, overlays.MEASURES[overlay](self.result))


@dataclass(frozen=True)
class PlanView:
    """A capacity plan; ``plan`` has the numbers."""

    plan: CapacityPlan

    def __repr__(self) -> str:
        return _text(lambda console: print_plan(console, self.plan))

    def _repr_html_(self) -> str:
        return _html(lambda console: print_plan(console, self.plan))

    def frame(self, library: Library = "pandas") -> Any:
        """A row for each point of the capacity curve."""
        curve = self.plan.curve
        points = [*curve.points, *curve.measured] if curve is not None else []
        return _frame(library, [asdict(point) for point in points])

    def chart(self, path: str | Path | None = None) -> ChartView:
        """The capacity curve and the bottlenecks; also written to a file with a ``path``."""
        return _chart(capacity_chart(self.plan), path)


@dataclass(frozen=True)
class DiagramView:
    """A picture; notebooks show it as SVG."""

    drawing: Drawing
    look: Look

    @cached_property
    def svg(self) -> str:
        """The self-contained SVG."""
        return svg_of(self.drawing, look=self.look)

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        cards = self.drawing.cards if isinstance(self.drawing, View) else self.drawing.participants
        return f"DiagramView({self.drawing.heading.title!r}: {len(cards)} elements)"

    def save(self, path: str | Path, *, theme: Theme = "light") -> None:
        """Write it to a file: SVG, PNG, PDF, or a text format, by the ending of its name."""
        ending = checked_format(str(path), self.drawing)
        Path(path).write_bytes(drawing_of(self.drawing, ending, theme=theme, look=self.look))


@dataclass(frozen=True)
class ChartView:
    """A chart; ``chart`` is the Altair object.

    Notebooks that know Vega-Lite show it with hover, others as SVG; neither needs a network.
    """

    chart: Chart

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        spec = self.chart.configure(**theme_of("light")).to_dict()
        version = str(spec["$schema"]).rpartition("/v")[2].partition(".")[0]
        return {
            f"application/vnd.vegalite.v{version}+json": spec,
            "image/svg+xml": chart_svg(self.chart),
            "text/plain": repr(self),
        }

    def __repr__(self) -> str:
        return "ChartView(.chart is the Altair chart, .save(path) writes it)"

    def save(self, path: str | Path) -> None:
        """Write it to a ``.svg``, ``.png`` or ``.pdf`` file."""
        save_chart(self.chart, path)


def verify(system: System) -> VerificationView:
    """Check ``system`` against all installed rules."""
    return VerificationView(run_verification(system))


def simulate(
    system: System,
    scenario: Scenario | str | None = None,
    *,
    duration: Duration | None = None,
    warmup: Duration | None = None,
    seed: int = 1,
    replications: int = 1,
) -> SimulationView:
    """Simulate a scenario: a value, the name of a declared one, or the first declared."""
    if scenario is None:
        if not system.scenarios:
            raise ScenarioError(f"the system {system.name!r} declares no scenario; give one")
        chosen = system.scenarios[0]
    else:
        chosen = system.scenario(scenario) if isinstance(scenario, str) else scenario
    return SimulationView(
        run_simulation(
            system,
            chosen,
            duration=duration,
            warmup=warmup,
            seed=seed,
            replications=replications,
        )
    )


def with_(system: System, settings: Mapping[str, Any]) -> System:
    """The system with other values."""
    return with_settings(system, settings)


def plan(
    system: System,
    scenario: Scenario | str | None = None,
    *,
    target: float = 2.0,
    growth: Fraction | None = None,
) -> PlanView:
    """Plan capacity under a scenario: a value, a declared one's name, or the busiest one."""
    chosen = system.scenario(scenario) if isinstance(scenario, str) else scenario
    return PlanView(plan_capacity(system, chosen, target=target, growth=growth))


def prove(system: System) -> ProofView:
    """Ask all questions about every case."""
    return ProofView(system, ask_proofs(Graph(system)))


def diagram(system: System, kind: str = "containers", of: str | None = None) -> DiagramView:
    """Draw a view of the system, collapsed when it is large."""
    return _overlaid(system, kind, of)


def report(system: System, path: str | Path | None = None) -> Path:
    """Write the report of a design review; by default to ``NAME.html``."""
    target = Path(path or f"{system.name}.html")
    target.write_text(report_page(carry_out(system)), encoding="utf-8")
    return target


def _overlaid(
    system: System, kind: str, of: str | None, overlay: Overlay | None = None
) -> DiagramView:
    canvas = canvas_of(system)
    drawing = view_of(canvas, kind, of)
    if isinstance(drawing, View):
        drawing = readable(drawing)
        drawing = laid_over(drawing, overlay) if overlay is not None else drawing
    return DiagramView(drawing, canvas.look)


def _chart(chart: Chart, path: str | Path | None) -> ChartView:
    """The chart; written to a file when there is a path."""
    view = ChartView(chart)
    if path is not None:
        view.save(path)
    return view


def _console(**options: Any) -> Console:
    from rich.console import Console

    return Console(file=io.StringIO(), width=120, highlight=False, soft_wrap=True, **options)


def _text(show: Callable[[Console], None]) -> str:
    console = _console(no_color=True)
    show(console)
    file = console.file
    return file.getvalue().rstrip() if isinstance(file, io.StringIO) else ""


def _html(show: Callable[[Console], None]) -> str:
    console = _console(record=True)
    show(console)
    return console.export_html(
        inline_styles=True,
        code_format="<pre style='line-height:1.35;font-size:12px'>{code}</pre>",
    )


def _frame(library: Library, rows: list[dict[str, Any]]) -> Any:
    if library not in get_args(Library):
        raise ArchcheckError(f"a frame is of pandas or polars, not of {library!r}")
    try:
        frames = importlib.import_module(library)
    except ImportError:
        raise ArchcheckError(
            f"the data frame needs {library}; install this package with its extra frames"
        ) from None
    return frames.DataFrame(rows)
