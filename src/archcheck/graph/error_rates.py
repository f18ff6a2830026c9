"""What fails a share of its requests by itself."""

from __future__ import annotations

from archcheck.model import Endpoint, External, Named


def error_rate_of(owner: Named, part: object) -> float:
    """The error rate of an endpoint; of an external party that of all its endpoints, too.

    ``part``: the endpoint or consumer, if one is asked. Zero where nobody declares errors.
    """
    own = part.error_rate if isinstance(part, Endpoint) else None
    if own is None and isinstance(owner, External):
        own = owner.error_rate
    return float(own) if own is not None else 0.0
