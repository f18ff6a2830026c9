"""Counterexamples as runs: what a proof calls refuted, the simulator shows.

A simulation is a second opinion on a proof, as far as both go their own ways: they share the model
and the accounts of :mod:`archcheck.graph` (what protects a call, how many copies a store needs), so
that a mistake there shows in neither. A counterexample says who fails, how slow what is waited for
is, or which load comes; :func:`replay` makes an experiment of it: the system with that part
changed, one journey, and faults. Everything that is not at fault stays as it is declared: retries,
breakers, limits, meshes and zones do in the run what the simulator knows of them.

What is about declarations alone (policies, promised availability, the order of a saga's messages,
the overlap of quorums) has no run; a replay says so.
"""

from __future__ import annotations

from archcheck.graph import Graph
from archcheck.model import ArchcheckError
from archcheck.proof import FailureSet, LongestRun, Refuted, RetryStorm, SagaSchedule, WorstPoint
from archcheck.proof.budget import BudgetSpentError
from archcheck.replaying.experiments import Replay
from archcheck.replaying.failures import replay_failures
from archcheck.replaying.loads import replay_load
from archcheck.replaying.storms import replay_storm
from archcheck.replaying.waits import replay_long_run

__all__ = ["Replay", "replay"]


def replay(graph: Graph, refuted: Refuted) -> Replay:
    """Play the counterexample of an answer to a question about ``graph``.

    The same answer gives the same replay. A system that cannot be simulated is not replayed, and
    the replay says why.
    """
    try:
        match refuted.counterexample:
            case FailureSet() as shown:
                return replay_failures(graph, refuted.subject, shown)
            case LongestRun() as shown:
                return replay_long_run(graph, refuted.subject, shown)
            case RetryStorm() as shown:
                return replay_storm(graph, shown)
            case WorstPoint() as shown:
                return replay_load(graph, shown)
            case SagaSchedule():
                return Replay(None, "a run has no messages of a saga that overtake each other")
            case _:
                return Replay(None, "it is about what is declared, which takes no time")
    except (ArchcheckError, BudgetSpentError) as error:
        return Replay(None, f"the system cannot be run so: {error}")
