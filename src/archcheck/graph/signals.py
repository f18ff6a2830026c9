"""Where metrics, logs and traces end up: what collectors forward counts where it ends."""

from __future__ import annotations

from collections.abc import Iterator

from archcheck.graph import Graph
from archcheck.model import Platform, Service


def passed_on_to(graph: Graph, platform: str) -> dict[str, Platform]:
    """A platform and all that it forwards to, directly or through others, by name."""
    found, waiting = dict[str, Platform](), [platform]
    while waiting:
        name = waiting.pop()
        member = graph.system.directory.elements.get(name)
        if isinstance(member, Platform) and name not in found:
            found[name] = member
            waiting += map(str, getattr(member, "forwards_to", ()))
    return found


def signals_of(graph: Graph, platform: str) -> tuple[str, ...]:
    """What a platform takes, and of a collector that forwards what those do who keep it."""
    reached = passed_on_to(graph, platform)
    ends = [each for each in reached.values() if not getattr(each, "forwards_to", ())]
    taken = {signal for each in ends for signal in each.collects}
    return tuple(each for each in reached[platform].collects if each in taken) if reached else ()


def platform_for(graph: Graph, signal: str) -> str | None:
    """The first platform that takes a signal."""
    names = (platform.name for platform in graph.system.platforms)
    return next((name for name in names if signal in signals_of(graph, name)), None)


def scraping(graph: Graph, service: Service) -> Iterator[Platform]:
    """The platforms that come for the metrics of a service by themselves."""
    for platform in graph.system.platforms:
        if service.name in map(str, getattr(platform, "scrapes", ())):
            yield platform
