"""Between how many replicas an autoscaler comes to rest under a load.

Kubernetes' horizontal autoscaler goes to ceil(replicas x usage / target), and stays where usage is
within a tenth of the target (kubernetes.io, Horizontal Pod Autoscaling, Algorithm details). So it
may rest wherever the usage of a replica is near the target, and it never moves where a replica
cannot use so much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from archcheck.capacity.demand import Demand
from archcheck.graph.cpu import cores_of
from archcheck.model import Autoscale, Service, effective

_TOLERANCE = 0.1
"""kube-controller-manager: ``--horizontal-pod-autoscaler-tolerance``."""
_ROUNDED = 1e-9


@dataclass(frozen=True)
class Rest:
    """Replicas at which an autoscaler may stop, at least and at most.

    ``is_stuck``: no load makes it add any, since no replica can use as much as it steers for.
    """

    least: int
    most: int
    is_stuck: bool = False


def rest_of(demand: Demand, service: Service) -> Rest | None:
    """Where the autoscaler of a service rests; ``None``: it has none, or nobody says enough."""
    scale = service.deployment.autoscale if service.deployment else None
    if scale is None:
        return None
    if scale.target_cpu is None:  # what another metric makes of a load, nobody says
        return Rest(scale.min, scale.max) if scale.target_metric is not None else None
    measured = _measured(demand, service)
    if measured is None:
        return None
    used, each = measured
    resources = service.deployment.resources if service.deployment else None
    asked = resources.cpu if resources and not _counts_threads(service) else None
    requested = each if asked is None else float(asked)
    return _rest(scale, used, each, requested * float(scale.target_cpu))


def _rest(scale: Autoscale, used: float, each: float, target: float) -> Rest:
    if each <= target * (1 + _TOLERANCE) + _ROUNDED:
        return Rest(scale.min, scale.min, is_stuck=True)
    low = math.ceil(used / (target * (1 + _TOLERANCE)) - _ROUNDED)
    high = max(math.ceil(used / target - _ROUNDED), math.floor(used / (target * (1 - _TOLERANCE))))
    least, most = (min(scale.max, max(scale.min, number)) for number in (low, high))
    return Rest(least, most)


def _counts_threads(service: Service) -> bool:
    """Whether it is steered by busy threads: nobody says on how many cores they run."""
    has = cores_of(service)
    blocking = effective(service.runtime, "concurrency").value == "blocking"
    return blocking and has.parallel is None and has.limit is None


def _measured(demand: Demand, service: Service) -> tuple[float, float] | None:
    """Cores (else threads) that the load keeps busy, and what a replica has of them."""
    if _counts_threads(service):
        threads = effective(service.runtime, "threads").value
        found = next((r for r in demand.resources_of(service) if r.what == "threads"), None)
        return (found.busy, float(threads)) if found is not None and threads else None
    has = cores_of(service)
    each = min((n for n in (has.parallel, has.limit) if n is not None), default=None)
    if each is None:
        return None
    used = 0.0
    for operation in demand.graph.operations_of(service):
        rate = demand.rates.get(operation.name, 0.0)
        if rate:
            own = demand.latencies.on_cores(operation.name).seconds
            used += rate * own * demand.graph.worked_on(operation.name)
    return used, float(each)
