"""Traffic equations: from routing probabilities to rates and visits.

``routing[i][j]`` is the probability that a customer who leaves station i goes to station j; what
is missing to one leaves the network (Jackson, Networks of Waiting Lines, 1957).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archcheck.capacity.networks.parts import Floats
from archcheck.model import ModelError

_LARGEST = 1e12
"""Times the largest input above which a solution of linear equations has blown up: doubles have
about 16 digits, so nothing of it is left but roundings."""


def open_rates(arrivals: Sequence[float], routing: Sequence[Sequence[float]]) -> Floats:
    """Arrivals a second at each station: those from outside and those from other stations.

    Raises :class:`~archcheck.model.ModelError` for routings that are no probabilities, or from
    which customers never leave.
    """
    table = _checked(routing, len(arrivals))
    return _solved(np.eye(len(arrivals)) - table.T, np.asarray(arrivals, dtype=float))


def closed_visits(routing: Sequence[Sequence[float]], reference: int = 0) -> Floats:
    """Visits to each station for one visit to ``reference``; no customer leaves.

    Raises :class:`~archcheck.model.ModelError` for routings that are no probabilities, from which
    customers leave, or that fall apart.
    """
    table = _checked(routing, len(routing))
    for station, row in enumerate(table):
        if abs(row.sum() - 1) > 1e-9:
            raise ModelError(
                f"the probabilities from station {station} add up to {row.sum():g}; in a closed "
                "network they must add up to 1"
            )
    others = [station for station in range(len(table)) if station != reference]
    inner = np.eye(len(others)) - table[np.ix_(others, others)].T
    visits = np.ones(len(table))
    visits[others] = _solved(inner, table[reference, others])
    return visits


def _checked(routing: Sequence[Sequence[float]], size: int) -> Floats:
    table = np.asarray(routing, dtype=float)
    if table.shape != (size, size):
        raise ModelError(
            f"the routing of {size} stations needs {size} rows of {size} probabilities"
        )
    if (table < 0).any() or (table.sum(axis=1) > 1 + 1e-9).any():
        raise ModelError(
            "routing probabilities must be at least 0 and add up to at most 1 in a row"
        )
    return table


def _solved(left: Floats, right: Floats) -> Floats:
    try:
        found: Floats = np.linalg.solve(left, right)
    except np.linalg.LinAlgError:
        found = np.full(len(right), np.inf)
    if not np.isfinite(found).all() or (np.abs(found) > _LARGEST * (1 + np.abs(right).max())).any():
        raise ModelError("the routing keeps customers for ever in a part of the network")
    return np.maximum(found, 0.0)
