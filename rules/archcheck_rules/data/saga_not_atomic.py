"""A saga ends with all of its steps or with none, each once, whatever happens to its messages.

Why it matters: messages are lost, come twice and overtake each other, and a saga has no rollback. A
request that is repeated charges twice; a reservation that arrives after it was taken back stays for
ever. Such schedules are rare, which is why no test finds them and every year has some.

All schedules are looked at in which one message is lost, one is delivered twice and one answer is
given up on too early. The coordinator is taken to be right: its state is stored, it repeats only
what may be repeated, and it asks for a compensation until that is confirmed. It asks for the
actions itself: the endpoint need not call them.

How to fix: idempotent actions and compensations (`idempotent=True`), and steps that remember a
compensation which comes before its action (`SagaStep(..., guarded=True)`).

False positives: participants that are reached over a channel which keeps the order and never loses
nor doubles a message.

Sources: Garcia-Molina and Salem, Sagas, SIGMOD 1987; Helland, Life beyond Distributed Transactions,
CIDR 2007; Apache Seata, TCC mode (empty rollback, suspension).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Endpoint, Saga, SagaStep, Service, System
from archcheck.findings import NotApplicable, Result, Rule
from archcheck.graph import Graph
from archcheck.proof import results, sagas

rule = Rule("DAT019", "saga-not-atomic", severity="error", method="proof")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    answers = list(sagas(graph))
    if not answers:
        yield NotApplicable("no endpoint declares a saga")
    yield from results(answers)


def _saga(
    *,
    reserve: bool | None = True,
    release: bool | None = True,
    charge: bool | None = True,
    guarded: bool | None = True,
) -> System:
    steps = [
        SagaStep("stock.reserve", compensation="stock.release", guarded=guarded),
        SagaStep("money.charge", pivot=True),
        SagaStep("orders.confirm", retriable=True),
    ]
    return System(
        "shop",
        [
            Service(
                "orders",
                endpoints=[
                    Endpoint("place", atomicity=Saga(steps)),
                    Endpoint("confirm", idempotent=True),
                ],
            ),
            Service(
                "stock",
                endpoints=[
                    Endpoint("reserve", idempotent=reserve),
                    Endpoint("release", idempotent=release),
                ],
            ),
            Service("money", endpoints=[Endpoint("charge", idempotent=charge)]),
        ],
    )


@rule.bad("orders.place")
def a_charge_that_happens_twice() -> System:
    return _saga(charge=False)


@rule.bad("orders.place")
def a_reservation_comes_after_its_release() -> System:
    return _saga(guarded=False)


@rule.bad("orders.place")
def a_release_that_gives_back_twice() -> System:
    return _saga(release=False)


@rule.good
def everything_can_be_repeated() -> System:
    return _saga()


@rule.borderline()
def a_single_step() -> System:
    place = Endpoint("place", atomicity=Saga([SagaStep("orders.put")]))
    put = Endpoint("put", idempotent=True)
    return System("shop", [Service("orders", endpoints=[place, put])])


@rule.unknown("idempotent")
def nobody_says_whether_a_charge_can_be_repeated() -> System:
    return _saga(charge=None)


@rule.unknown("atomicity.steps[stock.reserve].guarded")
def nobody_says_what_a_late_reservation_does() -> System:
    return _saga(guarded=None)
