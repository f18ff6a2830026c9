"""The style sheet of pictures: every colour has a name, so that a page can bring its own."""

from __future__ import annotations

from collections.abc import Callable

from archcheck.diagrams.formats.primitives import LETTERS
from archcheck.diagrams.look import PALETTES, Palette


def style_sheet(palette: Palette) -> str:
    """The style sheet of a picture of its own."""
    colours = colour_names(palette)
    return rules(lambda name: colours[name])


def colour_names(palette: Palette) -> dict[str, str]:
    """All colours of a palette by the names that :func:`rules` asks for."""
    plain = ("paper", "ink", "muted", "line", "card", "group", "group_line", "accent", "plate")
    named = {name: str(getattr(palette, name)) for name in plain}
    named |= {f"tone-{tone}": colour for tone, colour in palette.tones.items()}
    return named | {f"strong-{tone}": colour for tone, colour in palette.strong.items()}


def rules(colour: Callable[[str], str]) -> str:
    """The rules of the style sheet, with colours by name."""
    tones = [name.removeprefix("tone-") for name in colour_names(PALETTES["light"])]
    tones = [tone for tone in tones if f"strong-{tone}" in colour_names(PALETTES["light"])]
    found = [
        f".paper{{fill:{colour('paper')}}}",
        f".ink{{fill:{colour('ink')}}}",
        f".muted{{fill:{colour('muted')}}}",
        f".card{{fill:{colour('card')};stroke:{colour('line')};stroke-width:1}}",
        f".group{{fill:{colour('group')};stroke:{colour('group_line')};stroke-width:1}}",
        f".stub{{fill:none;stroke:{colour('muted')};stroke-dasharray:3 3}}",
        f".line{{fill:none;stroke:{colour('line')}}}",
        f".tip{{fill:{colour('line')};stroke:none}}",
        f".chip{{fill:{colour('paper')};fill-opacity:0.86}}",
        f".plate{{fill:{colour('plate')}}}",
        f".halo{{fill:{colour('muted')};stroke:{colour('paper')};stroke-width:3;"
        "paint-order:stroke;stroke-linejoin:round}",
    ]
    for (size, is_bold), name in LETTERS.items():
        weight = 700 if is_bold else 400
        found.append(f".{name}{{font-size:{size:g}px;font-weight:{weight}}}")
    for tone in tones:
        found += [
            f".tone-{tone}{{fill:{colour(f'tone-{tone}')};stroke:{colour(f'strong-{tone}')};"
            "stroke-width:1.5}",
            f".line-{tone}{{fill:none;stroke:{colour(f'strong-{tone}')}}}",
            f".tip-{tone}{{fill:{colour(f'strong-{tone}')};stroke:none}}",
        ]
    return "".join(found)
