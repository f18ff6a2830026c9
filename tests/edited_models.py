"""Models in files that are edited: each patch is applied with git, and the result is loaded."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from archcheck import Call, Read, Service, System
from archcheck.editing import Edit, Patch, apply, patch_of, unshared
from archcheck.loading import load
from archcheck.model import to_json
from archcheck.model.element import Element
from archcheck.model.linking import walk
from archcheck.units import Duration

HEAD = f"from archcheck import *\nfrom archcheck.units import ms, s, percent\n{'#' * 160}\n"
"""Lines up to 160 characters are usual in these files."""
ENDS = (
    'b = Service("b", endpoints=[Endpoint("go")])\nc = Service("c", endpoints=[Endpoint("go")])\n'
    'db = MySQL("db", read=2 * ms)\n'
)


def front(*steps: str) -> str:
    return f'a = Service("a", endpoints=[Endpoint("go", steps=[{", ".join(steps)}])])\n'


class Models:
    """Writes models, edits steps by their numbers, and applies the patch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.target = folder
        self.patch = Patch()

    def write(self, files: Mapping[str, str]) -> System:
        for name, text in files.items():
            file = self.folder / name
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(text.encode())
        (system,) = load(self.target)
        return unshared(system)

    def steps(self, system: System) -> list[Element]:
        return [
            part
            for member in system.elements
            if isinstance(member, Service)
            for part in walk(member)
            if isinstance(part, Call | Read)
        ]

    def edited(
        self, files: Mapping[str, str], new: Mapping[int, Duration], written: int | None = None
    ) -> dict[str, str]:
        """The changed files; all edits must be written, or as many as is said."""
        system = self.write(files)
        steps = self.steps(system)
        edits = [Edit(steps[at], {"timeout": value}, f"step {at}") for at, value in new.items()]
        return self.patched(files, system, edits, written)

    def patched(
        self,
        files: Mapping[str, str],
        system: System,
        edits: Sequence[Edit],
        written: int | None = None,
    ) -> dict[str, str]:
        """The changed files, after ``git apply``: they give what was promised."""
        patch = self.patch = patch_of(system, edits)
        assert len(patch.written) == (len(edits) if written is None else written), patch.by_hand
        assert len(patch.by_hand) == len(edits) - len(patch.written)
        if not patch.files:
            return {}
        done = subprocess.run(
            ["git", "apply"], input=patch.diff().encode(), cwd=self.folder, timeout=20, check=False
        )
        assert done.returncode == 0
        (again,) = load(self.target)
        assert to_json(again) == to_json(apply(system, patch.written))
        return {
            name: after
            for name, text in files.items()
            if (after := (self.folder / name).read_bytes().decode()) != text
        }

    def one(self, text: str, new: Mapping[int, Duration], written: int | None = None) -> str:
        """The text of a model with other timeouts."""
        return self.edited({"model.py": text}, new, written).get("model.py", text)

    def replicas(self, text: str, new: Mapping[str, int], written: int | None = None) -> str:
        """The text of a model with other numbers of replicas, by service."""
        files = {"model.py": text}
        system = self.write(files)
        every = {each.name: each.deployment for each in system.services}
        edits = [
            Edit(part, {"replicas": count}, f"{name}: deployment")
            for name, count in new.items()
            if (part := every[name]) is not None
        ]
        return self.patched(files, system, edits, written).get("model.py", text)
