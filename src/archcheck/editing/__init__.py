"""Edits of a model: applied to its objects, shown as a diff, written into its file.

An :class:`Edit` names a part of a system and what changes in it. Applied, it gives a new system:
models are values. As a patch it changes the Python files, where the value stands: a constant, a
parameter of a helper, the call itself, or the JSON file. The model is loaded with the new texts,
and what does not give the system that was promised is not written but listed.

A setting is an edit as people say it on a command line or in a notebook.
"""

from archcheck.editing.assignments import parse_setting, variants, with_settings
from archcheck.editing.bystanders import gets_less, labels_of
from archcheck.editing.edits import Edit, apply, rebased, unshared
from archcheck.editing.kinds import COSTS, checked_costs, kind_of
from archcheck.editing.patches import Patch, by_hand, patch_of, sharing

__all__ = [
    "COSTS",
    "Edit",
    "Patch",
    "apply",
    "by_hand",
    "checked_costs",
    "gets_less",
    "kind_of",
    "labels_of",
    "parse_setting",
    "patch_of",
    "rebased",
    "sharing",
    "unshared",
    "variants",
    "with_settings",
]
