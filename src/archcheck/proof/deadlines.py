"""Deadline budgets: does the worst case of what lies below a call fit the caller's patience?

The timeout of a call bounds it, whatever lies below, so that every claim looks one level deep: the
callee's worst case against each caller's timeout, and the entry's against the objective and the
patience of a journey's users. Of a call that passes its deadline on, something else is claimed: its
callee stops when that is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from archcheck.findings import Subject
from archcheck.graph import Graph, Interaction
from archcheck.graph.exact import Rational, exact, shown
from archcheck.graph.transfer import ONE_WAY
from archcheck.model import (
    Flag,
    Journey,
)
from archcheck.proof.answers import (
    Answer,
    Counterexample,
    Gap,
    Proved,
    Refuted,
    Undecided,
    missing,
)
from archcheck.proof.budget import left
from archcheck.proof.feature_flags import MOST_CONFIGURATIONS
from archcheck.proof.worst_cases import WorstCase, WorstCases, WorstWait, worst_cases
from archcheck.units import Duration

_NOTHING = Rational(0)
_PAUSES = "a higher CPU limit: with every pause that its quota may bring, it may take {}"
_TIMES = ("timeout", "retry.backoff", "mesh.retry.backoff", "read", "write", "latency")
"""The attributes that say how long something takes, of which a limit leaves so much."""
_DEADLINE = "work that is under way ends before the deadline that is passed on is looked at"
_DEADLINE = "work that is under way ends before the deadline that is passed on is looked at"


@dataclass(frozen=True)
class LongestRun(Counterexample):
    """A run that takes longer than its limit; ``waits`` adds up to more than ``limit`` seconds."""

    waits: tuple[WorstWait, ...] = ()
    limit: Rational = _NOTHING


def deadline_budgets(
    graph: Graph, cases: WorstCases | None = None, *, objectives: bool = True
) -> Iterator[Answer]:
    """For each call with a timeout and each journey with a limit: does the worst case fit?

    ``cases`` may have other timeouts than those that are declared. ``objectives``: whether what a
    journey promises is a limit, beside the patience of its users.
    """
    cases = cases or worst_cases(graph)
    for step in graph.calls(fallbacks=True):
        left()
        timeout = cases.timeout_of(step)
        if timeout is not None:
            yield in_every_configuration(cases, partial(_fits_call, step=step, timeout=timeout))
    for journey in graph.system.journeys:
        for what, limit in limits_of(journey, objectives=objectives):
            fits = partial(_fits_journey, journey=journey, what=what, limit=limit)
            yield in_every_configuration(cases, fits)


def limits_of(journey: Journey, *, objectives: bool = True) -> list[tuple[str, Duration]]:
    """What a journey's worst case must fit: the patience of its users, its loosest objective."""
    limits = []
    if isinstance(journey.timeout, Duration):
        limits.append(("its users give up after", journey.timeout))
    if objectives and journey.slo is not None and (promised := journey.slo.latencies()):
        name, _, bound = max(promised, key=lambda objective: objective[2])
        limits.append((f"it promises {name} =", bound))
    return limits


def claim_of(journey: Journey, what: str, limit: Duration) -> str:
    """What is asked of a journey and a limit of it."""
    return f"the worst case of {journey.name} fits: {what} {limit}"


def in_every_configuration(cases: WorstCases, judge: Callable[[WorstCases], Answer]) -> Answer:
    """The worst answer of all configurations of the feature flags.

    The walk over all of them at once counts steps that never happen together, so what it proves is
    proved; anything else is asked of each configuration.
    """
    answer = judge(cases)
    if isinstance(answer, Proved) or not cases.graph.system.of_type(Flag):
        return answer
    apart = cases.by_configuration
    if apart is None:
        reason = f"there are more than {MOST_CONFIGURATIONS} configurations of feature flags"
        return Undecided(answer.subject, answer.claim, reason)
    answers = [judge(each) for each in apart]
    return max(answers, key=_badness, default=answer)


def _badness(answer: Answer) -> tuple[int, Rational]:
    """Refuted before undecided before proved, the longest run first."""
    if isinstance(answer, Refuted):
        run = answer.counterexample
        waits = run.waits if isinstance(run, LongestRun) else ()
        return 2, sum((wait.seconds for wait in waits), _NOTHING)
    return int(isinstance(answer, Undecided)), _NOTHING


def _fits_call(cases: WorstCases, step: Interaction, timeout: Rational) -> Answer:
    claim = f"the worst case of {step.target_name} fits the timeout of {step.operation.name}"
    if step.deadline_is_kept:
        claim = f"{step.target_name} stops when {step.operation.name} gives up on it"
        return Proved(step, claim, (_DEADLINE,))
    case = cases.needed(step)
    patience = f"{step.operation.name} gives up on {step.target_name} after {shown(timeout)}"
    answer = judged(step, claim, case, timeout, f"{patience}, but it may take")
    if isinstance(answer, Proved) or step.deadline_is_kept is False:
        return answer
    stops = f"holds if {step.target.name} stops when the deadline that it is told is over"
    gap = Gap(step.target, "runtime.deadline_propagation", stops)
    return Undecided(step, claim, missing((gap,)), (gap,))


def _fits_journey(cases: WorstCases, journey: Journey, what: str, limit: Duration) -> Answer:
    case = cases.of_journey(journey)
    claim = claim_of(journey, what, limit)
    said = f"{journey.name}: {what} {limit}, but in the worst case it takes"
    return judged(journey, claim, case, exact(limit), said)


def judged(
    subject: Interaction | Journey, claim: str, case: WorstCase, limit: Rational, said: str
) -> Answer:
    """Whether a worst case fits ``limit`` seconds; ``said`` begins the sentence if it does not."""
    if case.seconds > limit:
        conflict = _in_conflict(case, limit)
        least = "at least " if case.gaps else ""
        run = LongestRun(
            f"{said} {least}{shown(case.seconds)}",
            (
                *(part.text for part in case.parts),
                f"together {least}{shown(case.seconds)}",
                *conflict,
            ),
            tuple(dict.fromkeys((subject, *conflict))),
            _marks(case),
            case.parts,
            limit,
        )
        longer = "timeout" if isinstance(subject, Interaction) else "a limit"
        fix = f"{longer} of at least {shown(case.seconds)}, or shorter timeouts below"
        return Refuted(subject, claim, run, fix)
    if case.gaps:
        gaps = tuple(
            replace(gap, threshold=f"{shown(limit - case.beside(gap))} are left of {shown(limit)}")
            if gap.attribute in _TIMES
            else gap
            for gap in case.gaps
        )
        return Undecided(subject, claim, missing(gaps), gaps)
    if case.at_most > limit:
        return Undecided(subject, claim, _PAUSES.format(shown(case.at_most)))
    if not case.passages:
        return Proved(subject, claim, case.assumptions)
    most = (limit - case.at_most) / case.passages
    if most < exact(ONE_WAY):
        gap = Gap(subject, "network.delay", f"holds with at most {shown(most)} one way")
        return Undecided(subject, claim, missing((gap,)), (gap,))
    passes = f"the network, whose delay nobody declares, takes at most {shown(most)} one way"
    return Proved(subject, claim, (*case.assumptions, passes))


def _in_conflict(case: WorstCase, limit: Rational) -> tuple[Interaction, ...]:
    """The fewest steps that exceed the limit by themselves, in the order of the run.

    Taking the longest first gives the smallest such set; without any of them the rest fits.
    """
    totals: dict[Subject, Rational] = {}
    for part in case.parts:
        totals[part.subject] = totals.get(part.subject, _NOTHING) + part.seconds
    chosen: list[Subject] = []
    total = _NOTHING
    for subject, seconds in sorted(totals.items(), key=lambda entry: -entry[1]):
        if total > limit:
            break
        chosen.append(subject)
        total += seconds
    return tuple(s for s in totals if s in chosen and isinstance(s, Interaction))


def _marks(case: WorstCase) -> dict[str, str]:
    totals: dict[str, Rational] = {}
    for part in case.parts:
        if isinstance(part.subject, Interaction):
            name = part.subject.target.name
            totals[name] = totals.get(name, _NOTHING) + part.seconds
    return {name: f"waits {shown(seconds)}" for name, seconds in totals.items()}
