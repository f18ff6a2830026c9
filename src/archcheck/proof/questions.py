"""All questions by name: what ``archcheck prove`` asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from archcheck.graph import Graph
from archcheck.model import ModelError, System
from archcheck.model.element import nearest
from archcheck.model.errors import EndlessError
from archcheck.proof.answers import Answer, Refuted, Undecided
from archcheck.proof.budget import BudgetSpentError, ProofBudget
from archcheck.proof.deadlines import deadline_budgets
from archcheck.proof.limits.admission import admissions
from archcheck.proof.limits.let_through import loads
from archcheck.proof.limits.rollouts import rollouts
from archcheck.proof.policies import contradictions, dead_policies
from archcheck.proof.retry_storms import retry_amplification
from archcheck.proof.sagas import sagas
from archcheck.proof.survival.availability import promised_availability
from archcheck.proof.survival.questions import cut_sets, quorums, shared_fates, zone_loss


@dataclass(frozen=True)
class Question:
    """A question about a system, and what it asks in a few words."""

    name: str
    text: str
    ask: Callable[[Graph], Iterator[Answer]]


def questions(failures: int = 1) -> tuple[Question, ...]:
    """Every question; cut sets are looked for up to so many failures at once."""

    def cuts(graph: Graph) -> Iterator[Answer]:
        return cut_sets(graph, failures)

    few = "any single failure" if failures == 1 else f"any {failures} failures"
    return (
        Question("deadlines", "the worst case fits each caller's patience", deadline_budgets),
        Question("retries", "retries do not multiply work", retry_amplification),
        Question("zones", "critical journeys survive the loss of a zone", zone_loss),
        Question("failures", f"critical journeys survive {few}", cuts),
        Question("fallbacks", "a step and its fallback do not fail together", shared_fates),
        Question("quorums", "quorums overlap and survive the loss of a zone", quorums),
        Question("load", "every resource and limit carries every load", loads),
        Question("admission", "limits let through what can be carried", admissions),
        Question("rollouts", "a rollout survives the loss of a zone", rollouts),
        Question("policies", "no policy forbids all that another permits", contradictions),
        Question("dead-policies", "each policy forbids something", dead_policies),
        Question("sagas", "sagas end with all or nothing", sagas),
        Question("availability", "promises can be kept", promised_availability),
    )


@dataclass(frozen=True)
class Answered:
    """A question with the answers to it; ``stopped`` says why there are no more."""

    question: Question
    answers: tuple[Answer, ...]
    stopped: str = ""

    @property
    def refuted(self) -> tuple[Refuted, ...]:
        """What does not hold."""
        return tuple(answer for answer in self.answers if isinstance(answer, Refuted))

    @property
    def undecided(self) -> tuple[Undecided, ...]:
        """What could not be decided."""
        return tuple(answer for answer in self.answers if isinstance(answer, Undecided))


@dataclass(frozen=True)
class Proofs:
    """What was asked of a system, and the answers, question by question."""

    system: System
    answered: tuple[Answered, ...]

    @property
    def refuted(self) -> tuple[Refuted, ...]:
        """What does not hold, of all questions."""
        return tuple(answer for part in self.answered for answer in part.refuted)

    @property
    def is_undecided(self) -> bool:
        """Whether something could not be decided, or was not asked for lack of time."""
        return any(part.undecided or part.stopped for part in self.answered)

    @property
    def is_stopped(self) -> bool:
        """Whether the time was up before all was answered."""
        return any(part.stopped for part in self.answered)


def prove(
    graph: Graph,
    names: Sequence[str] = (),
    *,
    failures: int = 1,
    budget: ProofBudget | None = None,
) -> Proofs:
    """Ask the questions called ``names``, or all, within a time budget.

    Raises :class:`ModelError` for a question that does not exist, or ranges that contradict.
    """
    every = {question.name: question for question in questions(failures)}
    for name in names:
        if name not in every:
            raise ModelError(
                f"there is no question {name!r}{nearest(name, list(every))}; "
                f"there are {', '.join(every)}"
            )
    limits = budget or ProofBudget()
    asked = (_asked(every[name], graph, limits) for name in names or every)
    return Proofs(graph.system, tuple(asked))


def _asked(question: Question, graph: Graph, budget: ProofBudget) -> Answered:
    answers: list[Answer] = []
    with budget.running():
        try:
            answers.extend(question.ask(graph))
        except BudgetSpentError as error:
            return Answered(question, tuple(answers), str(error))
        except EndlessError as error:
            return Answered(question, tuple(answers), f"an end of the calls: {error.sentence}")
    return Answered(question, tuple(answers))
