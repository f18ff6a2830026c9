"""How long an answer takes when nobody waits in a queue: its mean, its spread, its least, and how
often it is an error.

Steps add. Parallel branches add, too, which is an upper bound of their longest; only what is waited
for counts. Times are taken as independent of each other. What is not declared counts as zero, and
an error rate that nobody declares as none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archcheck.graph import Graph
from archcheck.graph.error_rates import error_rate_of
from archcheck.graph.exact import Rational
from archcheck.graph.protection import Protection
from archcheck.graph.shapes import shape_of
from archcheck.graph.transfer import coding, on_the_wire, waits_for_broker
from archcheck.model import (
    Cached,
    Call,
    Constant,
    Empirical,
    Endpoint,
    External,
    Fallback,
    Named,
    Pareto,
    Publish,
    Read,
    Step,
    Uniform,
    Wait,
    Work,
    Write,
)
from archcheck.model.distributions import Time, distribution_of
from archcheck.model.steps import Group, RemoteStep

_RARE = 1e-9
"""A share of answers below which nothing is counted: rounding, not requests."""


@dataclass(frozen=True)
class Response:
    """Seconds of an answer: mean, variance and least; ``errors`` bounds the share that fails."""

    mean: float = 0.0
    variance: float = 0.0
    least: float = 0.0
    errors: float = 0.0

    def __add__(self, other: Response) -> Response:
        return Response(
            self.mean + other.mean,
            self.variance + other.variance,
            self.least + other.least,
            min(1.0, self.errors + other.errors),
        )

    def sometimes(self, share: float, times: int = 1) -> Response:
        """So many of it in turn, in a share of the cases."""
        mean, variance = self.mean * times, self.variance * times
        return Response(
            share * mean,
            share * (variance + mean**2) - (share * mean) ** 2,
            self.least * times if share == 1.0 else 0.0,
            min(1.0, self.errors * times * share),
        )

    def longer_than(self, seconds: float) -> float:
        """A bound of the share that takes longer (Cantelli's inequality); 0 where none does."""
        beyond = seconds - self.mean
        if not self.variance:
            return 0.0 if beyond >= -1e-12 else 1.0
        return self.variance / (self.variance + beyond**2) if beyond > 0 else 1.0


class Responses:
    """The responses of a system's operations, each computed once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        plain = Graph(graph.system, today=graph.today, cold_caches=graph.cold_caches)
        self._protections = {id(i.declared): i.protection for i in plain.interactions}
        self._known: dict[str, Response] = {}
        network = graph.system.network
        self._way = 2 * float(network.delay) if network and network.delay else 0.0

    def of(self, reference: str) -> Response:
        """The answer of an endpoint, a consumer or an external."""
        operations = self._graph.operations
        owner, endpoint = (
            (operations[reference].owner, operations[reference].part)
            if reference in operations
            else self._graph.system.endpoint(reference)
        )
        name = f"{owner.name}.{endpoint.name}" if endpoint else owner.name
        if name not in self._known:
            self._known[name] = Response()  # a circle of calls: each is counted once
            steps = operations[name].part.steps if name in operations else ()
            coded = fixed(coding(endpoint)) if name in operations else Response()
            self._known[name] = self._sum(steps) + coded + self._own(owner, endpoint)
        return self._known[name]

    def work(self, name: str) -> Response:
        """Only the computing in an operation itself, the coding of payloads included."""
        part = self._graph.operations[name].part
        return self._sum(part.steps, only_work=True) + fixed(coding(part))

    def asked(self, step: RemoteStep | Cached) -> Response:
        """The answer to a call or query, the network's ways included."""
        way = fixed(self._way + on_the_wire(self._graph.system, step, self._endpoint(step)))
        if isinstance(step, Call):
            return way + self.of(str(step.target))
        if isinstance(step, Read | Write):
            store = self._graph.system.find(str(step.target))
            verb = "write" if isinstance(step, Write) else "read"
            return way + timed(step.time if step.time is not None else getattr(store, verb))
        return Response()

    @staticmethod
    def _own(owner: Named, endpoint: object) -> Response:
        latency = owner.latency if isinstance(owner, External) else None
        return timed(latency) + Response(errors=error_rate_of(owner, endpoint))

    def _sum(self, steps: Sequence[Step], *, only_work: bool = False) -> Response:
        return sum((self._step(step, only_work) for step in steps), Response())

    def _step(self, step: Step, only_work: bool) -> Response:
        if isinstance(step, Work):
            return timed(step.time)
        if isinstance(step, Wait):
            return Response() if only_work else timed(step.time)
        if isinstance(step, Group):
            return self._group(step, only_work)
        if isinstance(step, Publish):
            return fixed(self._way) if waits_for_broker(step) and not only_work else Response()
        if not isinstance(step, RemoteStep):
            return Response()
        coded = fixed(coding(self._endpoint(step), step))
        if only_work:
            return coded
        found = self.asked(step)
        softly = step.optional or isinstance(step.fallback, Fallback)
        protection = self._protections.get(id(step))
        errors = 0.0 if softly or protection is None else failing(protection, found)
        return coded + Response(found.mean, found.variance, found.least, errors)

    def _endpoint(self, step: Step) -> Endpoint | None:
        return self._graph.system.endpoint(str(step.target))[1] if isinstance(step, Call) else None

    def _group(self, step: Group, only_work: bool) -> Response:
        shape = shape_of(self._graph.system, step, cold_caches=self._graph.cold_caches)
        parts = [
            self._sum(steps, only_work=only_work)
            for steps, waited in zip(shape.sequences, shape.waited, strict=True)
            if waited or only_work
        ]
        inside = sum(parts, Response()).sometimes(shape.share, shape.times)
        if shape.is_parallel and inside.least:
            least = max(part.least for part in parts) * shape.times
            inside = Response(inside.mean, inside.variance, least, inside.errors)
        if shape.lookup is None or only_work:
            return inside
        cache = self._graph.system.find(str(shape.lookup.cache))
        return fixed(self._way) + timed(getattr(cache, "read", None)) + inside


def failing(protection: Protection, found: Response) -> float:
    """A bound of the share of a call's attempts that fail or time out without any queue."""
    limits = [protection.attempt(), protection.per_try_timeout]
    late = max((found.longer_than(float(x)) for x in limits if x is not None), default=0.0)
    share = min(1.0, found.errors + late)
    return share if share > _RARE else 0.0


def fixed(seconds: float | Rational) -> Response:
    """What always takes as long."""
    return Response(float(seconds), 0.0, float(seconds))


def timed(time: Time | None) -> Response:
    """A declared time by itself."""
    if time is None:
        return Response()
    drawn = distribution_of(time)
    mean = drawn.mean_seconds()
    match drawn:
        case Constant():
            least = mean
        case Uniform(low=low):
            least = float(low)
        case Empirical() as measured:
            least = min(measured.seconds())
        case Pareto(minimum=minimum):
            least = float(minimum)
        case _:
            least = 0.0
    return Response(mean, drawn.squared_variation() * mean**2, least)
