"""Proofs: questions about every case at once, each with the method that is strongest for it.

Every question is a function from a :class:`~archcheck.graph.Graph` to answers: :class:`Proved`
with what it assumes, :class:`Refuted` with a counterexample, or :class:`Undecided` with what is
not declared. Numbers are exact rationals. ``docs/proofs.md`` explains each encoding and its limits.
"""

from archcheck.graph.exact import exact
from archcheck.proof.answers import (
    Answer,
    Counterexample,
    Gap,
    Proved,
    Refuted,
    Undecided,
    marked,
    results,
)
from archcheck.proof.budget import BudgetSpentError, ProofBudget
from archcheck.proof.deadlines import LongestRun, deadline_budgets
from archcheck.proof.limits.admission import admissions
from archcheck.proof.limits.figures import WorstPoint, worst_demands
from archcheck.proof.limits.load import carried
from archcheck.proof.limits.rollouts import RolloutPoint, rollouts
from archcheck.proof.limits.sizing import suggest_sizes
from archcheck.proof.policies import contradictions, dead_policies
from archcheck.proof.questions import Answered, Proofs, prove
from archcheck.proof.retry_storms import RetryStorm, retry_amplification
from archcheck.proof.sagas import SagaSchedule, sagas
from archcheck.proof.survival.availability import (
    Availability,
    availabilities,
    promised_availability,
)
from archcheck.proof.survival.questions import (
    FailureSet,
    cut_sets,
    quorums,
    shared_fates,
    zone_loss,
)
from archcheck.proof.survival.zones import ZoneFate, zone_fates
from archcheck.proof.timeouts import suggest_timeouts

__all__ = [
    "Answer",
    "Answered",
    "Availability",
    "BudgetSpentError",
    "Counterexample",
    "FailureSet",
    "Gap",
    "LongestRun",
    "ProofBudget",
    "Proofs",
    "Proved",
    "Refuted",
    "RetryStorm",
    "RolloutPoint",
    "SagaSchedule",
    "Undecided",
    "WorstPoint",
    "ZoneFate",
    "admissions",
    "availabilities",
    "carried",
    "contradictions",
    "cut_sets",
    "dead_policies",
    "deadline_budgets",
    "exact",
    "marked",
    "promised_availability",
    "prove",
    "quorums",
    "results",
    "retry_amplification",
    "rollouts",
    "sagas",
    "shared_fates",
    "suggest_sizes",
    "suggest_timeouts",
    "worst_demands",
    "zone_fates",
    "zone_loss",
]
