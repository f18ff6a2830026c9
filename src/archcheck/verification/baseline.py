"""Baselines: findings that were there before, so that only new ones fail.

The file holds fingerprints, which are made from rule, system, subject, evidence and cause, never
from lines: moving or reformatting a model changes nothing in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from archcheck.files import write_file
from archcheck.model import ModelError, Place

if TYPE_CHECKING:
    from archcheck.verification import Verification

FORMAT = "archcheck.baseline/1"
_MAX_BYTES = 64 * 1024 * 1024
"""Bytes of a baseline that are read at most: hundreds of thousands of fingerprints."""


@dataclass(frozen=True)
class Baseline:
    """Known occurrences: fingerprint to the rule and subject, for whoever reads the file."""

    fingerprints: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, results: Iterable[Verification]) -> Baseline:
        """All occurrences that the results contain, accepted by an older baseline or not."""
        return cls(
            {
                place.fingerprint: (finding.rule.id, place.subject)
                for result in results
                for finding in (*result.findings, *result.baselined)
                for place in finding.occurrences
            }
        )

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """The baseline in a file. Raises :class:`ModelError` with what is wrong and where."""
        place = Place(str(path), 1)
        if not path.is_file():
            raise ModelError("there is no such baseline; write one with --update-baseline", place)
        if path.stat().st_size > _MAX_BYTES:
            raise ModelError(f"is larger than {_MAX_BYTES // 1024**2} MiB", place)
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["format"] != FORMAT:
                raise TypeError(data["format"])
            known = dict(_entry(entry) for entry in data["accepted"])
        except json.JSONDecodeError as error:
            raise ModelError(f"is not JSON: {error.msg}", Place(str(path), error.lineno)) from None
        except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
            raise ModelError(
                f"is not a baseline of archcheck ({FORMAT}); write it with --update-baseline",
                place,
            ) from None
        return cls(known)

    def write(self, path: Path) -> None:
        """Write the file, sorted, so that its changes can be reviewed."""
        entries = [
            {"rule": rule, "element": element, "fingerprint": fingerprint}
            for fingerprint, (rule, element) in self.fingerprints.items()
        ]
        entries.sort(key=lambda entry: (entry["rule"], entry["element"], entry["fingerprint"]))
        text = json.dumps({"format": FORMAT, "accepted": entries}, indent=2, ensure_ascii=False)
        write_file(path, text + "\n")

    def gone(self, results: Iterable[Verification]) -> list[tuple[str, str]]:
        """Rule and element of what the baseline accepts and nobody finds any more.

        Only rules that judged everything count: of the others nothing is known.
        """
        made = list(results)
        decided = _decided(made)
        present = {
            place.fingerprint
            for result in made
            for finding in (*result.baselined, *result.suppressed)
            for place in finding.occurrences
        }
        return sorted(
            known
            for key, known in self.fingerprints.items()
            if key not in present and known[0] in decided
        )

    def updated(self, results: Iterable[Verification]) -> Baseline:
        """What the results contain, and what this baseline accepts of rules that did not judge."""
        made = list(results)
        decided = _decided(made)
        kept = {key: known for key, known in self.fingerprints.items() if known[0] not in decided}
        return Baseline(kept | Baseline.of(made).fingerprints)


def _entry(entry: dict[str, object]) -> tuple[str, tuple[str, str]]:
    """A fingerprint, and the rule and element that it is of."""
    words = [entry[key] for key in ("fingerprint", "rule", "element")]
    fingerprint, rule, element = (word for word in words if isinstance(word, str) and word)
    return fingerprint, (rule, element)


def _decided(results: Iterable[Verification]) -> set[str]:
    """Ids of the rules that ran on every system, without a question, on everything."""
    ids: list[set[str]] = []
    for result in results:
        ids.append(
            {
                outcome.rule.id
                for outcome in result.outcomes
                if not outcome.broken
                and not outcome.questions
                and not result.settings.is_narrowed(outcome.rule)
            }
        )
    return set.intersection(*ids) if ids else set()
