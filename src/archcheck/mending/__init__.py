"""Edits that are offered: what rules ask for, with values from what the system does under load.

The search of :mod:`archcheck.proof.repair` finds the cheapest edits with which the rules hold. It
knows worst cases and nothing of load. So it is told by a simulation how long the steps take under
the declared loads and their peaks (``runs``, ``waits``): no timeout gets shorter than that. Then
the mended system is asked what was proved (``claims``), run beside the original (``losses``), with
the same random numbers, and verified again (``findings``). An edit that costs good answers, an
objective or a proof, or brings a new finding, is left out, and said to be (``trials``); what the
others mend is offered.
"""

from archcheck.mending.explaining import Alternative, Explanation, explain
from archcheck.mending.mending import Suggested, mend, of_edits, without_losses
from archcheck.mending.waits import shortest_timeouts

__all__ = [
    "Alternative",
    "Explanation",
    "Suggested",
    "explain",
    "mend",
    "of_edits",
    "shortest_timeouts",
    "without_losses",
]
