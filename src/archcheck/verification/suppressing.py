"""Which suppression of the model accepts an occurrence."""

from __future__ import annotations

import datetime
from fnmatch import fnmatchcase

from archcheck.findings import Occurrence, Rule
from archcheck.model import Suppression, System


def is_over(suppression: Suppression, today: datetime.date) -> bool:
    """Whether the last day of a suppression is past."""
    return suppression.until is not None and suppression.until < today


def covers(suppression: Suppression, rule: Rule, occurrence: Occurrence) -> bool:
    """Whether a suppression means this occurrence, its date aside."""
    return fnmatchcase(rule.id, suppression.rule) and (
        occurrence.subject == suppression.subject
        or fnmatchcase(occurrence.subject, suppression.subject)
    )


def suppressed_by(
    system: System, today: datetime.date, rule: Rule, occurrence: Occurrence
) -> Suppression | None:
    """The first suppression that counts on ``today`` and means this occurrence."""
    for suppression in system.suppressions:
        if not is_over(suppression, today) and covers(suppression, rule, occurrence):
            return suppression
    return None
