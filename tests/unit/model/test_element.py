"""Elements: frozen, strict, and aware of where they were declared."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable

import pytest

from archcheck import (
    Autoscale,
    Cached,
    Call,
    Endpoint,
    Kafka,
    Kubernetes,
    Layers,
    Lognormal,
    ModelError,
    MySQL,
    Retry,
    Service,
    System,
    Topic,
    Work,
)
from archcheck.units import ms, percent


def line_above() -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno - 1


def helper(name: str) -> Service:
    return Service(name, endpoints=[Endpoint("x", steps=[Call("b.y")])])


def test_the_site_is_the_line_of_the_constructor() -> None:
    service = Service("a")
    here = line_above()
    assert service.site is not None
    assert (service.site.place.file, service.site.place.line) == (__file__, here)


def test_elements_of_a_helper_are_told_apart_by_the_line_that_called_it() -> None:
    a = helper("a")
    first = line_above()
    c = helper("c")
    second = line_above()
    system = System("s", [a, c, Service("b", endpoints=[Endpoint("y")])])
    places = [system.place(part) for part in (a, c, a.endpoints[0].steps[0])]
    assert [place.line for place in places if place] == [first, second, first]


def test_replace_declares_a_new_element_at_its_own_line() -> None:
    original = Service("a", owner="x")
    copy = dataclasses.replace(original, name="b")
    here = line_above()
    assert copy.site is not None
    assert copy.site.place.line == here
    assert copy.owner == "x"


def test_the_site_takes_no_part_in_equality() -> None:
    assert Service("a", owner="x") == Service("a", owner="x")
    assert hash(Call("a.b", timeout=1 * ms)) == hash(Call("a.b", timeout=1 * ms))


def test_elements_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Service("a").owner = "b"  # type: ignore[misc]


def test_sequences_become_tuples() -> None:
    assert Service("a", endpoints=[Endpoint("x")]).endpoints == (Endpoint("x"),)


def test_the_representation_shows_only_what_was_said() -> None:
    assert repr(Call("a.b", timeout=250 * ms)) == "Call(timeout=Duration('250 ms'), 'a.b')"


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (
            lambda: Service("a", boundry="x"),  # type: ignore[call-arg]
            "Service 'a': there is no argument 'boundry'; did you mean 'boundary'?",
        ),
        (
            lambda: MySQL("x", replicas=2),  # type: ignore[call-arg]
            "MySQL 'x': replicas are running processes of a service; write copies=... "
            "(the primary counted)",
        ),
        (
            lambda: Kafka("x", replicas=3),  # type: ignore[call-arg]
            "Kafka 'x': replicas are running processes of a service; write nodes=...",
        ),
        (
            lambda: Topic("x", replication_factor=3),  # type: ignore[call-arg]
            "Topic 'x': the replication factor is a number of copies; write copies=... "
            "(the primary counted)",
        ),
        (lambda: Call(), "Call: target is missing"),  # type: ignore[call-arg]
        (
            lambda: Call("x", "y"),  # type: ignore[misc]
            "Call 'x': too many positional arguments",
        ),
        (lambda: Endpoint("a.b"), "name must be a name of 1 to 200 printable"),
        (
            lambda: Endpoint("a", steps=[3]),  # type: ignore[list-item]
            "Endpoint 'a': steps[0] must be one of Work, Wait, Call, Read, Write, Publish, ...",
        ),
        (
            lambda: Endpoint("a", steps="abc"),  # type: ignore[arg-type]
            "Endpoint 'a': steps must be a list, got 'abc'",
        ),
        (
            lambda: Service("a", runtime=Work(3 * ms)),  # type: ignore[arg-type]
            "Service 'a': runtime must be one of CustomRuntime, SpringBoot",
        ),
        (lambda: Retry(attempts=0), "Retry: attempts must be greater than or equal to 1, got 0"),
        (
            lambda: Retry(attempts="3"),  # type: ignore[arg-type]
            "Retry: attempts must be a valid integer, got '3'",
        ),
        (
            lambda: Kubernetes(replicas=2.5),  # type: ignore[arg-type]
            "Kubernetes: replicas must be a valid integer, got 2.5",
        ),
        (lambda: Cached("r", hit_ratio=150 * percent, steps=[]), "must be at most 100%, got 150%"),
        (lambda: Lognormal(3 * ms, 1 * ms), "Lognormal: needs a p99 between 1 and 14.97 times"),
        (lambda: Autoscale(min=5, max=2), "Autoscale: needs max of at least min"),
        (lambda: Layers("only"), "Layers: needs at least two selectors, got ['only']"),
        (lambda: Call(3), "Call: target must be a reference"),  # type: ignore[arg-type]
    ],
)
def test_a_mistake_gets_one_sentence_with_its_line(
    build: Callable[[], object], sentence: str
) -> None:
    with pytest.raises(ModelError) as error:
        build()
    assert sentence.removeprefix("Autoscale: ").removeprefix("Lognormal: ").removeprefix(
        "Layers: "
    ) in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.place is not None
    assert error.value.place.file == __file__
