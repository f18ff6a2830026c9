"""Models that commands write: as new packages and files, never over what exists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from archcheck.files import check_writable, write_files
from archcheck.generating import module_name
from archcheck.model import ArchcheckError


def new_model(path: str) -> Path:
    """Where a model is to be written: a ``.py`` file, or the folder of a package.

    Raises :class:`ArchcheckError` where something is already, or where no Python could be loaded
    from; :class:`OSError` where nothing may be written.
    """
    target = Path(path)
    is_file = target.suffix == ".py"
    if target.is_symlink() or (target.exists() and not _is_empty(target)) or _blocks(target):
        raise ArchcheckError(
            f"{target} exists already and nothing was written; write the model to another place "
            "and compare the two, or move this one away"
        )
    name = target.stem if is_file else target.resolve().name
    if module_name(name) != name:
        ending = ".py" if is_file else ""
        raise ArchcheckError(
            f"Python cannot import {name!r}; write to {target.parent / module_name(name)}{ending}"
        )
    if is_file:
        check_writable(target)
    return target


def _is_empty(target: Path) -> bool:
    return target.is_dir() and target.suffix != ".py" and not any(target.iterdir())


def _blocks(target: Path) -> bool:
    """Whether a file stands where a folder of the path would be."""
    return any(each.exists() and not each.is_dir() for each in target.parents)


def write_model(files: Mapping[str, str], target: Path) -> None:
    """Write the files of a package, or the only one, to a new place and say so: all or none."""
    if target.suffix == ".py":
        (text,) = files.values()
        write_files({str(target): text})
        click.echo(f"wrote {target}", err=True)
        return
    new = [each for each in (target, *target.parents) if not each.exists()]
    try:
        target.mkdir(parents=True, exist_ok=True)
        write_files({str(target / name): text for name, text in files.items()})
    except BaseException:
        for each in new:
            if each.is_dir() and not any(each.iterdir()):
                each.rmdir()
        raise
    lines = sum(text.count("\n") for text in files.values())
    count = f"{len(files)} files" if len(files) > 1 else "1 file"
    click.echo(f"wrote {target} ({count}, {lines} lines)", err=True)
