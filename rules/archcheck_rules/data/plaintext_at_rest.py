"""Personal, confidential, secret and payment data are encrypted at rest.

Why it matters: a stolen disk, a copied volume or a backup in the wrong hands is then a breach of
everything that it holds.

What is in memory only (a cache in the process, Memcached, a Redis with ``persistence="none"``) is
not at rest.

How to fix: ``encrypted_at_rest=True`` (InnoDB tablespace encryption, encrypted volumes, the
provider's key service).

False positives: data that are encrypted by the application before they are written.

Sources: OWASP Application Security Verification Standard 4.0, V6.1; PCI DSS 4.0, requirement 3;
Regulation (EU) 2016/679, article 32.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import DataClass, Datastore, LocalCache, Memcached, MySQL, Redis, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("DAT014", "plaintext-at-rest", severity="error", method="attr")

_PROTECTED = ("personal", "confidential", "secret", "payment")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for store in graph.system.datastores:
        classes = [kind for kind in _PROTECTED if kind in store.data]
        encrypted = getattr(store, "encrypted_at_rest", None)
        if not classes or encrypted or _writes_no_file(store):
            continue
        if encrypted is None:
            yield Undecided(store, "encrypted_at_rest")
        else:
            yield Violation(
                store,
                f"{store.name} keeps {' and '.join(classes)} data unencrypted",
                fix="encrypted_at_rest=True",
            )


def _writes_no_file(store: Datastore) -> bool:
    """Whether it keeps all in memory: nothing of it is at rest."""
    in_memory = isinstance(store, LocalCache | Memcached)
    return in_memory or getattr(store, "persistence", None) == "none"


def _keeping(*data: DataClass, encrypted: bool | None) -> System:
    store = MySQL("people", belongs_to="accounts", data=data, encrypted_at_rest=encrypted)
    return System("shop", [Service("accounts"), store])


@rule.bad("people")
def names_on_a_plain_disk() -> System:
    return _keeping("personal", "payment", encrypted=False)


@rule.good
def an_encrypted_disk() -> System:
    return _keeping("personal", encrypted=True)


@rule.good
def public_data_may_be_plain() -> System:
    return _keeping("public", encrypted=False)


@rule.unknown("encrypted_at_rest")
def nobody_says() -> System:
    return _keeping("secret", encrypted=None)


@rule.borderline("people")
def one_protected_class_among_others() -> System:
    return _keeping("public", "confidential", encrypted=False)


@rule.borderline()
def internal_data_may_be_plain() -> System:
    return _keeping("internal", encrypted=False)


@rule.borderline()
def what_is_in_memory_only_is_not_at_rest() -> System:
    return System(
        "shop",
        [
            LocalCache("names", data=["personal"]),
            Memcached("sessions", data=["secret"]),
            Redis("carts", data=["personal"], persistence="none"),
        ],
    )


@rule.unknown("encrypted_at_rest")
def a_redis_that_makes_snapshots() -> System:
    return System("shop", [Redis("carts", data=["personal"])])
