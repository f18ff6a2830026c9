"""Libraries that only imports need: loaded when they are used, asked for where they are missing."""

from __future__ import annotations

import importlib
from typing import Any

from archcheck.extras import what_to_install
from archcheck.model import ArchcheckError


class MissingError(ArchcheckError):
    """A library of an extra is not installed."""


def needs_extra(module: str) -> Any:
    """The module; where it is missing, a sentence with the one line that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingError(what_to_install(module)) from None
