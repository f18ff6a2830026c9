"""Cut sets and probabilities against published systems and against enumeration."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction as Rational

import pytest
from depth import examples
from hypothesis import given
from hypothesis import strategies as st

from archcheck.proof.survival import structure as module
from archcheck.proof.survival.structure import (
    AtLeast,
    Structure,
    Unit,
    all_of,
    any_of,
    minimal_cut_sets,
    probability,
    works,
)


def unit(name: object) -> Unit:
    return Unit("element", str(name))


def names(cuts: Sequence[frozenset[Unit]]) -> list[str]:
    return sorted("".join(sorted(part.element for part in cut)) for cut in cuts)


A, B, C, D, E, F, G = (unit(letter) for letter in "ABCDEFG")

# -- published systems --------------------------------------------------------------------------

BRIDGE = any_of(
    [
        all_of([A, D]),
        all_of([B, E]),
        all_of([A, C, E]),
        all_of([B, C, D]),
    ]
)
"""The bridge network: Barlow and Proschan, 1975, chapter 1; also Rausand and Hoyland, 2004."""


def test_the_bridge_network() -> None:
    assert names(minimal_cut_sets(BRIDGE, 5)) == ["AB", "ACE", "BCD", "DE"]
    for p in (Rational(1, 2), Rational(9, 10), Rational(99, 100)):
        # 2 p^2 + 2 p^3 - 5 p^4 + 2 p^5 with equal components
        expected = 2 * p**2 + 2 * p**3 - 5 * p**4 + 2 * p**5
        bounds = probability(BRIDGE, dict.fromkeys((A, B, C, D, E), p))
        assert bounds.is_exact
        assert bounds.low == expected
    assert (
        float(probability(BRIDGE, dict.fromkeys((A, B, C, D, E), Rational(9, 10))).low) == 0.97848
    )


def test_two_out_of_three() -> None:
    """Triple modular redundancy: 3 p^2 - 2 p^3 (Lyons and Vanderkulk, 1962)."""
    whole = AtLeast(2, (A, B, C))
    assert names(minimal_cut_sets(whole, 3)) == ["AB", "AC", "BC"]
    p = Rational(9, 10)
    assert probability(whole, dict.fromkeys((A, B, C), p)).low == 3 * p**2 - 2 * p**3


@pytest.mark.parametrize(("needed", "count"), [(1, 4), (3, 5), (4, 4), (5, 8)])
def test_k_out_of_n(needed: int, count: int) -> None:
    """The binomial tail, and every choice of n - k + 1 units as a cut set."""
    units = [unit(n) for n in range(count)]
    whole = AtLeast(needed, tuple(units))
    cuts = minimal_cut_sets(whole, count)
    assert {frozenset(c) for c in itertools.combinations(units, count - needed + 1)} == set(cuts)
    p = Rational(4, 5)
    tail = sum(
        p ** sum(pattern) * (1 - p) ** (count - sum(pattern))
        for pattern in itertools.product((0, 1), repeat=count)
        if sum(pattern) >= needed
    )
    assert probability(whole, dict.fromkeys(units, p)).low == tail


def test_series_and_parallel() -> None:
    """The textbook series-parallel system: (A or B) and C and (D or E or F)."""
    whole = all_of([any_of([A, B]), C, any_of([D, E, F])])
    assert names(minimal_cut_sets(whole, 3)) == ["AB", "C", "DEF"]
    p = Rational(9, 10)
    q = 1 - p
    assert probability(whole, dict.fromkeys((A, B, C, D, E, F), p)).low == (1 - q**2) * p * (
        1 - q**3
    )


def test_the_pressure_tank() -> None:
    """Fault Tree Handbook (NUREG-0492), chapter VIII: five minimal cut sets of the rupture.

    T: tank, K2: relay, S: pressure switch, and K1, R, S1 as the three ways in which the other
    relay stays closed. The probability is that of the formula, with the handbook's data.
    """
    tank, k2, switch, k1, timer, s1 = (unit(n) for n in ("T", "K2", "S", "K1", "R", "S1"))
    whole = all_of([tank, k2, any_of([switch, all_of([k1, timer, s1])])])
    found = {frozenset(part.element for part in cut) for cut in minimal_cut_sets(whole, 3)}
    assert found == {
        frozenset({"T"}),
        frozenset({"K2"}),
        frozenset({"S", "K1"}),
        frozenset({"S", "R"}),
        frozenset({"S", "S1"}),
    }
    fails = {
        tank: Rational("5e-6"),
        k2: Rational("3e-5"),
        switch: Rational("1e-4"),
        k1: Rational("3e-5"),
        timer: Rational("1e-4"),
        s1: Rational("3e-5"),
    }
    down = 1 - probability(whole, {part: 1 - q for part, q in fails.items()}).low
    closed = 1 - (1 - fails[k1]) * (1 - fails[timer]) * (1 - fails[s1])
    survives = (1 - fails[tank]) * (1 - fails[k2]) * (1 - fails[switch] * closed)
    assert down == 1 - survives
    assert float(down) == pytest.approx(3.5e-5, rel=0.01)


def test_consecutive_two_out_of_five() -> None:
    """Linear consecutive-2-out-of-5:F (Chiang and Niu, 1981): p=0.9 gives 0.96309."""
    units = [unit(n) for n in range(5)]
    whole = all_of([any_of([one, two]) for one, two in itertools.pairwise(units)])
    assert names(minimal_cut_sets(whole, 5)) == ["01", "12", "23", "34"]
    p = Rational(9, 10)
    q = 1 - p
    # patterns without two failures in a row: 1, 5, 6, 1 with 0, 1, 2, 3 failures
    expected = p**5 + 5 * p**4 * q + 6 * p**3 * q**2 + p**2 * q**3
    assert probability(whole, dict.fromkeys(units, p)).low == expected
    assert float(expected) == pytest.approx(0.96309)


# -- all failures -------------------------------------------------------------------------------

UNITS = [unit(letter) for letter in "ABCDE"]


@st.composite
def structures(draw: st.DrawFn, depth: int = 3) -> Structure:
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(UNITS))
    parts = draw(st.lists(structures(depth - 1), min_size=1, max_size=3))
    return AtLeast(draw(st.integers(1, len(parts))), tuple(parts))


def subsets(units: Sequence[Unit]) -> list[frozenset[Unit]]:
    return [
        frozenset(chosen)
        for size in range(len(units) + 1)
        for chosen in itertools.combinations(units, size)
    ]


def truth(structure: Structure, failed: frozenset[Unit]) -> bool:
    """Written apart from the code under test: count, for each gate, what works."""
    if isinstance(structure, Unit):
        return structure not in failed
    working = [part for part in structure.parts if truth(part, failed)]
    return len(working) >= structure.needed


@examples(300)
@given(structures(), st.integers(1, 5))
def test_cut_sets_are_all_minimal_sets_that_stop_the_whole(structure: Structure, size: int) -> None:
    stopping = [failed for failed in subsets(UNITS) if not truth(structure, failed)]
    minimal = {
        failed
        for failed in stopping
        if len(failed) <= size and not any(other < failed for other in stopping)
    }
    assert set(minimal_cut_sets(structure, size)) == minimal
    assert all(works(structure, f) == truth(structure, f) for f in subsets(UNITS))


@examples(300)
@given(
    structures(),
    st.lists(st.fractions(0, 1, max_denominator=20), min_size=5, max_size=5),
)
def test_the_probability_is_the_sum_over_all_patterns(
    structure: Structure, chances: list[Rational]
) -> None:
    up = dict(zip(UNITS, chances, strict=True))
    expected = Rational(0)
    for failed in subsets(UNITS):
        weight = Rational(1)
        for part, chance in up.items():
            weight *= 1 - chance if part in failed else chance
        expected += weight * truth(structure, failed)
    found = probability(structure, up)
    assert (found.low, found.high) == (expected, expected)


@examples(200)
@given(
    structures(),
    st.lists(st.fractions(0, 1, max_denominator=20), min_size=5, max_size=5),
)
def test_bounds_contain_the_probability(structure: Structure, chances: list[Rational]) -> None:
    up = dict(zip(UNITS, chances, strict=True))
    exactly = probability(structure, up).low
    bounds = module._bounds(structure, up)
    assert bounds.low <= exactly <= bounds.high


def test_too_many_shared_units_give_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_FACTORINGS", 0)
    p = Rational(9, 10)
    found = probability(BRIDGE, dict.fromkeys((A, B, C, D, E), p))
    assert not found.is_exact
    assert found.low <= Rational("0.97848") <= found.high


def test_nothing_is_needed_and_nothing_works() -> None:
    assert works(all_of([]), frozenset())
    assert not works(any_of([]), frozenset())
    assert minimal_cut_sets(any_of([]), 2) == [frozenset()]
    assert minimal_cut_sets(all_of([]), 2) == []
