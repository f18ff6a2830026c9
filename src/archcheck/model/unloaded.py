"""What a system still lacks before it can be put under load: one sentence for all who ask."""

from __future__ import annotations

from archcheck.model.errors import ScenarioError
from archcheck.model.system import System


def no_scenario(system: System, what: str = "scenario") -> ScenarioError:
    """The error for a system without a scenario: says what to declare first.

    Manifests and Compose files have no endpoints, so most imported models begin with these.
    """
    if not any(service.endpoints for service in system.services):
        return ScenarioError(
            f"the system {system.name!r} declares no endpoint, so there is no request to follow; "
            'declare what is asked, such as Endpoint("order", steps=[Call("payments.charge")]), a '
            "Journey that begins there, and a Scenario with its load"
        )
    if not system.journeys:
        return ScenarioError(
            f"the system {system.name!r} declares no journey; write one, such as "
            'Journey("checkout", "shop.order"), and a Scenario with its load'
        )
    return ScenarioError(
        f"the system {system.name!r} declares no {what}; write one, such as "
        'Scenario("peak", load=[Load("checkout", Poisson(200 / s))])'
    )
