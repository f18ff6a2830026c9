"""How often the users of a session go through each journey: visits of a Markov chain.

With ``p[i, j]`` the probability that journey j follows journey i, and what is missing to one that
the user leaves, the visits of one session solve ``v = e + v p`` (Kemeny and Snell, Finite Markov
Chains, 1960, chapter 3). Plans ask with compiled sessions, sums of the declared load with declared
ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

_LONG = 1 << 14
"""Steps after which the long-run shares have settled, to the last digits of a float."""
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
    trapped = {index for index in reached if not _reachable(moves, index) & leaving}
    if not leaving:
        return _long_run_shares(moves, first), False
    passing = sorted(reached - trapped)
    found = [math.inf if index in trapped else 0.0 for index in range(len(moves))]
    for index, count in zip(passing, _transient(moves, passing, first), strict=True):
        found[index] = count
    return tuple(found), True


def _reachable(moves: Moves, first: int) -> set[int]:
    reached, todo = {first}, [first]
    while todo:
        new = {index for index, share in moves[todo.pop()].items() if share > 0} - reached
        reached |= new
        todo += new
    return reached


def _transient(moves: Moves, passing: Sequence[int], first: int) -> list[float]:
    import numpy as np  # rules ask for sessions seldom, and numpy takes its time to load

    table = np.eye(len(passing))
    for column, index in enumerate(passing):
        for row, following in enumerate(passing):
            table[row, column] -= moves[index].get(following, 0.0)
    start = np.array([float(index == first) for index in passing])
    return [float(count) for count in np.linalg.solve(table, start)]


def _long_run_shares(moves: Moves, first: int) -> tuple[float, ...]:
    """Of the chain that stays where it is every second time: it has the same shares, and they
    converge for chains that go in circles as well."""
    import numpy as np

    table = np.eye(len(moves))
    for index, following in enumerate(moves):
        for other, share in following.items():
            table[index, other] += share
    far = np.linalg.matrix_power(table / 2, _LONG)[first]
    return tuple(float(share) for share in far / far.sum())
