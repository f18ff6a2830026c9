"""Programs that render manifests, run on files that nobody vouches for.

They get a copy of the files that are meant, no shell, an environment without a network, and limits
of time, output and, where the system has them for others' processes, memory.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Timer

from archcheck.importing.yaml_files import MAX_BYTES
from archcheck.model import ModelError, Place

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MOST_SECONDS = 20.0
"""How long a program may take. A choice: large overlays take one second."""
MOST_MEMORY = 4 * 1024**3
"""Address space of a program. A choice: programs in Go reserve up to 1 GiB and use a tenth."""
MOST_FILES = 2_000
"""Files that are copied for one rendering. A choice: charts with all that they need have 300."""
_NOWHERE = "http://127.0.0.1:9"
"""A proxy that is none (the port of the discard protocol, RFC 863): whatever asks the network for
something is told no."""


def copied(files: Mapping[Path, Path], into: Path, place: Place) -> None:
    """Copy ordinary files to their places below a folder. Refuses too many of them."""
    left = MAX_BYTES
    if len(files) > MOST_FILES:
        raise ModelError(f"needs more than {MOST_FILES:,} files", place)
    for path, target in files.items():
        left -= path.stat().st_size
        if left < 0:
            raise ModelError(f"needs more than {MAX_BYTES // 1024**2} MiB of files", place)
        to = into / target
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(path.read_bytes())


def printed_by(command: Sequence[str], folder: Path, place: Place) -> str:
    """What a program prints. Raises :class:`ModelError` with what it complains about."""
    name = Path(command[0]).name
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile() as complaints:
        try:
            process = subprocess.Popen(  # noqa: S603  # from the PATH; the folder is ours
                command,
                cwd=folder,
                env=_environment(home),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,
            )
        except OSError as error:
            raise ModelError(f"{name} cannot be run: {error.strerror}", place) from None
        with process:
            output, is_late = _output(process)
        complaints.seek(0)
        said = complaints.read(4_000).decode("utf-8", errors="replace")
    if len(output) > MAX_BYTES:
        raise ModelError(f"{name} prints more than {MAX_BYTES // 1024**2} MiB", place)
    if is_late:
        raise ModelError(f"{name} takes longer than {MOST_SECONDS:g} s", place)
    if process.returncode != 0:
        why = _sentence(said, folder, process.returncode)
        raise ModelError(f"{name} refuses it: {why}", place)
    return output.decode("utf-8", errors="replace")


def _output(process: subprocess.Popen[bytes]) -> tuple[bytes, bool]:
    """What it prints until it ends, and whether it had to be ended because it took too long."""
    _bound(process.pid)
    timer = Timer(MOST_SECONDS, _end, [process])
    timer.start()
    try:
        output = process.stdout.read(MAX_BYTES + 1) if process.stdout else b""
        if len(output) > MAX_BYTES:
            _end(process)
        process.wait()
        return output, not timer.is_alive()
    finally:
        timer.cancel()
        _end(process)  # if the user has interrupted us


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it and all that it has started: they hold its output open."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _environment(home: str) -> dict[str, str]:
    """Nothing of the user's: no settings, no plugins, no credentials, no other programs, which
    kustomize would need to clone a repository."""
    return {
        "PATH": home, "HOME": home, "USERPROFILE": home, "TMPDIR": home, "KUBECONFIG": "",
        "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home, "XDG_DATA_HOME": home,
        "HELM_PLUGINS": home, "HTTP_PROXY": _NOWHERE, "HTTPS_PROXY": _NOWHERE,
        "ALL_PROXY": _NOWHERE,
    }  # fmt: skip


def _bound(pid: int) -> None:
    """Bound its memory and the files that it writes, where another process's limits can be set."""
    if hasattr(resource, "prlimit"):
        with suppress(OSError):  # it has ended already
            resource.prlimit(pid, resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (MAX_BYTES, MAX_BYTES))


def _sentence(said: str, folder: Path, code: int) -> str:
    """What it complains about, in terms of the files that are there; of long stories the end, too:
    kustomize begins with what it tried first."""
    lines = [line.strip() for line in said.replace(f"{folder}/", "").splitlines() if line.strip()]
    first = next((line for line in lines if line.lower().startswith("error")), "")
    found = (first or (lines[-1] if lines else f"it ends with {code}")).removeprefix("Error: ")
    return found if len(found) <= 300 else f"{found[:100]} ... {found[-200:]}"
