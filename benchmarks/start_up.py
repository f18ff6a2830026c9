"""Wall time of whole commands, as ratios to an empty Python process measured in the same run.

The targets are such ratios: 3.5 for the help, 13 for a verify of a small model.
Compiled modules are kept from run to run, as they are for a user, whatever this shell asks for.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
ARCHCHECK = [sys.executable, "-m", "archcheck"]
COMMANDS = {
    "python -c pass": ([sys.executable, "-c", "pass"], None),
    "archcheck --help": ([*ARCHCHECK, "--help"], 3.5),
    "archcheck verify models/online_boutique": (
        [*ARCHCHECK, "verify", "models/online_boutique"],
        13,
    ),
    "archcheck verify models/social_network": (
        [*ARCHCHECK, "verify", "models/social_network"],
        13,
    ),
}
ROUNDS = 15
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def seconds(command: list[str]) -> float:
    """Wall time of one run of a command."""
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, check=False)
    return time.perf_counter() - start


def main() -> None:
    """Measure every command, the rounds interleaved, and print the medians."""
    runs: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, (command, _target) in COMMANDS.items():
            runs[name].append(seconds(command))
    base = statistics.median(runs["python -c pass"])
    for name, (_command, target) in COMMANDS.items():
        median = statistics.median(runs[name])
        goal = "" if target is None else f"  target {target:g} x"
        print(f"{name:<42} {median:6.3f} s  {median / base:6.1f} x{goal}")


if __name__ == "__main__":
    main()
