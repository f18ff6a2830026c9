"""Quantities: arithmetic that keeps the dimension, text that reads back to the last bit."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from archcheck import Call, ModelError, Work
from archcheck.units import (
    MB,
    Bandwidth,
    Cpu,
    Duration,
    Fraction,
    KiB,
    Quantity,
    Rate,
    Size,
    cores,
    minutes,
    ms,
    percent,
    s,
)

KINDS = [Duration, Rate, Size, Bandwidth, Fraction, Cpu]


@pytest.mark.parametrize("kind", KINDS)
@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_text_reads_back_to_the_last_bit(kind: type[Quantity], value: float) -> None:
    quantity = kind(value)
    assert kind.parse(str(quantity)) == quantity


@pytest.mark.parametrize("kind", KINDS)
@given(value=st.floats(0, allow_nan=False, allow_infinity=False))
def test_the_schema_accepts_what_is_printed(kind: type[Quantity], value: float) -> None:
    pattern = TypeAdapter(kind).json_schema()["pattern"]
    assert re.search(pattern, str(kind(value)))


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_durations_order_and_add_like_their_seconds(a: float, b: float) -> None:
    assert (Duration(a) < Duration(b)) == (a < b)
    assert float(Duration(a) + Duration(b)) == a + b


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        (250 * ms, "250 ms"),
        (1.5 * s, "1.5 s"),
        (120 * s, "2 min"),
        (500 / s, "500/s"),
        (30 / minutes, "30/min"),
        (4 * KiB, "4 KiB"),
        (Size(1000), "1 KB"),
        (99.95 * percent, "99.95%"),
        (0.25 * cores, "250 m"),
        (125 * MB / s, "125 MB/s"),
        (0 * s, "0 s"),
    ],
)
def test_quantities_print_as_a_person_writes_them(quantity: Quantity, text: str) -> None:
    assert str(quantity) == text


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("250ms", 250 * ms),
        ("500/s", 500 / s),
        (" 4 KiB ", 4 * KiB),
        ("1e-3 s", 1 * ms),
        ("99.9 %", 99.9 * percent),
        ("100m", Cpu(0.1)),
    ],
)
def test_people_write_units_with_and_without_space(text: str, quantity: Quantity) -> None:
    assert type(quantity).parse(text) == quantity


def test_units_scale_on_both_sides_and_divide_to_numbers() -> None:
    assert 2 * (250 * ms) == (250 * ms) * 2 == 500 * ms
    assert (1 * s) / (250 * ms) == 4
    assert (1 * s) / 4 == 250 * ms
    assert pickle.loads(pickle.dumps(250 * ms)) == 250 * ms  # noqa: S301


@pytest.mark.parametrize(
    "operation",
    [
        lambda: 250 * ms + 1,
        lambda: 250 * ms + 5 / s,
        lambda: (250 * ms) * (250 * ms),
        lambda: 250 * ms < 1,
        lambda: setattr(250 * ms, "_value", 3),
    ],
)
def test_dimensions_do_not_mix(operation: object) -> None:
    with pytest.raises((TypeError, AttributeError)):
        operation()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (250, "got the bare number 250; write for example 250 * ms"),
        (5 / s, "must be a duration such as 250 * ms, got the rate 5/s"),
        (-3 * ms, "must not be negative, got -3 ms"),
        ("5 parsecs", "'5 parsecs' is not a duration; write a number and one of the units"),
        (True, "got bool True"),
    ],
)
def test_a_wrong_timeout_says_what_to_write(value: object, sentence: str) -> None:
    with pytest.raises(ModelError) as error:
        Call("a.b", timeout=value)  # type: ignore[arg-type]
    assert sentence in str(error.value)


@pytest.mark.parametrize(("number", "advice"), [(0.5, "50 * percent"), (1, "100 * percent")])
def test_a_bare_fraction_is_explained_in_percent(number: float, advice: str) -> None:
    with pytest.raises(ValueError, match=f"write for example {advice}".replace("*", r"\*")):
        Fraction._validate(number)


def test_strings_are_read_in_models() -> None:
    assert Work("4 ms").time == 4 * ms  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_only_finite_numbers_are_quantities(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Duration(value)
