"""``archcheck verify`` on generated systems of growing size, process start included.

Prints a row for each size: wall time, the ratio to the size before beside the ratio that n log n
would give, and the largest resident memory. All figures come from one run on one machine.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from systems import generate

from archcheck.model import System, to_json

SIZES = (100, 300, 1_000, 3_000, 10_000)
TARGETS = {100: 1.0, 1_000: 1.2, 10_000: 10.0}
ROUNDS = 3


def measure(model: Path) -> tuple[float, float]:
    """Seconds, and MiB at the most, of one whole command."""
    command = [sys.executable, "-m", "archcheck", "verify", str(model), "--isolated", "--no-sim"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def calls(system: System) -> int:
    """Calls between services."""
    return to_json(system).count('"type": "Call"')


def main() -> None:
    """Measure each size several times and print the median times."""
    print("| services | calls | time | target | ratio | n log n | memory |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    before: tuple[int, float] | None = None
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            path = Path(folder) / f"{size}.json"
            system = generate(size)
            path.write_text(to_json(system))
            runs = sorted(measure(path) for _ in range(ROUNDS))
            seconds, memory = runs[len(runs) // 2]
            ratio = nlogn = ""
            if before is not None:
                ratio = f"{seconds / before[1]:.1f}"
                nlogn = f"{size * math.log(size) / (before[0] * math.log(before[0])):.1f}"
            target = f"{TARGETS[size]:g} s" if size in TARGETS else ""
            figures = f"{seconds:.2f} s | {target} | {ratio} | {nlogn} | {memory:.0f} MiB"
            print(f"| {size:,} | {calls(system):,} | {figures} |", flush=True)
            before = (size, seconds)


if __name__ == "__main__":
    main()
