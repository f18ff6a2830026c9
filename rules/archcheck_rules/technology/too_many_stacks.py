"""A team keeps to a small number of technology stacks.

Why it matters: each framework has its own build, libraries, upgrades, metrics and surprises; a
team that runs many knows none of them well.

How to fix: settle on a default, and write down when another one is worth it.

False positives: teams in the middle of a migration; suppress with its date (``until``).

Sources: Thoughtworks, Technology Radar (tech sprawl); FINOS CALM, standards. The default limit
is our proposal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import GoKit, Micronaut, NodeJs, Runtime, Service, SpringBoot, System
from archcheck.findings import Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_stacks: int = option(2, "frameworks of one team")


rule = Rule("TEC005", "too-many-stacks", severity="info", method="attr", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    stacks: dict[str, dict[str, Service]] = defaultdict(dict)
    for service in graph.system.services:
        owner = graph.owner_of(service)
        if owner is None:
            yield Undecided(service, "owner")
        elif service.runtime is None:
            yield Undecided(service, "runtime")
        else:
            stacks[owner].setdefault(_stack(service.runtime), service)
    for owner, used in stacks.items():
        if len(used) > options.max_stacks:
            yield Violation(
                list(used.values())[-1],
                f"{owner} runs {len(used)} stacks, more than {options.max_stacks}: "
                f"{', '.join(used)}",
                fix="settle on a default stack",
                evidence=tuple(used.values()),
            )


def _stack(runtime: Runtime) -> str:
    return getattr(runtime, "name", None) or runtime.label


def _team(*runtimes: Runtime | None, owner: str | None = "team-a") -> System:
    return System(
        "shop",
        [Service(f"s{n}", owner=owner, runtime=each) for n, each in enumerate(runtimes)],
    )


@rule.bad("s2")
def three_stacks() -> System:
    return _team(GoKit(), SpringBoot(), NodeJs())


@rule.borderline()
def two_stacks() -> System:
    return _team(GoKit(), SpringBoot(), GoKit("0.13"))


@rule.good
def one_stack() -> System:
    return _team(Micronaut(), Micronaut())


@rule.unknown("runtime")
def no_runtime() -> System:
    return _team(None)


@rule.unknown("owner")
def no_owner() -> System:
    return _team(GoKit(), owner=None)
