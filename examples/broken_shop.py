"""The shop, broken once for every question that `archcheck prove` asks.

`archcheck prove examples/broken_shop.py` prints `broken_shop.txt`; loading this file runs the
models of the shop.
"""

from dataclasses import replace
from pathlib import Path

from archcheck import (
    Call,
    Deny,
    Endpoint,
    Kubernetes,
    MongoDB,
    RateLimit,
    Redis,
    Retry,
    RollingUpdate,
    SagaStep,
    Work,
    Write,
)
from archcheck.editing import Edit, apply
from archcheck.loading import load
from archcheck.model.linking import walk
from archcheck.units import ms, percent, s

(_shop,) = load(str(Path(__file__).parents[1] / "models" / "shop"))


def part(kind, inside, wanted=lambda _: True):
    """The first part of an element that is of a kind."""
    return next(p for p in walk(_shop.find(inside)) if isinstance(p, kind) and wanted(p))


def called(name):
    return lambda p: str(getattr(p, "target", getattr(p, "name", ""))) == name


def broken():
    stock = _shop.find("stock")
    yield part(Call, "edge", called("orders.place")), {"timeout": 950 * ms}
    yield part(Write, "orders", called("orders-db")), {"retry": Retry(attempts=20, backoff=1 * ms)}
    yield stock, {"deployment": replace(stock.deployment, zones=["zone-a"])}
    yield part(MongoDB, "product-pages"), {"zones": ["zone-a"]}
    yield part(Redis, "page-cache"), {"zones": ["zone-a"]}
    yield part(Work, "catalogue"), {"time": 60 * ms}
    yield part(Endpoint, "edge", called("browse")), {"rate_limit": RateLimit(90_000 / s)}
    yield part(Kubernetes, "orders"), {"rollout": RollingUpdate(max_surge=0, max_unavailable=8)}
    yield part(SagaStep, "orders"), {"guarded": False}
    yield from ((journey.slo, {"availability": 99.999 * percent}) for journey in _shop.journeys)


edits = [Edit(whole, values, "") for whole, values in broken()]
system = replace(
    apply(_shop, edits),
    name="broken-shop",
    policies=[*_shop.policies, Deny("payments", "bank"), Deny("payment", "edge")],
)
