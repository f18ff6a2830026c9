"""The reference engine against a SimPy script for the same system, as a ratio from one run.

Both simulate the checkout of ``examples/handwritten_simpy.py`` and measure latencies of each
service, utilisation and queues; archcheck also counts outcomes of calls and where the time went.
The target is twice the speed of the script.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))

from handwritten_simpy import Measured, simulate_by_hand, simulate_model

ROUNDS = 5
SECONDS = 60.0
TARGET = 2.0


def fastest(simulate: Callable[[float, int], Measured]) -> tuple[float, int]:
    """The shortest of several runs, and the requests it simulated."""
    times, requests = [], 0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        measured = simulate(SECONDS, 1)
        times.append(time.perf_counter() - start)
        requests = round(measured.throughput * SECONDS)
    return min(times), requests


def main() -> None:
    simulate_model(1.0, 1)  # what is imported when it is first used
    by_hand, requests = fastest(simulate_by_hand)
    model, _ = fastest(simulate_model)
    print(f"by hand    {by_hand:6.3f} s  {by_hand / requests * 1e6:6.0f} us a journey")
    print(f"archcheck  {model:6.3f} s  {model / requests * 1e6:6.0f} us a journey")
    print(f"ratio      {by_hand / model:6.2f}  (target {TARGET:g})")


if __name__ == "__main__":
    main()
