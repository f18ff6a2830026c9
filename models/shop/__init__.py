"""The shop: our reference system. It shows the whole vocabulary, and every rule holds in it."""

from archcheck import Allow, Deny, Layers, Network, OnlyVia, OnlyWithin, System, View
from archcheck.units import MB, ms, s

system = System.from_package(
    __name__,
    description="Sells things: Spring Boot, Go kit and Micronaut on Kubernetes, in three zones.",
    revision="2026.11",
    network=Network(delay=0.25 * ms, zone_delay=0.5 * ms, bandwidth=125 * MB / s),
    entities=["order", "payment", "product", "stock"],
    look=[View("money", include=["ordering", "payment", "bank"], title="How money moves")],
    policies=[
        Layers("edge", "ordering", "payment", reason="money is at the bottom"),
        Deny("catalogue", "payment", transitive=True, reason="browsing never touches money"),
        Allow("notification", ["ordering", "placed", "paid"]),
        OnlyVia("bank", "payments", reason="one place that is audited"),
        OnlyWithin("ledger", "payment"),
    ],
)
