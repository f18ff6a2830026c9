"""What every documented default owes: its documentation, and when somebody last looked."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from archcheck_rules.technology.support import CHECKED, LONG, SHORT, SUPPORT

from archcheck import Kafka, Redis, Rust, Service, System
from archcheck.findings import evaluate
from archcheck.graph import Graph
from archcheck.importing.products import PRODUCTS
from archcheck.model.element import element_types
from archcheck.model.values import Default, Documented, Version
from archcheck.plugins import rules

UNCHECKED = {
    "DynamoDB.copies",  # its guide says several zones, and not how many
}
"""Those whose documentation nobody has read again since they were written down: give it a date when
you do, and take it off."""


def defaults() -> Iterator[tuple[str, type[Documented], Default]]:
    """Each default of archcheck's own kinds, with what other products and versions do."""
    for name, kind in sorted(element_types().items()):
        if issubclass(kind, Documented) and kind.__module__.startswith("archcheck."):
            for attribute, default in kind.documented.items():
                for each in (default, *default.others):
                    yield f"{name}.{attribute}", kind, each


ALL = list(defaults())
by_name = pytest.mark.parametrize(
    ("name", "kind", "default"), ALL, ids=[f"{name}-{n}" for n, (name, _, _) in enumerate(ALL)]
)


@by_name
def test_a_default_has_its_source_and_its_date(
    name: str, kind: type[Documented], default: Default
) -> None:
    assert len(default.source) > 5
    if default.checked:
        assert datetime.date.fromisoformat(default.checked) >= datetime.date(2026, 11, 30)
    else:
        assert name in UNCHECKED


@by_name
def test_the_source_names_the_version_that_changed(
    name: str, kind: type[Documented], default: Default
) -> None:
    bound: Version = default.since or default.before
    assert ".".join(map(str, bound)) in default.source


@by_name
def test_products_are_those_that_images_tell(
    name: str, kind: type[Documented], default: Default
) -> None:
    controllers = {"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"}
    known = {kind.label, "Amazon S3", "AWS S3", *controllers, *PRODUCTS}
    assert set(default.of) <= known


def test_what_nobody_checked_is_still_there() -> None:
    assert {name for name, _, default in ALL if not default.checked} == UNCHECKED


@pytest.mark.parametrize("product", SUPPORT)
def test_the_ends_of_support_name_their_source(product: str) -> None:
    labels = {kind.label for kind in element_types().values() if issubclass(kind, Documented)}
    assert product in labels | set(PRODUCTS)
    assert ": " in SUPPORT[product].source
    assert SUPPORT[product].ends


def asked(system: System, today: datetime.date) -> set[str]:
    """What rule TEC001 asks on a day."""
    (rule,) = (each for each in rules() if each.id == "TEC001")
    outcome = evaluate(rule, Graph(system, today=today))
    assert not outcome.findings
    return {question.missing for question in outcome.questions}


@pytest.mark.parametrize(
    ("part", "known_for"),
    [(Kafka("k", version="4.3"), SHORT), (Redis("r", version="Valkey 9.1"), LONG)],
    ids=["kafka", "valkey"],
)
def test_what_has_no_end_is_a_question_when_the_table_is_old(
    part: Kafka | Redis, known_for: datetime.timedelta
) -> None:
    system = System("shop", [part])
    last = CHECKED + known_for
    assert asked(system, last) == set()
    (question,) = asked(system, last + datetime.timedelta(days=1))
    assert question.startswith("the end of support of")


def test_a_runtime_that_the_table_does_not_have_is_a_question() -> None:
    system = System("shop", [Service("orders", runtime=Rust("1.80"))])
    assert asked(system, CHECKED) == {"the end of support of Rust 1.80 (option ends)"}
