"""Every test of fidelity runs on both engines."""

from __future__ import annotations

import pytest

from archcheck.simulation.engines import Choice, fast


@pytest.fixture(autouse=True, params=["simpy", "fast"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``simulate`` take one engine."""
    if request.param == "fast" and not fast.is_compiled():
        pytest.skip("the compiled engine is not installed")
    monkeypatch.setattr(
        "archcheck.simulation.running.choose", lambda _: Choice(request.param, "as asked")
    )
