"""How many runs, and how long: numbers that several questions have in common."""

from __future__ import annotations

RUNS = 5
"""Replications for an interval that decides: four degrees of freedom, where Student's t is 2.8.
With two runs it is 12.7, and three more than five would only bring it to 2.4."""
EVENTS_PER_REQUEST = 3.2
"""Events of a request at an operation: 2.8 to 3.1 on the models in ``models/``, rounded up."""
