"""What a part loses by the value of another, and what it is called."""

from __future__ import annotations

from typing import Any

import pytest

from archcheck import Call, Endpoint, Kubernetes, MySQL, Pool, Retry, Service, System
from archcheck.editing import Edit, gets_less, labels_of
from archcheck.model.element import Element
from archcheck.units import ms


@pytest.mark.parametrize(
    ("part", "values", "less"),
    [
        (Call("b", timeout=50 * ms), {"timeout": 40 * ms}, True),
        (Call("b", timeout=50 * ms), {"timeout": 60 * ms}, False),
        (Call("b"), {"timeout": 60 * ms}, True),
        (Kubernetes(replicas=8), {"replicas": 2}, True),
        (Kubernetes(replicas=1), {"replicas": 2}, False),
        (Kubernetes(zones=["a", "c"]), {"zones": ("a", "b")}, True),
        (Kubernetes(zones=["a"]), {"zones": ("a", "b")}, False),
        (Pool("db", 10), {"size": 4}, True),
        (Retry(attempts=3), {"attempts": 1}, False),
        (MySQL("db", copies=3), {"failover": "automatic", "copies": 2}, True),
    ],
)
def test_a_smaller_number_is_a_loss(part: Element, values: dict[str, Any], less: bool) -> None:
    assert gets_less(part, Edit(Call("x"), values, "another")) is less


def test_parts_are_called_as_people_call_them() -> None:
    front = Service(
        "web",
        deployment=Kubernetes(),
        pools=[Pool("db", 5)],
        endpoints=[Endpoint("go", steps=[Call("pay.do", retry=Retry(attempts=2))])],
    )
    pay = Service("pay", endpoints=[Endpoint("do")])
    made = System("made", [front, pay, MySQL("db")])
    names = labels_of(made)
    web, db = (made.find(name) for name in ("web", "db"))
    assert isinstance(web, Service)
    step = web.endpoints[0].steps[0]
    assert isinstance(step, Call)
    assert isinstance(step.retry, Retry)
    assert names[id(step)] == names[id(step.retry)] == "web.go -> pay.do"
    assert names[id(web.deployment)] == "web: deployment"
    assert names[id(web.pools[0])] == "web: pool of db"
    assert names[id(db)] == "db"
