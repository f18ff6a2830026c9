"""New random systems against what is claimed, for as long as one likes.

``make attack FIRST=20000 SYSTEMS=5000``: of each seed one system for the two engines, which must
agree on every event, one for rules and proofs, whose claims no run may break, one for failures:
what survives them does so in a run, what does not, a run shows. Of every fifth seed a system is
repaired, which may cost no answers. The suite does the same with the same few systems each time;
who changes an engine, a proof or a repair draws new ones.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing import Pool
from random import Random

from contracts import (
    test_claims_of_anything,
    test_claims_of_limits,
    test_failures_in_runs,
    test_plans_of_anything,
    test_repairs,
    test_replays,
    test_runs_and_proofs,
)
from differential import test_engines

ATTACKS: dict[str, Callable[[int], None]] = {
    "engines": test_engines.check,
    "proofs": lambda seed: test_runs_and_proofs.check(Random(seed), seed),
    "anything": test_claims_of_anything.check,
    "limits": test_claims_of_limits.check,
    "failures": test_failures_in_runs.check,
    "calm": test_failures_in_runs.check_calm,
    "breakers": test_failures_in_runs.check_breakers,
    "stores": test_failures_in_runs.check_store,
    "plans": test_plans_of_anything.check,
    "replays": test_replays.check,
    "repairs": lambda seed: None if seed % 5 else test_repairs.check(5 + seed % 16, seed),
}


def attacked(name: str, seed: int) -> str | None:
    """What broke, if something did."""
    try:
        ATTACKS[name](seed)
    except Exception as error:  # whatever breaks is what is looked for
        return f"{name}, seed {seed}: {type(error).__name__}: {error}"
    return None


def main() -> int:
    """Attack with a range of seeds on all cores and print what broke."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--first", type=int, default=10_000, help="the first seed")
    parser.add_argument("--systems", type=int, default=1_000, help="how many seeds")
    chosen = parser.parse_args()
    seeds = range(chosen.first, chosen.first + chosen.systems)
    broken = 0
    with Pool() as pool:
        for name in ATTACKS:
            for found in pool.imap_unordered(partial(attacked, name), seeds, chunksize=10):
                if found is not None:
                    broken += 1
                    print(found, flush=True)
            print(f"{name}: {len(seeds)} systems", flush=True)
    print(f"{broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
