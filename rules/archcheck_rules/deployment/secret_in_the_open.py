"""Secrets come from a secret store.

Why it matters: what is in an image, a repository or an environment variable is read by everyone
who can pull, clone, or describe the process; and it cannot be changed without a release.

How to fix: ``Secret("orders-credentials", store="vault")``.

False positives: environment variables that the platform fills from a secret store; declare the
store.

Sources: OWASP, Secrets Management Cheat Sheet; kube-linter, env-var-secret; The Twelve-Factor
App, III.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from archcheck import Kubernetes, Secret, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("DEP010", "secret-in-the-open", severity="error", method="attr")

_OPEN = ("environment", "image", "repository")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for member in graph.system.elements:
        for secret in getattr(getattr(member, "deployment", None), "secrets", ()):
            if secret.store is None:
                yield Undecided(member, f"deployment.secrets[{secret.name}].store")
            elif secret.store in _OPEN:
                yield Violation(
                    member,
                    f"the secret {secret.name} of {member.name} lies in the {secret.store}",
                    fix=f'Secret("{secret.name}", store="vault")',
                )


def _with(store: Literal["vault", "image", "kubernetes", "environment"] | None) -> System:
    secrets = [Secret("bank-key", store=store)]
    return System("shop", [Service("payments", deployment=Kubernetes(secrets=secrets))])


@rule.bad("payments")
def baked_into_the_image() -> System:
    return _with("image")


@rule.good
def in_a_vault() -> System:
    return _with("vault")


@rule.unknown("deployment.secrets[bank-key].store")
def nobody_says() -> System:
    return _with(None)


@rule.borderline()
def a_secret_of_the_platform() -> System:
    return _with("kubernetes")


@rule.borderline("payments")
def an_environment_variable() -> System:
    return _with("environment")
