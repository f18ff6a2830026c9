"""The notebook's face: results that show themselves.

``system.verify()``, ``system.simulate(...)`` and ``system.diagram()`` return the views of this
module. In a terminal they print what the command line prints; in a notebook they show HTML or
the picture; ``.frame()`` gives a pandas data frame (extra ``frames``).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archcheck.diagrams import View, container_view, to_png, to_svg
from archcheck.editing import with_settings
from archcheck.model import ArchcheckError, Scenario, ScenarioError, System
from archcheck.planning import CapacityPlan, plan_capacity
from archcheck.reporting.planning import draw_plan, print_plan
from archcheck.reporting.simulation import draw_charts, print_simulation
from archcheck.reporting.verification import print_verification
from archcheck.simulation import SimulationResult
from archcheck.simulation import simulate as run_simulation
from archcheck.units import Duration, Fraction
from archcheck.verification import Verification
from archcheck.verification import verify as run_verification

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console


@dataclass(frozen=True)
class VerificationView:
    """What the rules say; ``result`` has the objects."""

    result: Verification

    def __repr__(self) -> str:
        return _text(lambda console: print_verification(console, self.result))

    def _repr_html_(self) -> str:
        return _html(lambda console: print_verification(console, self.result))

    def frame(self) -> pd.DataFrame:
        """A row for each place of a finding: rule, severity, element, file, line, message, fix."""
        return _frame(
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
            ]
        )


@dataclass(frozen=True)
class SimulationView:
    """What a simulation measured; ``result`` has the numbers, in seconds."""

    result: SimulationResult

    def __repr__(self) -> str:
        return _text(lambda console: print_simulation(console, self.result))

    def _repr_html_(self) -> str:
        return _html(lambda console: print_simulation(console, self.result))

    def frame(self) -> pd.DataFrame:
        """A row for each journey: counts, throughput and latencies in seconds."""
        rows = []
        for journey in self.result.journeys:
            row = asdict(journey)
            rows.append({**row, **row.pop("latency")})
        return _frame(rows).drop(columns="latency", errors="ignore")

    def resources(self) -> pd.DataFrame:
        """A row for each resource: servers, utilisation, queue."""
        return _frame([asdict(resource) for resource in self.result.resources])

    def times(self) -> pd.DataFrame:
        """A row for each cause at each place: where the time of each journey and band went."""
        return _frame(
            [
                {"journey": times.journey, "band": band.name, **asdict(share)}
                for times in self.result.times
                for band in times.bands
                for share in band.shares
            ]
        )

    def chart(self, path: str | Path) -> None:
        """Write a ``.svg`` or ``.png`` of where the time went and how the run went."""
        draw_charts(self.result, str(path))

    def diagram(self) -> DiagramView:
        """The containers, coloured by how busy they were."""
        utilisation = {r.name: r.utilisation for r in self.result.resources}
        return DiagramView(container_view(self.result.system, utilisation))


@dataclass(frozen=True)
class PlanView:
    """A capacity plan; ``plan`` has the numbers."""

    plan: CapacityPlan

    def __repr__(self) -> str:
        return _text(lambda console: print_plan(console, self.plan))

    def _repr_html_(self) -> str:
        return _html(lambda console: print_plan(console, self.plan))

    def frame(self) -> pd.DataFrame:
        """A row for each point of the capacity curve."""
        curve = self.plan.curve
        points = [*curve.points, *curve.measured] if curve is not None else []
        return _frame([asdict(point) for point in points])

    def chart(self, path: str | Path) -> None:
        """Write a ``.svg`` or ``.png`` of the capacity curve and the bottlenecks."""
        draw_plan(self.plan, str(path))


@dataclass(frozen=True)
class DiagramView:
    """A picture; notebooks show it as SVG."""

    view: View

    @cached_property
    def svg(self) -> str:
        """The self-contained SVG."""
        return to_svg(self.view)

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"DiagramView({self.view.title!r}: {len(self.view.cards)} elements)"

    def save(self, path: str | Path) -> None:
        """Write the picture to a ``.svg`` or ``.png`` file."""
        target = Path(path)
        if target.suffix == ".png":
            target.write_bytes(to_png(self.svg))
        elif target.suffix == ".svg":
            target.write_text(self.svg, encoding="utf-8")
        else:
            raise ArchcheckError(
                f"cannot draw {target.name!r}; use a name that ends in .svg or .png"
            )


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


def diagram(system: System) -> DiagramView:
    """Draw the container view."""
    return DiagramView(container_view(system))


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


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    try:
        import pandas as pd
    except ImportError:
        raise ArchcheckError(
            'data frames need pandas: pip install "archcheck-models[frames]"'
        ) from None
    return pd.DataFrame(rows)
