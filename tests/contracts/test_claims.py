"""Claims that were once proved although a run breaks them, each standing for its kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcheck.graph import Graph
from archcheck.loading import load
from archcheck.proof import Answer, Undecided, deadline_budgets, retry_amplification

CASES = Path(__file__).parents[1] / "cases" / "proofs"
FITS = "the worst case of j fits"
DEADLINES = [
    ("d1_network", "the worst case of b.y fits", "refuted"),
    ("d1_network", FITS, "proved"),  # the timeout spans the network
    ("d2_external", "the worst case of bank.pay fits", "refuted"),
    ("d3_backoff_unknown", FITS, "undecided"),
    ("d4_meshretry", FITS, "proved"),  # the mesh's timeout spans its retries
    ("d6_fallbackcache", FITS, "refuted"),
    ("d8_flags_exclude", FITS, "proved"),
    ("d9_retry_on", FITS, "proved"),
    ("d10_coding", FITS, "refuted"),
]
RETRIES = [
    ("r1_redelivery", "the work of c.y", "refuted"),
    ("r2_fallback", "the work of e.y", "refuted"),
    ("r3_cache", "the work of db", "proved"),  # and says what the loss of the cache does
    ("r4_budgetmin", "the work of b.y", "refuted"),
    ("r5_breaker_window", "the work of b.y", "refuted"),
    ("r7_deadline_entry", "the work of b.y", "refuted"),
    ("r8_mesh_query", "the work of db", "proved"),
]


def answer(name: str, claim: str) -> Answer:
    (system,) = load(CASES / f"{name}.py")
    ask = deadline_budgets if name.startswith("d") else retry_amplification
    return next(found for found in ask(Graph(system)) if claim in found.claim)


@pytest.mark.parametrize(("name", "claim", "verdict"), DEADLINES + RETRIES)
def test_a_claim_is_judged_rightly(name: str, claim: str, verdict: str) -> None:
    assert type(answer(name, claim)).__name__.lower() == verdict


def test_what_is_open_names_what_would_decide_it() -> None:
    found = answer("d3_backoff_unknown", FITS)
    assert isinstance(found, Undecided)
    assert [gap.attribute for gap in found.gaps] == ["retry.backoff"]


def test_a_proof_says_what_the_loss_of_a_cache_does() -> None:
    said = "r keeps its hit ratio: without it, db works 50 times as much"
    assert said in answer("r3_cache", "the work of db").assumptions  # type: ignore[union-attr]
