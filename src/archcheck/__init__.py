"""archcheck: architecture as code, checked, proved, simulated and drawn.

A model file imports its vocabulary from here::

    from archcheck import Call, Endpoint, Grpc, Service, System
    from archcheck.units import ms

and what is asked of a system is a function here: ``archcheck.verify(shop)``, ``simulate``,
``compare``, ``chaos``, ``phase_map``, ``prove``, ``plan``, ``fix``, ``availability``, ``diagram``,
``report``, ``with_``.

Names are loaded when they are first used, so that ``import archcheck`` costs nothing.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from archcheck.version import __version__ as __version__

if TYPE_CHECKING:
    from archcheck.facade import availability as availability
    from archcheck.facade import chaos as chaos
    from archcheck.facade import compare as compare
    from archcheck.facade import diagram as diagram
    from archcheck.facade import fix as fix
    from archcheck.facade import phase_map as phase_map
    from archcheck.facade import plan as plan
    from archcheck.facade import prove as prove
    from archcheck.facade import report as report
    from archcheck.facade import simulate as simulate
    from archcheck.facade import verify as verify
    from archcheck.facade import with_ as with_
    from archcheck.model import *  # noqa: F403


def __getattr__(name: str) -> Any:
    model = importlib.import_module("archcheck.model")
    if name == "__all__":  # a model's words alone: `plan` and `report` are common names in models
        return list(model.__all__)
    if name in model.__all__:
        value = globals()[name] = getattr(model, name)
        return value
    facade = importlib.import_module("archcheck.facade")
    if name in facade.__all__:
        value = globals()[name] = getattr(facade, name)
        return value
    renamed = importlib.import_module("archcheck.model.renamed")
    if old := renamed.renamed_kind(name):
        raise ImportError(old)  # an AttributeError would lose the sentence in a "from" import
    raise AttributeError(f"module 'archcheck' has no attribute {name!r}")


def __dir__() -> list[str]:
    model, facade = map(importlib.import_module, ("archcheck.model", "archcheck.facade"))
    return sorted({*globals(), *model.__all__, *facade.__all__})


if "IPython" in sys.modules:  # in a notebook, results show themselves
    importlib.import_module("archcheck.notebook").register()
