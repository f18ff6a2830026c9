"""How many requests there can be at once of those who come to a group: their callers' threads.

A caller's thread that waits for an answer asks for nothing else, so a group has no more requests
at once than its callers have threads, those of their callers in turn, and so on up to the users,
who may be a fixed number. People who come from outside are without a bound. It holds of the plans
that layers take: messages, hedges, branches beside each other and attempts that were given up would
be more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from archcheck.planning.flow.sources import visits_of
from archcheck.simulation.plan import ArrivalKind, Plan


@dataclass
class Populations:
    """The populations of one plan's groups, each found once."""

    plan: Plan
    _known: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._asking: dict[int, set[int]] = {}
        for number, call in enumerate(self.plan.calls):
            group = self.plan.operations[call.operation].group
            self._asking.setdefault(group, set()).add(number)

    def of(self, group: int) -> float:
        """Of a group's requests; infinite without a bound."""
        if group not in self._known:
            self._known[group] = math.inf  # groups that ask each other have none
            self._known[group] = self._found(group)
        return self._known[group]

    def within(self, group: int) -> float:
        """Of those who have a thread of it."""
        row = self.plan.groups[group]
        threads = self.plan.stations[row.slots].servers if row.slots >= 0 else None
        return min(self.of(group), math.inf if threads is None else threads * row.nodes)

    def _found(self, group: int) -> float:
        sites = self._asking.get(group, set())
        sources = {self.plan.calls[site].source for site in sites} - {-1}
        found = math.fsum(self.within(source) for source in sorted(sources))
        return found + self._outside(sites)

    def _outside(self, sites: set[int]) -> float:
        found, count = 0.0, len(self.plan.journeys)
        for stream in self.plan.streams:
            visited = [self.plan.journeys[index] for index in visits_of(stream, count)]
            asking = [each for each in visited if sites.intersection(each.entries)]
            if not asking:
                continue
            if stream.kind == ArrivalKind.CLOSED:
                found += stream.users
            else:
                found += 1.0 if all(each.is_job for each in asking) else math.inf
        return found
