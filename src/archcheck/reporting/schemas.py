"""The JSON Schemas of all that commands print and read, by name.

Each comes from the types that make or read the JSON. Its ``$id`` has the version: a field that is
new leaves it as it is, one that goes or changes its meaning raises it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from archcheck.configuration import Settings
from archcheck.editing import COSTS
from archcheck.findings import Rule
from archcheck.model import json_schema
from archcheck.reporting.forms import schema_of


@dataclass(frozen=True)
class Printed:
    """A JSON that a command prints: its form, whose module is loaded only when it is needed."""

    what: str
    form: str
    format: str
    is_list: bool = False

    def schema(self) -> dict[str, Any]:
        """Its schema."""
        module, _, name = self.form.partition(":")
        found = schema_of(getattr(importlib.import_module(f"archcheck.reporting.{module}"), name))
        if self.is_list:
            definitions = found.pop("$defs", {})
            title = f"What {self.what} prints."
            found = {"description": title, "type": "array", "items": found, "$defs": definitions}
        return _headed(found, self.format)


PRINTED: Mapping[str, Printed] = {
    "verify": Printed(
        "archcheck verify --format json",
        "verification.jsonform:VerificationForm",
        "archcheck.verify/2",
        is_list=True,
    ),
    "prove": Printed("archcheck prove --format json", "proofs:ProofsForm", "archcheck.prove/1"),
    "simulate": Printed(
        "archcheck simulate --format json",
        "simulation.jsonform:SimulationForm",
        "archcheck.simulate/3",
    ),
    "compare": Printed(
        "archcheck compare --format json",
        "simulation.comparison:ComparisonForm",
        "archcheck.compare/2",
    ),
    "plan": Printed(
        "archcheck plan --format json", "planning.jsonform:PlanForm", "archcheck.plan/2"
    ),
    "chaos": Printed(
        "archcheck chaos --format json", "resilience.jsonform:ChaosForm", "archcheck.chaos/2"
    ),
    "phase-map": Printed(
        "archcheck phase-map --format json",
        "resilience.jsonform:PhasesForm",
        "archcheck.phases/1",
    ),
    "availability": Printed(
        "archcheck availability --format json",
        "resilience.availability:AvailabilityForm",
        "archcheck.availability/2",
    ),
    "availability-kill": Printed(
        "archcheck availability --kill 30% --format json",
        "resilience.availability:KilledSharesForm",
        "archcheck.killed/1",
    ),
    "import": Printed(
        "archcheck import --format json", "importing:ImportForm", "archcheck.import/1"
    ),
    "rules": Printed(
        "archcheck rules --format json", "rules:RuleForm", "archcheck.rules/1", is_list=True
    ),
}
"""Name of a schema to what it is of."""

READ: Mapping[str, str] = {
    "model": "a model as JSON, as archcheck export writes it and every command reads it",
    "configuration": "archcheck.toml, and [tool.archcheck] of pyproject.toml",
}
"""Name of a schema of what commands read to what it is of."""


def schema(name: str, rules: Sequence[Rule] = ()) -> dict[str, Any]:
    """The schema of this name; ``rules`` are those that a configuration may name."""
    match name:
        case "model":
            return json_schema()
        case "configuration":
            return _headed(_configuration(rules), "archcheck.configuration/1")
        case _:
            return PRINTED[name].schema()


def _headed(found: dict[str, Any], format_: str) -> dict[str, Any]:
    head = {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"urn:{format_.replace('.', ':')}",
        "title": format_,
    }
    return {**head, **{key: value for key, value in found.items() if key != "title"}}


# -- configuration --------------------------------------------------------------------------------


def _configuration(rules: Sequence[Rule]) -> dict[str, Any]:
    """What a configuration may say: the fields of the settings, by the names in the file."""
    found = schema_of(Settings)
    fields = {name.replace("_", "-"): part for name, part in found.pop("properties").items()}
    del fields["folder"], found["required"]
    override = found["$defs"]["Override"]
    override["required"] = ["path"]
    for severities in (fields["severity"], override["properties"]["severity"]):
        _complete(severities, rules)
    _complete(fields["targets"], rules)
    fields["baseline"] = {"type": "string", "description": fields["baseline"]["description"]}
    fields["edits"] = _edits(fields["edits"]["description"])
    fields["rules"] = _thresholds(rules, fields.pop("options"))
    look = {name: fields.pop(name) for name in ("icons", "colours")}
    fields["look"] = _object("How diagrams look.", look)
    return {**found, "description": "Configuration of archcheck.", "properties": fields}


def _object(description: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": description,
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _complete(table: dict[str, Any], rules: Sequence[Rule]) -> None:
    """Editors offer the ids of rules as keys of a table, which may also have groups and globs."""
    value = table["additionalProperties"]
    table["properties"] = {
        rule.id: {**value, "description": f"{rule.name}: {rule.summary()}"} for rule in rules
    }


def _edits(description: str) -> dict[str, Any]:
    costs = {
        kind: {"type": "number", "exclusiveMinimum": 0, "description": f"Usually {cost:g}."}
        for kind, cost in COSTS.items()
    }
    return _object(description, costs)


def _thresholds(rules: Sequence[Rule], options: dict[str, Any]) -> dict[str, Any]:
    found = {
        rule.id: _object(f"{rule.name}: {rule.summary()}", _options(rule))
        for rule in rules
        if rule.options is not None
    }
    return _object(options["description"], found)


def _options(rule: Rule) -> dict[str, Any]:
    kinds = get_type_hints(rule.options)
    return {
        name.replace("_", "-"): {
            **TypeAdapter(kinds[name]).json_schema(),
            "description": f"{meaning} Default: {default}.",
        }
        for name, default, meaning in rule.thresholds()
    }
