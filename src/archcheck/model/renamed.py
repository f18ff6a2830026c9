"""Words that a model no longer uses, and what to write instead of each: the only list of them."""

from __future__ import annotations

from collections.abc import Mapping

_KINDS: Mapping[str, str] = {
    "Sometimes": "WithProbability",
    "MqttBroker": "Mqtt",
}
_COPIES = "write copies=... (the primary counted)"
_RENAMED: Mapping[str, Mapping[str, str]] = {
    "Datastore": {"replicas": f"replicas are running processes of a service; {_COPIES}"},
    "Broker": {"replicas": "replicas are running processes of a service; write nodes=..."},
    "Channel": {
        "replicas": f"replicas are running processes of a service; {_COPIES}",
        "replication_factor": f"the replication factor is a number of copies; {_COPIES}",
    },
}
_EVER_RENAMED = frozenset(field for fields in _RENAMED.values() for field in fields)
_BELONGS = "owner is a team; write belongs_to={name!r}"
_RUN_BY = "owner is a team, and {name!r} is none; leave it out or name the team that runs it"
_OWNED: Mapping[str, str] = {"Datastore": _BELONGS, "Channel": _BELONGS}


def renamed_kind(name: str) -> str | None:
    """What to write instead of a kind of element that had an older name."""
    new = _KINDS.get(name)
    return None if new is None else f"{name} is called {new} now"


def renamed(kind: type, field: str) -> str | None:
    """What to write instead of an argument that elements of ``kind`` had under an older name."""
    if field not in _EVER_RENAMED:
        return None
    tables = (_RENAMED.get(base.__name__, {}) for base in kind.__mro__)
    return next((table[field] for table in tables if field in table), None)


def not_a_team(kind: type, name: str) -> str:
    """What to write instead of an ``owner`` that names something else than a team."""
    base = next((each.__name__ for each in kind.__mro__ if each.__name__ in _OWNED), "")
    return _OWNED.get(base, _RUN_BY).format(name=name)
