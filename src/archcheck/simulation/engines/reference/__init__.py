"""The reference engine: SimPy's environment and events, the request's state machine in callbacks.

It defines what is right; it is written to be read. Time moves only with SimPy's events. What an
event causes without delay is put on a list and worked off first in, first out, before the next
event: release and grant come before the answer. Events at the same time happen in the order in
which they were scheduled.

``engine`` is the clock, ``load`` what comes from outside, ``stations`` where requests wait for
servers, ``requests`` how a request runs its steps and asks others.
"""

from archcheck.simulation.engines.reference.engine import run

__all__ = ["run"]
