"""The look of diagrams: palettes, icons of one's own, colours by tag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from archcheck.diagrams import view
from archcheck.diagrams.icons import icon_of
from archcheck.diagrams.view import Tone
from archcheck.model import Icon, ModelError, Named, System, TagColour

Theme: TypeAlias = Literal["light", "dark"]

_MAX_ICON = 256 * 1024
"""Bytes of an icon at most, because every picture contains it. A choice."""
_LINK = re.compile(r"""(?:href|src)\s*=\s*["']\s*(?!#|data:)|url\(\s*["']?(?!#|data:)""")


@dataclass(frozen=True)
class Palette:
    """The colours of a theme; ``tones`` are backgrounds on which ``ink`` is readable.

    ``plate`` lies under icons, which are drawn for light paper.
    """

    paper: str
    ink: str
    muted: str
    line: str
    card: str
    group: str
    group_line: str
    accent: str
    plate: str
    tones: Mapping[Tone, str]
    strong: Mapping[Tone, str]
    """The same for lines and small text on the paper."""


LIGHT = Palette(
    paper="#ffffff",
    ink="#1f2933",
    muted="#52606d",
    line="#7b8794",
    card="#ffffff",
    group="#f5f7fa",
    group_line="#cbd2d9",
    accent="#0b69a3",
    plate="none",
    tones={
        "calm": "#e3f9e5",
        "warm": "#fff3c4",
        "hot": "#ffd8a8",
        "critical": "#ffbdbd",
        "info": "#dceefb",
        "warning": "#fff3c4",
        "error": "#ffbdbd",
        "added": "#c6f7d0",
        "removed": "#ffd0d0",
        "changed": "#fff3c4",
    },
    strong={
        "calm": "#207227",
        "warm": "#8d6b00",
        "hot": "#a84800",
        "critical": "#ba2525",
        "info": "#0b69a3",
        "warning": "#8d6b00",
        "error": "#ba2525",
        "added": "#207227",
        "removed": "#ba2525",
        "changed": "#8d6b00",
    },
)
DARK = Palette(
    paper="#14181d",
    ink="#e4e7eb",
    muted="#9fb0c0",
    line="#7b8794",
    card="#242b33",
    group="#1b2128",
    group_line="#3e4c59",
    accent="#62b0e8",
    plate="#dfe5eb",
    tones={
        "calm": "#1d4726",
        "warm": "#54470f",
        "hot": "#663a10",
        "critical": "#6e2424",
        "info": "#17415e",
        "warning": "#54470f",
        "error": "#6e2424",
        "added": "#1d4d2b",
        "removed": "#6e2424",
        "changed": "#54470f",
    },
    strong={
        "calm": "#7bd88f",
        "warm": "#f0c419",
        "hot": "#ffab61",
        "critical": "#ff8f8f",
        "info": "#7cc4fa",
        "warning": "#f0c419",
        "error": "#ff8f8f",
        "added": "#7bd88f",
        "removed": "#ff8f8f",
        "changed": "#f0c419",
    },
)
PALETTES: Mapping[Theme, Palette] = {"light": LIGHT, "dark": DARK}


@dataclass(frozen=True)
class TeamLook:
    """What a team has decided for its diagrams.

    ``icons``: a class name, an element's name or ``tag:NAME`` to a picture file; ``colours``: a
    tag to ``#rrggbb``, the first one that matches counts.
    """

    icons: Mapping[str, Path] = field(default_factory=dict)
    colours: Mapping[str, str] = field(default_factory=dict)

    def icon(self, member: Named, broker: Named | None = None) -> view.Icon:
        """The picture of an element: by its name, its tags, its technology, or the usual one."""
        runtime = getattr(member, "runtime", None)
        kinds = [type(part).__name__ for part in (runtime, broker, member) if part is not None]
        tags = [f"tag:{tag}" for tag in getattr(member, "tags", ())]
        for word in (member.name, *tags, *kinds):
            if word in self.icons:
                return self.icons[word]
        return icon_of(member, broker)

    def colour(self, tags: Iterable[str]) -> str:
        """The colour of a thing with these tags; empty without one."""
        found = set(tags)
        return next((colour for tag, colour in self.colours.items() if tag in found), "")


def look_of(system: System, configured: TeamLook | None = None) -> TeamLook:
    """What the model says, over what the configuration says.

    Raises :class:`ModelError` with the place of an icon that cannot be used.
    """
    base = configured or TeamLook()
    icons, colours = dict(base.icons), {}
    for wish in system.look:
        if isinstance(wish, Icon):
            icons[wish.of] = _icon(wish)
        elif isinstance(wish, TagColour):
            colours[wish.tag] = wish.colour
    return TeamLook(
        icons, {**colours, **{t: c for t, c in base.colours.items() if t not in colours}}
    )


def _icon(wish: Icon) -> Path:
    """The file of an icon, which lies beside the model or below it: models may be strangers'."""
    place = wish.site.place if wish.site else None
    folder = (Path(place.file).parent if place else Path()).resolve()
    path = (folder / wish.file).resolve()
    if not path.is_relative_to(folder):
        raise ModelError(f"the icon {wish.file!r} must lie in the folder of the model", place)
    if path.suffix.lower() not in (".png", ".svg"):
        raise ModelError(f"the icon {path.name!r} must be a .png or .svg file", place)
    if not path.is_file():
        raise ModelError(f"there is no icon {wish.file!r}", place)
    if path.stat().st_size > _MAX_ICON:
        raise ModelError(f"the icon {path.name!r} is larger than {_MAX_ICON // 1024} KiB", place)
    if path.suffix.lower() == ".svg" and _LINK.search(path.read_text(errors="replace")):
        raise ModelError(f"the icon {path.name!r} must be a drawing without links", place)
    return path
