"""How a service is tested and released, and how its interfaces grow old."""

from __future__ import annotations

import datetime
from dataclasses import field
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from archcheck.model.element import Element, Many, element
from archcheck.model.named import Ref

Stage = Literal["build", "lint", "test", "contract_test", "scan", "load_test", "deploy", "rollback"]
"""What a pipeline does."""


def _date(value: object) -> object:
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"must be a date such as '2026-12-31', got {value!r}") from None
    return value


Date = Annotated[datetime.date, BeforeValidator(_date)]
"""A day; ``"2026-12-31"`` is read too."""


@element
class Pipeline(Element):
    """Continuous integration and delivery of a service."""

    tool: str | None = field(default=None, kw_only=False)
    """GitHub Actions, GitLab CI, Jenkins ..."""
    stages: Many[Stage] = ()
    """What it does, in order."""
    contract_tests: Many[Ref] = ()
    """Consumers whose expectations it checks (Pact, buf, oasdiff)."""
    duration_budget_minutes: Annotated[int, Field(ge=1)] | None = None
    """How long it may take."""
    released_with: Many[Ref] = ()
    """Services that must be released at the same time."""
    rollback_tested_on: Date | None = None
    """When going back was last tried."""


@element
class LoadTest(Element):
    """Evidence that capacity was measured."""

    tool: str | None = field(default=None, kw_only=False)
    """k6, Locust, Gatling ..."""
    ran_on: Date | None = None
    """When it last ran."""
    report: str | None = None
    """Where the result is."""


@element
class Deprecation(Element):
    """An interface that goes away."""

    since: Date
    """When it was announced."""
    sunset: Date | None = None
    """When it stops answering."""
    replacement: Ref | None = None
    """What to use instead."""
