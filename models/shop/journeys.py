"""What shoppers do, what they are promised, and the load of a good evening."""

from archcheck import Diurnal, Journey, Load, LoadTest, Poisson, Ramp, Scenario, Slow
from archcheck.units import hours, minutes, ms, s

from .edge import shopper
from .platform import objective

K6 = LoadTest("k6", ran_on="2026-10-28", report="reports/2026-10-28.html")

checkout = Journey(
    "checkout",
    "edge.checkout",
    critical=True,
    public=True,
    users=shopper,
    slo=objective(900 * ms, "checkout_journey"),
    timeout=3 * s,
    load_test=K6,
)
browse = Journey(
    "browse",
    "edge.browse",
    critical=False,
    public=True,
    users=shopper,
    slo=objective(400 * ms, "browse_journey"),
    timeout=2 * s,
    load_test=K6,
)

evening = Scenario(
    "evening",
    description="A usual evening.",
    load=[Load(checkout, Poisson(60 / s)), Load(browse, Poisson(300 / s))],
    duration=60 * s,
)
sale = Scenario(
    "sale",
    description="A sale begins: browsing grows fourfold in a minute.",
    load=[
        Load(checkout, Poisson(120 / s)),
        Load(browse, Ramp(300 / s, 1200 / s, over=1 * minutes)),
    ],
    duration=90 * s,
)
day = Scenario(
    "day",
    description="From the quiet of the night to the evening and back.",
    load=[
        Load(checkout, Diurnal(5 / s, 60 / s, period=24 * hours)),
        Load(browse, Diurnal(25 / s, 300 / s, period=24 * hours)),
    ],
    duration=24 * hours,
)
slow_ledger = Scenario(
    "slow-ledger",
    description="The ledger is five times slower for half a minute.",
    load=[Load(checkout, Poisson(60 / s))],
    faults=[Slow("ledger", factor=5, start=60 * s, end=90 * s)],
    duration=3 * minutes,
)
