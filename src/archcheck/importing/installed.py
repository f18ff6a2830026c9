"""Libraries that only imports need: loaded when they are used, asked for where they are missing."""

from __future__ import annotations

import importlib
from typing import Any

from archcheck.model import ArchcheckError

LIBRARIES = {"yaml": "pyyaml"}
"""Module to the distribution that has it. Their versions are in the extra ``import``."""


class MissingError(ArchcheckError):
    """A library of an extra is not installed."""


def needs_extra(module: str, extra: str) -> Any:
    """The module; where it is missing, a sentence with the one line that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingError(
            f"reading this needs the extra '{extra}' of archcheck, which is not installed; "
            f"type: pip install {LIBRARIES[module]}"
        ) from None
