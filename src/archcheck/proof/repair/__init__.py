"""The cheapest repair: the edits that make the rules hold, and cost least."""

from archcheck.proof.repair.choices import ARITHMETIC, REPAIRABLE, EditChoice, choices_for
from archcheck.proof.repair.repairing import STALE, Found, JourneyChange, Repair, repair

__all__ = [
    "ARITHMETIC",
    "REPAIRABLE",
    "STALE",
    "EditChoice",
    "Found",
    "JourneyChange",
    "Repair",
    "choices_for",
    "repair",
]
