"""A shop in twenty lines: a gateway, two services, a database."""

from archcheck import Call, Endpoint, Grpc, Journey, Load, MySQL, Poisson, Scenario
from archcheck import Service, Slo, SpringBoot, Work, Write
from archcheck.units import ms, percent, s

orders = Service(
    "orders", boundary="ordering", owner="team-orders", runtime=SpringBoot("4.1", threads=20),
    endpoints=[Endpoint("place", steps=[Work(5 * ms), Call("payments.Charge", timeout=800 * ms)])],
)
payments = Service(
    "payments", boundary="payment", owner="team-money", runtime=SpringBoot("4.1", threads=8),
    endpoints=[Endpoint("Charge", Grpc("payments.v1.Payments"),
                        steps=[Work(60 * ms), Write("ledger")])],
)
ledger = MySQL("ledger", belongs_to="payments", copies=2, write=4 * ms)

checkout = Journey("checkout", "orders.place", critical=True,
                   slo=Slo(p99=400 * ms, availability=99.9 * percent))
peak = Scenario("peak", load=[Load(checkout, Poisson(110 / s))])
