"""Queueing formulas, against closed forms and published values."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcheck.capacity import erlang_c, mean_wait, residence, zipf_share


@pytest.mark.parametrize(
    ("servers", "offered", "expected"),
    [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (3, 2.0, 4 / 9), (5, 4.0, 0.5541), (10, 9.0, 0.6687)],
)
def test_erlang_c_gives_the_values_of_the_tables(
    servers: int, offered: float, expected: float
) -> None:
    assert erlang_c(servers, offered) == pytest.approx(expected, abs=5e-5)


def test_the_wait_of_one_server_is_the_closed_form() -> None:
    # M/M/1: rho / (mu - lambda)
    assert mean_wait(1, 8.0, 0.1) == pytest.approx(0.8 / (10 - 8))
    assert residence(1, 8.0, 0.1) == pytest.approx(1 / (10 - 8))


def test_constant_service_times_halve_the_wait() -> None:
    assert mean_wait(1, 8.0, 0.1, services=0.0) == pytest.approx(mean_wait(1, 8.0, 0.1) / 2)


def test_pollaczek_and_khinchine_agree_with_one_server() -> None:
    rate, service, variability = 6.0, 0.1, 3.0
    rho = rate * service
    expected = rho * service * (1 + variability) / (2 * (1 - rho))
    assert mean_wait(1, rate, service, services=variability) == pytest.approx(expected)


def test_a_load_that_cannot_be_carried_waits_for_ever() -> None:
    assert mean_wait(2, 20.0, 0.1) == math.inf
    assert erlang_c(2, 2.5) == 1.0


@given(st.integers(1, 40), st.floats(0.01, 0.99))
def test_one_server_more_never_makes_waiting_likelier(servers: int, share: float) -> None:
    offered = servers * share
    assert erlang_c(servers + 1, offered) <= erlang_c(servers, offered) + 1e-12


@given(st.integers(1, 30_000), st.floats(0.0, 3.0))
def test_the_share_of_the_first_key_is_one_over_the_harmonic_number(
    keys: int, exponent: float
) -> None:
    exact = 1 / math.fsum(n**-exponent for n in range(1, keys + 1))
    assert zipf_share(keys, exponent) == pytest.approx(exact, rel=1e-6)
