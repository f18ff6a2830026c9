"""The page of documented defaults: from the kinds themselves."""

from __future__ import annotations

from archcheck.model.element import element_types
from archcheck.model.values import Default, Documented

CHECKED = {
    **dict.fromkeys(
        ("SpringBoot.accept_queue", "SpringBoot.threads", "Django.accept_queue", "Django.threads"),
        "2026-11-29",
    ),
    "Rails.threads": "2026-11-29",
}
"""When a value was last held against the documentation that it names."""

_HEAD = """# Documented defaults
What a technology does when a model does not set it, and where that is documented. A result lists
each of them that took part in a run among its assumptions. *Checked*: when the value was last held
against that documentation; those without a date are as they were first written down.

| kind | attribute | value | documentation | checked |
|---|---|---|---|---|
"""


def defaults_page() -> str:
    """One row for each default of each kind."""
    rows = [
        _row(name, attribute, default)
        for name, kind in sorted(element_types().items())
        if issubclass(kind, Documented)
        for attribute, default in kind.documented.items()
    ]
    return _HEAD + "".join(rows)


def _row(kind: str, attribute: str, default: Default) -> str:
    less = f" less `{default.less}`" if default.less else ""
    checked = CHECKED.get(f"{kind}.{attribute}", "")
    return f"| {kind} | `{attribute}` | {default.value}{less} | {default.source} | {checked} |\n"
