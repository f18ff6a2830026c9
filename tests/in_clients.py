"""A system that says in clients what its steps said themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from archcheck import Client, Fallback, Service, Step, System
from archcheck.model import Element
from archcheck.model.linking import walk

INHERITED = tuple(part.name for part in fields(Client) if part.name != "target")  # type: ignore[arg-type]


def in_clients(system: System) -> System:
    """The same system: what all steps of a service toward a callee declare alike, a client says."""
    return replace(
        system,
        elements=[_lifted(part) if isinstance(part, Service) else part for part in system.elements],
    )


def _lifted(service: Service) -> Service:
    toward: dict[str, list[Step]] = defaultdict(list)
    for step in _steps(service):
        toward[_callee(step)].append(step)
    apart = {str(part.target).partition(".")[0] for part in walk(service) if _answers(part)}
    apart |= {str(client.target) for client in service.clients}
    clients = [
        Client(callee, **common)
        for callee, steps in toward.items()
        if callee not in apart and (common := _common(steps))
    ]
    said = {client.target: client for client in clients}
    bare = _without(service, said)
    return replace(bare, clients=[*service.clients, *clients])


def _answers(part: Element) -> bool:
    """A fallback's question would inherit as well, and says nothing itself."""
    return isinstance(part, Fallback) and part.target is not None


def _steps(service: Service) -> Iterator[Step]:
    for part in walk(service):
        if isinstance(part, Step) and _callee(part):
            yield part


def _callee(step: Element) -> str:
    asked = getattr(step, "cache", None) or getattr(step, "target", None)
    return str(asked or "").partition(".")[0]


def _common(steps: list[Step]) -> dict[str, Any]:
    found = {}
    for name in INHERITED:
        values = [getattr(step, name, None) for step in steps]
        if values[0] is not None and all(value == values[0] for value in values):
            found[name] = values[0]
    return found


def _without(part: Any, said: dict[Any, Client]) -> Any:
    """Steps lose what a client says."""
    values: dict[str, Any] = {}
    for name in (each.name for each in fields(part)):
        old = getattr(part, name)
        if isinstance(old, tuple) and any(isinstance(item, Element) for item in old):
            values[name] = tuple(
                _without(item, said) if isinstance(item, Element) else item for item in old
            )
    if isinstance(part, Step) and (client := said.get(_callee(part))):
        values |= {
            name: None
            for name in INHERITED
            if getattr(client, name) is not None and hasattr(part, name)
        }
    if not values:
        return part
    changed = replace(part, **values)
    object.__setattr__(changed, "_site", part.site)
    return changed
