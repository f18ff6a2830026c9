"""The page of documented defaults: from the kinds themselves."""

from __future__ import annotations

from collections.abc import Iterator

from archcheck.model import Runtime
from archcheck.model.element import element_types
from archcheck.model.runtimes import FromLimit
from archcheck.model.values import Default, Documented

_HEAD = """# Documented defaults
What a technology does when a model does not set it, and where that is documented. A result lists
each of them that took part in a run among its assumptions.

A kind may stand for several products, and products change. A value holds for the products and the
versions in its row; where a model declares no version, the newest counts. A product or a version
that no row fits has no default: the attribute is unknown, and rules ask for it.

*Checked*: the day on which the value was last held against that documentation.
{unchecked}

| kind | attribute | value | holds for | documentation | checked |
|---|---|---|---|---|---|
"""
_PROCESSORS = """
## What runtimes make of a CPU limit
Where `parallelism` is not declared and the deployment declares a CPU limit.

| kind | event loops or cores | documentation | checked |
|---|---|---|---|
"""


def defaults_page() -> str:
    """One row for each default of each kind, and for each of the other products and versions."""
    written = [
        (name, attribute, each)
        for name, kind in sorted(element_types().items())
        if issubclass(kind, Documented)
        for attribute, default in kind.documented.items()
        for each in (default, *default.others)
    ]
    unchecked = sum(not default.checked for _, _, default in written)
    said = f"{unchecked} of {len(written)} have none: nobody has since they were written down."
    rows = "".join(_row(*each) for each in written)
    return _HEAD.format(unchecked=said) + rows + _PROCESSORS + "".join(_limits())


def _row(kind: str, attribute: str, default: Default) -> str:
    less = f" less `{default.less}`" if default.less else ""
    cells = (
        kind,
        f"`{attribute}`",
        f"{default.value}{less}",
        _holds_for(default),
        default.source,
        default.checked,
    )
    return f"| {' | '.join(cells)} |\n"


def _holds_for(default: Default) -> str:
    since = f"since {_number(default.since)}" if default.since else ""
    before = f"before {_number(default.before)}" if default.before else ""
    return ", ".join(filter(None, (*default.of, since, before)))


def _number(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _limits() -> Iterator[str]:
    for name, kind in sorted(element_types().items()):
        read = kind.from_limit if issubclass(kind, Runtime) else None
        if read is not None:
            yield f"| {name} | {_of_limit(read)} | {read.source} | {read.checked} |\n"


def _of_limit(read: FromLimit) -> str:
    each = f"{read.each} for each processor" if read.each > 1 else "1 for each processor"
    return f"{each}, at least {read.least}"
