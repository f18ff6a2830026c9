"""At most one layer of a path retries.

Why it matters: retries multiply. Three layers that each try three times turn one request into 27
at the bottom, exactly when the bottom cannot take it.

The layers are counted along the synchronous calls below each call that retries, and so is the mesh
of the caller. A step that is optional or has a fallback ends the path, since its failure is not
seen above, unless the timeout above may be over first; what a fallback asks goes on with it. Calls
whose retries nobody declared are a question, but only where another layer of the same path retries.

How to fix: retry where the failure happens or at the edge, and let everybody else fail fast:
``retry=Absent("the gateway retries")``.

False positives: retries with a budget multiply less in practice; rule RES007 takes budgets into
account. Where only a timeout of the code would make it try again, the mesh stops trying when the
code gives up.

Sources: AWS Well-Architected, REL05-BP03 (control and limit retry calls); Azure Architecture
Center, Retry Storm antipattern; Google SRE book, chapter 22.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Absent,
    Call,
    Consumer,
    Endpoint,
    Fallback,
    Mesh,
    MySQL,
    Publish,
    Read,
    Retry,
    Service,
    System,
    Topic,
    Write,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction
from archcheck.proof.worst_cases import may_time_out, worst_cases
from archcheck.units import Duration, ms

rule = Rule("RES008", "retries-at-many-layers", severity="warning", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    below = _Below(graph)
    for step in graph.calls(fallbacks=True):
        attempts = step.protection.attempts or (1 if step.is_fallback else None)
        if attempts == 1:
            continue
        inner = below.retrying(step)
        own = step.protection.tries > 1 and step.protection.mesh_tries > 1
        if inner or own:
            if attempts is None:
                yield Undecided(step, "retry", "holds with a single attempt")
                continue
            total = attempts
            for part in inner:
                total *= part.protection.attempts or 1
            yield Violation(
                step,
                f"{step.operation.name} tries {step.target_name} up to {attempts} times and "
                + (
                    f"{inner[-1].operation.name} retries too"
                    if inner
                    else "its mesh makes some of them"
                )
                + f": up to {total} attempts for one request",
                fix='retry=Absent("another layer retries") in all layers but one',
                evidence=(step, *inner),
                cause="several layers of a path retry",
            )
        elif attempts is not None:
            for part in below.unknown(step):
                yield Undecided(part, "retry", "holds with a single attempt")


class _Below:
    """What lies below a call, each operation computed once; calls back are not followed.

    What can fail softly keeps its failures to itself, unless a timeout above it is over before it
    has an answer: that failure is seen all the way up.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._cases = worst_cases(graph)
        self._retrying: dict[tuple[str, bool], tuple[Interaction, ...]] = {}
        self._unknown: dict[tuple[str, bool], tuple[Interaction, ...]] = {}

    def retrying(self, call: Interaction, *, late: bool = False) -> tuple[Interaction, ...]:
        """The path with the most steps that retry, those steps only.

        ``late``: a timeout above the call may be over first.
        """
        late = late or may_time_out(self._cases, call)
        key = call.target_name, late
        if key not in self._retrying:
            self._retrying[key] = ()
            paths = []
            for step in self._failing(call, late=late):
                if step.mode == "publish":
                    continue
                rest = self.retrying(step, late=late) if step.mode == "call" else ()
                paths.append((step, *rest) if (step.protection.attempts or 1) > 1 else rest)
            self._retrying[key] = max(paths, key=len, default=())
        return self._retrying[key]

    def _failing(self, call: Interaction, *, late: bool) -> Iterator[Interaction]:
        """What is asked below a call and whose failure is seen above it: of a step that has a
        fallback only what that one asks."""
        for step in self._graph.outgoing.get(call.target_name, ()):
            if late or not step.can_fail_softly:
                yield step
            if step.fallback is not None and (late or not step.optional):
                yield step.fallback

    def unknown(self, call: Interaction, *, late: bool = False) -> tuple[Interaction, ...]:
        """The calls below that do not say whether they retry."""
        late = late or may_time_out(self._cases, call)
        key = call.target_name, late
        if key not in self._unknown:
            self._unknown[key] = ()
            found: dict[Interaction, None] = {}
            for step in self._failing(call, late=late):
                if step.mode == "call":
                    if step.protection.retry is None and not step.is_fallback:
                        found[step] = None
                    found.update(dict.fromkeys(self.unknown(step, late=late)))
            self._unknown[key] = tuple(found)
        return self._unknown[key]


def _layers(outer: Retry | Absent | None, inner: Retry | Absent | None) -> System:
    return System(
        "shop",
        [
            Service("edge", endpoints=[Endpoint("page", steps=[Call("shop.buy", retry=outer)])]),
            Service("shop", endpoints=[Endpoint("buy", steps=[Call("pay.charge", retry=inner)])]),
            Service("pay", endpoints=[Endpoint("charge")]),
        ],
    )


@rule.bad("edge.page -> shop.buy")
def both_try_three_times() -> System:
    return _layers(Retry(attempts=3), Retry(attempts=3))


def _falling_back(patience: Duration | None) -> System:
    thrice = Retry(attempts=3, backoff=0 * ms)
    charge = Call("pay.charge", timeout=50 * ms, retry=thrice, fallback=Fallback("static"))
    page = Call("shop.buy", timeout=patience, retry=thrice)
    return System(
        "shop",
        [
            Service("edge", endpoints=[Endpoint("page", steps=[page])]),
            Service("shop", endpoints=[Endpoint("buy", steps=[charge])]),
            Service("pay", endpoints=[Endpoint("charge")]),
        ],
    )


@rule.good
def a_fallback_keeps_failures_from_the_edge() -> System:
    return _falling_back(None)


@rule.bad("edge.page -> shop.buy")
def the_edge_gives_up_before_the_fallback() -> System:
    return _falling_back(100 * ms)


@rule.bad("edge.page -> shop.buy")
def the_caller_and_its_mesh() -> System:
    mesh = Mesh("istio", retry=Retry(attempts=2))
    buy = Call("shop.buy", retry=Retry(attempts=2))
    return System(
        "shop",
        [
            Service("edge", mesh=mesh, endpoints=[Endpoint("page", steps=[buy])]),
            Service("shop", endpoints=[Endpoint("buy")]),
        ],
    )


@rule.borderline()
def a_retry_of_one_attempt_is_none() -> System:
    return _layers(Retry(attempts=3), Retry(attempts=1))


@rule.good
def only_the_edge_retries() -> System:
    return _layers(Retry(attempts=3), Absent("the edge retries"))


@rule.unknown("retry")
def the_lower_layer_does_not_say() -> System:
    return _layers(Retry(attempts=3), None)


@rule.unknown("retry")
def the_upper_layer_does_not_say() -> System:
    return _layers(None, Retry(attempts=3))


@rule.bad("edge.page -> shop.buy")
def the_last_layer_is_a_query() -> System:
    twice = Retry(attempts=2)
    return System(
        "shop",
        [
            Topic("bought"),
            MySQL("db"),
            Service("edge", endpoints=[Endpoint("page", steps=[Call("shop.buy", retry=twice)])]),
            Service("shop", endpoints=[Endpoint("buy", steps=[Publish("bought"), Call("pay")])]),
            Service("pay", endpoints=[Endpoint("charge", steps=[Write("db", retry=twice)])]),
        ],
    )


@rule.bad("edge.page -> shop.buy", "shop.buy -> pay.charge")
def three_layers() -> System:
    thrice = Retry(attempts=3)
    system = _layers(thrice, thrice)
    charge = Endpoint("charge", steps=[Read("db"), Write("db", retry=thrice)])
    elements = [*system.elements[:2], Service("pay", endpoints=[charge]), MySQL("db")]
    return System("shop", elements)


@rule.borderline()
def an_event_ends_the_path() -> System:
    twice = Retry(attempts=2)
    return System(
        "shop",
        [
            Topic("bought"),
            Service("edge", endpoints=[Endpoint("page", steps=[Call("shop.buy", retry=twice)])]),
            Service(
                "shop",
                endpoints=[Endpoint("buy", steps=[Publish("bought", retry=twice)])],
                consumers=[Consumer("bought")],
            ),
        ],
    )


@rule.borderline()
def a_mesh_that_tries_once() -> System:
    mesh = Mesh("istio", retry=Retry(attempts=1))
    buy = Call("shop.buy", retry=Retry(attempts=2))
    return System(
        "shop",
        [
            Service("edge", mesh=mesh, endpoints=[Endpoint("page", steps=[buy])]),
            Service("shop", endpoints=[Endpoint("buy")]),
        ],
    )
