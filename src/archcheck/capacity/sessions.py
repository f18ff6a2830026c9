"""How often the users of a session go through each journey: visits of a Markov chain.

With ``p[i, j]`` the probability that journey j follows journey i, and what is missing to one that
the user leaves, the visits of one session solve ``v = e + v p`` (Kemeny and Snell, Finite Markov
Chains, 1960, chapter 3). Plans ask with compiled sessions, sums of the declared load with declared
ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

_HARDLY_EVER = 1e-100
"""The probability of leaving a session that nobody leaves: what its users visit until then are the
long-run shares."""
_NOTHING = 1e-12
"""A probability of leaving below this is rounding."""

Moves = Sequence[Mapping[int, float]]
"""For each journey those that follow, with their probabilities."""


def session_visits(moves: Moves, first: int) -> tuple[tuple[float, ...], bool]:
    """Mean visits to each journey, and whether users ever leave.

    Where they never do, the visits are each journey's long-run share, which add up to one.
    Journeys in which some users stay for ever while others leave are visited without end.
    """
    reached = _reachable(moves, first)
    leaving = {index for index in reached if 1 - math.fsum(moves[index].values()) > _NOTHING}
    trapped = {index for index in reached if leaving and not _reachable(moves, index) & leaving}
    order = [first, *sorted(reached - trapped - {first})]
    away = [_HARDLY_EVER] * len(order)
    if leaving:  # those who come to where they are trapped leave the others
        away = [max(0.0, 1 - math.fsum(moves[i].get(j, 0.0) for j in order)) for i in order]
    counts = dict(zip(order, _until_they_leave(moves, order, away), strict=True))
    if leaving:
        counts.update(dict.fromkeys(trapped, math.inf))
        return tuple(counts.get(index, 0.0) for index in range(len(moves))), True
    total = math.fsum(counts.values())
    return tuple(counts.get(index, 0.0) / total for index in range(len(moves))), False


def _reachable(moves: Moves, first: int) -> set[int]:
    reached, todo = {first}, [first]
    while todo:
        new = {index for index, share in moves[todo.pop()].items() if share > 0} - reached
        reached |= new
        todo += new
    return reached


def _until_they_leave(
    moves: Moves, passing: Sequence[int], leaving: Sequence[float]
) -> list[float]:
    """Mean visits to each of ``passing`` of a user who begins at the first of them.

    The last journey is taken out of the chain again and again, its visits given to those that lead
    to it. Nothing is subtracted, so that no digit is lost however seldom users leave (Grassmann,
    Taksar and Heyman, Regenerative Analysis and Steady State Distributions, 1985).
    """
    out = list(leaving)
    share = [[moves[index].get(other, 0.0) for other in passing] for index in passing]
    away = [0.0] * len(passing)
    for last in reversed(range(len(passing))):
        away[last] = math.fsum((*share[last][:last], out[last]))
        for row in range(last):
            part = share[row][last] / away[last]
            out[row] += part * out[last]
            for column in range(last):
                share[row][column] += part * share[last][column]
    visits = [1 / away[0]]
    for place in range(1, len(passing)):
        reached = math.fsum(visits[row] * share[row][place] for row in range(place))
        visits.append(reached / away[place])
    return visits
