"""Personal, confidential, secret and payment data reach only who is cleared for them.

Why it matters: data that were sent to a party cannot be called back, and whoever sent them
answers for it.

The rule looks at the classes that steps, endpoints, datastores and topics declare: what a call
sends goes to the callee and what it answers to the caller, what is read to the reader, what is
published to every consumer of the topic and of its dead letters. A fallback gets what the call
would have sent. Externals must be cleared for each class; a service that declares no
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
    Fallback,
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
from archcheck.graph import Graph, Interaction, Operation
from archcheck.graph.messages import receivers_of
from archcheck.model.datastores import SENSITIVE
from archcheck.proof.feature_flags import FeatureFlags

rule = Rule("BND014", "sensitive-data-leak", severity="error", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    carries = False
    asked: set[str] = set()
    for subject, receiver, classes in _flows(graph):
        for word in sorted(SENSITIVE.intersection(classes)):
            carries = True
            clearance = getattr(receiver, "clearance", ())
            if word in clearance:
                continue
            if clearance or isinstance(receiver, External):
                yield _leak(subject, receiver, word)
            elif receiver.name not in asked:
                asked.add(receiver.name)
                yield Undecided(receiver, "clearance", f"holds with {word!r} among it")
    if not carries:
        yield NotApplicable("nothing declares data of a sensitive class on its way")


def _flows(graph: Graph) -> Iterator[tuple[Interaction | Operation, Named, Sequence[str]]]:
    """By what, who receives which classes of data."""
    family = FeatureFlags(graph.system)
    published = set[str]()
    for step in graph.edges:
        if family.configuration(step.flags) is None:
            continue  # no configuration of the feature flags has it
        if step.mode == "publish":
            published.add(step.target.name)
        for receiver, classes in _of_step(graph, step):
            yield step, receiver, classes
    for channel in graph.system.channels:
        if channel.name not in published:  # its messages come from outside
            for reader in receivers_of(graph, channel.name):
                yield reader, reader.owner, getattr(channel, "data", ())


def _of_step(graph: Graph, step: Interaction) -> Iterator[tuple[Named, Sequence[str]]]:
    own = getattr(step.declared if step.is_fallback else step.step, "data", ())
    stored = getattr(step.target, "data", ())
    match step.mode:
        case "call":
            yield step.target, own
            yield step.source, step.endpoint.data if step.endpoint else ()
        case "read" | "cache":
            yield step.source, (*own, *stored)
        case "publish":
            for reader in receivers_of(graph, step.target.name):
                yield reader.owner, (*own, *stored)


def _leak(subject: Interaction | Operation, receiver: Named, word: str) -> Violation:
    return Violation(
        subject,
        f"{subject.name} gives {word} data to {receiver.name}, which is not cleared for them",
        fix=f'leave the {word} data out; or add "{word}" to the clearance of {receiver.name}, '
        "if it may have them",
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


@rule.bad("orders.ship -> spare")
def the_fallback_gets_the_same() -> System:
    call = Call("bank", data=["payment"], fallback=Fallback("call", target="spare"))
    return System(
        "shop",
        [
            External("bank", clearance=["payment"]),
            External("spare", clearance=["public"]),
            Service("orders", endpoints=[Endpoint("ship", steps=[call])]),
        ],
    )


@rule.bad("support.consume")
def dead_letters_are_read_by_others() -> System:
    return System(
        "shop",
        [
            Topic("paid", data=["payment"], dead_letter="unread"),
            Topic("unread"),
            Service("orders", clearance=["payment"], consumers=[Consumer("paid")]),
            Service("support", clearance=["internal"], consumers=[Consumer("unread")]),
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


@rule.bad("support.consume")
def dead_letters_of_dead_letters() -> System:
    return System(
        "shop",
        [
            Topic("paid", data=["payment"], dead_letter="again"),
            Topic("again", dead_letter="unread"),
            Topic("unread"),
            Service("orders", clearance=["payment"], consumers=[Consumer("paid")]),
            Service("support", clearance=["internal"], consumers=[Consumer("unread")]),
        ],
    )
