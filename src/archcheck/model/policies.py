"""Dependency policies: which parts of the system may know which.

They are to a system what import-linter's contracts are to a code base. A *selector* names a
boundary, a service, a datastore, ``tag:NAME`` for all elements with a tag, or a glob over
element names (``pay*``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from archcheck.model.element import Element, Many, element


class Policy(Element):
    """A rule of the system's own about dependencies."""

    reason: str | None
    transitive: bool
    except_for: Sequence[str]

    def title(self) -> str:
        """The policy as a person would say it."""
        raise TypeError(f"{type(self).__name__} has no title")


@element
class _Policy(Policy):
    """Fields that every policy has."""

    _is_abstract = True

    reason: str | None = None
    """Why, for the reader of a finding."""
    except_for: Many[str] = ()
    """Edges that are exempt, written ``"caller -> callee"`` with exact names."""
    transitive: bool = False
    """Whether paths count as well as direct dependencies."""


@element
class Layers(_Policy):
    """Ordered layers: each may depend on those after it, never on those before it.

    ``Layers("edge", "domain", "data")``.
    """

    _gathers = "layers"

    layers: Many[str]
    """Selectors, top first; at least two."""
    strict: bool = False
    """Whether a layer may only depend on the one directly below."""

    if TYPE_CHECKING:

        def __init__(
            self,
            *layers: str,
            strict: bool = False,
            reason: str | None = None,
            except_for: Sequence[str] = (),
            transitive: bool = False,
        ) -> None: ...

    def __post_init__(self) -> None:
        _at_least_two(self.layers)

    def title(self) -> str:
        return f"layers {' > '.join(self.layers)}"


@element
class Independent(_Policy):
    """Parts that must not know each other: ``Independent("orders", "search")``."""

    _gathers = "parts"

    parts: Many[str]
    """Selectors, pairwise independent; at least two."""

    if TYPE_CHECKING:

        def __init__(
            self,
            *parts: str,
            reason: str | None = None,
            except_for: Sequence[str] = (),
            transitive: bool = False,
        ) -> None: ...

    def __post_init__(self) -> None:
        _at_least_two(self.parts)

    def title(self) -> str:
        return f"{', '.join(self.parts)} are independent"


@element
class Deny(_Policy):
    """``Deny("browse", "payment")``: nothing in the first depends on the second."""

    source: str = field(kw_only=False)
    """Selector of the callers."""
    target: str = field(kw_only=False)
    """Selector of the callees."""

    def title(self) -> str:
        return f"{self.source} must not depend on {self.target}"


@element
class Allow(_Policy):
    """``Allow("edge", ["domain"])``: the first may depend on these and on nothing else."""

    source: str = field(kw_only=False)
    """Selector of the callers."""
    targets: Many[str] = field(kw_only=False)
    """Selectors of what they may depend on."""

    def title(self) -> str:
        return f"{self.source} may only depend on {', '.join(self.targets)}"


@element
class OnlyVia(_Policy):
    """``OnlyVia("bank", "payments")``: the target is reached through these callers only."""

    target: str = field(kw_only=False)
    """Selector of the protected elements."""
    via: str = field(kw_only=False)
    """Selector of the only callers."""

    def title(self) -> str:
        return f"{self.target} is reached only via {self.via}"


@element
class OnlyWithin(_Policy):
    """``OnlyWithin("tag:legacy", "payment")``: the target is used only inside a part."""

    target: str = field(kw_only=False)
    """Selector of the protected elements."""
    part: str = field(kw_only=False)
    """Selector of the part inside which it may be used."""

    def title(self) -> str:
        return f"{self.target} is used only within {self.part}"


def _at_least_two(selectors: Sequence[str]) -> None:
    if len(selectors) < 2:
        raise ValueError(f"needs at least two selectors, got {list(selectors)}")
