"""A part of a bank: cards and transfers."""

from archcheck import Call, Endpoint, Grpc, Pipeline, Service, Suppression
from archcheck.units import ms

cards = Service(
    "cards",
    owner="team-cards",
    trust_zone="card",
    clearance=["payment"],
    endpoints=[Endpoint("token", Grpc("cards.v1.Cards"), idempotent=True)],
)
statements = Service(
    "statements",
    owner="team-accounts",
    trust_zone="office",
    clearance=["personal", "payment"],
)
transfers = Service(
    "transfers",
    owner="team-accounts",
    tags=["moves-money"],
    pipeline=Pipeline(
        "Jenkins", stages=["build", "test", "deploy"], rollback_tested_on="2026-01-15"
    ),
    endpoints=[Endpoint("send", steps=[Call("cards.token", timeout=100 * ms)])],
)

accepted = Suppression(
    "BNK002",
    "transfers",
    reason="the scanner comes with the new build farm; RISK-481",
    until="2099-12-31",
    approved_by="head of operations",
)
