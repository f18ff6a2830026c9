"""Files that are written whole or not at all.

A file is written under another name beside its own, and takes that place when it is complete: a
full disk, a signal or an error half-way leaves the old file as it was. Whether a file can be
written is asked before the work whose result it takes. What is no ordinary file (a device, a pipe)
cannot be replaced and is written straight.

Errors are :class:`OSError` that name the file, with a reason that a person understands.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path


def check_writable(path: str | Path) -> None:
    """Raise :class:`OSError` if the file cannot be written, as far as can be known before."""
    target = Path(path)
    folder = target.parent
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder; name a file", str(path))
    if not folder.is_dir():
        raise FileNotFoundError(
            errno.ENOENT, f"there is no folder {folder.as_posix()!r} to write it to", str(path)
        )
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "must not be written to", str(path))
    if _is_replaced(target) and not os.access(target.resolve().parent, os.W_OK):
        raise PermissionError(errno.EACCES, "nothing may be written into its folder", str(path))


def write_file(path: str | Path, content: str | bytes) -> None:
    """Write a file whole: text as UTF-8 with the line ends that it has, or bytes."""
    write_files({str(path): content})


def write_files(contents: Mapping[str, str | bytes]) -> None:
    """Write several files; none is touched before all are there to take their places."""
    with ExitStack() as stack:
        for path, content in contents.items():
            data = content.encode("utf-8") if isinstance(content, str) else content
            stack.enter_context(replacing(path)).write_bytes(data)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A file to write to that takes the place of ``path`` at the end, unless something is raised.

    A link stays a link to the file that is replaced; permissions stay as they are.
    """
    target = Path(path)
    check_writable(target)
    if not _is_replaced(target):
        yield target
        return
    target = target.resolve()
    written = target.parent / f".archcheck-{secrets.token_hex(8)}.tmp"
    try:  # from before there is a file: a signal may come as soon as there is one
        written.touch(mode=0o600, exist_ok=False)
        yield written
        written.chmod(_mode_of(target))
        _flushed(written)
        written.replace(target)
    except OSError as error:
        if error.filename is not None and str(error.filename) != str(written):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        written.unlink(missing_ok=True)


def _is_replaced(target: Path) -> bool:
    return target.is_file() or not target.exists()


def _mode_of(target: Path) -> int:
    """The permissions of the file that is replaced, or those of a new one."""
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _flushed(path: Path) -> None:
    """Have the file on the disk before it takes a place."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
