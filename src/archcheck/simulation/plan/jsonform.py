"""Plans as JSON: to look at one, to keep it, to run it elsewhere."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache

from pydantic import TypeAdapter, ValidationError

from archcheck.simulation.plan import Plan
from archcheck.simulation.plan.checking import PlanError, check_plan

LARGEST = 64 * 1024 * 1024
"""Bytes of a plan that are read at most."""


def plan_to_json(plan: Plan) -> str:
    """All tables; infinity is written as ``Infinity``."""
    return json.dumps(asdict(plan))


def plan_from_json(text: str) -> Plan:
    """The plan of a JSON text. Raises :class:`PlanError` with the field that is wrong."""
    if len(text) > LARGEST:
        raise PlanError(f"a plan has at most {LARGEST} characters, this one {len(text)}")
    try:
        plan = _adapter().validate_python(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(map(str, first["loc"])) or "the plan"
        raise PlanError(f"{path}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise PlanError(f"the text is not JSON: {error}") from None
    check_plan(plan)
    return plan


@cache
def _adapter() -> TypeAdapter[Plan]:
    return TypeAdapter(Plan)
