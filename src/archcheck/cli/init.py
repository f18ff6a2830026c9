"""``archcheck init``: a first model that verifies, a configuration, and a CI workflow."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from archcheck.cli.completion import folders
from archcheck.cli.installing import PLACEHOLDER, install_command
from archcheck.cli.skeletons import first_files
from archcheck.files import write_file
from archcheck.model import ArchcheckError, System


@click.command("init")
@click.argument("folder", default=".", metavar="[FOLDER]", shell_complete=folders)
@click.option("--yes", is_flag=True, help="Ask nothing and take the defaults.")
@click.option("--name", help="The system's name (default: the folder's).")
@click.option("--team", help="The team that owns it (default: team-one).")
@click.option("--ci", type=click.Choice(["github", "gitlab", "none"]), help="The CI workflow.")
def command(folder: str, yes: bool, name: str | None, team: str | None, ci: str | None) -> None:
    """Write a first model, a configuration and a CI workflow into FOLDER.

    No existing file is changed.
    """
    root = Path(folder)
    default = root.resolve().name or "system"
    asks = not yes
    choices = click.Choice(["github", "gitlab", "none"])
    name = name or (_answer("Name of the system", default) if asks else default)
    team = team or (_answer("Team that owns it", "team-one") if asks else "team-one")
    ci = ci or (_answer("CI", "github", choices) if asks else "github")
    _refuse_odd(name, team)
    install = install_command()
    files = first_files(name, team, ci, install)
    present = [path for path in files if (root / path).exists()]
    if present:
        raise ArchcheckError(f"{root / present[0]} exists already; nothing was written")
    offers_import = _has_something_to_import(root)  # before its own contracts are there
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        write_file(root / path, text)
        click.echo(f"wrote {root / path}")
    if ci != "none" and install == PLACEHOLDER:
        click.echo(
            "\nthe workflow does not know where to install archcheck from: edit its first step"
        )
    inside = f"cd {folder} && " if folder != "." else ""
    click.echo(f"\nnext: {inside}archcheck verify, then archcheck verify --suggest")
    if offers_import:
        click.echo(
            f"there are manifests or Compose files here: {inside}archcheck import . makes a model "
            "of them"
        )


def _answer(question: str, default: str, choices: click.Choice[str] | None = None) -> str:
    try:
        answer: str = click.prompt(question, type=choices, default=default)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        click.echo()
        raise ArchcheckError(
            "nobody is there to answer; name what you want with --name, --team and --ci, "
            "or take the defaults with --yes"
        ) from None
    return answer


def _has_something_to_import(root: Path) -> bool:
    from archcheck.importing import recognised

    try:
        return root.exists() and recognised(root)
    except ArchcheckError:  # too many files to look at, or a library of the extra is missing
        return False


def _refuse_odd(name: str, team: str) -> None:
    """Names go into Python source: what the model would not take is refused before."""
    for word in (name, team):
        if any(sign in word for sign in '"\\{}') or not word.isprintable():
            raise ArchcheckError(f"choose a name without quotes, braces and backslashes: {word!r}")
    System(name)
