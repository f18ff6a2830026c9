"""Files to import, and what was made of them."""

from __future__ import annotations

import textwrap
from pathlib import Path

from archcheck import Service
from archcheck.importing import Import


def write(folder: Path, **files: str) -> Path:
    """Files by name: ``src__application_dot_yml`` is ``src/application.yml``."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def service(found: Import, name: str) -> Service:
    """A service that was made."""
    part = found.system.find(name)
    assert isinstance(part, Service)
    return part
