"""The page of commands: the words of ``--help``, as a reference."""

from __future__ import annotations

from collections.abc import Iterator

import click

from archcheck.cli.main import GROUPS, archcheck

_HEAD = """# Commands
`archcheck COMMAND --help` prints the same words. [Exit codes](stability.md) mean the same in every
command: 0 holds, 1 a finding or a missed objective, 2 wrong input, 3 undecided under `--strict`,
4 a fault of archcheck or of a rule. [TAB completes](completion.md) commands, options and names.

`[MODEL]...` are Python files or folders, JSON models, or the
[files of other tools](import/README.md); without any, the folder `models/`.
**Loading a Python model runs its code.**
"""


def commands_page() -> str:
    """A section for each command, in the groups of ``archcheck --help``."""
    parts = [_HEAD]
    whole = click.Context(archcheck, info_name="archcheck")
    for group, commands in GROUPS.items():
        parts.append(f"## {group}\n")
        for name in commands:
            command = archcheck.get_command(whole, name)
            assert command is not None  # noqa: S101  # it is in the list
            context = click.Context(command, info_name=name, parent=whole)
            parts.append("\n".join(_section(command, context)) + "\n")
    return "\n".join(parts)


def _section(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"### {context.info_name}"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```\n{context.command_path} {usage}\n```"
    yield from (" ".join(part.split()) + "\n" for part in (command.help or "").split("\n\n"))
    yield "| option | what it does |\n|---|---|"
    for option in command.get_params(context):
        record = option.get_help_record(context) if isinstance(option, click.Option) else None
        if record is not None and not record[0].endswith("--help"):
            names, text = record
            yield f"| `{_cell(names)}` | {_cell(text)} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
