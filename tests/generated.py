"""Systems of any size, as the benchmarks generate them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from archcheck import System

_SYSTEMS = Path(__file__).parents[1] / "benchmarks" / "systems.py"


def generated(services: int, seed: int = 0) -> System:
    spec = importlib.util.spec_from_file_location("systems", _SYSTEMS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["systems"] = module
    spec.loader.exec_module(module)
    made = module.generate(services, seed=seed)
    assert isinstance(made, System)
    return made
