"""Packages that only some commands need, and what is said where one of them is missing.

The extras of the distribution say which packages belong together; another project owns its name on
the package index, so that the line to type names those packages and not the extra.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec

from archcheck.version import DISTRIBUTION

_DISTRIBUTIONS = {
    "PIL": "pillow",
    "fontTools": "fonttools",
    "markdown_it": "markdown-it-py",
    "vl_convert": "vl-convert-python",
    "yaml": "pyyaml",
}
"""Modules whose distribution has another name."""
_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[([\w,]+)\])?[^;]*;\s*extra == [\"'](\w+)[\"']")
_FOR_DEVELOPERS = ("bench", "dev", "docs", "mutation")


def what_to_install(module: str) -> str:
    """A sentence about a module that is not there, with the one line to type."""
    package = _DISTRIBUTIONS.get(module, module)
    extras = _extras()
    extra = next((name for name, parts in extras.items() if package in parts), None)
    if extra is None:
        return f"this needs the package {package}, which is not installed"
    return (
        f"this needs the extra {extra!r} of archcheck ({package} is not installed); "
        f"type: pip install {' '.join(_expanded(extra, extras))}"
    )


def explained(error: Exception) -> str | None:
    """The same for what an import raised; ``None``: it was something else, or a module of ours."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    module = (name or "").partition(".")[0]
    return what_to_install(module) if module not in ("", "archcheck", "archcheck_rules") else None


def require(*modules: str) -> None:
    """Raise :class:`ModuleNotFoundError` with the line to type unless all of them can be imported:
    before a long computation, rather than after it.
    """
    for module in modules:
        try:
            is_there = find_spec(module) is not None
        except ModuleNotFoundError:
            is_there = False
        if not is_there:
            raise ModuleNotFoundError(what_to_install(module), name=module)


def _extras() -> Mapping[str, list[str]]:
    """Extra to what it asks for by itself: packages, and other extras as ``[draw]``."""
    found: dict[str, list[str]] = {}
    try:
        declared = requires(DISTRIBUTION) or []
    except PackageNotFoundError:  # run from its sources
        return found
    for match in filter(None, map(_REQUIREMENT.fullmatch, declared)):
        package, others, extra = match.groups()
        if extra not in _FOR_DEVELOPERS:
            parts = [f"[{name}]" for name in others.split(",")] if others else [package]
            found.setdefault(extra, []).extend(parts)
    return found


def _expanded(extra: str, extras: Mapping[str, list[str]]) -> Iterator[str]:
    for part in extras.get(extra, []):
        if part.startswith("["):
            yield from _expanded(part[1:-1], extras)
        else:
            yield part
