"""Personal, confidential, secret and payment data reach only who is cleared for them.

Why it matters: data that were sent to a party cannot be called back, and whoever sent them
answers for it.

The rule looks at the classes that steps, endpoints, datastores and topics declare: what a call
sends goes to the callee and what it answers to the caller, what is read to the reader, what is
published to every consumer. Externals must be cleared for each class; a service that declares no
clearance at all is a gap in the model.

How to fix: leave the class out of what is sent (tokenise it), or declare the clearance:
``clearance=["personal"]``.

False positives: steps that declare the classes of a whole record although they send a part of it.

Sources: GDPR, articles 5(1)(c) and 28; OWASP ASVS 4.0, V8.3; Threagile, data assets and trust
boundaries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcheck import (
    Call,
    Consumer,
    Endpoint,
    External,
    Feature,
    Flag,
    MySQL,
    Named,
    Publish,
    Read,
    Service,
    System,
    Topic,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction
from archcheck.model.datastores import SENSITIVE
from archcheck.proof.feature_flags import FeatureFlags

rule = Rule("BND014", "sensitive-data-leak", severity="error", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    carries = False
    asked: set[str] = set()
    family = FeatureFlags(graph.system)
    for step in graph.edges:
        if family.configuration(step.flags) is None:
            continue  # no configuration of the feature flags has it
        for receiver, classes in _flows(graph, step):
            for word in sorted(SENSITIVE.intersection(classes)):
                carries = True
                clearance = getattr(receiver, "clearance", ())
                if word in clearance:
                    continue
                if clearance or isinstance(receiver, External):
                    yield _leak(step, receiver, word)
                elif receiver.name not in asked:
                    asked.add(receiver.name)
                    yield Undecided(receiver, "clearance", f"holds with {word!r} among it")
    if not carries:
        yield NotApplicable("nothing declares data of a sensitive class on its way")


def _flows(graph: Graph, step: Interaction) -> Iterator[tuple[Named, Sequence[str]]]:
    """Who receives which classes of data by one step."""
    own = getattr(step.step, "data", ())
    stored = getattr(step.target, "data", ())
    match step.mode:
        case "call":
            yield step.target, own
            yield step.source, step.endpoint.data if step.endpoint else ()
        case "read" | "cache":
            yield step.source, (*own, *stored)
        case "publish":
            for reader in graph.consumers.get(step.target.name, ()):
                yield graph.operations[reader].owner, (*own, *stored)


def _leak(step: Interaction, receiver: Named, word: str) -> Violation:
    return Violation(
        step,
        f"{step.name} gives {word} data to {receiver.name}, which is not cleared for them",
        fix=f'leave the {word} data out, or declare clearance=["{word}"] for {receiver.name}',
        evidence=(receiver,),
    )


def _partner(*clearance: str, data: Sequence[str] = ("personal",)) -> System:
    send = Call("partner", data=data)
    return System(
        "shop",
        [
            External("partner", clearance=clearance),
            Service("orders", endpoints=[Endpoint("ship", steps=[send])]),
        ],
    )


@rule.bad("orders.ship -> partner")
def names_to_a_partner() -> System:
    return _partner()


@rule.bad("orders.ship -> paid")
def an_event_reaches_too_many() -> System:
    return System(
        "shop",
        [
            Topic("paid", data=["payment"]),
            Service("orders", endpoints=[Endpoint("ship", steps=[Publish("paid")])]),
            Service("ads", clearance=["personal"], consumers=[Consumer("paid")]),
        ],
    )


@rule.bad("web.page -> users.get")
def the_answer_says_too_much() -> System:
    return System(
        "shop",
        [
            Service(
                "web", clearance=["personal"], endpoints=[Endpoint("page", steps=[Call("users")])]
            ),
            Service("users", endpoints=[Endpoint("get", data=["secret"])]),
        ],
    )


def _flagged(*flags: Flag) -> System:
    send = Feature("new", [Feature("old", [Call("partner", data=["personal"])])])
    return System(
        "shop",
        [
            *flags,
            External("partner"),
            Service("orders", endpoints=[Endpoint("ship", steps=[send])]),
        ],
    )


@rule.bad("orders.ship -> partner")
def behind_two_flags() -> System:
    return _flagged(Flag("new", on=False), Flag("old", on=False))


@rule.borderline()
def the_flags_are_never_on_together() -> System:
    return _flagged(Flag("new", excludes=["old"]), Flag("old"))


@rule.borderline("orders.ship -> partner")
def cleared_for_less() -> System:
    return _partner("personal", data=["personal", "payment"])


@rule.good
def the_partner_is_cleared() -> System:
    return _partner("personal", "payment")


@rule.unknown("clearance")
def the_reader_does_not_say() -> System:
    return System(
        "shop",
        [
            MySQL("users", data=["personal"]),
            Service("web", endpoints=[Endpoint("page", steps=[Read("users")])]),
        ],
    )
