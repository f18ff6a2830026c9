"""Datastores say how much may be lost, and how soon they are back.

Why it matters: copies repeat every mistake at once; only a backup survives a wrong DELETE, and
only objectives tell whether it is made often enough and comes back fast enough.

The backups keep the recovery point if they are made as often, or if the log is shipped as it grows;
how often they are made is asked for.

How to fix: ask those who use the data how much they can lose and how long they can wait, and
declare that: ``backup=Backup(every=1 * hours, log_shipping=True, recovery_point=15 * minutes,
recovery_time=1 * hours)``.

False positives: data that can be computed again; say so: ``backup=Absent("rebuilt from the
catalogue in ten minutes")`` and suppress the finding.

Sources: AWS Well-Architected, REL13-BP01 (define recovery objectives); Beyer et al., Site
Reliability Engineering, 2016, chapter 26.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Backup, Datastore, MySQL, Redis, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.units import hours, minutes

rule = Rule("DAT013", "no-recovery-objective", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for store in graph.system.datastores:
        if store.is_cache:
            continue
        backup = getattr(store, "backup", None)
        if isinstance(backup, Absent):
            yield Violation(
                store,
                f"{store.name} has no backup ({backup.reason!r})",
                fix="backup=Backup(every=..., recovery_point=..., recovery_time=...): ask its "
                "users how much they can lose, and back it up at least as often",
            )
        elif backup is None:
            yield Undecided(store, "backup")
        else:
            for attribute in ("recovery_point", "recovery_time"):
                if getattr(backup, attribute) is None:
                    yield Undecided(store, f"backup.{attribute}")
            yield from _often_enough(store, backup)


def _often_enough(store: Datastore, backup: Backup) -> Iterator[Result]:
    """Whether the backups keep the recovery point."""
    point = backup.recovery_point
    if point is None or backup.log_shipping:
        return
    if backup.every is None:
        yield Undecided(store, "backup.every", f"holds up to {point}, or with log_shipping=True")
    elif backup.every > point:
        yield Violation(
            store,
            f"{store.name} may lose {point} and is backed up every {backup.every}",
            fix=f"backup.every of at most {point}, or log_shipping=True",
        )


def _stored(backup: Backup | Absent | None) -> System:
    return System("shop", [Service("orders"), MySQL("rows", belongs_to="orders", backup=backup)])


@rule.bad("rows")
def never_backed_up() -> System:
    return _stored(Absent("the copies are enough"))


@rule.good
def both_objectives() -> System:
    return _stored(Backup(every=15 * minutes, recovery_point=15 * minutes, recovery_time=1 * hours))


@rule.good
def a_cache_can_be_lost() -> System:
    return System("shop", [Service("orders"), Redis("fast", belongs_to="orders")])


@rule.unknown("backup.recovery_time")
def nobody_says_how_long_it_takes() -> System:
    return _stored(Backup(every=5 * minutes, recovery_point=15 * minutes))


@rule.unknown("backup")
def nobody_says() -> System:
    return _stored(None)


@rule.borderline("rows")
def a_store_in_memory_is_a_store() -> System:
    return System("shop", [Service("orders"), Redis("rows", role="store", backup=Absent("never"))])


@rule.bad("rows")
def backups_come_too_rarely() -> System:
    return _stored(Backup(every=24 * hours, recovery_point=15 * minutes, recovery_time=1 * hours))


@rule.good
def the_log_is_shipped() -> System:
    return _stored(
        Backup(
            every=24 * hours,
            log_shipping=True,
            recovery_point=15 * minutes,
            recovery_time=1 * hours,
        )
    )


@rule.unknown("backup.every")
def nobody_says_how_often() -> System:
    return _stored(Backup(recovery_point=15 * minutes, recovery_time=1 * hours))
