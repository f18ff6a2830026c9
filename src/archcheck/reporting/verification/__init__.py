"""The result of a verification, for each place where people look at it.

``write`` makes the text of one format for all systems of a run. The text report is for people
and is printed on a console instead (:func:`print_verification`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archcheck.reporting.verification.github import github
from archcheck.reporting.verification.gitlab import gitlab
from archcheck.reporting.verification.jsonform import json_report, verification_data
from archcheck.reporting.verification.junit import junit
from archcheck.reporting.verification.markdown import markdown
from archcheck.reporting.verification.sarif import sarif
from archcheck.reporting.verification.text import print_suggestions, print_verification
from archcheck.verification import Verification

__all__ = ["WRITERS", "print_suggestions", "print_verification", "sarif", "verification_data"]

WRITERS: dict[str, Callable[[Sequence[Verification]], str]] = {
    "json": json_report,
    "sarif": sarif,
    "junit": junit,
    "github": github,
    "gitlab": gitlab,
    "markdown": markdown,
}
"""Format to its writer."""
