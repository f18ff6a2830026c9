"""The same fact said in another way gets the same verdict.

`tests/spellings.py` lists the ways once. Each is applied to every example of every rule and to the
models of the review that name it; the rule must say the same kind of thing, find as many places and
ask for the same attributes. `RIGHTLY` says which rules look at the words on purpose. The vocabulary
says where an element runs only on the element itself, so that there is no other way for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

import pytest
from review import blocks, system_of
from spellings import SPELLINGS

from archcheck import (
    Boundary,
    Broker,
    Cached,
    Channel,
    Client,
    Consumer,
    Datastore,
    Endpoint,
    External,
    Journey,
    Mesh,
    Pool,
    Retry,
    Service,
    System,
)
from archcheck.findings import EXAMPLES_DAY, Rule, evaluate
from archcheck.graph import Graph
from archcheck.model import Deployment, Protocol, Runtime
from archcheck.model.element import element_types, field_names
from archcheck.model.steps import RemoteStep
from archcheck.plugins import rules

RULES = {
    rule.id: rule for rule in rules() if (rule.follows or not rule.reviews) and rule.method != "sim"
}
"""All but those that speak of what others say, and those whose runs take long."""

RIGHTLY: Mapping[tuple[str, str], str] = {
    ("retries in the mesh", "TEC006"): "asks which library in the code does it",
    ("a second journey", "BND006"): "asks each journey whether it begins outside",
    ("a second journey", "COM008"): "asks each journey whether it begins outside",
    ("a second journey", "COM009"): "asks each journey whether it begins outside",
    ("a second journey", "RES019"): "asks each journey whether it begins outside",
    ("a second journey", "EVO008"): "names each journey that begins at what goes away",
    ("a second journey", "OBS004"): "asks an objective of each journey",
    ("a second journey", "PRF012"): "the second journey has no budget of its own",
    ("defaults written out", "TEC008"): "is about defaults that nobody decided on",
    ("other names", "BND005"): "policies select by name",
    ("other names", "BND016"): "policies select by name",
    ("other names", "BND017"): "policies select by name",
    ("partners with an endpoint", "COM002"): "a contract is that of an endpoint",
    ("partners with an endpoint", "RES004"): "asks for the endpoint where there is none",
    ("retries in the mesh", "RES005"): "the wait of a mesh is documented",
    ("retries in the mesh", "RES006"): "a mesh is documented to spread its waits",
    ("retries in the mesh", "RES007"): "a breaker in the code sees no attempts of its mesh",
    ("breakers in the mesh", "RES007"): "a mesh may retry, and nobody says how often",
    ("breakers in the mesh", "RES009"): "a mesh guards the calls of fallbacks, too",
    ("breakers in the mesh", "RES010"): "is about the numbers of a breaker",
    ("breakers in the mesh", "TEC006"): "asks which library in the code does it",
    ("a schedule beside", "EVO008"): "names each clock that begins at what goes away",
    ("a schedule beside", "PRF001"): "asks how often the clock strikes",
    ("started by messages", "BND005"): "policies say who may use a queue, too",
    ("started by messages", "BND007"): "asks who owns a queue",
    ("started by messages", "BND017"): "policies select queues, too",
    ("started by messages", "BND018"): "messages feed a copy",
    ("started by messages", "COM010"): "asks for the schema of a queue",
    ("started by messages", "DEP012"): "a message that is worked on must end before the replica",
    ("started by messages", "MOD002"): "nobody sends what the queue gets",
    ("started by messages", "OBS007"): "asks for the lag of a queue",
    ("started by messages", "RES007"): "a message that fails comes again",
    ("started by messages", "RES022"): "nobody waits for what a message starts",
    ("started by messages", "TEC004"): "consumers have threads of their own",
    ("timeouts in the mesh", "TEC007"): "asks whether the mesh can read what is spoken",
}

FAMILIES: Mapping[str, type] = {
    "boundary": Boundary,
    "broker": Broker,
    "channel": Channel,
    "client": Client,
    "consumer": Consumer,
    "deployment": Deployment,
    "endpoint": Endpoint,
    "journey": Journey,
    "lookup": Cached,
    "mesh": Mesh,
    "party": External,
    "pool": Pool,
    "protocol": Protocol,
    "retry": Retry,
    "runtime": Runtime,
    "service": Service,
    "step": RemoteStep,
    "store": Datastore,
}
"""Parts of a model that may say the same thing."""

WAYS: Mapping[str, Mapping[str, str]] = {
    "clients": {
        "authenticated": "client step",
        "balanced_by": "client step",
        "balancing": "client step",
        "blocking": "client step",
        "breaker": "client step",
        "bulkhead": "client step",
        "connect_timeout": "client step",
        "discovery": "client step",
        "encrypted": "broker client protocol step",
        "hedge": "client step",
        "propagates_deadline": "client step",
        "propagates_trace": "client step",
        "rate_limit": "client endpoint party step",
        "reuses_connections": "client step",
    },
    "retries in the mesh": {"retry": "client mesh step"},
    "timeouts in the mesh": {"timeout": "client journey lookup mesh step"},
    "sizes of calls": {"request_size": "endpoint step", "response_size": "endpoint step"},
    "partners with an endpoint": {"protocol": "endpoint party step"},
    "expiry of lookups": {"ttl": "lookup store"},
    "promises of channels": {"delivery": "broker channel", "retention": "broker channel"},
    "dead letters of consumers": {"dead_letter": "channel consumer"},
    "started by messages": {
        "idempotent": "consumer endpoint",
        "steps": "consumer endpoint lookup",
    },
    "zones by boundary": {"trust_zone": "boundary broker party service store"},
    "owners by boundary": {"owner": "boundary broker channel party service store"},
    "zones of deployments": {"zones": "broker deployment store"},
}
"""Attributes that several parts have, by the spelling that moves them from one to another."""

APART: Mapping[str, Mapping[str, str]] = {
    "each says it of itself": {
        "availability": "deployment party",
        "belongs_to": "channel store",
        "boundary": "broker service store",
        "clearance": "party service",
        "contract": "channel protocol",
        "copies": "channel store",
        "data": "channel endpoint step store",
        "deployment": "broker service store",
        "endpoints": "party service",
        "entities": "service store",
        "error_rate": "endpoint party",
        "max_message": "broker protocol",
        "parallelism": "runtime store",
        "start_after": "broker service store",
        "target": "client pool step",
        "version": "broker runtime step store",
    },
    "one word for two things": {
        "batch": "consumer step",  # messages taken at once, a list in one call
        "concurrency": "consumer runtime",  # messages at a time, how requests are run
        "idempotency_key": "retry step",  # a retry sends one, or each call does
        "jitter": "retry store",  # of waits, of expiry
        "key": "channel step",  # of messages, in one message
        "priority": "channel journey",
        "product": "mesh store",
        "tracing": "mesh service",  # a proxy sees the requests and not which belong together
    },
    "the first that says it counts, and its rules say so": {
        "format": "channel protocol step",
        "load_test": "journey service",
        "public": "endpoint journey",
        "readiness": "deployment store",
        "slo": "endpoint journey",
        "volumes": "deployment store",
    },
}
"""Attributes that several parts have and that are not the same fact, with the reason."""

ONLY: Mapping[str, tuple[str, ...]] = {
    "through a helper": ("BND", "DAT"),
}
"""A call of a service's own endpoint is a call: it may hold a thread, and needs a timeout. Who asks
whom, and what is changed together, stays the same."""


def cases() -> Iterator[tuple[Rule, str, System]]:
    for rule in RULES.values():
        for example in rule.examples:
            yield rule, example.build.__name__, example.build()
    for block in blocks():
        system = system_of(block.code)
        for name in block.rules:
            if name in RULES:
                yield RULES[name], block.id, system


CASES = list(cases())


def said(rule: Rule, system: System) -> tuple[str, int, list[tuple[str, int]]]:
    """The verdict, in how many places, and which attributes are asked for in how many."""
    outcome = evaluate(rule, Graph(system, today=EXAMPLES_DAY))
    assert not outcome.broken, outcome.broken
    found = sum(len(finding.occurrences) for finding in outcome.findings)
    asked = ((_unnamed(each.missing), len(each.subjects)) for each in outcome.questions)
    says_nothing = outcome.verdict in ("holds", "not applicable")
    return ("holds" if says_nothing else outcome.verdict), found, sorted(asked)


@cache
def said_as_it_is(number: int) -> tuple[str, int, list[tuple[str, int]]]:
    rule, _, system = CASES[number]
    return said(rule, system)


def _unnamed(missing: str) -> str:
    """What is asked for, without the names in it."""
    return re.sub(r"\[.*?\]|\ba-", "", missing)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_same_fact_in_other_words(spelling: str) -> None:
    compared, wrong = 0, []
    for number, (rule, name, system) in enumerate(CASES):
        if (spelling, rule.id) in RIGHTLY or not rule.id.startswith(ONLY.get(spelling, ("",))):
            continue
        other = SPELLINGS[spelling](system)
        if other == system:
            continue
        compared += 1
        if (here := said_as_it_is(number)) != (there := said(rule, other)):
            wrong.append(f"{rule.id} {name}: {here} and, in other words, {there}")
    assert compared > 5
    assert not wrong, "\n".join(wrong)


def test_the_table_names_what_there_is() -> None:
    assert {spelling for spelling, _ in RIGHTLY} | ONLY.keys() <= SPELLINGS.keys()
    assert {rule for _, rule in RIGHTLY} <= RULES.keys()


def test_a_new_way_to_say_something_is_decided_on() -> None:
    found: dict[str, set[str]] = {}
    for kind in element_types().values():
        for family in (name for name, base in FAMILIES.items() if issubclass(kind, base)):
            for attribute in field_names(kind):
                found.setdefault(attribute, set()).add(family)
    of_all = set(field_names(Boundary)) & {"name", "description", "docs", "tags"}
    several = {
        attribute: " ".join(sorted(families))
        for attribute, families in found.items()
        if len(families) > 1 and attribute not in of_all
    }
    decided = {k: v for table in (WAYS, APART) for each in table.values() for k, v in each.items()}
    assert several == decided
    assert WAYS.keys() <= SPELLINGS.keys()
