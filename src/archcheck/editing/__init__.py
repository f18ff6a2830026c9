"""Edits of a model: applied to its objects, shown as a diff, written into its file.

An :class:`Edit` names a part of a system and what changes in it. Applied, it gives a new system:
models are values. As a patch it changes the line of the Python file that declares the part, or
the JSON file. A part that a helper or a loop makes for several elements has no line of its own:
such an edit is described in words.
"""

from archcheck.editing.edits import Edit, apply
from archcheck.editing.kinds import COSTS, checked_costs
from archcheck.editing.patches import Patch, patch_of

__all__ = ["COSTS", "Edit", "Patch", "apply", "checked_costs", "patch_of"]
