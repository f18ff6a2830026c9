"""The command line: one command a module, loaded when it is called.

Exit codes: 0 fine; 1 findings at or above ``--fail-on``, or an objective missed; 2 the model or
the command line is wrong; 3 undecided under ``--strict``; 4 a bug of ours.
"""

from __future__ import annotations

import errno
import gc
import importlib
import keyword
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import click

from archcheck.cli import streams

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

GROUPS = {
    "Start": {
        "init": "Write a first model, a configuration and a CI workflow.",
        "import": "Make a model of the files that a team has: manifests, Compose files ...",
        "explain": "Explain a rule: what it checks, why, how to fix a finding, examples.",
        "rules": "List the rules, or write a new one from a template.",
    },
    "Judge": {
        "verify": "Check models against the rules.",
        "prove": "Prove what holds in every case, or show a counterexample.",
        "fix": "Find the cheapest edits that make the rules hold.",
    },
    "Load": {
        "simulate": "Put a model under load and predict latencies and bottlenecks.",
        "compare": "Compare a model with variants of it by simulation: what if.",
        "plan": "Find the sustainable load, what breaks first, and what more load costs.",
        "chaos": "Try the standard faults, and report whether the system recovers.",
        "phase-map": "Show from which load on a system does not recover after a fault.",
        "availability": "Compute how available journeys are, or what answers when containers die.",
    },
    "See": {
        "diagram": "Draw a model: nine views, as pictures or as text for other tools.",
        "report": "Write a design review as one HTML file, or serve it while you edit.",
        "export": "Write a model as JSON or as Python.",
        "schema": "Write the JSON Schema of what a command prints or reads.",
    },
}
"""What a person is doing, to the commands for it with their short help.

The module of the same name in this package has the rest.
"""

COMMANDS = {name: text for group in GROUPS.values() for name, text in group.items()}
"""Command to its short help."""

MOVED = {
    ("simulate", "--chaos"): "archcheck chaos",
    ("simulate", "--phase-map"): "archcheck phase-map TRIGGER",
    ("simulate", "--set"): "archcheck compare --set PATH=VALUE",
    ("export", "--schema"): "archcheck schema model",
}
"""Command and option of earlier versions, to what is written now."""


EPILOG = """
Loading a Python model runs its code. If you do not trust a model, ask for it as JSON.

Write one of these lines into your shell's start file, and TAB completes:

\b
  bash  eval "$(_ARCHCHECK_COMPLETE=bash_source archcheck)"
  zsh   eval "$(_ARCHCHECK_COMPLETE=zsh_source archcheck)"
  fish  _ARCHCHECK_COMPLETE=fish_source archcheck | source
"""


class _Commands(click.Group):
    """Commands whose modules are imported only when they run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name.replace("-", "_")
        module = importlib.import_module(f"archcheck.cli.{name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from archcheck.model.element import nearest

            ctx.fail(f"there is no command {name!r}{nearest(name, list(COMMANDS))}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Commands and options; Click's own would import every command for its short help."""
        from click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=text)
            for name, text in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, COMMANDS))
        for group, commands in GROUPS.items():
            with formatter.section(group):
                formatter.write_dl([(name.ljust(width), text) for name, text in commands.items()])


_SHOWN = ("networkx", "pydantic", "simpy", "z3-solver", "click", "rich", "numpy", "dask")
"""Packages whose versions a report of a fault needs: results may depend on them."""


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import PackageNotFoundError, version

        from archcheck.simulation.engines import fast
        from archcheck.version import __version__

        packages = []
        for name in _SHOWN:
            with suppress(PackageNotFoundError):  # an extra
                packages.append(f"{name} {version(name)}")
        click.echo(f"archcheck {__version__}")
        click.echo(f"engine: {'fast (compiled)' if fast.is_compiled() else 'simpy'}")
        click.echo(f"Python: {sys.version.split()[0]} on {sys.platform}")
        click.echo(f"packages: {', '.join(packages)}")
        ctx.exit()


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
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
    """Check, simulate and draw an architecture before you write its code."""


def main() -> None:
    """Run the command line; errors are one sentence on standard error."""
    gc.set_threshold(500_000)  # starting up makes many objects and hardly any garbage
    signal.signal(signal.SIGTERM, _terminated)
    complaint = streams.complaint() or _complaint_about_python()
    if complaint:
        click.echo(f"error: {complaint}", err=True)
        sys.exit(2)
    sys.exit(_run())


def _terminated(*_: object) -> NoReturn:
    """End in order: nothing half-written stays, nor does a process that was begun."""
    sys.exit(128 + signal.SIGTERM)


def _complaint_about_python() -> str | None:
    if sys.flags.optimize >= 2:
        return "Python runs with -OO or PYTHONOPTIMIZE=2, which takes away archcheck's texts"
    return None


def _run() -> int:
    try:
        code = archcheck(standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        _now_said(error).show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        streams.forget_output()
        return 0
    except Exception as error:
        return _explain(error)
    return code if isinstance(code, int) else 0


def _now_said(error: click.ClickException) -> click.ClickException:
    """The error; of an option of earlier versions, with what is written now."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return error
    now = MOVED.get((error.ctx.info_name or "", error.option_name))
    if now is None:
        return error
    return click.UsageError(
        f"there is no option {error.option_name} any more; write: {now}", error.ctx
    )


def _explain_files(error: OSError) -> str:
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror or error}"
    try:
        os.getcwd()
    except FileNotFoundError:
        return "the working folder does not exist any more"
    if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
        streams.forget_output()  # all files are named
        return f"standard output: {error.strerror}"
    return error.strerror or str(error)


def _explain(error: Exception) -> int:
    from archcheck.extras import explained
    from archcheck.model.errors import ArchcheckError

    if isinstance(error, ArchcheckError):
        for mistake in getattr(error, "mistakes", (error,)):
            click.echo(f"error: {mistake}", err=True)
        return 2
    if isinstance(error, OSError):
        click.echo(f"error: {_explain_files(error)}", err=True)
        return 2
    if missing := explained(error):
        click.echo(f"error: {missing}", err=True)
        return 2
    if os.environ.get("ARCHCHECK_DEBUG"):
        raise error
    click.echo(
        f"archcheck has a bug: {type(error).__name__}: {error}\n"
        "Please report it; ARCHCHECK_DEBUG=1 shows where it happened.",
        err=True,
    )
    return 4
