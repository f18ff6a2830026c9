"""What payloads cost: bandwidth on the network, encoding and decoding on both sides."""

from __future__ import annotations

from archcheck.graph.transfer import sizes_of
from archcheck.model import Call, Endpoint, Read, Write
from archcheck.simulation import plan as p
from archcheck.simulation.compiling.tables import PlanRows
from archcheck.simulation.randomness import place_hash
from archcheck.units import Size


class Transfer:
    """Seconds for payloads. Unknown sizes, bandwidths and coding rates cost nothing, and are
    listed as assumptions where the others are known."""

    def __init__(self, tables: PlanRows) -> None:
        self.system = tables.system
        self.assumed = tables.assumed
        network = tables.system.network
        self.bandwidth = float(network.bandwidth) if network and network.bandwidth else None
        zone = network.zone_delay if network else None
        near = network.delay if network else None
        self.across = max(0.0, float(zone) - float(near or 0)) if zone is not None else 0.0
        if len(tables.zones) > 1 and zone is None:
            reason = "the network does not declare it"
            self.assumed.add("network", "zone_delay", "as within a zone", reason)

    def seconds(self, step: Call | Read | Write, delay: float) -> tuple[float, float]:
        """Seconds on the network, there and back."""
        there, back = self._sizes(step)
        if self.bandwidth is None:
            if there or back:
                reason = "the network does not declare it"
                self.assumed.add("network", "bandwidth", "unlimited", reason)
            return delay, delay
        return delay + (there or 0.0) / self.bandwidth, delay + (back or 0.0) / self.bandwidth

    def around(self, step: Call, name: str, asked: p.StepSpec) -> list[p.StepSpec]:
        """A call with what its caller works before (encoding) and after it (decoding)."""
        _, endpoint = self.system.endpoint(str(step.target))
        there, back = self._sizes(step)
        before = self._coding(endpoint, there, f"{name}#encode")
        after = self._coding(endpoint, back, f"{name}#decode")
        return [*before, asked, *after]

    def at_callee(self, endpoint: Endpoint, name: str) -> tuple[list[p.StepSpec], list[p.StepSpec]]:
        """What a callee works before (decoding) and after (encoding) its steps."""
        before = self._coding(endpoint, _bytes(endpoint.request_size), f"{name}#decode")
        after = self._coding(endpoint, _bytes(endpoint.response_size), f"{name}#encode")
        return before, after

    def _sizes(self, step: Call | Read | Write) -> tuple[float | None, float | None]:
        endpoint = None
        if isinstance(step, Call):
            _, endpoint = self.system.endpoint(str(step.target))
        there, back = sizes_of(step, endpoint)
        return _bytes(there), _bytes(back)

    def _coding(self, endpoint: Endpoint | None, size: float | None, name: str) -> list[p.StepSpec]:
        if size is None or endpoint is None or endpoint.protocol is None:
            return []
        rate = endpoint.protocol.coding_rate
        if rate is None:
            label = endpoint.protocol.label or type(endpoint.protocol).__name__
            reason = "its endpoints do not declare it"
            self.assumed.add(label, "coding_rate", "no cost", reason)
            return []
        sampler = p.Sampler(p.SamplerShape.CONSTANT, size / float(rate))
        return [p.StepSpec(p.StepKind.WORK, place_hash(name), sampler=sampler)]


def _bytes(size: Size | None) -> float | None:
    return float(size) if size is not None else None
