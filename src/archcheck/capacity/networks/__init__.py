"""Queueing networks: stations, chains of customers, and what becomes of them.

:func:`solve` takes open, closed and mixed networks of several chains. Where the network has a
product form (Baskett, Chandy, Muntz and Palacios, Open, Closed, and Mixed Networks of Queues,
1975) the solution is exact; else, and where an exact solution would take too long, it is
approximate, and says so. :func:`solve_layered` takes networks whose servers are themselves
customers of other servers: threads that are held while they wait.

No command asks it yet. It is a solver of its own that scripts use (docs/planning.md), and the one
that plans are to use instead of ``planning/flow`` (docs/decisions/networks-wait-for-plans.md). Who
checks it: ``tests/unit/capacity/test_networks.py`` and ``test_layered.py`` hold it against Markov
chains, closed forms and published solutions.
"""

from archcheck.capacity.networks.layers import LayeredSolution, Processor, Task, TaskEntry
from archcheck.capacity.networks.method_of_layers import solve_layered
from archcheck.capacity.networks.parts import (
    Chain,
    Method,
    NetworkMeans,
    QueueingNetwork,
    QueueingStation,
)
from archcheck.capacity.networks.solving import solve
from archcheck.capacity.networks.traffic import closed_visits, open_rates

__all__ = [
    "Chain",
    "LayeredSolution",
    "Method",
    "NetworkMeans",
    "Processor",
    "QueueingNetwork",
    "QueueingStation",
    "Task",
    "TaskEntry",
    "closed_visits",
    "open_rates",
    "solve",
    "solve_layered",
]
