"""The result of a simulation as plain data, for ``--format json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from archcheck.findings import Reading
from archcheck.reporting.forms import Count, Seconds, plain, printed_with
from archcheck.simulation import (
    CallResult,
    Estimate,
    KnifeEdge,
    KnifeEdges,
    RequestResult,
    ResourceResult,
    SimulationResult,
)
from archcheck.simulation.overloads import Overload
from archcheck.simulation.plan import Assumption
from archcheck.simulation.results import FailedJourneys, JourneyTime, SeriesPoint
from archcheck.simulation.steady_state import Unsettled

printed_with(RequestResult, "finished", "error_rate")
printed_with(CallResult, "attempts", "amplification")
printed_with(KnifeEdge, "moved", "text")
printed_with(Overload, "text")
printed_with(Unsettled, "needed", "text")


@dataclass(frozen=True)
class BottleneckForm:
    """A resource that may limit the system."""

    name: str
    """The service, datastore or consumer."""
    what: str
    """What of it: threads, connections, cores ..."""
    utilisation: float
    """The share of its servers that is busy, on average (of one)."""
    evidence: str
    """Why it is, or is not, a bottleneck, in a sentence."""


@dataclass(frozen=True, kw_only=True)
class SimulationForm:
    """The result of archcheck simulate."""

    format: Literal["archcheck.simulate/3"] = "archcheck.simulate/3"
    """The name and version of this form."""
    system: str
    """The name of the system."""
    scenario: str
    """The name of the scenario."""
    engine: str
    """fast (compiled) or simpy (the reference)."""
    engine_reason: str
    """Why this engine was taken."""
    complete: bool
    """Whether the runs went to their end; false: somebody stopped them."""
    simulated: Seconds
    """Seconds that the first run lasted."""
    seed: int
    """The seed; the same seed gives the same result."""
    replications: Count
    """Independent runs that were merged."""
    duration: Seconds
    """Seconds that a run should last."""
    warmup: Seconds
    """Seconds at the beginning that are left out."""
    warmup_is_found: bool
    """Whether the warm-up was found in a pilot run; false: somebody chose it."""
    precision: float | None
    """The precision of the means that was asked for (a share of one); null: none was."""
    precision_is_reached: bool
    """Whether that precision was reached."""
    events: Count
    """Events of all runs."""
    steady_state: bool
    """Whether every queue stays bounded."""
    held_up: tuple[str, ...]
    """Journeys whose requests go into a queue that grows without bound."""
    unsettled: tuple[Unsettled, ...]
    """Resources whose queue changes too slowly for the length of the runs."""
    early: tuple[str, ...]
    """Journeys through such resources: what was read of them is too little rather than too much."""
    overloads: tuple[Overload, ...]
    """Resources that receive more than they can serve."""
    journeys: tuple[RequestResult, ...]
    """The requests of each journey."""
    jobs: tuple[RequestResult, ...]
    """The runs of each scheduled job."""
    endpoints: tuple[RequestResult, ...]
    """The requests of each endpoint and consumer."""
    calls: tuple[CallResult, ...]
    """The calls from each place."""
    resources: tuple[ResourceResult, ...]
    """Threads, connections, cores and other servers with their queues."""
    bottleneck: BottleneckForm | None
    """The most limiting resource; null where none is limited."""
    bottlenecks: tuple[BottleneckForm, ...]
    """All limited resources, the most limiting first."""
    where_time_went: tuple[JourneyTime, ...]
    """Where the time of each journey went."""
    failures: tuple[FailedJourneys, ...]
    """The journeys that failed, and why; none where none did."""
    estimates: Mapping[str, Mapping[str, Estimate]]
    """Journey to metric to its estimate: mean and percentiles in seconds, throughput in answers a
    second, error_rate as a share of one. None of journeys for which the runs are too short."""
    counts: Mapping[str, Count]
    """Events by what they are and where: cache hits, redeliveries, breakers that opened ..."""
    objectives: tuple[Reading, ...]
    """What the journeys promise, and what was read."""
    knife_edges: KnifeEdges | None
    """Outcomes that move far where times are a little off; null: nobody looked."""
    series: Mapping[str, tuple[SeriesPoint, ...]]
    """Journey to its course, interval by interval."""
    utilisation_series: Mapping[str, tuple[float, ...]]
    """Resource to the share of its servers that is busy (of one), interval by interval."""
    waiting_series: Mapping[str, tuple[float, ...]]
    """Resource to the number of requests that wait for it, interval by interval."""
    servers_series: Mapping[str, tuple[float, ...]]
    """Resource to the number of its servers, interval by interval."""
    assumptions: tuple[Assumption, ...]
    """Values that the model does not declare, the most influential first."""
    not_simulated: tuple[str, ...]
    """What the model declares and the simulation leaves out."""


def simulation_data(result: SimulationResult) -> dict[str, Any]:
    """Seconds, rates a second and shares of one; what does not exist (NaN) is null."""
    found = result.bottleneck
    form = SimulationForm(
        system=result.system.name,
        scenario=result.scenario.name,
        engine=result.engine,
        engine_reason=result.engine_reason,
        complete=result.is_complete,
        simulated=result.simulated,
        seed=result.seed,
        replications=result.replications,
        duration=result.duration,
        warmup=result.warmup,
        warmup_is_found=result.warmup_is_found,
        precision=result.precision,
        precision_is_reached=result.precision_is_reached,
        events=result.events,
        steady_state=not result.overloads,
        held_up=result.held_up,
        unsettled=result.unsettled,
        early=result.early,
        overloads=result.overloads,
        journeys=result.journeys,
        jobs=result.jobs,
        endpoints=result.operations,
        calls=result.calls,
        resources=result.resources,
        bottleneck=_bottleneck(found) if found else None,
        bottlenecks=tuple(map(_bottleneck, result.bottlenecks)),
        where_time_went=result.times,
        failures=result.failures,
        estimates={n: each for n, each in result.estimates.items() if n not in result.early},
        counts=result.counts,
        objectives=result.objectives,
        knife_edges=result.knife_edges,
        series=result.series,
        utilisation_series=result.utilisation_series,
        waiting_series=result.waiting_series,
        servers_series=result.servers_series,
        assumptions=result.assumptions,
        not_simulated=result.not_simulated,
    )
    data: dict[str, Any] = plain(form)
    return data


def _bottleneck(resource: ResourceResult) -> BottleneckForm:
    return BottleneckForm(resource.name, resource.what, resource.utilisation, resource.evidence)
