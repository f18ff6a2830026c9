"""The page of JSON: every field of every form, from the schemas that come from the code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from archcheck.reporting.schemas import PRINTED, READ, schema

_HEAD = """# JSON: what commands print and read
Programs read what archcheck found with `--format json`. `archcheck schema NAME` prints a JSON
Schema (draft 2020-12) of each form; without a name it lists them. Schemas come from the code that
makes the JSON, and no object has fields that its schema does not have.

```console
$ archcheck schema
{listed}
```

```
archcheck simulate examples/checkout.py --format json -o run.json
archcheck schema simulate -o simulate.schema.json
check-jsonschema --schemafile simulate.schema.json run.json
```

The `$id` of a schema has its version, such as `urn:archcheck:simulate/3`, and so has the field
`format` of what is printed. [New fields leave it as it is](stability.md); it rises when a field
goes or changes its meaning. So read the fields that you need, and leave the others alone. To
validate, take the schema from the archcheck that wrote the JSON: it refuses fields that a later
version adds.

All times are in **seconds**, rates in events **a second**, shares are **of one**, prices are in the
currency of the model **an hour**. A number that does not exist or has no bound is `null`.

## In an editor
Editors complete and check `archcheck.toml` with the schema of the configuration. Write it once, and
again after an upgrade:
```
archcheck schema configuration -o .archcheck.schema.json
```
- **Even Better TOML** (VS Code) and **Taplo**: make this the first line of `archcheck.toml`:
  ```toml
  #:schema ./.archcheck.schema.json
  ```
- **JetBrains**: add the file under *Languages & Frameworks, Schemas and DTDs, JSON Schema
  Mappings*, for `archcheck.toml`.

It has the thresholds of every rule, also of your own in `rules/`. Editors do not take a schema of
one table of `pyproject.toml` from a file: to have completion, keep the configuration in
`archcheck.toml`.

For models as JSON, write `archcheck schema model -o model.schema.json`; in VS Code, name it under
`json.schemas` with the files that it is for. [The vocabulary](vocabulary/README.md) has the same
words.

## Fields
`[]` stands for each item of a list, `*` for each name of a table.
"""


def json_page() -> str:
    """How to get schemas, and a table for each form that is printed."""
    whats = {**READ, **{name: made.what for name, made in PRINTED.items()}}
    listed = "\n".join(f"{name:18} {what}" for name, what in whats.items())
    parts = [_HEAD.format(listed=listed)]
    for name, made in PRINTED.items():
        found = schema(name)
        rows = "".join(f"{row}\n" for row in _Fields(found).rows())
        head = f"### {name}\n`{made.what}`, {found['$id']}\n"
        parts.append(f"{head}\n| field | type | meaning |\n|---|---|---|\n{rows}")
    return "\n".join(parts)


class _Fields:
    """The fields of a form; what occurs twice is spelled out where it comes first."""

    def __init__(self, whole: dict[str, Any]) -> None:
        self._whole = whole
        self._known = whole.get("$defs", {})
        self._first: dict[str, str] = {}

    def rows(self) -> Iterator[str]:
        whole = self._whole
        path, form = ("[]", whole["items"]) if whole["type"] == "array" else ("", whole)
        return self._fields(path, form)

    def _fields(self, path: str, form: dict[str, Any]) -> Iterator[str]:
        for name, part in form.get("properties", {}).items():
            yield from self._field(f"{path}.{name}" if path else name, part)

    def _field(self, path: str, part: dict[str, Any]) -> Iterator[str]:
        tail, inner = _items(part)
        new = {
            name: form
            for name, form in self._forms(inner).items()
            if self._first.setdefault(name, f"{path}{tail}") == f"{path}{tail}"
        }
        told = part.get("description") or next(iter(new.values()), {}).get("description", "")
        old = [self._first[name] for name in self._forms(inner) if name not in new]
        as_in = f" Fields as in `{old[0]}`." if old else ""
        meaning = f"{told}{as_in}".replace("|", "\\|")
        yield f"| `{path}` | {_kind(part, self._known)} | {meaning} |"
        yield from self._fields(f"{path}{tail}", {"properties": _merged(new.values())})

    def _forms(self, part: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """The objects that a value may be, by name."""
        names = (each.get("$ref", "") for each in part.get("anyOf", [part]))
        ends = [name.rpartition("/")[2] for name in names if name]
        return {end: _resolved(self._known[end], self._known) for end in ends}


def _merged(forms: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The fields of objects of which one stands there; a field of several may be what any says."""
    found: dict[str, Any] = {}
    for form in forms:
        for name, part in form.get("properties", {}).items():
            before = found.get(name, part)
            found[name] = (
                part
                if before == part
                else {**before, "anyOf": [*before.get("anyOf", [before]), part]}
            )
    return found


def _items(part: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What is in a list or table, and how a path says so."""
    if "items" in part:
        tail, inner = _items(part["items"])
        return f"[]{tail}", inner
    if isinstance(part.get("additionalProperties"), dict):
        tail, inner = _items(part["additionalProperties"])
        return f".*{tail}", inner
    return "", part


def _resolved(part: Any, known: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        part = known[part["$ref"].rpartition("/")[2]]
    return dict(part)


def _choices(part: dict[str, Any], known: dict[str, Any]) -> list[dict[str, Any]]:
    return [_resolved(each, known) for each in part.get("anyOf", [part])]


def _kind(part: Any, known: dict[str, Any]) -> str:
    kinds: dict[str, None] = {}
    for choice in _choices(_resolved(part, known), known):
        for kind in _kinds(choice, known):
            kinds[kind] = None
    return " or ".join(sorted(kinds, key=lambda kind: kind == "null"))


def _kinds(choice: dict[str, Any], known: dict[str, Any]) -> list[str]:
    if "const" in choice:
        return [f"`{choice['const']}`"]
    if "enum" in choice:
        return [f"`{value}`" for value in choice["enum"]]
    if choice.get("type") == "array":
        if "prefixItems" in choice:
            return [f"{len(choice['prefixItems'])} numbers"]
        return [f"list of {_plural(_kind(choice['items'], known))}"]
    if isinstance(choice.get("additionalProperties"), dict):
        return ["table"]
    kind = choice.get("type", "any")
    return list(kind) if isinstance(kind, list) else [kind]


def _plural(kind: str) -> str:
    first = kind.partition(" or ")[0]
    return kind if first.startswith(("`", "list", "table")) else f"{first}s"
