"""Edits of a model: applied to its objects, shown as a diff, written into its file.

An :class:`Edit` names a part of a system and what changes in it. Applied, it gives a new system:
models are values. As a patch it changes the line of the Python file that declares the part, or
the JSON file. A part that a helper or a loop makes for several elements has no line of its own:
such an edit is described in words.

A setting is an edit as people say it on a command line or in a notebook.
"""

from archcheck.editing.edits import Edit, apply
from archcheck.editing.kinds import COSTS, checked_costs, kind_of
from archcheck.editing.patches import Patch, patch_of
from archcheck.editing.settings import parse_setting, variants, with_settings

__all__ = [
    "COSTS",
    "Edit",
    "Patch",
    "apply",
    "checked_costs",
    "kind_of",
    "parse_setting",
    "patch_of",
    "variants",
    "with_settings",
]
