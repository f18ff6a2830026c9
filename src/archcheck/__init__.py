"""archcheck: architecture as code, checked, proved, simulated and drawn.

A model file imports its vocabulary from here::

    from archcheck import Call, Endpoint, Grpc, Service, System
    from archcheck.units import ms

Names are loaded when they are first used, so that ``import archcheck`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archcheck.model import *  # noqa: F403

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    model = importlib.import_module("archcheck.model")
    if name == "__all__":
        return list(model.__all__)
    if name in model.__all__:
        value = globals()[name] = getattr(model, name)
        return value
    raise AttributeError(f"module 'archcheck' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *importlib.import_module("archcheck.model").__all__]
