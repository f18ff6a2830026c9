"""Counterexamples as runs: what a proof calls refuted, the simulator shows.

A proof and a simulation know the same model and share no code that judges it, so each is a second
opinion on the other. A counterexample says who fails, how slow what is waited for is, or which load
comes; :func:`replay` makes an experiment of it: the system with that part changed, one journey, and
faults. Everything that is not at fault stays as it is declared: retries, breakers, limits, meshes
and zones do in the run what the simulator knows of them.

What is about declarations alone (policies, promised availability, the order of a saga's messages,
the overlap of quorums) has no run; a replay says so.
"""

from __future__ import annotations

from archcheck.graph import Graph
from archcheck.model import ArchcheckError
from archcheck.proof import FailureSet, LongestRun, Refuted, RetryStorm, Schedule, WorstPoint
from archcheck.proof.budget import BudgetSpentError
from archcheck.replaying.experiments import Replay
from archcheck.replaying.failures import lose
from archcheck.replaying.loads import ask
from archcheck.replaying.storms import fail
from archcheck.replaying.waits import wait

__all__ = ["Replay", "replay"]


def replay(graph: Graph, refuted: Refuted) -> Replay:
    """Play the counterexample of an answer to a question about ``graph``.

    The same answer gives the same replay. A system that cannot be simulated is not replayed, and
    the replay says why.
    """
    try:
        match refuted.counterexample:
            case FailureSet() as shown:
                return lose(graph, refuted.subject, shown)
            case LongestRun() as shown:
                return wait(graph, refuted.subject, shown)
            case RetryStorm() as shown:
                return fail(graph, shown)
            case WorstPoint() as shown:
                return ask(graph, refuted.subject, shown)
            case Schedule():
                return Replay(None, "a run has no messages of a saga that overtake each other")
            case _:
                return Replay(None, "it is about what is declared, which takes no time")
    except (ArchcheckError, BudgetSpentError) as error:
        return Replay(None, f"the system cannot be run so: {error}")
