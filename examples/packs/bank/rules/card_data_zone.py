"""Services that may see payment data stand in the trust zone for card data.

Why it matters: everything that sees card data is audited under PCI DSS; what stands outside the
zone drags the whole network into the audit.

How to fix: move the service into the zone (``trust_zone="card"``), or give it tokens instead of
card data and take ``"payment"`` out of its clearance.

False positives: none: the auditor sees it the same way.

Sources: PCI DSS 4.0, requirement 1 (network security controls) and scope reduction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import Service, System
from archcheck.findings import Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph


@dataclass(frozen=True)
class Options:
    """Thresholds; set in [rules.BNK001] of archcheck.toml."""

    zone: str = option("card", "the trust zone for card data")


rule = Rule("BNK001", "card-data-zone", severity="error", method="attr", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    for service in graph.system.services:
        if "payment" not in service.clearance:
            continue
        zone = graph.trust_zone_of(service)
        if zone is None:
            yield Undecided(service, "trust_zone")
        elif zone != options.zone:
            yield Violation(
                service,
                f"{service.name} may see payment data and stands in the zone {zone}",
                fix=f'trust_zone="{options.zone}"',
            )


def _cleared(*clearance: str, zone: str | None) -> System:
    return System("bank", [Service("cards", clearance=clearance, trust_zone=zone)])


@rule.bad("cards")
def in_the_office_zone() -> System:
    return _cleared("payment", zone="office")


@rule.borderline()
def personal_data_only() -> System:
    return _cleared("personal", zone="office")


@rule.good
def in_the_card_zone() -> System:
    return _cleared("payment", zone="card")


@rule.unknown("trust_zone")
def no_zone() -> System:
    return _cleared("payment", zone=None)
