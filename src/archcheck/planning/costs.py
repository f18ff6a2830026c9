"""What the elements of a system cost an hour, and what of it a journey uses.

A replica costs its own price, else what it requests of CPU and memory at the system's prices.
Without prices the unit is one CPU: what a replica requests, else its cores, else one.
"""

from __future__ import annotations

from dataclasses import dataclass

from archcheck.graph.cpu import cores_of
from archcheck.model import Datastore, Deployment, Service, System, effective
from archcheck.planning.flow import Flow
from archcheck.simulation.plan import Plan
from archcheck.units import GiB

CPUS = "CPU"
"""The unit of costs where there are no prices."""


@dataclass(frozen=True)
class ElementCost:
    """An element with all its copies: their price an hour, and the part of it that is idle."""

    name: str
    """The element."""
    nodes: int
    """Its replicas or shards."""
    per_node: float
    """The price of a node an hour."""
    copies: int
    """Copies of each node."""
    load: float
    """The share that is busy at the load in question (of one)."""
    assumed: str
    """How the price was made up; empty: it is declared."""

    @property
    def per_hour(self) -> float:
        """All nodes and copies for an hour."""
        return self.nodes * self.copies * self.per_node

    @property
    def wasted(self) -> float:
        """What is paid for servers that are idle."""
        return self.per_hour * max(0.0, 1 - self.load)


@dataclass(frozen=True)
class JourneyCost:
    """A journey: what a thousand of them cost, by the time for which they keep servers busy."""

    name: str
    """Its name."""
    per_thousand: float
    """What a thousand of them cost: the whole price of each element shared among those who use it,
    idle time included."""
    used: float
    """What a thousand of them cost when only busy time counts."""


@dataclass(frozen=True)
class Costs:
    """All of it, in ``currency`` an hour."""

    currency: str
    elements: tuple[ElementCost, ...]
    journeys: tuple[JourneyCost, ...]

    @property
    def per_hour(self) -> float:
        """The whole system."""
        return sum(element.per_hour for element in self.elements)

    @property
    def wasted(self) -> float:
        """What is paid for idle servers."""
        return sum(element.wasted for element in self.elements)


def price_of(system: System, member: Service | Datastore) -> tuple[float, str]:
    """A node's price an hour, and what was assumed for it."""
    deployment: Deployment | None = getattr(member, "deployment", None)
    if deployment is not None and deployment.price_per_hour is not None:
        return deployment.price_per_hour, ""
    resources = deployment.resources if deployment is not None else None
    cpu = float(resources.cpu) if resources is not None and resources.cpu is not None else None
    assumed = ""
    if cpu is None:
        cores = cores_of(member).parallel if isinstance(member, Service) else None
        cpu = float(cores) if cores is not None else 1.0
        assumed = f"{cpu:g} CPU: no request is declared"
    if system.prices is None:
        return cpu, assumed
    memory = resources.memory if resources is not None else None
    gib = float(memory) / float(GiB) if memory is not None else 0.0
    return cpu * system.prices.cpu_hour + gib * system.prices.gib_hour, assumed


def priced(system: System) -> dict[str, tuple[float, int, str]]:
    """Element to the price of a node, the copies of each, and what was assumed."""
    found = {}
    members: tuple[Service | Datastore, ...] = (*system.services, *system.datastores)
    for member in members:
        price, assumed = price_of(system, member)
        copies = 1
        if isinstance(member, Datastore):
            copies = effective(member, "copies").value or 1
        found[member.name] = price, copies, assumed
    return found


def running_cost(system: System, plan: Plan) -> float:
    """What all nodes of a plan cost an hour, in :func:`currency_of`."""
    prices = priced(system)
    return sum(
        group.nodes * price * copies
        for group in plan.groups
        if group.name in prices
        for price, copies, _ in (prices[group.name],)
    )


def currency_of(system: System) -> str:
    """What costs are in: the declared currency, or CPUs."""
    return system.prices.currency if system.prices is not None else CPUS


def cost_of(system: System, plan: Plan, flow: Flow) -> Costs:
    """What a plan costs under a load."""
    prices = priced(system)
    loads = {group.name: 0.0 for group in plan.groups}
    for station in flow.stations:
        name = station.name.removesuffix(" cores")
        if name in loads:
            loads[name] = max(loads[name], min(1.0, station.load))
    elements = [
        ElementCost(group.name, group.nodes, price, copies, loads[group.name], assumed)
        for group in plan.groups
        if group.name in prices
        for price, copies, assumed in (prices[group.name],)
    ]
    return Costs(currency_of(system), tuple(elements), _journeys(elements, flow))


def _journeys(elements: list[ElementCost], flow: Flow) -> tuple[JourneyCost, ...]:
    """Each element's price is shared by the time for which journeys keep it busy."""
    price = {element.name: element for element in elements}
    paid = dict.fromkeys((journey.name for journey in flow.journeys), 0.0)
    used = dict(paid)
    for name, shares in flow.shares.items():
        element = price.get(name)
        total = sum(shares.values())
        if element is None or not total:
            continue
        for journey, busy in shares.items():
            if journey in paid:
                paid[journey] += element.per_hour * busy / total
                used[journey] += element.per_hour * element.load * busy / total
    return tuple(
        JourneyCost(
            journey.name,
            paid[journey.name] / (3.6 * journey.rate),
            used[journey.name] / (3.6 * journey.rate),
        )
        for journey in flow.journeys
        if journey.rate > 0
    )
