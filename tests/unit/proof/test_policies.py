"""Policies against every single dependency, and feature flags against all configurations."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace

import networkx as nx
import pytest
from depth import examples
from hypothesis import given
from hypothesis import strategies as st

from archcheck import (
    Allow,
    Call,
    Deny,
    Deterministic,
    Endpoint,
    Feature,
    Flag,
    Independent,
    Journey,
    Layers,
    Load,
    ModelError,
    OnlyVia,
    OnlyWithin,
    Policy,
    Scenario,
    Service,
    System,
)
from archcheck.graph import Graph
from archcheck.graph.policies import exempt_edges, forbidden, granted
from archcheck.proof import BudgetSpentError, ProofBudget, Refuted, contradictions, dead_policies
from archcheck.proof.feature_flags import FeatureFlags
from archcheck.simulation import simulate
from archcheck.units import s

NAMES = ("a", "b", "c", "d")
SELECTORS = st.sampled_from(["a", "b", "c", "d", "left", "right"])
EDGES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).map(" -> ".join), max_size=2
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    one, other = draw(SELECTORS), draw(SELECTORS)
    extra = {"except_for": draw(EDGES), "transitive": draw(st.booleans())}
    match draw(st.integers(0, 5)):
        case 0:
            return Layers(one, other, **extra)
        case 1:
            return Independent(one, other, **extra)
        case 2:
            return Deny(one, other, **extra)
        case 3:
            return Allow(one, [other], **extra)
        case 4:
            return OnlyVia(one, other, **extra)
        case _:
            return OnlyWithin(one, other, **extra)


def system(*chosen: Policy) -> System:
    return System(
        "made",
        [Service(name, boundary="left" if name in "ab" else "right") for name in NAMES],
        policies=chosen,
    )


def forbids(graph: Graph, policy: Policy, edge: tuple[str, str]) -> bool:
    blocks = forbidden(graph, policy)
    inside = any(edge[0] in block.sources and edge[1] in block.targets for block in blocks)
    return inside and edge not in exempt_edges(policy)


ALL_EDGES = list(itertools.permutations(NAMES, 2))


@examples(400)
@given(st.lists(policies(), min_size=1, max_size=4))
def test_contradictions_are_grants_of_which_nothing_is_left(chosen: list[Policy]) -> None:
    """Every dependency that a policy calls right is tried against all policies."""
    graph = Graph(system(*chosen))
    expected = set()
    for policy in chosen:
        for words, blocks in granted(graph, policy):
            edges = [
                e for e in ALL_EDGES for b in blocks if e[0] in b.sources and e[1] in b.targets
            ]
            if edges and all(any(forbids(graph, p, e) for p in chosen) for e in edges):
                expected.add((policy.title(), words))
    found = set()
    for answer in contradictions(graph):
        if isinstance(answer, Refuted):
            assert isinstance(answer.subject, Policy)
            words = answer.claim.rpartition("dependency of ")[2]
            found.add((answer.subject.title(), words))
            conflict = [p for p in answer.counterexample.conflict if isinstance(p, Policy)]
            assert conflict[0] is answer.subject
    assert found == expected


@examples(400)
@given(st.lists(policies(), min_size=2, max_size=4))
def test_dead_policies_can_all_go_at_once(chosen: list[Policy]) -> None:
    """What the living forbid together is what all forbid, and no living one can go too."""
    graph = Graph(system(*chosen))
    answers = list(dead_policies(graph))
    dead = [number for number, answer in enumerate(answers) if isinstance(answer, Refuted)]
    living = [policy for number, policy in enumerate(chosen) if number not in dead]
    for edge in ALL_EDGES:
        assert any(forbids(graph, p, edge) for p in chosen) == any(
            forbids(graph, p, edge) for p in living
        )
    for policy in living:
        if policy.transitive:
            continue
        edges = [edge for edge in ALL_EDGES if forbids(graph, policy, edge)]
        others = [other for other in living if other is not policy]
        assert not edges or not all(any(forbids(graph, o, e) for o in others) for e in edges)


def test_of_many_policies_the_smallest_conflict_is_named() -> None:
    only = OnlyVia("c", "left")
    chosen = [Deny("a", "d"), Deny("a", "c"), Deny("b", "right"), only, Deny("left", "c")]
    (answer,) = [a for a in contradictions(Graph(system(*chosen))) if isinstance(a, Refuted)]
    assert answer.counterexample.conflict == (only, chosen[-1])


# -- families -----------------------------------------------------------------------------------

FLAGS = ("f", "g", "h")


@st.composite
def families(draw: st.DrawFn) -> System:
    flags = [
        Flag(
            name,
            requires=draw(st.lists(st.sampled_from(FLAGS), max_size=1)),
            excludes=[
                other
                for other in draw(st.lists(st.sampled_from(FLAGS), max_size=1))
                if other != name
            ],
        )
        for name in FLAGS
    ]
    services = []
    for name in "abcde":
        steps = []
        for target in draw(st.lists(st.sampled_from("abcde"), max_size=2, unique=True)):
            step = Call(f"{target}.go")
            for flag in draw(st.lists(st.sampled_from(FLAGS), max_size=2)):
                step = Feature(flag, [step], off=draw(st.booleans()))  # type: ignore[assignment]
            steps.append(step)
        services.append(Service(name, endpoints=[Endpoint("go", steps=steps)]))
    return System("made", [*flags, *services])


def allowed(system: System) -> list[Mapping[str, bool]]:
    """All configurations that the flags permit, one by one."""
    found = []
    for values in itertools.product([False, True], repeat=len(FLAGS)):
        chosen = dict(zip(FLAGS, values, strict=True))
        if all(
            all(chosen[str(n)] for n in flag.requires)
            and not any(chosen[str(n)] for n in flag.excludes)
            for flag in system.of_type(Flag)
            if chosen[flag.name]
        ):
            found.append(chosen)
    return found


@examples(200)
@given(families(), st.sampled_from("abcde"), st.sampled_from("abcde"))
def test_a_way_exists_in_some_configuration_or_in_none(
    made: System, source: str, target: str
) -> None:
    if source == target:
        return
    graph = Graph(made)
    edges = graph.dependencies()
    reachable = []
    for chosen in allowed(made):
        present = nx.DiGraph()
        present.add_nodes_from("abcde")
        present.add_edges_from(
            (step.source.name, step.target.name)
            for step in graph.interactions
            if all(chosen[name] is on for name, on in step.flags)
        )
        if nx.has_path(present, source, target):
            reachable.append((chosen, present))
    found = FeatureFlags(made).path(edges, source, target)
    if found is None:
        assert not reachable
        return
    path, configuration = found
    assert (path[0], path[-1]) == (source, target)
    assert any(dict(configuration) == dict(chosen) for chosen, _ in reachable)
    (present,) = [p for chosen, p in reachable if dict(chosen) == dict(configuration)]
    assert nx.is_path(present, path)


@examples(100)
@given(families(), st.lists(st.tuples(st.sampled_from(FLAGS), st.booleans()), max_size=3))
def test_a_condition_is_possible_or_not(made: System, condition: list[tuple[str, bool]]) -> None:
    fitting = [c for c in allowed(made) if all(c[name] is on for name, on in condition)]
    found = FeatureFlags(made).configuration(condition)
    if condition:
        assert (found is not None) == bool(fitting)
        assert found is None or dict(found) in [dict(c) for c in fitting]


def test_an_unknown_flag_is_refused() -> None:
    with pytest.raises(ModelError, match="there is no feature flag 'new'"):
        System("made", [Service("a", endpoints=[Endpoint("go", steps=[Feature("new", [])])])])


def test_flags_take_part_in_load_as_they_stand() -> None:
    steps = [Feature("new", [Call("b")]), Feature("new", [Call("c")], off=True)]
    made = System(
        "made",
        [
            Flag("new", on=False),
            Service("a", endpoints=[Endpoint("go", steps=steps)]),
            Service("b", endpoints=[Endpoint("go")]),
            Service("c", endpoints=[Endpoint("go")]),
        ],
    )
    assert dict(Graph(made).visits_from("a.go").operations) == {"a.go": 1.0, "c.go": 1.0}
    load = Scenario("usual", load=[Load("use", Deterministic(10 / s))])
    used = replace(made, journeys=[Journey("use", "a.go")], scenarios=[load])
    result = simulate(used, load, duration=2 * s, warmup=0 * s)
    assert {call.name for call in result.calls} == {"use -> a.go", "a.go -> c.go"}


def test_no_time_is_no_answer() -> None:
    flags = [Flag("f"), Flag("g", excludes=["f"])]
    made = System("made", flags)
    with ProofBudget(0.0).running(), pytest.raises(BudgetSpentError, match="proof budget of 0 s"):
        FeatureFlags(made).configuration([("f", True), ("g", True)])


def test_a_question_without_an_end_leaves_the_others_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of 80 s, of the 40 s that are left, of 20 s: by a clock that ticks when it is read."""
    clock = itertools.count()
    monkeypatch.setattr("archcheck.proof.budget.time.monotonic", lambda: float(next(clock)))
    budget = ProofBudget(80.0)
    looks = []
    for _ in range(3):
        with budget.running():
            looks.append(sum(1 for _ in _until_spent(budget)))
    assert looks == pytest.approx([40, 20, 10], abs=3)


def _until_spent(budget: ProofBudget) -> Iterator[float]:
    try:
        while True:
            yield budget.left()
    except BudgetSpentError:
        return
