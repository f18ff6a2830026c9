"""Teams that own services can be reached.

Why it matters: at three in the morning a name is not enough.

How to fix: ``Team("team-orders", contact="#orders-on-call")``.

False positives: none.

Sources: our on-call handbook.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Service, System, Team
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("PLT002", "reachable-owner", severity="error", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    teams = {team.name: team for team in graph.system.teams}
    owners = {service.owner for service in graph.system.services if service.owner}
    if not owners:
        yield NotApplicable("no service has an owner")
    for owner in sorted(owners):
        if owner not in teams:
            yield Undecided(graph.system, f"the team {owner}")
        elif teams[owner].contact is None:
            yield Violation(
                teams[owner],
                f"nobody knows how to reach {owner}",
                fix=f'Team("{owner}", contact="#...")',
            )


def _owned(*teams: Team) -> System:
    return System("shop", [Service("orders", owner="team-orders"), *teams])


@rule.bad("team-orders")
def a_team_without_a_contact() -> System:
    return _owned(Team("team-orders"))


@rule.borderline()
def a_team_that_owns_nothing() -> System:
    return _owned(Team("team-orders", contact="#orders"), Team("team-idle"))


@rule.good
def on_call() -> System:
    return _owned(Team("team-orders", contact="#orders-on-call"))


@rule.unknown("the team team-orders")
def a_team_that_nobody_declares() -> System:
    return _owned()
