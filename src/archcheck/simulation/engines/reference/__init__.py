"""The reference engine: SimPy's environment and events, the request's state machine in callbacks.

It defines what is right; it is written to be read. Time moves only with SimPy's events. What an
event causes without delay is put on a list and worked off first in, first out, before the next
event: release and grant come before the answer. Events at the same time happen in the order in
which they were scheduled.

``engine`` is one run, ``clock`` its time. From outside to inside: ``load`` is what comes, ``calls``
how somebody asks somebody else, with ``guards`` in between; ``node_groups`` are the replicas and
``servers`` where requests wait in them; ``requests`` come in and go out, ``walks`` go through
their steps, ``caches`` and ``messages`` are what some steps need. ``faults``, ``scaling`` and
``deadlock`` look at all of it from the side.
"""

from archcheck.simulation.engines.reference.engine import run

__all__ = ["run"]
