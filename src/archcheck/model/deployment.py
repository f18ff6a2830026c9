"""Where and how replicas run: containers, placement, scaling, probes, rollouts.

Kubernetes' documented defaults are carried as such: one replica, RollingUpdate with 25% surge
and 25% unavailable, 30 s of termination grace (kubernetes.io, Deployments, Pod Lifecycle).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from archcheck.model.element import Absent, Element, Many, Probability, element
from archcheck.model.named import Ref
from archcheck.model.resilience import Count, Replicas
from archcheck.model.values import Default, Documented, effective
from archcheck.units import Cpu, Duration, Fraction, Size

Whole = Annotated[int, Field(ge=0)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@element
class Resources(Element):
    """What a container is promised (request) and may use (limit)."""

    cpu: Cpu | None = None
    """Requested CPU."""
    memory: Size | None = None
    """Requested memory."""
    cpu_limit: Cpu | Absent | None = None
    """CPU at which the container is throttled."""
    memory_limit: Size | Absent | None = None
    """Memory at which the container is killed."""


@element
class Prices(Element):
    """What computing costs: ``Prices(cpu_hour=0.031, gib_hour=0.004, currency="EUR")``.

    A replica costs what it requests; a replica with a price of its own costs that.
    """

    cpu_hour: Price
    """A requested CPU for an hour."""
    gib_hour: Price = 0.0
    """A requested GiB of memory for an hour."""
    currency: str = "USD"
    """The currency, for people."""


@element
class Probe(Element):
    """A health check of the platform.

    Kubernetes: period 10 s, timeout 1 s, failure threshold 3 (kubernetes.io, Configure Probes).
    """

    kind: Literal["http", "grpc", "tcp", "exec"] = field(kw_only=False)
    """How it asks."""
    path: str | None = field(default=None, kw_only=False)
    """For http: the path; for exec: the command. ``None``: ``/`` for http, as in Kubernetes."""
    initial_delay: Duration | None = None
    """Wait after the start of the container."""
    period: Duration | None = None
    """Time between checks. ``None``: 10 s, as in Kubernetes."""
    timeout: Duration | None = None
    """Time after which a check counts as failed."""
    failure_threshold: Count | None = None
    """Failures in a row until the platform acts. ``None``: 3, as in Kubernetes."""
    touches: Many[Ref] = ()
    """Elements outside the process that the check depends on."""

    def asks_the_same_as(self, other: Probe) -> bool:
        """Whether both ask at one place; what a command does is known where it is declared."""
        if self.kind != other.kind or (self.kind == "exec" and self.path is None):
            return False
        return (self.path or "/") == (other.path or "/")


@element
class Autoscale(Element):
    """A horizontal autoscaler in Kubernetes' terms.

    Kubernetes: sync period 15 s, tolerance 10%, downscale stabilisation 5 min
    (kubernetes.io, Horizontal Pod Autoscaling).
    """

    min: Replicas
    """Fewest replicas."""
    max: Replicas
    """Most replicas."""
    target_cpu: Probability | None = None
    """Average utilisation of the requested CPU to steer for."""
    target_metric: str | None = None
    """Another metric to steer by, such as a queue's lag."""
    start_up: Duration | None = None
    """From the decision until a new replica serves."""
    stabilisation: Duration | None = None
    """How long a lower need must last before replicas are removed."""

    def __post_init__(self) -> None:
        if self.max < self.min:
            raise ValueError(f"needs max of at least min, got min={self.min} and max={self.max}")


@element
class DisruptionBudget(Element):
    """How many replicas voluntary disruptions (node drains) must leave or may take."""

    min_available: Count | Probability | None = None
    """Replicas, or the share of them, that must stay."""
    max_unavailable: Count | Probability | None = None
    """Replicas, or the share of them, that may be gone."""

    def may_go(self, replicas: int) -> int:
        """How many of so many replicas it lets go at once; Kubernetes rounds shares up."""
        allowed = [replicas]
        if self.min_available is not None:
            allowed.append(replicas - _share_of(self.min_available, replicas))
        if self.max_unavailable is not None:
            allowed.append(_share_of(self.max_unavailable, replicas))
        return min(allowed)


def _share_of(value: int | Fraction, replicas: int) -> int:
    if isinstance(value, Fraction):
        return math.ceil(float(value) * replicas - 1e-9)
    return value


class Rollout(Element):
    """How a new version replaces the old one."""

    def unavailable(self, replicas: int) -> int:
        """How many of so many replicas are away at the worst moment."""
        return 0

    def surplus(self, replicas: int) -> int:
        """How many there are beside so many replicas at the worst moment."""
        return 0

    def enough_for(self, needed: int) -> int:
        """The fewest replicas of which so many stay; ``needed`` itself where none do."""
        counts = range(needed, 4 * needed + 1)
        return next((n for n in counts if n - self.unavailable(n) >= needed), needed)


@element
class RollingUpdate(Rollout):
    """Replace replicas a few at a time."""

    max_surge: Whole | Fraction = 25 * Fraction(0.01)
    """Replicas above the wanted number; Kubernetes' default is 25%."""
    max_unavailable: Whole | Fraction = 25 * Fraction(0.01)
    """Replicas below the wanted number; Kubernetes' default is 25%."""

    def unavailable(self, replicas: int) -> int:
        """Kubernetes rounds a share down, and takes one where nothing else lets it go on."""
        if isinstance(self.max_unavailable, int):
            away = min(self.max_unavailable, replicas)
        else:
            away = math.floor(float(self.max_unavailable) * replicas + 1e-9)
        return away if away or self.surplus(replicas) else min(1, replicas)

    def surplus(self, replicas: int) -> int:
        """Kubernetes rounds a share up."""
        if isinstance(self.max_surge, int):
            return self.max_surge
        return math.ceil(float(self.max_surge) * replicas - 1e-9)


@element
class Canary(Rollout):
    """Give the new version a growing share of the traffic, and turn back on bad signs."""

    steps: Many[Probability]
    """Shares of the traffic, in order."""
    abort_on: str | None = None
    """The alert or metric that turns it back."""

    def surplus(self, replicas: int) -> int:
        """The old version stays whole beside the share that is looked at, and is then replaced
        replica by replica."""
        shares = [float(share) for share in self.steps if float(share) < 1]
        return max(1, math.ceil(max(shares, default=0.0) * replicas - 1e-9))


@element
class BlueGreen(Rollout):
    """Start the new version beside the old one, then switch all traffic."""

    abort_on: str | None = None
    """The alert or metric that switches back."""

    def surplus(self, replicas: int) -> int:
        return replicas


@element
class Recreate(Rollout):
    """Stop all of the old version before the new one starts."""

    def unavailable(self, replicas: int) -> int:
        return replicas


@element
class Volume(Element):
    """Storage of a container."""

    name: str = field(kw_only=False)
    """Its name."""
    durable: bool | None = None
    """Whether the data survive the container (``emptyDir`` does not)."""
    size: Size | None = None
    """Its capacity."""


@element
class Secret(Element):
    """A secret that the container needs."""

    name: str = field(kw_only=False)
    """Its name, never its value."""
    store: Literal["vault", "cloud", "kubernetes", "environment", "image", "repository"] | None = (
        None
    )
    """Where it is kept; the last three are in the open."""


class Deployment(Element, Documented):
    """How many replicas run where."""

    image: str | None
    replicas: int | None
    zones: Sequence[str]
    autoscale: Autoscale | None
    resources: Resources | None
    price_per_hour: float | None

    def fewest_replicas(self) -> int | None:
        """The replicas that are always there; ``None`` when unknown."""
        if self.autoscale is not None:
            return self.autoscale.min
        value: int | None = effective(self, "replicas").value
        return value

    def most_replicas(self) -> int | None:
        """The replicas that the autoscaler may reach; ``None`` when unknown."""
        if self.autoscale is not None:
            return self.autoscale.max
        value: int | None = effective(self, "replicas").value
        return value

    def most_at_once(self) -> int | None:
        """The same while a rollout adds its surge; ``None`` when unknown."""
        most = self.most_replicas()
        rollout = effective(self, "rollout").value
        return most if most is None or rollout is None else most + rollout.surplus(most)


@element
class _Deployment(Deployment):
    """Fields that every deployment has."""

    _is_abstract = True

    image: str | None = None
    """Container image with its tag or digest."""
    replicas: Replicas | None = None
    """Replicas in steady state."""
    zones: Many[str] = ()
    """Failure domains over which the replicas are spread evenly."""
    resources: Resources | None = None
    """Requests and limits of each replica."""
    autoscale: Autoscale | None = None
    """How the number of replicas follows the load."""
    readiness: Probe | Absent | None = None
    """Decides whether a replica gets traffic."""
    liveness: Probe | Absent | None = None
    """Decides whether a replica is restarted."""
    startup: Probe | Absent | None = None
    """Holds the other probes back while the process starts."""
    rollout: Rollout | None = None
    """How new versions arrive."""
    grace: Duration | None = None
    """Time between the signal to stop and the kill."""
    deregistration: Duration | None = None
    """Time until balancers stop sending requests to a stopping replica."""
    disruption_budget: DisruptionBudget | Absent | None = None
    """What a drain must leave."""
    volumes: Many[Volume] = ()
    """Storage."""
    secrets: Many[Secret] = ()
    """Secrets."""
    environment: Many[str] = ()
    """Deployment environments it exists in, such as ``staging``."""
    availability: Probability | None = None
    """Share of the time that a replica is up; of a managed service, its provider's agreement."""
    price_per_hour: Price | None = None
    """Price of a replica, where it does not follow from its resources and the system's prices."""


@element
class Kubernetes(_Deployment):
    """A workload: a Deployment or another controller of pods."""

    documented: ClassVar[Mapping[str, Default]] = {
        "replicas": Default(
            1,
            "kubernetes.io: Deployment.spec.replicas",
            "2026-11-30",
            of=("Deployment", "StatefulSet", "Job", "CronJob"),
        ),
        "rollout": Default(
            RollingUpdate(),
            "kubernetes.io: Deployment.spec.strategy",
            "2026-11-30",
            of=("Deployment",),
            others=(
                Default(
                    RollingUpdate(max_surge=0, max_unavailable=1),
                    "kubernetes.io: updateStrategy, one pod at a time",
                    "2026-11-30",
                    of=("StatefulSet", "DaemonSet"),
                ),
            ),
        ),
        "grace": Default(
            Duration(30.0), "kubernetes.io: terminationGracePeriodSeconds", "2026-11-30"
        ),
    }

    kind: Literal["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"] = "Deployment"
    """The controller."""
    namespace: str | None = None
    """The namespace."""
    spread: Literal["anti_affinity", "topology_spread", "platform"] | Absent | None = None
    """What spreads the replicas over zones and nodes."""

    @property
    def stands_for(self) -> str:
        """The controller: each has defaults of its own."""
        return self.kind


@element
class Docker(_Deployment):
    """Containers on a host, with or without Compose: one unless scaled."""

    documented: ClassVar[Mapping[str, Default]] = {
        "replicas": Default(1, "Docker Compose: services.deploy.replicas", "2026-11-30"),
        "grace": Default(Duration(10.0), "docker stop: 10 s until SIGKILL", "2026-11-30"),
    }

    restart: Literal["no", "always", "on-failure", "unless-stopped"] | None = None
    """The restart policy."""


@element
class VirtualMachines(_Deployment):
    """Processes on machines."""


@element
class Managed(_Deployment):
    """Run by a provider."""

    provider: str | None = field(default=None, kw_only=False)
    """Whose service it is."""
