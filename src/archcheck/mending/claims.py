"""What a change of a system loses of what was proved of it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple, TypeAlias

from archcheck.findings import Subject, subject_name
from archcheck.findings.results import subject_owner
from archcheck.graph import Graph, Interaction
from archcheck.graph.reach import waited_for
from archcheck.model import Journey, System
from archcheck.proof import ProofBudget, Proved, Refuted, prove
from archcheck.proof.answers import Answer
from archcheck.proof.budget import DEFAULT_SECONDS

_Key: TypeAlias = tuple[str, str, str]
"""The question, the name of the subject, the claim."""


class LostClaim(NamedTuple):
    """What does not hold any more, and the elements that it is about."""

    text: str
    on_way: frozenset[str]


class Claims:
    """The answers to all questions about one system, each change beside it.

    ``unanswered`` collects the questions that there was no time for.
    """

    def __init__(self, system: System, deadline: float = math.inf) -> None:
        """``deadline``: when nothing is asked any more, on the monotonic clock."""
        self._system = system
        self._deadline = deadline
        self.unanswered: dict[str, None] = {}

    def lost(self, changed: System) -> Iterator[LostClaim]:
        """Claims that were proved and are not, and those that are refuted and were not.

        A claim that is not made any more (its time, its limit is another one) is lost where no
        other claim about the same subject is proved in its place.
        """
        before, stopped = self._before
        graph = Graph(changed)
        after, stopped_then = self._answers(graph)
        self.unanswered.update(dict.fromkeys((*stopped, *stopped_then)))
        instead = {key[:2] for key, each in after.items() if isinstance(each, Proved)}
        for key, old in before.items():
            if key[0] in self.unanswered or not isinstance(old, Proved):
                continue
            new = after.get(key)
            if new is None and key[:2] in instead:
                continue
            if not isinstance(new, Proved):
                yield LostClaim(f"not proved any more: {old.claim}", _about(graph, old.subject))
        for key, new in after.items():
            known = key[0] in self.unanswered or isinstance(before.get(key), Proved | Refuted)
            if isinstance(new, Refuted) and not known:
                yield LostClaim(f"refuted then: {new.claim}", _about(graph, new.subject))

    @cached_property
    def _before(self) -> tuple[dict[_Key, Answer], list[str]]:
        return self._answers(Graph(self._system))

    def _answers(self, graph: Graph) -> tuple[dict[_Key, Answer], list[str]]:
        """The gravest answer to each claim, and the questions that were not answered in time."""
        seconds = min(DEFAULT_SECONDS, self._deadline - time.monotonic())
        proofs = prove(graph, budget=ProofBudget(max(0.0, seconds)))
        found: dict[_Key, Answer] = {}
        for part in proofs.answered:
            for answer in part.answers:
                key = (part.question.name, subject_name(answer.subject), answer.claim)
                found[key] = _graver(answer, found.get(key, answer))
        return found, [part.question.name for part in proofs.answered if part.stopped]


def _graver(one: Answer, other: Answer) -> Answer:
    return max(one, other, key=lambda each: (not isinstance(each, Proved), _is_refuted(each)))


def _is_refuted(answer: Answer) -> bool:
    return isinstance(answer, Refuted)


def _about(graph: Graph, subject: Subject) -> frozenset[str]:
    """The elements that a claim about a subject may hang on."""
    if isinstance(subject, Journey):
        return frozenset(waited_for(graph, map(str, subject.all_entries())))
    owner = subject_owner(subject)
    names: Iterable[str] = [owner.name] if owner is not None else []
    if isinstance(subject, Interaction):
        names = [*names, subject.target.name]
    return frozenset(names)
