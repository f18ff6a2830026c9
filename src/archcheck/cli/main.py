"""The command line: one command a module, loaded when it is called.

Exit codes: 0 fine; 1 findings at or above ``--fail-on``, or an objective missed; 2 the model or
the command line is wrong; 3 undecided under ``--strict``; 4 a bug of ours.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys

import click

COMMANDS = {
    "init": "Begin: a first model, a configuration, a CI workflow.",
    "verify": "Check models against the rules.",
    "prove": "Prove what holds in every case, or show the case in which it does not.",
    "fix": "Find the cheapest edits that make the rules hold.",
    "simulate": "Put a model under load and predict latencies and bottlenecks.",
    "plan": "Plan capacity: how much it takes, what breaks first, what more load costs.",
    "availability": "Say how available journeys are, or what answers when containers are killed.",
    "diagram": "Draw a model: nine views, as pictures or as text for other tools.",
    "report": "Write a whole design review as one HTML file, or serve it while you edit.",
    "rules": "List the rules, or write the skeleton of a new one.",
    "explain": "Explain a rule: what, why, how to mend it, examples.",
    "export": "Write a model as JSON, or the JSON Schema of models.",
}
"""Command to its short help; the module of the same name in this package has the rest."""


class _Commands(click.Group):
    """Commands whose modules are imported only when they run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"archcheck.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from archcheck.version import __version__

        click.echo(f"archcheck {__version__}")
        ctx.exit()


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Loading a Python model runs it. Export models that you do not trust to JSON first.",
)
@click.option(
    "--version",
    is_flag=True,
    callback=_version,
    expose_value=False,
    is_eager=True,
    help="Show the version and exit.",
)
def archcheck() -> None:
    """Architecture as code: models checked, simulated and drawn before code is written."""


def main() -> None:
    """Run the command line; errors are one sentence on standard error."""
    gc.set_threshold(100_000)  # starting up makes many objects and hardly any garbage
    sys.exit(_run())


def _run() -> int:
    try:
        code = archcheck(standalone_mode=False)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _explain(error)
    return code if isinstance(code, int) else 0


def _explain(error: Exception) -> int:
    from archcheck.model.errors import ArchcheckError

    if isinstance(error, ArchcheckError):
        click.echo(f"error: {error}", err=True)
        return 2
    if isinstance(error, OSError):
        click.echo(f"error: {error.filename or 'file'}: {error.strerror or error}", err=True)
        return 2
    if os.environ.get("ARCHCHECK_DEBUG"):
        raise error
    click.echo(
        f"archcheck has a bug: {type(error).__name__}: {error}\n"
        "Please report it; ARCHCHECK_DEBUG=1 shows where it happened.",
        err=True,
    )
    return 4
