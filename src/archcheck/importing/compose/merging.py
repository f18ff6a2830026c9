"""Services of several Compose files put together: overrides, ``extends`` and ``include``.

Compose file specification, Merge: mappings are merged, lists are joined, a few keys are replaced;
``!reset`` takes a value away and ``!override`` replaces it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from archcheck.importing.values import Value

_REPLACED = frozenset({"command", "entrypoint", "test", "image"})
_PAIRS = frozenset({"environment", "labels", "annotations", "sysctls", "extra_hosts", "args"})
"""Lists of ``NAME=value`` that are also written as mappings."""
_NAMES = frozenset({"depends_on", "networks"})
"""Lists of names that are also written as mappings."""


def merged(base: Value, over: Value, key: str = "") -> Value:
    """``base`` with what ``over`` says; ``key``: the key that both stand under."""
    if over.tag == "!override" or key in _REPLACED:
        return over
    if key in _PAIRS:
        base, over = as_pairs(base), as_pairs(over)
    elif key in _NAMES:
        base, over = as_names(base), as_names(over)
    if isinstance(base.raw, dict) and isinstance(over.raw, dict):
        return replace(over, raw=_merged_mappings(base.raw, over.raw))
    if isinstance(base.raw, list) or isinstance(over.raw, list):
        return replace(over, raw=_joined(_as_list(base), _as_list(over), _identity_of(key)))
    return over


def _merged_mappings(base: dict[str, Value], over: dict[str, Value]) -> dict[str, Value]:
    found = dict(base)
    for key, value in over.items():
        if value.tag == "!reset":
            found.pop(key, None)
        elif key in found:
            found[key] = merged(found[key], value, key)
        else:
            found[key] = value
    return found


def _as_list(value: Value) -> list[Value]:
    if isinstance(value.raw, list):
        return value.raw
    return [] if value.raw is None else [value]


def _joined(
    base: list[Value], over: list[Value], identity: Callable[[Value], object]
) -> list[Value]:
    found = {identity(value): value for value in base}
    found |= {identity(value): value for value in over}
    return list(found.values())


def _identity_of(key: str) -> Callable[[Value], object]:
    """What makes two items of a list the same."""
    return volume_target if key == "volumes" else _written


def _written(value: Value) -> object:
    if isinstance(value.raw, dict):
        return tuple((key, _written(inner)) for key, inner in sorted(value.raw.items()))
    if isinstance(value.raw, list):
        return tuple(map(_written, value.raw))
    return value.text


def volume_target(volume: Value) -> object:
    """Where a volume lies in the container."""
    if volume.is_mapping:
        target = volume.get("target")
        return target.text if target is not None else id(volume)
    parts = volume.text.split(":")
    return parts[1] if len(parts) > 1 else parts[0]


def as_pairs(value: Value) -> Value:
    """A list of ``NAME=value`` as a mapping; a name alone has no value of its own."""
    if not isinstance(value.raw, list):
        return value
    found: dict[str, Value] = {}
    for item in value.raw:
        text = item.string("an entry")
        name, equals, rest = text.partition("=")
        shared = item.shared or value.shared
        found[name.strip()] = replace(item, raw=rest if equals else None, text=rest, shared=shared)
    return replace(value, raw=found)


def as_names(value: Value) -> Value:
    """A list of names as a mapping of nothing."""
    if not isinstance(value.raw, list):
        return value
    names = {item.string("a name"): replace(item, raw={}, text="") for item in value.raw}
    return replace(value, raw=names)
