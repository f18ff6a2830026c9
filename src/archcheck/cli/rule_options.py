"""Which rules: the options that verify, rules and explain share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from archcheck import configuration
from archcheck.cli.completion import files
from archcheck.cli.streams import guests
from archcheck.configuration import Profile, Settings
from archcheck.findings import Rule
from archcheck.plugins import rules

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class RuleSelection:
    """What the command line says about rules, put on top of the configuration."""

    config: str | None
    isolated: bool
    profile: Profile | None
    select: tuple[str, ...]
    ignore: tuple[str, ...]

    def rules(self) -> tuple[Rule, ...]:
        """The installed rules, and those of the folder ``rules/``."""
        if self.isolated:
            return rules()
        with guests():
            return rules(Path("rules"))

    def settings(self) -> Settings:
        """The configuration with the command line's choices."""
        settings = self._configured()
        if self.profile:
            settings = replace(settings, profile=self.profile, select=())
        if self.select:
            settings = replace(settings, select=listed(self.select), extend_select=())
        if self.ignore:
            settings = replace(settings, ignore=(*settings.ignore, *listed(self.ignore)))
        configuration.check_patterns((*listed(self.select), *listed(self.ignore)), self.rules())
        return settings

    def _configured(self) -> Settings:
        if self.config is not None:
            return configuration.read(Path(self.config), self.rules())
        found = None if self.isolated else configuration.find(Path.cwd())
        return configuration.read(found, self.rules()) if found else Settings()


def listed(values: tuple[str, ...]) -> tuple[str, ...]:
    """``--select RES,BND001 --select DAT`` is three patterns."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def rule_options(function: F) -> F:
    """Options that choose rules; the command gets a :class:`RuleSelection`."""

    @click.option(
        "--config",
        metavar="FILE",
        shell_complete=files,
        help="Read the configuration from this file.",
    )
    @click.option(
        "--isolated", is_flag=True, help="Ignore the configuration and the folder rules/."
    )
    @click.option(
        "--profile",
        type=click.Choice(["minimal", "recommended", "strict"]),
        help="The set of rules (default: recommended).",
    )
    @click.option(
        "--select", multiple=True, metavar="RULES", help="Only these rules: ids, groups, globs."
    )
    @click.option("--ignore", multiple=True, metavar="RULES", help="All but these rules.")
    @functools.wraps(function)
    def command(
        *args: Any,
        config: str | None,
        isolated: bool,
        profile: Profile | None,
        select: tuple[str, ...],
        ignore: tuple[str, ...],
        **kwargs: Any,
    ) -> Any:
        selection = RuleSelection(config, isolated, profile, select, ignore)
        return function(*args, selection=selection, **kwargs)

    return command  # type: ignore[return-value]
