"""Contracts that other bounded contexts build against carry a version.

Why it matters: a change that breaks callers needs a second version beside the first; without a
version there is no way to say which of the two a caller means.

The version is the contract's own (``Contract("orders.yaml", version="v3")``), a word such as
``v3`` in the path of the file or in the name of the gRPC service (``payments.v1.Payments``), or
the endpoint's ``versions``.

How to fix: put the major version into the package or path, and keep the old one while it is used.

False positives: interfaces that promise never to break; write that down as ``v1``.

Sources: buf, lint rule PACKAGE_VERSION_SUFFIX; oasdiff, API versioning; Semantic Versioning 2.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archcheck import Call, Contract, Endpoint, Grpc, Http2, Protocol, Service, System
from archcheck.findings import Result, Rule, Violation
from archcheck.graph import Graph

rule = Rule(
    "COM003", "unversioned-contract", severity="warning", method="attr", on_unknown="violation"
)

_VERSION = re.compile(r"(?<![A-Za-z0-9])v\d+", re.IGNORECASE)


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    reported = set[tuple[str, str]]()
    for step in graph.every_call():
        name, part = step.target_name, step.endpoint
        if part is None or part.versions or not graph.crosses_boundary(step):
            continue
        contract = getattr(step.protocol, "contract", None)
        if contract is not None and not _is_versioned(step.protocol, contract):
            path = contract.path if isinstance(contract, Contract) else contract
            if (name, path) in reported:
                continue
            reported.add((name, path))
            yield Violation(
                graph.operations[name],
                f"{name} is called from another boundary and its contract {path} has no version",
                fix=f'contract=Contract("{path}", version="v1")',
                cause="a contract that other boundaries use has no version",
            )


def _is_versioned(protocol: Protocol | None, contract: Contract | str) -> bool:
    if isinstance(contract, Contract):
        if contract.version is not None:
            return True
        contract = contract.path
    names = (contract, getattr(protocol, "service", None), getattr(protocol, "path", None))
    return any(_VERSION.search(name) for name in names if name)


def _called(protocol: Protocol, versions: tuple[str, ...] = ()) -> System:
    charge = Endpoint("charge", protocol, versions=versions)
    return System(
        "shop",
        [
            Service(
                "web", boundary="edge", endpoints=[Endpoint("buy", steps=[Call("pay.charge")])]
            ),
            Service("pay", boundary="payment", endpoints=[charge]),
        ],
    )


@rule.bad("pay.charge")
def a_file_without_a_version() -> System:
    return _called(Grpc("pay.Pay", contract="pay.proto"))


@rule.borderline("pay.charge")
def a_word_that_only_looks_like_one() -> System:
    return _called(Http2("POST", "/tv2", contract="dev1ces.yaml"))


@rule.good
def the_package_names_it() -> System:
    return _called(Grpc("pay.v1.Pay", contract="pay.proto"))


@rule.good
def the_contract_names_it() -> System:
    return _called(Http2("POST", "/pay", contract=Contract("pay.yaml", version="3.1")))


@rule.good
def the_endpoint_serves_two() -> System:
    return _called(Http2("POST", "/pay", contract="pay.yaml"), versions=("1", "2"))
