"""Trials under fault and phase maps as charts."""

from __future__ import annotations

from archcheck.reporting.charts.base import WIDTH, Chart, data
from archcheck.resilience import ChaosResult, PhaseMap

_PHASES = {"stable": "#a6d8a8", "vulnerable": "#f7d774", "overloaded": "#e8a0a0"}
_VERDICTS = {"recovers": "#54a24b", "slow": "#f2b134", "stuck": "#e45756"}


def phase_chart(found: PhaseMap) -> Chart:
    """A field for each load and size of the trigger."""
    import altair as alt

    sign = "" if found.trigger.endswith("fails") else "x"
    rows = [
        {"load": f"x{row.factor:g}", "size": f"{sign}{size:g}", "phase": phase}
        for row in found.rows
        for size, phase in zip(found.sizes, row.phases, strict=True)
    ]
    loads = [f"x{row.factor:g}" for row in reversed(found.rows)]
    trigger = f"size of the trigger: {found.trigger}, for {found.lasts:g} s"
    fields = alt.Chart(data(rows)).encode(
        x=alt.X("size:N", sort=None, title=trigger, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("load:N", sort=loads, title="times the declared load"),
        tooltip=["load:N", "size:N", "phase:N"],
    )
    colour = alt.Color(
        "phase:N",
        scale=alt.Scale(domain=[*_PHASES], range=[*_PHASES.values()]),
        legend=None,
    )
    names = fields.mark_text(color="#222222", fontSize=10).encode(text="phase:N")
    return (
        fields.mark_rect(stroke="white", strokeWidth=2).encode(color=colour) + names
    ).properties(
        width=WIDTH * 0.8,
        height=alt.Step(32),
        title=f"{found.system.name} under {found.scenario.name}",
    )


def chaos_chart(found: ChaosResult) -> Chart:
    """The time of recovery from each trigger."""
    import altair as alt

    known = [result.recovery for result in found.results if result.recovery is not None]
    longest = max([*known, 1.0]) * 1.3
    rows = [
        {
            "trigger": result.trigger.name,
            "seconds": max(longest if result.recovery is None else result.recovery, longest / 250),
            "verdict": result.verdict,
            "text": result.verdict if result.recovery is None else f"{result.recovery:.3g} s",
        }
        for result in found.results
    ]
    bars = alt.Chart(data(rows)).encode(
        y=alt.Y("trigger:N", sort=None, title=None),
        x=alt.X("seconds:Q", title="seconds from the end of the trigger until all is normal"),
        tooltip=["trigger:N", "verdict:N", "text:N"],
    )
    colour = alt.Color(
        "verdict:N",
        scale=alt.Scale(domain=[*_VERDICTS], range=[*_VERDICTS.values()]),
        legend=alt.Legend(title=None),
    )
    names = bars.mark_text(align="left", dx=5).encode(text="text:N")
    return (bars.mark_bar(height={"band": 0.7}).encode(color=colour) + names).properties(
        width=WIDTH,
        height=alt.Step(24),
        title=f"{found.system.name} under {found.scenario.name}",
    )
