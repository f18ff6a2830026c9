"""Variables in Compose files: ``$NAME``, ``${NAME}``, and with defaults.

Compose file specification, Interpolation. Variables come from env files only, never from the
process: the same files give the same model everywhere. A variable that no file sets stays as it is
written, which is how readers of values see that they are not known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from archcheck.importing.sources import read_text, variables_of
from archcheck.importing.values import Value
from archcheck.importing.yaml_files import scalar_of
from archcheck.model import Place

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")
_MAX_TEXT = 16_000
"""The longest text with its variables put in. A choice: variables may hold each other."""
_MAX_DEPTH = 20
"""Defaults inside of defaults. A choice."""


@dataclass
class Variables:
    """Variables by name, each with the line that sets it; those that are asked for in vain."""

    known: dict[str, tuple[str, Place]] = field(default_factory=dict)
    unset: dict[str, Place] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """The text of a variable; ``None``: no file sets it."""
        found = self.known.get(name)
        return found[0] if found is not None else None

    def read(self, path: object, *, over: bool = False) -> None:
        """Take the variables of an env file; those that are known stay, unless ``over``."""
        file = str(path)
        for name, text, place in env_file(file, self):
            if over or name not in self.known:
                self.known[name] = (text, place)

    def inside(self, path: object) -> Variables:
        """The variables for an included project: what is known here, then its own file's."""
        found = Variables(dict(self.known), self.unset)
        found.read(path)
        return found


def env_file(file: str, outer: Variables) -> list[tuple[str, str, Place]]:
    """The variables of an env file; they may use those before them and those around."""
    known = Variables(dict(outer.known))
    found = []
    for name, (text, place) in variables_of(read_text(Path(file)), file).items():
        full = substituted(text, known, place)
        known.known.setdefault(name, (full, place))
        found.append((name, full, place))
    return found


def interpolated(value: Value, variables: Variables) -> Value:
    """The value with all its variables put in; what aliases share is shared again."""
    return _interpolated(value, variables, {})


def _interpolated(value: Value, variables: Variables, done: dict[int, Value]) -> Value:
    if isinstance(value.raw, dict | list):
        known = done.get(id(value.raw))
        if known is None:
            raw = value.raw
            made: dict[str, Value] | list[Value] = (
                {key: _interpolated(item, variables, done) for key, item in raw.items()}
                if isinstance(raw, dict)
                else [_interpolated(item, variables, done) for item in raw]
            )
            known = done[id(value.raw)] = replace(value, raw=made)
        return replace(value, raw=known.raw)
    if "$" not in value.text:
        return value
    text = substituted(value.text, variables, value.place)
    return replace(value, text=text, raw=scalar_of(text) if text != value.text else value.raw)


def substituted(text: str, variables: Variables, place: Place) -> str:
    """The text with variables put in; ``$$`` is a dollar."""
    return _substituted(text, variables, place, 0)[:_MAX_TEXT]


def _substituted(text: str, variables: Variables, place: Place, depth: int) -> str:
    parts: list[str] = []
    position = 0
    while (dollar := text.find("$", position)) >= 0 and depth <= _MAX_DEPTH:
        parts.append(text[position:dollar])
        if text.startswith("$$", dollar):
            parts.append("$")
            position = dollar + 2
            continue
        end, made = _variable(text, dollar, variables, place, depth)
        parts.append(made)
        position = end
        if sum(map(len, parts)) > _MAX_TEXT:
            break
    parts.append(text[position:])
    return "".join(parts)


def _variable(
    text: str, dollar: int, variables: Variables, place: Place, depth: int
) -> tuple[int, str]:
    """Where a variable at this dollar ends, and what stands for it."""
    bare = _NAME.match(text, dollar + 1)
    if bare is not None:
        return bare.end(), _value(bare[0], "", "", variables, place, text[dollar : bare.end()])
    name = _NAME.match(text, dollar + 2) if text.startswith("${", dollar) else None
    end = _closing(text, dollar + 2) if name is not None else None
    if name is None or end is None:
        return dollar + 1, "$"
    rest = text[name.end() : end]
    operator = next((sign for sign in _OPERATORS if rest.startswith(sign)), "")
    if rest and not operator:
        return end + 1, text[dollar : end + 1]
    written = text[dollar : end + 1]
    default = _substituted(rest[len(operator) :], variables, place, depth + 1)
    return end + 1, _value(name[0], operator, default, variables, place, written)


def _closing(text: str, start: int) -> int | None:
    """Where the brace that is open before ``start`` is closed."""
    depth = 1
    for position in range(start, min(len(text), start + _MAX_TEXT)):
        if text.startswith("${", position):
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
    return None


def _value(
    name: str, operator: str, default: str, variables: Variables, place: Place, written: str
) -> str:
    known = variables.get(name)
    counts = known is not None and (known != "" or not operator.startswith(":"))
    if operator.endswith("+"):
        return default if counts else ""
    if counts and known is not None:
        return known
    if operator.endswith("-"):
        return default
    variables.unset.setdefault(name, place)
    return written


def is_known(value: Value | None) -> bool:
    """Whether a scalar has no variable left that no file sets."""
    return value is not None and re.search(r"\$(?:\{|[A-Za-z_])", value.text) is None
