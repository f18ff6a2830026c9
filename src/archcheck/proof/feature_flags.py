"""Configurations of a system with feature flags: what is possible in at least one of them.

Flags are booleans; what they require and exclude are clauses. A step inside of features happens in
the configurations that set them so. Whether one element can reach another in some configuration is
asked of z3 on the part of the graph between the two only: it proposes a configuration, and as long
as the target is not reached in it, it learns that one of the edges which leave the reached part
must be there. With n flags this takes a few questions, where there are 2^n configurations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from archcheck.editing import Edit, apply
from archcheck.graph import Digraph
from archcheck.graph.walks import backward, kept, reached_from, shortest_path
from archcheck.model import Flag, System
from archcheck.proof.budget import BudgetSpentError, milliseconds_left

MOST_CONFIGURATIONS = 64
"""Configurations that are looked at one by one: six flags, if all are free. A choice that bounds
the time."""
Configuration = Mapping[str, bool]
Condition = tuple[tuple[str, bool], ...]


def configured(system: System) -> list[System]:
    """The system in every configuration of its flags, as it is today first if that is allowed.

    Raises :class:`BudgetSpentError` when there are more than ``MOST_CONFIGURATIONS``.
    """
    flags = system.of_type(Flag)
    every = FeatureFlags(system).configurations() if flags else []
    if every is None:
        raise BudgetSpentError(f"more than {MOST_CONFIGURATIONS} configurations of feature flags")
    today = {flag.name: flag.on is not False for flag in flags}
    others = (
        apply(system, [Edit(flag, {"on": one[flag.name]}, flag.name) for flag in flags])
        for one in every
        if one != today
    )
    return [system, *others] if not flags or today in every else list(others)


class FeatureFlags:
    """The configurations that the flags of a system allow."""

    def __init__(self, system: System) -> None:
        self._flags = system.of_type(Flag)
        self._known: dict[frozenset[tuple[str, bool]], Configuration | None] = {}

    def configuration(self, condition: Iterable[tuple[str, bool]]) -> Configuration | None:
        """A configuration in which flags stand so, with as few on as possible; else ``None``."""
        key = frozenset(condition)
        if key not in self._known:
            if not key:
                self._known[key] = {flag.name: False for flag in self._flags}
            else:
                solver, variables = self._solver()
                solver.add(*(_is(variables, part) for part in key))
                self._known[key] = self._fewest_on(solver, variables)
        return self._known[key]

    def configurations(self) -> list[Configuration] | None:
        """All that the flags allow; ``None`` if there are more than ``MOST_CONFIGURATIONS``."""
        import z3

        found: list[Configuration] = []
        solver, variables = self._solver()
        while (one := self._fewest_on(solver, variables)) is not None:
            if len(found) == MOST_CONFIGURATIONS:
                return None
            found.append(one)
            solver.add(z3.Or(*(v if not one[name] else z3.Not(v) for name, v in variables.items())))
        return found

    def path(
        self, edges: Digraph, source: str, target: str
    ) -> tuple[tuple[str, ...], Configuration] | None:
        """A way from one element to another in some configuration, the shortest in it."""
        if not self._flags:
            return _shortest(edges, source, target)
        after, before = reached_from(edges, source), reached_from(backward(edges), target)
        between = after & before
        if not between:
            return None
        inside = kept(edges, lambda here, there: {here, there} <= between)
        solver, variables = self._solver()
        while (found := self._fewest_on(solver, variables)) is not None:
            present = _present(inside, found)
            reached = reached_from(present, source)
            if target in reached:
                way = shortest_path(present, source, target)
                return None if way is None else (way, found)
            solver.add(_one_of(variables, _leaving(inside, reached)))
        return None

    def views(self, edges: Digraph) -> list[Digraph]:
        """What is there of ``edges`` in each configuration; all of them at once where there are
        too many to look at.
        """
        found = self.configurations() if self._flags else None
        if found is None:
            return [edges]
        return [_present(edges, one) for one in found]

    def _solver(self) -> tuple[Any, dict[str, Any]]:
        import z3

        solver = z3.Solver()
        solver.set("random_seed", 0)
        variables = {flag.name: z3.Bool(flag.name) for flag in self._flags}
        for flag in self._flags:
            here = variables[flag.name]
            solver.add(*(z3.Implies(here, variables[str(name)]) for name in flag.requires))
            solver.add(*(z3.Not(z3.And(here, variables[str(name)])) for name in flag.excludes))
        return solver, variables

    def _fewest_on(self, solver: Any, variables: Mapping[str, Any]) -> Configuration | None:
        """A configuration that has no flag on which could be off as the flags before it stand."""
        import z3

        if _checked(solver) == z3.unsat:
            return None
        fixed: list[Any] = []
        found: dict[str, bool] = {}
        for name, variable in variables.items():
            off = z3.Not(variable)
            found[name] = _checked(solver, *fixed, off) == z3.unsat
            fixed.append(variable if found[name] else off)
        return found


def _shortest(
    edges: Digraph, source: str, target: str
) -> tuple[tuple[str, ...], Configuration] | None:
    way = shortest_path(edges, source, target)
    return None if way is None else (way, {})


def _checked(solver: Any, *assumed: Any) -> Any:
    import z3

    limit = milliseconds_left()
    if limit is not None:
        solver.set("timeout", limit)
    outcome = solver.check(*assumed)
    if outcome == z3.unknown:
        raise BudgetSpentError("more time for the configurations of the feature flags")
    return outcome


def _is(variables: Mapping[str, Any], part: tuple[str, bool]) -> Any:
    import z3

    name, on = part
    return variables[name] if on else z3.Not(variables[name])


def _one_of(variables: Mapping[str, Any], conditions: Iterable[Condition]) -> Any:
    import z3

    return z3.Or(*(z3.And(*(_is(variables, part) for part in cond)) for cond in conditions))


def conditions(edges: Digraph, source: str, target: str) -> tuple[Condition, ...]:
    """The ways in which an edge can be there; an empty condition: it always is."""
    return tuple(dict.fromkeys(step.flags for step in edges[source][target])) or ((),)


def _present(edges: Digraph, configuration: Configuration) -> Digraph:
    return kept(edges, lambda here, there: _holds(conditions(edges, here, there), configuration))


def _holds(ways: Iterable[Condition], configuration: Configuration) -> bool:
    return any(all(configuration[name] is on for name, on in way) for way in ways)


def _leaving(edges: Digraph, reached: set[str]) -> Iterable[Condition]:
    return [
        condition
        for source in sorted(reached)
        for target in edges[source]
        if target not in reached
        for condition in conditions(edges, source, target)
    ]


def described(configuration: Configuration) -> str:
    """``with new-pricing and beta on``, or ``with all flags off``."""
    on = [name for name, value in configuration.items() if value]
    return f"with {' and '.join(on)} on" if on else "with all flags off"
