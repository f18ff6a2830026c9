"""At most one layer of a path retries.

Why it matters: retries multiply. Three layers that each try three times turn one request into 27
at the bottom, exactly when the bottom cannot take it.

The layers are counted along the synchronous calls below each call that retries, and so is the mesh
of the caller. A step that is optional or has a fallback ends the path, since its failure is not
seen above, unless the timeout above may be over first. Calls whose retries nobody declared are a
question, but only where another layer of the same path retries.

How to fix: retry where the failure happens or at the edge, and let everybody else fail fast:
``retry=Absent("the gateway retries")``.

False positives: retries with a budget multiply less in practice; rule RES007 takes budgets into
account.

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
from archcheck.proof.deadlines import WorstCases, may_time_out
from archcheck.units import Duration, ms

rule = Rule("RES008", "retries-at-many-layers", severity="warning", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    hard, all_steps = _Below(graph, soft=False), _Below(graph, soft=True)
    cases = WorstCases(graph)
    for step in graph.calls():
        attempts = step.protection.attempts
        if attempts == 1:
            continue
        below = all_steps if may_time_out(cases, step) else hard
        inner = below.retrying(step.target_name)
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
                + (f"{inner[-1].operation.name} retries too" if inner else "its mesh does a part")
                + f": up to {total} attempts for one request",
                fix='retry=Absent("another layer retries") in all layers but one',
                evidence=(step, *inner),
                cause="several layers of a path retry",
            )
        elif attempts is not None:
            for part in below.unknown(step.target_name):
                yield Undecided(part, "retry", "holds with a single attempt")


class _Below:
    """What lies below an operation, each computed once; calls back are not followed."""

    def __init__(self, graph: Graph, *, soft: bool) -> None:
        """``soft``: with the steps that keep their failures to themselves."""
        self._soft = soft
        self._graph = graph
        self._retrying: dict[str, tuple[Interaction, ...]] = {}
        self._unknown: dict[str, tuple[Interaction, ...]] = {}

    def retrying(self, operation: str) -> tuple[Interaction, ...]:
        """The path with the most steps that retry, those steps only."""
        if operation not in self._retrying:
            self._retrying[operation] = ()
            paths = []
            for step in self._graph.outgoing.get(operation, ()):
                if step.mode == "publish" or not self._passes_failures_on(step):
                    continue
                rest = self.retrying(step.target_name) if step.mode == "call" else ()
                paths.append((step, *rest) if (step.protection.attempts or 1) > 1 else rest)
            self._retrying[operation] = max(paths, key=len, default=())
        return self._retrying[operation]

    def unknown(self, operation: str) -> tuple[Interaction, ...]:
        """The calls below that do not say whether they retry."""
        if operation not in self._unknown:
            self._unknown[operation] = ()
            found: dict[Interaction, None] = {}
            for step in self._graph.outgoing.get(operation, ()):
                if step.mode == "call" and self._passes_failures_on(step):
                    if step.protection.retry is None:
                        found[step] = None
                    found.update(dict.fromkeys(self.unknown(step.target_name)))
            self._unknown[operation] = tuple(found)
        return self._unknown[operation]

    def _passes_failures_on(self, step: Interaction) -> bool:
        return self._soft or not step.can_fail_softly


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
