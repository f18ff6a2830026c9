"""Configuration: ``[tool.archcheck]`` of pyproject.toml, or archcheck.toml.

::

    profile = "recommended"            # minimal, recommended or strict
    select = ["RES", "BND001", "D*"]   # instead of the profile: ids, groups or globs
    extend-select = ["PRF009"]         # beside it
    ignore = ["DLV"]
    fail-on = "error"
    strict = false
    baseline = "archcheck-baseline.json"

    [severity]
    RES009 = "error"

    [targets]                          # what a rule looks at: kind:, tag:, boundary: or a name
    RES012 = ["tag:tier1", "boundary:payment"]

    [rules.BND011]                     # thresholds; `archcheck explain BND011` lists them
    max-depth = 4

    [edits]                            # what `archcheck fix` may do, and what it costs
    timeout = 1
    breaker = 2.5

    [look.icons]                       # pictures of one's own technologies, for diagrams
    AcmeDb = "icons/acme.svg"          # a technology, an element or "tag:legacy"

    [look.colours]                     # colours by tag, for diagrams
    pci = "#fbd38d"

    [[overrides]]                      # for what is declared in some files
    path = "models/legacy/**"
    ignore = ["RES"]
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from archcheck.configuration.settings import RANK, Override, Profile, Settings, specificity
from archcheck.editing import checked_costs
from archcheck.findings import Rule, Severity
from archcheck.model import ModelError, Place
from archcheck.model.element import nearest

_MAX_BYTES = 4 * 1024 * 1024
"""Bytes of a configuration that are read at most: far more than people write, and a limit for files
that are something else."""


def find(folder: Path) -> Path | None:
    """The configuration that counts in ``folder``: the nearest one in it or above it.

    The search ends at the root of a repository. Raises :class:`ModelError` when two files of a
    folder both configure archcheck.
    """
    for place in (folder, *folder.parents):
        own, project = place / "archcheck.toml", place / "pyproject.toml"
        for file in (own, project):
            _refuse_odd(file)
        in_project = project.is_file() and "archcheck" in _table(_toml(project), "tool", project)
        if own.is_file():
            if in_project:
                raise ModelError(
                    "pyproject.toml has a table [tool.archcheck], too; keep one of the two",
                    Place(str(own), 1),
                )
            return own
        if in_project:
            return project
        if (place / ".git").exists():
            return None
    return None


def read(path: Path, rules: Sequence[Rule]) -> Settings:
    """The settings in a file. Raises :class:`ModelError` with what is wrong and where."""
    data = _toml(path)
    if path.name == "pyproject.toml":
        data = _table(_table(data, "tool", path), "archcheck", path, "tool.archcheck")
    return _Reader(path, rules).settings(data)


def _refuse_odd(file: Path) -> None:
    """A link that leads nowhere is no missing configuration: somebody meant one."""
    if file.is_symlink() and not file.exists():
        raise ModelError(f"links to {file.readlink()}, which does not exist", Place(str(file), 1))


def _table(data: Mapping[str, Any], key: str, file: Path, shown: str = "") -> dict[str, Any]:
    """The table of this name; empty where there is none."""
    found = data.get(key, {})
    if not isinstance(found, dict):
        raise ModelError(
            f"{shown or key} must be a table, such as [tool.archcheck], got {found!r}",
            Place(str(file), 1),
        )
    return found


def _toml(path: Path) -> dict[str, Any]:
    place = Place(str(path), 1)
    if not path.is_file():
        raise ModelError("there is no such file", place)
    if path.stat().st_size > _MAX_BYTES:
        raise ModelError(f"is larger than {_MAX_BYTES // 1024**2} MiB", place)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"is not TOML: {error}", place) from None


_IN_PROJECT = ("tool.archcheck.", "[tool.archcheck.", "tool.archcheck.rules.")


class _Reader:
    """Turns a table into settings; every complaint names the line of the key."""

    def __init__(self, path: Path, rules: Sequence[Rule]) -> None:
        self._path = path
        self._lines = path.read_text(encoding="utf-8").splitlines()
        self._rules = {rule.id: rule for rule in rules}

    def settings(self, data: Mapping[str, Any]) -> Settings:
        known = {
            "profile": lambda value: self.one_of("profile", value, get_args(Profile)),
            "select": lambda value: self.patterns("select", value),
            "extend-select": lambda value: self.patterns("extend-select", value),
            "ignore": lambda value: self.patterns("ignore", value),
            "fail-on": lambda value: self.one_of("fail-on", value, tuple(RANK)),
            "strict": lambda value: self.typed("strict", value, bool, "true or false"),
            "baseline": self._baseline,
            "severity": self._severities,
            "targets": self._targets,
            "rules": self._options,
            "overrides": self._overrides,
            "edits": self._edits,
            "look": self._look,
        }
        self._only(data, known, "")
        values = {key.replace("-", "_"): known[key](value) for key, value in data.items()}
        values |= values.pop("look", {})
        if "rules" in values:
            values["options"] = values.pop("rules")
        return Settings(**values, folder=self._path.parent.resolve())

    def fail(self, key: str, sentence: str) -> ModelError:
        """An error at the line of ``key``."""
        plain = (line.strip().replace('"', "") for line in self._lines)
        tables = (f"[{prefix}{key}" for prefix in ("", "[", "rules."))
        in_project = (f"[{prefix}{key}" for prefix in _IN_PROJECT)
        starts = (f"{key} ", f"{key}=", *tables, *in_project)
        found = [n for n, line in enumerate(plain, 1) if line.startswith(starts)]
        return ModelError(sentence, Place(str(self._path), found[0] if found else 1))

    def typed(self, key: str, value: Any, kind: type, phrase: str) -> Any:
        if not isinstance(value, kind):
            raise self.fail(key, f"{key} must be {phrase}, got {value!r}")
        return value

    def one_of(self, key: str, value: Any, words: Sequence[str]) -> Any:
        if value not in words:
            hint = nearest(str(value), words)
            raise self.fail(key, f"{key} must be one of {', '.join(words)}, got {value!r}{hint}")
        return value

    def _only(self, data: Mapping[str, Any], known: Iterable[str], within: str) -> None:
        for key in data:
            if key not in known:
                where = f" in {within}" if within else ""
                raise self.fail(key, f"there is no setting {key!r}{where}{nearest(key, [*known])}")

    def patterns(self, key: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(key, f"{key} must be a list of rule ids, groups or globs")
        for pattern in value:
            self._known_pattern(key, pattern)
        return tuple(value)

    def _known_pattern(self, key: str, pattern: str) -> None:
        if pattern != "ALL" and not any(specificity(pattern, rule) for rule in self._rules):
            hint = nearest(pattern, list(self._rules))
            raise self.fail(key, f"{key}: no rule is called {pattern!r}{hint}")

    def _baseline(self, value: Any) -> Path:
        return self._path.parent / str(self.typed("baseline", value, str, "a file name"))

    def _severities(self, value: Any) -> Mapping[str, Severity]:
        self.typed("severity", value, dict, "a table of rule ids and severities")
        for pattern, severity in value.items():
            self._known_pattern(pattern, pattern)
            self.one_of(pattern, severity, tuple(RANK))
        return dict(value)

    def _targets(self, value: Any) -> Mapping[str, tuple[str, ...]]:
        self.typed("targets", value, dict, "a table of rule ids and lists of selectors")
        for pattern, selectors in value.items():
            self._known_pattern(pattern, pattern)
            self.typed(pattern, selectors, list, "a list such as ['tag:tier1']")
            for selector in selectors:
                self._selector(pattern, self.typed(pattern, selector, str, "a selector"))
        return {pattern: tuple(selectors) for pattern, selectors in value.items()}

    def _selector(self, pattern: str, selector: str) -> None:
        kind, _, word = selector.partition(":")
        if word and kind not in ("kind", "tag", "boundary"):
            raise self.fail(
                pattern,
                f"a selector is a name, kind:, tag: or boundary:, got {selector!r}"
                f"{nearest(kind, ['kind', 'tag', 'boundary'])}",
            )

    def _overrides(self, value: Any) -> tuple[Override, ...]:
        self.typed("overrides", value, list, "a list of tables [[overrides]]")
        found = []
        for table in value:
            self.typed("overrides", table, dict, "a list of tables [[overrides]]")
            self._only(table, ("path", "ignore", "severity"), "overrides")
            if not isinstance(table.get("path"), str):
                raise self.fail("overrides", "an override needs a path, such as 'models/old/**'")
            found.append(
                Override(
                    table["path"],
                    self.patterns("ignore", table.get("ignore", [])),
                    self._severities(table.get("severity", {})),
                )
            )
        return tuple(found)

    def _look(self, value: Any) -> Mapping[str, Any]:
        self.typed("look", value, dict, "a table with the tables icons and colours")
        self._only(value, ("icons", "colours"), "look")
        icons = self.typed("look", value.get("icons", {}), dict, "a table of names and files")
        colours = self.typed("look", value.get("colours", {}), dict, "a table of tags and colours")
        for name, file in icons.items():
            self._icon(name, self._path.parent / self.typed(name, file, str, "a file name"))
        for tag, colour in colours.items():
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", str(colour)):
                raise self.fail(tag, f"the colour of {tag} must be like '#fbd38d', got {colour!r}")
        folder = self._path.parent
        return {"icons": {n: folder / f for n, f in icons.items()}, "colours": dict(colours)}

    def _icon(self, name: str, file: Path) -> None:
        if file.suffix.lower() not in (".png", ".svg") or not file.is_file():
            raise self.fail(name, f"there is no .png or .svg file {file.as_posix()!r}")

    def _edits(self, value: Any) -> Mapping[str, float]:
        self.typed("edits", value, dict, "a table of kinds of edits and their costs")
        for kind, cost in value.items():
            if type(cost) not in (int, float):
                raise self.fail(kind, f"the cost of {kind} must be a number, got {cost!r}")
        try:
            return checked_costs({kind: float(cost) for kind, cost in value.items()})
        except ModelError as error:
            raise self.fail("edits", error.sentence) from None

    def _options(self, value: Any) -> Mapping[str, object]:
        self.typed("rules", value, dict, "tables such as [rules.BND011]")
        found = {}
        for identity, table in value.items():
            rule = self._rules.get(identity)
            if rule is None:
                hint = nearest(identity, list(self._rules))
                raise self.fail(identity, f"no rule is called {identity!r}{hint}")
            self.typed(identity, table, dict, f"a table [rules.{identity}]")
            found[identity] = self._thresholds(rule, table)
        return found

    def _thresholds(self, rule: Rule, table: Mapping[str, Any]) -> object:
        if rule.options is None:
            raise self.fail(rule.id, f"the rule {rule.id} has no thresholds")
        known = {part.name: part for part in dataclasses.fields(rule.options)}
        kinds = get_type_hints(rule.options)
        values = {}
        for key, value in table.items():
            name = key.replace("-", "_")
            if name not in known:
                hint = nearest(name, list(known))
                raise self.fail(key, f"the rule {rule.id} has no threshold {key!r}{hint}")
            values[name] = self._threshold(rule, key, value, kinds[name])
        return rule.options(**values)

    def _threshold(self, rule: Rule, key: str, value: Any, kind: Any) -> Any:
        given = tuple(value) if isinstance(value, list) else value
        given = float(given) if kind is float and type(given) is int else given
        try:
            return TypeAdapter(kind).validate_python(given, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            raise self.fail(
                key, f"{key} of {rule.id}: {first[0].lower()}{first[1:]}, got {value!r}"
            ) from None
