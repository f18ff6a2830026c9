"""How deep the tests go: ``make test`` takes minutes, ``make thorough`` all that is left out there.

``make test`` has each kind of question and a sample of the cases; what is marked ``thorough`` has
the other cases, longer searches, and the tools of other ecosystems. A change lands when both pass.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import settings

Test = TypeVar("Test", bound=Callable[..., None])
thorough = pytest.mark.thorough
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "suite")
SHARE = 6
"""Of so many examples or cases ``make test`` has one."""


def examples(number: int = 100, **others: Any) -> Callable[[Test], Test]:
    """A property that is drawn ``number`` times in ``make thorough``, and less in ``make test``.

    ``others`` are settings of Hypothesis.
    """
    count = max(1, number // SHARE) if PROFILE == "suite" else number

    def decorated(test: Test) -> Test:
        drawn = settings(max_examples=count, **others)(test)
        return thorough(drawn) if PROFILE == "thorough" else drawn

    return decorated


def sample(cases: Sequence[object], every: int = SHARE) -> list[object]:
    """Cases of ``parametrize``: one of ``every`` is quick, the others are thorough."""
    return [
        case if number % every == 0 else pytest.param(*_values(case), marks=thorough)
        for number, case in enumerate(cases)
    ]


def _values(case: object) -> tuple[object, ...]:
    return case if isinstance(case, tuple) else (case,)
