"""GitLab Code Quality: the report artefact that a merge request shows (Code Climate's form)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from archcheck.findings import Severity
from archcheck.verification import Verification

_SEVERITIES: dict[Severity, str] = {"error": "major", "warning": "minor", "info": "info"}


def gitlab(results: Sequence[Verification]) -> str:
    """All systems of a run: an entry for each place."""
    entries = [
        {
            "type": "issue",
            "check_name": f"{finding.rule.id} {finding.rule.name}",
            "categories": ["Style"] if finding.severity == "info" else ["Bug Risk"],
            "description": f"{finding.rule.id}: {occurrence.message}",
            "fingerprint": occurrence.fingerprint,
            "severity": _SEVERITIES[finding.severity],
            "location": {
                "path": result.settings.reported_file(place) if place else result.system.name,
                "lines": {"begin": place.line if place else 1},
            },
        }
        for result in results
        for finding in result.findings
        for occurrence in finding.occurrences
        for place in [occurrence.place]
    ]
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"
