"""The reference of the vocabulary: a page for each kind, from the kinds themselves."""

from __future__ import annotations

from collections.abc import Iterator

from archcheck.model.element import Element, element_types
from archcheck.model.words import FieldWords, KindWords, all_words, words_of
from archcheck.simulation.compiling.left_out import DESCRIPTIVE, LEFT_OUT, owner_of


def find_kind(word: str) -> tuple[type[Element], FieldWords | None] | None:
    """The kind, and the field, that ``Call`` or ``Call.timeout`` names; ``None``: neither."""
    name, _, field = word.partition(".")
    by_name = {kind.lower(): kind for kind in element_types()}
    if name.lower() not in by_name:
        return None
    kind = element_types()[by_name[name.lower()]]
    if not field:
        return kind, None
    found = next((each for each in words_of(kind).fields if each.name == field), None)
    return (kind, found) if found is not None else None


def known_words() -> Iterator[str]:
    """Everything that :func:`find_kind` finds."""
    for words in all_words():
        yield words.name
        yield from (f"{words.name}.{field.name}" for field in words.fields)


def kind_page(kind: type[Element]) -> str:
    """What a kind is, and its fields."""
    words = words_of(kind)
    parts = [f"# {words.name}", _plain(words.text)]
    if words.fields:
        rows = "\n".join(_row(kind, field) for field in words.fields)
        parts.append(
            "| field | takes | if left out | meaning | in a run |\n|---|---|---|---|---|\n" + rows
        )
    return "\n\n".join(parts) + "\n"


def field_page(kind: type[Element], field: FieldWords) -> str:
    """What a field means, takes, and does in a run."""
    return (
        f"# {kind.__name__}.{field.name}\n\n{_plain(field.text)}\n\n"
        f"- **takes**: `{field.types}`\n"
        f"- **if left out**: {_if_left_out(field, 'it must be written')}\n"
        f"- **in a run**: {_in_a_run(kind, field.name)}\n"
    )


def vocabulary_pages() -> dict[str, str]:
    """File name to text: a page for each kind, and the list of all of them by concern."""
    by_module: dict[str, list[KindWords]] = {}
    pages = {}
    for words in all_words():
        pages[f"{words.name}.md"] = kind_page(element_types()[words.name])
        by_module.setdefault(words.module, []).append(words)
    lines = [
        "# The vocabulary",
        "Every word of a model, with its fields. `archcheck explain Call` and "
        "`archcheck explain Call.timeout` print the same.",
        '`Many[X]` is one X or several. `None`, or left out, is *unknown*; `Absent("why")` says '
        "that there is none on purpose. Quantities have units: `250 * ms`, `64 * KiB`, `10 / s`.",
    ]
    for module, members in sorted(by_module.items()):
        lines.append(f"## {module.replace('_', ' ').capitalize()}")
        lines.append("\n".join(f"- [{w.name}]({w.name}.md): {_first(w.text)}" for w in members))
    pages["README.md"] = "\n\n".join(lines) + "\n"
    return pages


def _row(kind: type[Element], field: FieldWords) -> str:
    cells = (
        f"`{field.name}`",
        f"`{field.types}`",
        _if_left_out(field, "*must be written*"),
        " ".join(_plain(field.text).split()),
        _in_a_run(kind, field.name),
    )
    return f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def _if_left_out(field: FieldWords, required: str) -> str:
    """What counts then, for each product and version that has a default of its own."""
    source = f" ({field.source})" if field.source else ""
    return "; ".join(((field.default or required) + source, *field.others))


def _in_a_run(kind: type[Element], name: str) -> str:
    """What a simulation makes of a field."""
    names = (f"{kind.__name__}.{name}", owner_of(kind, name))
    kinds = tuple(f"{each.partition('.')[0]}.*" for each in names)
    for each in names:
        if each in LEFT_OUT:
            return f"listed as not simulated: {LEFT_OUT[each].what}"
    for each in (*names, *kinds):
        if each in DESCRIPTIVE:
            return f"not needed: {DESCRIPTIVE[each]}"
    return "simulated"


def _plain(text: str) -> str:
    """Docstrings' double backquotes and roles as Markdown has them."""
    for role in (":class:", ":func:", ":mod:", ":data:", ":attr:"):
        text = text.replace(role, "")
    return text.replace("``", "`")


def _first(text: str) -> str:
    return " ".join(_plain(text).partition("\n\n")[0].split())


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
