"""How often one run of a journey visits every element: the traffic equations.

With ``e`` the entries and ``p[i, j]`` the expected calls from operation i to j, the visits
solve ``v = e + v p`` (Lazowska et al., Quantitative System Performance, 1984, chapter 6). The
call graph is nearly always acyclic and then one sweep in topological order is the solution;
cycles are iterated, and refused when their calls do not die out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from archcheck.graph.interactions import Interaction
from archcheck.model import Consumer
from archcheck.model.errors import EndlessError

_MAX_SWEEPS = 10_000
_CONVERGED = 1e-12
_EXPLODED = 1e9


@dataclass(frozen=True)
class Visits:
    """Expected visits for one run of a journey (or one request of an operation).

    ``operations`` maps ``service.endpoint`` to visits; ``interactions`` pairs each interaction
    on the way with its executions, retries not counted; asynchronous work is included.
    """

    operations: Mapping[str, float]
    interactions: tuple[tuple[Interaction, float], ...]

    def of_targets(self) -> dict[str, float]:
        """Executions for each datastore, cache, topic, external or endpoint that is a target."""
        total: dict[str, float] = defaultdict(float)
        for interaction, count in self.interactions:
            total[interaction.target_name] += count
        return dict(total)


def solve_visits(
    entries: Mapping[str, float],
    outgoing: Mapping[str, tuple[Interaction, ...]],
    consumers: Mapping[str, tuple[str, ...]],
) -> Visits:
    """Solve the traffic equations.

    ``entries``: operation to visits from outside; ``outgoing``: operation to its interactions;
    ``consumers``: topic to the operations that each get its messages. Raises
    :class:`EndlessError` when operations call each other without end.
    """
    visits: dict[str, float] = dict(entries)
    wave: dict[str, float] = dict(entries)
    for _ in range(_MAX_SWEEPS):
        wave = _next_wave(wave, outgoing, consumers)
        if not wave:
            break
        for name, count in wave.items():
            visits[name] = visits.get(name, 0.0) + count
        if max(visits.values()) > _EXPLODED:
            raise _endless(wave)
    else:
        raise _endless(wave)
    executed = tuple(
        (interaction, visits[name] * interaction.visits)
        for name in visits
        for interaction in outgoing.get(name, ())
    )
    return Visits(visits, executed)


def _next_wave(
    wave: Mapping[str, float],
    outgoing: Mapping[str, tuple[Interaction, ...]],
    consumers: Mapping[str, tuple[str, ...]],
) -> dict[str, float]:
    """The visits that a wave of visits causes, one call deeper."""
    result: dict[str, float] = defaultdict(float)
    for name, count in wave.items():
        for interaction in outgoing.get(name, ()):
            caused = count * interaction.visits
            if caused <= _CONVERGED:
                continue
            if interaction.mode == "call":
                result[interaction.target_name] += caused
            elif interaction.mode == "publish":
                for consumer in consumers.get(interaction.target.name, ()):
                    result[consumer] += caused
    return result


def _endless(wave: Mapping[str, float]) -> EndlessError:
    names = " and ".join(sorted(wave)[:4])
    return EndlessError(
        f"{names} call each other without end; give one of the calls a probability below 100%, "
        "or remove it"
    )


def consumers_of(parts: Mapping[str, Consumer]) -> dict[str, tuple[str, ...]]:
    """Topic to the operations that consume it."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, consumer in parts.items():
        found[str(consumer.topic)].append(name)
    return {topic: tuple(names) for topic, names in found.items()}
