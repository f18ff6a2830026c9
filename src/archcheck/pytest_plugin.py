"""A pytest plugin: architecture as tests.

- ``pytest --archcheck`` adds a test for each rule and system: violated fails, undecided and not
  applicable are skipped with their reason (undecided fails under ``strict``), a broken rule is an
  error. ``--archcheck-models`` (or the ini option ``archcheck_models``) names the models,
  ``models`` by default.
- ``def test_architecture(archcheck): archcheck.check("models")`` does the same in one test.

The configuration of archcheck counts as on the command line. Python models are run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from archcheck.configuration import Settings
    from archcheck.findings import Rule, RuleOutcome, Severity
    from archcheck.verification import Verification

_MODELS = "archcheck_models"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("archcheck", "architecture rules")
    group.addoption("--archcheck", action="store_true", help="Add a test for each rule.")
    group.addoption(
        "--archcheck-models", metavar="MODEL", action="append", help="Which models (repeatable)."
    )
    parser.addini(_MODELS, "Models that --archcheck verifies.", type="args", default=["models"])


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the tests of the rules behind the tests that were found."""
    if not config.getoption("--archcheck"):
        return
    models = config.getoption("--archcheck-models") or config.getini(_MODELS)
    collector = RuleCollector.from_parent(session, name="archcheck", models=tuple(models))
    items += list(collector.collect())


@pytest.fixture
def archcheck(request: pytest.FixtureRequest) -> Architecture:
    """Verify models in a test: ``archcheck.check("models")``."""
    return Architecture(request.config.rootpath)


class ArchitectureError(AssertionError):
    """The architecture does not hold; the text is the report."""


@dataclass(frozen=True)
class Architecture:
    """What the fixture gives: the models of a project, under its configuration."""

    root: Path

    def verify(self, *models: str) -> tuple[Verification, ...]:
        """What the rules say of the models (default: ``models``)."""
        from archcheck.importing.loading import load
        from archcheck.verification import Baseline, verify

        rules, settings = self._configured()
        baseline = Baseline.read(settings.baseline) if settings.baseline else None
        paths = [self.root / model if (self.root / model).exists() else model for model in models]
        return tuple(
            verify(system, rules, settings=settings, baseline=baseline)
            for system in load(*(paths or [self.root / "models"]))
        )

    def check(
        self, *models: str, fail_on: Severity | None = None, strict: bool | None = None
    ) -> tuple[Verification, ...]:
        """Verify, and fail the test with the report unless the architecture holds.

        ``fail_on`` and ``strict`` are the configuration's unless given.
        """
        settings = self.settings
        settings = replace(
            settings,
            fail_on=fail_on or settings.fail_on,
            strict=settings.strict if strict is None else strict,
        )
        results = self.verify(*models)
        outcomes = [outcome for result in results for outcome in result.outcomes]
        if any(failure(outcome, settings) for outcome in outcomes):
            raise ArchitectureError("\n".join(report(result) for result in results))
        return results

    @property
    def settings(self) -> Settings:
        """The configuration that counts."""
        return self._configured()[1]

    def _configured(self) -> tuple[tuple[Rule, ...], Settings]:
        from archcheck import configuration
        from archcheck.plugins import rules

        found = configuration.find(self.root)
        known = rules(self.root / "rules")
        return known, configuration.read(found, known) if found else configuration.Settings()


class RuleCollector(pytest.Collector):
    """The rules of each system, as tests."""

    def __init__(self, models: tuple[str, ...], **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]  # what pytest gives every node
        self._models = models

    def collect(self) -> Iterator[pytest.Item]:
        architecture = Architecture(self.config.rootpath)
        settings = architecture.settings
        for result in architecture.verify(*self._models):
            for outcome in result.outcomes:
                name = f"{result.system.name}: {outcome.rule.id} {outcome.rule.name}"
                yield RuleItem.from_parent(self, name=name, outcome=outcome, settings=settings)


class RuleItem(pytest.Item):
    """One rule, put to one system."""

    def __init__(self, outcome: RuleOutcome, settings: Settings, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self._outcome = outcome
        self._settings = settings

    def runtest(self) -> None:
        text = failure(self._outcome, self._settings)
        if text:
            raise ArchitectureError(text)
        if self._outcome.verdict == "undecided":
            pytest.skip("; ".join(_undecided(self._outcome)))
        if self._outcome.verdict == "not applicable":
            pytest.skip(f"not applicable: {self._outcome.not_applicable}")

    def repr_failure(  # type: ignore[override]  # a rule has no traceback to show
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> str:
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        place = self._outcome.findings[0].place if self._outcome.findings else None
        path = Path(place.file) if place else self.config.rootpath
        return path, place.line - 1 if place else None, self.name


def failure(outcome: RuleOutcome, settings: Settings) -> str:
    """Why a rule fails the test; empty when it does not."""
    from archcheck.configuration import RANK

    if outcome.broken:
        return f"the rule {outcome.rule.id} is broken: {outcome.broken}"
    lines = [
        f"{place.place}: {place.message}" if place.place else place.message
        for finding in outcome.findings
        if RANK[finding.severity] >= RANK[settings.fail_on]
        for place in finding.occurrences
    ]
    if not lines and settings.strict:
        lines = list(_undecided(outcome))
    return "\n".join(lines)


def _undecided(outcome: RuleOutcome) -> Iterable[str]:
    return (
        f"undecided: {question.missing} is not declared in {len(question.subjects)} places"
        for question in outcome.questions
    )


def report(result: Verification) -> str:
    """The report of one system as plain text."""
    from archcheck.reporting.console import plain_text
    from archcheck.reporting.verification import print_verification

    return plain_text(lambda console: print_verification(console, result))
