"""Each step of a saga before its one pivot can be undone, each after it repeated until it works.

Why it matters: a saga has no rollback. When a step fails before the point of no return, the
earlier ones must be undone; when one fails after it, there is only forward.

Without a pivot the last step is taken as the point of no return. There can be only one: between
two, a failure leaves a saga that can neither go back nor be sure to go on. An action undoes neither
itself nor another one.

How to fix: ``SagaStep("stock.Reserve", compensation="stock.Release")`` before the pivot,
``SagaStep("orders.confirm", retriable=True)`` after it.

False positives: steps that change nothing, such as checks; they need no compensation and are
better left out of the saga.

Sources: Garcia-Molina and Salem, Sagas, SIGMOD 1987; Richardson, Microservices Patterns, 2018,
chapter 4; Azure Architecture Center, Compensating Transaction pattern.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Endpoint, Saga, SagaStep, Service, System
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Operation

rule = Rule("DAT017", "saga-without-compensation", severity="warning", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    sagas = [
        (operation, saga)
        for operation in graph.operations.values()
        if isinstance(saga := getattr(operation.part, "atomicity", None), Saga)
    ]
    if not sagas:
        yield NotApplicable("no endpoint declares a saga")
    for operation, saga in sagas:
        pivots = [number for number, step in enumerate(saga.steps) if step.pivot]
        if len(pivots) > 1:
            yield _many_pivots(operation, [saga.steps[number] for number in pivots])
        pivot = pivots[0] if pivots else len(saga.steps) - 1
        for number, step in enumerate(saga.steps):
            yield from _judge(graph, operation, step, number - pivot)
            yield from _undone_by_another(graph, operation, step, saga)


def _undone_by_another(
    graph: Graph, operation: Operation, step: SagaStep, saga: Saga
) -> Iterator[Violation]:
    """What another step does on the way forward takes nothing back."""
    undo, action = str(step.compensation), str(step.action)
    if undo != action and undo in {str(other.action) for other in saga.steps}:
        yield Violation(
            operation,
            f"the saga of {operation.name} takes {undo}, which is an action of its own, for the "
            f"compensation of {action}",
            fix=f'SagaStep("{action}", compensation=...): the endpoint that takes it back',
            evidence=(graph.operations[undo],) if undo in graph.operations else (),
        )


def _many_pivots(operation: Operation, steps: list[SagaStep]) -> Violation:
    names = [str(step.action) for step in steps]
    return Violation(
        operation,
        f"the saga of {operation.name} has {len(names)} points of no return: {' and '.join(names)}",
        fix=f"pivot=True for {names[0]} alone, and retriable=True for what comes after it",
    )


def _judge(
    graph: Graph, operation: Operation, step: SagaStep, after_pivot: int
) -> Iterator[Result]:
    action = str(step.action)
    if after_pivot <= 0 and step.compensation is not None and str(step.compensation) == action:
        yield Violation(
            operation,
            f"the saga of {operation.name} takes {action} for its own compensation",
            fix=f'SagaStep("{action}", compensation=...): the endpoint that takes it back',
            evidence=(graph.operations[action],) if action in graph.operations else (),
        )
    elif after_pivot < 0 and step.compensation is None:
        yield Violation(
            operation,
            f"the saga of {operation.name} cannot undo {action}, which comes before its pivot",
            fix=f'SagaStep("{action}", compensation=...)',
            evidence=(graph.operations[action],) if action in graph.operations else (),
        )
    elif after_pivot > 0 and step.retriable is None:
        yield Undecided(operation, f"atomicity.steps[{action}].retriable")
    elif after_pivot > 0 and not step.retriable:
        yield Violation(
            operation,
            f"the saga of {operation.name} cannot go back after its pivot, and {action} cannot be "
            "repeated until it works",
            fix=f'SagaStep("{action}", retriable=True)',
            evidence=(graph.operations[action],) if action in graph.operations else (),
        )


def _saga(*steps: SagaStep) -> System:
    names = ("reserve", "release", "charge", "confirm")
    return System(
        "shop",
        [
            Service("orders", endpoints=[Endpoint("place", atomicity=Saga(steps))]),
            Service("work", endpoints=[Endpoint(name) for name in names]),
        ],
    )


_UNDONE = SagaStep("work.reserve", compensation="work.release")
_CHARGE = SagaStep("work.charge", pivot=True)


@rule.bad("orders.place")
def the_reservation_stays() -> System:
    return _saga(SagaStep("work.reserve"), _CHARGE)


@rule.bad("orders.place")
def stuck_after_the_pivot() -> System:
    return _saga(_UNDONE, _CHARGE, SagaStep("work.confirm", retriable=False))


@rule.bad("orders.place")
def an_action_that_undoes_itself() -> System:
    return _saga(SagaStep("work.reserve", compensation="work.reserve"), _CHARGE)


@rule.bad("orders.place")
def two_points_of_no_return() -> System:
    return _saga(_UNDONE, _CHARGE, SagaStep("work.confirm", pivot=True, retriable=True))


@rule.borderline()
def the_last_step_is_the_pivot() -> System:
    return _saga(_UNDONE, SagaStep("work.charge"))


@rule.good
def back_before_and_forward_after() -> System:
    return _saga(_UNDONE, _CHARGE, SagaStep("work.confirm", retriable=True))


@rule.unknown("atomicity.steps[work.confirm].retriable")
def nobody_says_whether_it_can_be_repeated() -> System:
    return _saga(_UNDONE, _CHARGE, SagaStep("work.confirm"))


@rule.bad("orders.place")
def what_comes_next_takes_nothing_back() -> System:
    undone = SagaStep("work.reserve", compensation="work.release")
    next_one = SagaStep("work.release", compensation="work.confirm")
    return _saga(undone, next_one, _CHARGE)
