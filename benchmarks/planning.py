"""The analytic solution beside the simulation of the same load, and whole plans."""

from __future__ import annotations

import time
from pathlib import Path

from archcheck.loading import load
from archcheck.planning import at_peak, busiest_scenario, plan_capacity, solve_plan
from archcheck.simulation import simulate
from archcheck.simulation.compiling import compile_plan
from archcheck.units import s

ROOT = Path(__file__).parents[1]
MODELS = ("online_boutique", "shop", "social_network")
ROUNDS = 5


def main() -> None:
    """Print a table: the best of some rounds, taken in turn."""
    print("| model | analytic, ms | simulated 60 s, ms | ratio | gap of p95 | plan, s |")
    print("|---|---|---|---|---|---|")
    for name in MODELS:
        (system,) = load(ROOT / "models" / name)
        scenario = busiest_scenario(system)
        plan = at_peak(compile_plan(system, scenario))
        solved, simulated = [], []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            flow = solve_plan(plan)
            between = time.perf_counter()
            result = simulate(system, scenario, plan=plan, duration=60 * s, warmup=5 * s)
            simulated.append(time.perf_counter() - between)
            solved.append(between - start)
        gaps = [
            abs(journey.quantile(0.95) / result.journey(journey.name).latency.p95 - 1)
            for journey in flow.journeys
            if journey.rate
        ]
        start = time.perf_counter()
        plan_capacity(system)
        whole = time.perf_counter() - start
        ratio = min(simulated) / min(solved)
        print(
            f"| {name} | {1000 * min(solved):.1f} | {1000 * min(simulated):.0f} | {ratio:.0f} "
            f"| {max(gaps):.1%} | {whole:.1f} |"
        )


if __name__ == "__main__":
    main()
