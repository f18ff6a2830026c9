"""Who the clients of limits for each client are, where nothing in the model says it."""

from __future__ import annotations

from collections.abc import Sequence

from archcheck.simulation import plan as p
from archcheck.simulation.compiling.tables import PlanRows


def note_clients(
    tables: PlanRows, streams: Sequence[p.Stream], journeys: Sequence[p.PlannedJourney]
) -> None:
    """List what is taken for a client at the limits for each client that the load meets.

    Users and sessions are clients by what they are. Of an open load nobody knows how many clients
    send it, unless it says so; and a calling service may hand on who asked it, or not.
    """
    limited = {
        index
        for index, row in enumerate(tables.operations)
        if row.limit >= 0 and tables.limits[row.limit].scope == p.Scope.CLIENT
    }
    for call in tables.calls:
        if call.source >= 0 and call.operation in limited:
            caller = tables.groups[call.source].name
            subject = f"{caller} -> {tables.operations[call.operation].name.partition('.')[0]}"
            reason = "a limit for each client does not say that it looks further than its caller"
            tables.assumed.add(subject, "clients", "the service is one", reason)
    for stream in streams:
        if stream.clients or stream.session or stream.kind == p.ArrivalKind.CLOSED:
            continue
        for index, _ in stream.choices:
            journey = journeys[index]
            if any(tables.calls[entry].operation in limited for entry in journey.entries):
                reason = "the load does not declare how many clients send it"
                tables.assumed.add(journey.name, "clients", "each request is one", reason)
