"""archcheck as it runs where only some of the packages are installed."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import packages_distributions, requires

from commands import PLAIN, ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NAME = "archcheck-models"
WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""
COMMAND = """
from archcheck.cli.main import main
main()
"""


def with_their_own(names: set[str]) -> set[str]:
    """The packages, and what these require."""
    found: set[str] = set()
    while names:
        found |= names
        needed = [Requirement(each) for name in names for each in requires(name) or ()]
        names = {
            canonicalize_name(each.name)
            for each in needed
            if each.marker is None or each.marker.evaluate({"extra": ""})
        } - found
    return found


def with_only(packages: set[str], *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a process that finds no other packages."""
    return python_with_only(packages, COMMAND, *arguments)


def python_with_only(
    packages: set[str], program: str, *arguments: object
) -> subprocess.CompletedProcess[str]:
    """Run a program of Python in such a process."""
    there = {NAME, *with_their_own(packages)}
    absent = {
        module
        for module, distributions in packages_distributions().items()
        if not there & {canonicalize_name(name) for name in distributions}
        and "." not in module
        and not module.startswith("_")  # what finds an editable installation
    }
    return subprocess.run(
        [sys.executable, "-c", WITHOUT.format(absent=absent) + program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **PLAIN},
    )
