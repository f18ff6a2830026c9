"""Loading what was written gives an equal system."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import strategies
from depth import examples
from hypothesis import given
from landscape import landscape
from written import again, again_as_package, loaded

from archcheck import (
    Absent,
    Boundary,
    Call,
    Element,
    Endpoint,
    Kubernetes,
    Layers,
    ModelError,
    MySQL,
    Probe,
    Retry,
    Service,
    Suppression,
    System,
    Topic,
    Work,
)
from archcheck.generating import in_written_order, write_python
from archcheck.loading import load
from archcheck.model import from_json, to_json
from archcheck.model.element import element
from archcheck.units import ms, s

ROOT = Path(__file__).parents[3]
MODELS = sorted(
    str(path.relative_to(ROOT))
    for path in (
        *(ROOT / "models").iterdir(),
        *(ROOT / "examples").glob("**/*.py"),
        *(ROOT / "tests" / "cases").glob("**/*.py"),
    )
    if "rules" not in path.parts and path.name not in ("handwritten_simpy.py", "draw.py")
    if path.is_dir() or "archcheck" in path.read_text()
)


@given(strategies.systems())
@examples(120)
def test_every_system_is_read_back(system: System) -> None:
    assert again(system) == system


@given(strategies.systems())
@examples(80)
def test_every_system_is_read_back_from_a_package(system: System) -> None:
    assert again_as_package(system) == system


@cache
def _systems(path: str) -> tuple[System, ...]:
    try:
        return load(ROOT / path)
    except ModelError:
        return ()  # scripts about models, and models that are wrong on purpose


@pytest.mark.parametrize("path", MODELS)
def test_the_models_and_examples_are_read_back(path: str) -> None:
    for system in _systems(path):
        assert again(system) == system
        assert again_as_package(system) == system
        assert again(from_json(to_json(system))) == system


def test_the_models_and_examples_are_many() -> None:
    assert sum(len(_systems(path)) for path in MODELS) >= 10


def test_a_large_system_is_read_back_whatever_its_order() -> None:
    system = landscape(300)
    assert again(system) == system
    ordered = in_written_order(system)
    assert ordered != system
    assert sorted(ordered.elements, key=str) == sorted(system.elements, key=str)
    assert again(ordered) == ordered
    assert "order=" not in write_python(ordered)["__init__.py"]


HOSTILE = [
    'say "hi"',
    "it's",
    "both ' and \"",
    "back\\slash",
    "ends with backslash\\",
    '"); import os; os·system("x',
    "'''",
    '"""',
    "{braces} %s {0}",
    "#comment",
    "заказы",
    "\u043erders",
    "订单",
    "bücher \u2013 été",
    "🚚",
    "e\u0301te",
    "a\u00a0b",
    "class",
    "None",
    "match",
    "system",
    "journeys",
    "date",
    "s",
    "MB",
    "Service",
    "list",
    "__init__",
    "_private",
    "2fa",
    "con",
    "::",
    "/tmp/x",  # noqa: S108
    "very " * 38 + "long name",
    "x" * 200,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_text(name: str) -> None:
    system = System(
        name,
        [
            Boundary(name, description=f"{name}\n{name}\ttab"),
            Service(
                name,
                boundary=name,
                tags=[name],
                endpoints=[Endpoint(name, steps=[Call(f"{name}.{name}"), Work(1 * ms)])],
            ),
            MySQL("its db", belongs_to=name, docs=name),
        ],
        description=f'{name}"""\\',
        suppressions=[Suppression("RES*", reason=f"because\r\n{name}")],
    )
    assert again(system) == system
    assert again_as_package(system) == system


def test_all_hostile_names_in_one_system() -> None:
    services = [Service(name, boundary=name) for name in HOSTILE]
    system = System("all", services)
    assert again(system) == system
    assert again_as_package(system) == system


def test_no_text_of_a_model_is_code(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    attacks = [
        f'"); open({str(mark)!r}, "w"); print("',
        f"'); open({str(mark)!r}, 'w'); ('",
        f'"""\nopen({str(mark)!r}, "w")\n"""',
        f"\\\nopen({str(mark)!r}, 'w') #",
        f"\\'); open({str(mark)!r}, 'w') #",
        f"{{open({str(mark)!r}, 'w')}}",
    ]
    texts = [f"{attack} {number}" for number, attack in enumerate(attacks)]
    names = [text.replace(".", "_").replace("\n", " ").strip() for text in texts]
    services = [
        Service(name, boundary=name, owner=text, description=text, docs=text, tags=[text])
        for name, text in zip(names, texts, strict=True)
    ]
    system = System("attacked", services, description=texts[0], revision=texts[2], entities=texts)

    def from_where(part: Element) -> str:
        return texts[2] + "\r\n" + str(getattr(part, "description", ""))

    for files in (write_python(system), write_python(system, comment=from_where)):
        assert loaded(files) == system
    assert again_as_package(system) == system
    assert not mark.exists()


def test_names_that_are_one_identifier_stay_apart() -> None:
    names = ["order-api", "order_api", "Order API", "order.api".replace(".", "/"), "OrderApi"]
    services = [Service(name, boundary=name) for name in names]
    system = System("alike", services)
    assert again(system) == system
    assert again_as_package(system) == system
    assert len(write_python(system)["__init__.py"].split("= Service(")) == 6


def test_any_order_of_elements_is_kept() -> None:
    services = [Service(f"s{n}", boundary=f"b{n % 3}") for n in range(9)]
    for members in (
        services,
        services[::-1],
        sorted(services, key=lambda each: each.boundary or ""),
    ):
        system = System("ordered", members)
        assert again_as_package(system) == system


def test_a_system_that_says_nothing() -> None:
    assert again(System("empty")) == System("empty")


def test_policies_are_written_as_they_are_said() -> None:
    system = System("p", [Service("a"), Service("b")], policies=[Layers("a", "b", reason="so")])
    assert 'Layers("a", "b", reason="so")' in write_python(system)["__init__.py"]
    assert again(system) == system


def test_what_is_said_often_gets_a_name() -> None:
    retry = Retry(attempts=3, backoff=10 * ms, jitter=True)
    services = [
        Service(
            f"s{n}",
            deployment=Kubernetes(
                image=f"shop/s{n}:1.0",
                zones=["a", "b"],
                readiness=Probe("http", "/ready"),
                grace=10 * s,
            ),
            endpoints=[Endpoint("run", steps=[Call("db", retry=retry)])],
            mesh=Absent("the platform team removed it"),
        )
        for n in range(5)
    ]
    sink = Service("db", endpoints=[Endpoint("run")])
    system = System("often", [*services, sink])
    (text,) = write_python(system).values()
    assert "RETRY = Retry(attempts=3, backoff=10 * ms, jitter=True)" in text
    assert 'THE_PLATFORM_TEAM_REMOVED_IT = Absent("the platform team removed it")' in text
    assert "def kubernetes(image: str) -> Kubernetes:" in text
    assert 'deployment=kubernetes("shop/s0:1.0")' in text
    assert again(system) == system


def test_a_comment_says_where_values_are_from() -> None:
    system = System("commented", [Service("a", deployment=Kubernetes(replicas=2)), Topic("events")])

    def from_where(part: Element) -> str | None:
        places: dict[type, str] = {
            Service: "compose.yaml:3",
            Kubernetes: "k8s/a.yaml:7",
            Topic: "asyncapi.yaml:1",
        }
        return places.get(type(part))

    files = write_python(system, comment=from_where)
    assert "# compose.yaml:3\na = Service(" in files["__init__.py"]
    assert "    # k8s/a.yaml:7\n    deployment=Kubernetes(replicas=2),\n" in files["__init__.py"]
    assert loaded(files) == system


@element
class Custom(Service):
    """A kind of element of somebody's own."""


def test_an_element_of_ones_own_class_is_refused_with_its_place() -> None:
    with pytest.raises(ModelError) as caught:
        write_python(System("own", [Custom("mine")]))
    assert "a Custom cannot be written" in caught.value.sentence
    assert caught.value.place is not None
    assert caught.value.place.file == __file__
