"""The cheapest repair: the edits that make the rules hold, and cost least."""

from archcheck.proof.repair.repairing import Repair, repair

__all__ = ["Repair", "repair"]
