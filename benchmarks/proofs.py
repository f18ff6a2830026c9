"""Time of every question on generated systems, and what proofs add to verify, in one run."""

from __future__ import annotations

import sys
import time

from systems import generate

from archcheck import System
from archcheck.graph import Graph
from archcheck.plugins import rules
from archcheck.proof import ProofBudget, prove
from archcheck.proof.questions import questions
from archcheck.proof.repair import repair
from archcheck.proof.timeouts import suggest_timeouts
from archcheck.verification import verify


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or [10, 100, 1_000, 10_000]
    for size in sizes:
        system = generate(size)
        print(f"{size:,} services")
        _questions(system)
        _budget(system)
        _verify(system)
        if size <= 100:
            _repair(system)


def _questions(system: System) -> None:
    graph = Graph(system)
    list(graph.outgoing)
    for question in questions():
        start = time.perf_counter()
        answers = len(list(question.ask(graph)))
        print(f"  {question.name:14} {time.perf_counter() - start:7.2f} s  {answers:7,} answers")
    start = time.perf_counter()
    edits = len(suggest_timeouts(graph).edits)
    print(f"  {'timeouts':14} {time.perf_counter() - start:7.2f} s  {edits:7,} suggested")


def _budget(system: System) -> None:
    """What is decided within the default budget: neither out of time nor for lack of it."""
    start = time.perf_counter()
    answered = prove(Graph(system), budget=ProofBudget()).answered
    stopped = [part.question.name for part in answered if part.stopped]
    print(
        f"  all within the budget of 10 s: {time.perf_counter() - start:.2f} s, "
        f"out of time: {', '.join(stopped) or 'none'}"
    )


def _verify(system: System) -> None:
    fast = [rule for rule in rules() if rule.method != "sim"]
    plain = [rule for rule in fast if rule.method != "proof"]
    times = []
    for chosen in (plain, fast):
        start = time.perf_counter()
        verify(system, chosen)
        times.append(time.perf_counter() - start)
    print(f"  verify without proofs {times[0]:.2f} s, with them {times[1]:.2f} s")


def _repair(system: System) -> None:
    fast = [rule for rule in rules() if rule.method != "sim" and rule.recommended]
    start = time.perf_counter()
    done = repair(
        system,
        fast,
        lambda made: frozenset(
            (finding.rule.id, place.subject)
            for finding in verify(made, fast).findings
            for place in finding.occurrences
        ),
        budget=ProofBudget(60),
    )
    print(
        f"  repair {time.perf_counter() - start:.2f} s: {len(done.edits)} edits, cost "
        f"{float(done.cost):g}, at least {float(done.at_least):g}"
    )


if __name__ == "__main__":
    main()
