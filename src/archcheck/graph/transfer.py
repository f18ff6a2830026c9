"""What lies between a caller and its callee: the network, and the coding of payloads, in seconds.

Sizes, bandwidths and coding rates that nobody declares cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from archcheck.graph.exact import Rational, exact
from archcheck.graph.interactions import Interaction
from archcheck.model import Endpoint, LocalCache, Named, Publish, System
from archcheck.units import Duration, Size

ONE_WAY = Duration(0.000_25)
"""The one-way delay that runs assume where none is declared: half of the 0.5 ms round trip inside a
datacenter (Dean, Designs, Lessons and Advice from Building Large Distributed Systems, 2009)."""


def sizes_of(step: object, endpoint: Endpoint | None) -> tuple[Size | None, Size | None]:
    """Request and response of a step: its own, else the endpoint's."""
    there: Size | None = getattr(step, "request_size", None)
    back: Size | None = getattr(step, "response_size", None)
    if endpoint is not None:
        there, back = there or endpoint.request_size, back or endpoint.response_size
    return there, back


def round_trip(system: System, step: Interaction) -> tuple[Rational, bool]:
    """The longest that the network takes there and back, and whether its delay is declared.

    An undeclared delay counts as zero. Between zones it is the zone's, unless both sides are
    declared to be in the same one.
    """
    if isinstance(step.target, LocalCache):
        return Rational(0), True
    network = system.network
    delay = network.delay if network is not None else None
    known = exact(delay or 0)
    if network is not None and network.zone_delay is not None and not _in_one_zone(step):
        known = max(known, exact(network.zone_delay))
    return 2 * known + on_the_wire(system, step.step, step.endpoint), delay is not None


def entry_trip(system: System) -> Rational:
    """What the network takes from a user to an entry and back, in seconds."""
    network = system.network
    return 2 * exact(network.entry or 0) if network is not None else Rational(0)


def waits_for_broker(step: Publish) -> bool:
    """Whether a publisher waits until the broker has its message: not where the message stays in an
    outbox, nor where no acknowledgement is asked for.
    """
    return not step.outbox and step.acks != "none"


def on_the_wire(system: System, step: object, endpoint: Endpoint | None) -> Rational:
    """What the network takes for the payloads of a step, beside its delay."""
    network = system.network
    if network is None or network.bandwidth is None:
        return Rational(0)
    return _total(sizes_of(step, endpoint)) / exact(network.bandwidth)


def is_weighed(system: System, step: Interaction) -> bool:
    """Whether it is declared what the payloads of a step take: sizes, bandwidth and coding rate."""
    if isinstance(step.target, LocalCache):
        return True
    rated = step.endpoint is None or (
        step.endpoint.protocol is not None and step.endpoint.protocol.coding_rate is not None
    )
    network = system.network
    wide = network is not None and network.bandwidth is not None
    return rated and wide and None not in sizes_of(step.step, step.endpoint)


def coding(part: object, step: object = None) -> Rational:
    """What one side takes to encode and decode the payloads of an endpoint, or of a call to it.

    Messages of consumers cost nothing.
    """
    endpoint = part if isinstance(part, Endpoint) else None
    protocol = endpoint.protocol if endpoint is not None else None
    if protocol is None or protocol.coding_rate is None:
        return Rational(0)
    return _total(sizes_of(step, endpoint)) / exact(protocol.coding_rate)


def _total(sizes: Iterable[Size | None]) -> Rational:
    return sum((exact(size) for size in sizes if size is not None), Rational(0))


def _in_one_zone(step: Interaction) -> bool:
    return len({*_zones(step.source), *_zones(step.target)}) == 1


def _zones(member: Named) -> tuple[str, ...]:
    """The declared zones; two that nobody declares are not the same."""
    holder = getattr(member, "deployment", None) if not hasattr(member, "zones") else member
    return tuple(getattr(holder, "zones", ()) or (f"?{member.name}",))
