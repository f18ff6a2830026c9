"""Queueing networks: stations, chains of customers, and what becomes of them.

:func:`solve` takes open, closed and mixed networks of several chains. Where the network has a
product form (Baskett, Chandy, Muntz and Palacios, Open, Closed, and Mixed Networks of Queues,
1975) the solution is exact; else, and where an exact solution would take too long, it is
approximate, and says so. :func:`solve_layered` takes networks whose servers are themselves
customers of other servers: threads that are held while they wait.

Plans of closed streams are solved by layers (``planning/flow/layered.py``), and scripts use both
(docs/planning.md). Who checks them: ``tests/unit/capacity/test_networks.py`` and
``test_layered.py`` hold them against Markov chains, closed forms and published solutions.
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
