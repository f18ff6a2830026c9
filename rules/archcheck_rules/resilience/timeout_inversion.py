"""A caller waits at least as long as each thing that its callee waits for, a queue as its consumer.

Why it matters: when the caller gives up first, the callee goes on working for nobody, and the
caller never learns what went wrong further down. Retries then pile work upon lost work. A queue
with a visibility timeout (SQS: 30 s unless told otherwise) waits for its consumers in the same way:
a message that takes longer comes again while it is worked on, and may end as a dead letter although
every consumer succeeded.

A call without a timeout is rule RES001's finding, and not looked at here.

How to fix: for a queue, ``visibility_timeout`` above the longest time of a message, or less work
for each; else shorten the inner timeout or the number of its attempts, lengthen the outer one, or
propagate the deadline (``propagates_deadline=True``), so that the callee stops too.

The longest time of a step is that of all its attempts, each as long as its timeout (the client's or
the mesh's, whichever is shorter), with the longest backoffs between them and hedges on top. The
timeout includes the wait at a bulkhead, as in Resilience4j. Attempts that are repeated only after
a rejection do not last, queries apart, which may wait for a connection first. A step without a
timeout takes at least as long as its callee may. A deadline that is passed on helps unless the
callee declares that it ignores it (``stops_late_work=False`` or ``deadline_propagation=False``),
or is documented not to stop (grpcio for Python).

False positives: an inner step that runs only when there is time left. Steps that together take
too long are rule RES003's.

Sources: grpc.io, Deadlines; Amazon SQS developer guide, visibility timeout; Azure
Architecture Center, Retry pattern (layered tasks).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Call,
    Constant,
    Consumer,
    Endpoint,
    GoKit,
    Hedge,
    Mesh,
    MySQL,
    Named,
    Queue,
    RabbitMQ,
    Read,
    Retry,
    Runtime,
    Service,
    SpringBoot,
    Sqs,
    System,
    Work,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.exact import Rational, exact, shown
from archcheck.graph.messages import visibility_of
from archcheck.proof.worst_cases import WorstCase, WorstCases, worst_cases
from archcheck.units import Duration, ms, s

rule = Rule("RES002", "timeout-inversion", severity="error", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    cases = worst_cases(graph)
    for outer in graph.calls(fallbacks=True):
        patience = outer.protection.attempt()
        if outer.endpoint is None or outer.deadline_is_kept or patience is None:
            continue  # a call without a timeout is rule RES001's finding
        for inner, case in cases.single_steps(outer.target_name):
            if case.seconds > patience and outer.deadline_is_kept is None:
                stops = f"holds if {outer.target.name} stops when its callers give up"
                yield Undecided(outer.target, "runtime.deadline_propagation", stops)
            elif case.seconds > patience:
                yield _inverted(outer, patience, inner, case)
            yield from _undecided(case, patience, f"the timeout of {outer.name}")
    for channel, readers in graph.consumers.items():
        for reader in readers:
            yield from _comes_again(cases, graph.system.find(channel), graph.operations[reader])


def _undecided(case: WorstCase, patience: Rational, whose: str) -> Iterator[Undecided]:
    for gap in case.gaps if case.seconds <= patience else ():
        room = f"{shown(patience - case.beside(gap))} are left of {shown(patience)}"
        yield Undecided(gap.holder, gap.attribute, f"{room}, {whose}")


def _comes_again(cases: WorstCases, channel: Named, consumer: Operation) -> Iterator[Result]:
    """A message that takes longer than the queue hides it."""
    visibility = visibility_of(cases.graph.system, channel)
    if visibility is None:
        return
    case, patience = cases.of(consumer.name), exact(visibility)
    yield from _undecided(case, patience, f"the visibility timeout of {channel.name}")
    if case.seconds > patience:
        needed = shown(case.seconds)
        yield Violation(
            consumer,
            f"{channel.name} delivers a message again after {shown(patience)}, but "
            f"{consumer.name} may take {needed} for it: several consumers then work on it at once",
            fix=f"visibility_timeout above {needed} on {channel.name}, or less work for a message",
            evidence=tuple(part.text for part in case.parts),
        )


def _inverted(
    outer: Interaction, patience: Rational, inner: Interaction, case: WorstCase
) -> Violation:
    needed = shown(case.seconds)
    here = f"in {outer.set_in('timeout=...')}" if outer.is_fallback else "here"
    return Violation(
        outer,
        f"{outer.operation.name} gives up on {outer.target_name} after {shown(patience)}, but "
        f"{inner.name} may take {needed}",
        fix=f"wait at least {needed} {here}, or shorten {inner.name}",
        evidence=(outer, inner, *(part.text for part in case.parts)),
    )


def _chain(
    outer: Duration, inner: Call, mesh: Mesh | None = None, runtime: Runtime | None = None
) -> System:
    return System(
        "shop",
        [
            Service(
                "edge", endpoints=[Endpoint("buy", steps=[Call("orders.place", timeout=outer)])]
            ),
            Service(
                "orders", mesh=mesh, runtime=runtime, endpoints=[Endpoint("place", steps=[inner])]
            ),
            Service("payments", endpoints=[Endpoint("Charge")]),
        ],
    )


def _queued(jobs: Queue, takes: Duration) -> System:
    work = Consumer("jobs", idempotent=True, steps=[Work(Constant(takes))])
    return System("shop", [Sqs("sqs"), RabbitMQ("rabbit"), jobs, Service("mail", consumers=[work])])


@rule.bad("mail.consume")
def a_message_comes_again_while_it_is_worked_on() -> System:
    return _queued(Queue("jobs", broker="sqs", visibility_timeout=60 * s), 90 * s)


@rule.bad("mail.consume")
def amazon_hides_messages_for_thirty_seconds() -> System:
    return _queued(Queue("jobs", broker="sqs"), 45 * s)


@rule.borderline()
def it_is_done_before_it_comes_again() -> System:
    return _queued(Queue("jobs", broker="sqs"), 30 * s)


@rule.good
def this_broker_waits() -> System:
    return _queued(Queue("jobs", broker="rabbit"), 45 * s)


_DB = MySQL("db")


@rule.bad("edge.buy -> orders.place")
def the_caller_gives_up_first() -> System:
    return _chain(200 * ms, Call("payments.Charge", timeout=500 * ms))


@rule.bad("edge.buy -> orders.place")
def retries_take_longer() -> System:
    retry = Retry(attempts=3, backoff=50 * ms)
    return _chain(600 * ms, Call("payments.Charge", timeout=200 * ms, retry=retry))


@rule.bad("edge.buy -> orders.place")
def a_hedge_comes_on_top() -> System:
    return _chain(320 * ms, Call("payments.Charge", timeout=300 * ms, hedge=Hedge(50 * ms)))


@rule.good
def the_mesh_tries_again_inside_the_timeout() -> System:
    mesh = Mesh("istio", retry=Retry(attempts=4))
    return _chain(400 * ms, Call("payments.Charge", timeout=300 * ms), mesh)


@rule.good
def the_mesh_gives_up_earlier() -> System:
    mesh = Mesh("istio", timeout=100 * ms)
    return _chain(200 * ms, Call("payments.Charge", timeout=500 * ms), mesh)


@rule.bad("edge.buy -> orders.place")
def each_try_of_the_mesh_counts() -> System:
    retry = Retry(attempts=3, backoff=0 * ms)
    mesh = Mesh("istio", retry=retry, per_try_timeout=100 * ms)
    return _chain(200 * ms, Call("payments.Charge"), mesh)


@rule.good
def the_caller_is_more_patient() -> System:
    return _chain(600 * ms, Call("payments.Charge", timeout=500 * ms))


@rule.bad("edge.buy -> orders.place")
def what_is_below_a_step_without_a_timeout_takes_longer() -> System:
    system = _chain(300 * ms, Call("payments.Charge"))
    charge = Endpoint("Charge", steps=[Read("db", timeout=900 * ms)])
    return System("shop", [*system.elements[:2], Service("payments", endpoints=[charge]), _DB])


@rule.good
def a_rejection_is_quick() -> System:
    retry = Retry(attempts=3, backoff=5 * ms, on=["rejected"])
    return _chain(300 * ms, Call("payments.Charge", timeout=200 * ms, retry=retry))


@rule.bad("edge.buy -> orders.place")
def the_callee_ignores_the_deadline() -> System:
    buy = Call("orders.place", timeout=50 * ms, propagates_deadline=True)
    system = _chain(50 * ms, Call("payments.Charge", timeout=500 * ms))
    place = Endpoint("place", steps=[Call("payments.Charge", timeout=500 * ms)])
    deaf = SpringBoot(deadline_propagation=False)
    return System(
        "shop",
        [
            Service("edge", endpoints=[Endpoint("buy", steps=[buy])]),
            Service("orders", runtime=deaf, endpoints=[place]),
            system.elements[-1],
        ],
    )


@rule.unknown("timeout")
def the_inner_call_has_no_timeout() -> System:
    return _chain(600 * ms, Call("payments.Charge"))


@rule.borderline()
def exactly_as_patient() -> System:
    return _chain(500 * ms, Call("payments.Charge", timeout=500 * ms))


def _passed_on(runtime: Runtime | None) -> System:
    """The edge tells orders how long it waits."""
    asks = Call("orders.place", timeout=50 * ms, propagates_deadline=True)
    _, *rest = _chain(50 * ms, Call("payments.Charge", timeout=500 * ms), None, runtime).elements
    return System("shop", [Service("edge", endpoints=[Endpoint("buy", steps=[asks])]), *rest])


@rule.borderline()
def the_deadline_is_passed_on() -> System:
    return _passed_on(GoKit())


@rule.unknown("runtime.deadline_propagation")
def nobody_says_what_its_callee_makes_of_it() -> System:
    return _passed_on(None)
