"""One name for one element, whatever its sources call it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from archcheck.importing.facts import (
    About,
    Fact,
    KnownAs,
    Promised,
    Remark,
    Said,
    Statement,
    UnreadFile,
)
from archcheck.importing.products import is_plain, parsed_image, product_of_image

Key = TypeVar("Key")
_ODD = re.compile(r"[^\w\-/:+@()# ]|->")


def named_alike(said: Iterable[Said]) -> Iterator[tuple[int, Statement]]:
    """All statements, elements that several sources know under several names called alike."""
    taken: dict[str, None] = {}
    hosts: dict[str, dict[str, None]] = defaultdict(dict)
    built: dict[str, dict[str, None]] = defaultdict(dict)
    images: dict[str, dict[str, None]] = defaultdict(dict)
    for rank, one in enumerate(said):
        own = {s.element: None for s in one.statements if isinstance(s, Fact) and not s.path}
        alias = _aliases(one, own, _Runs(hosts, built, images), taken)
        for statement in one.statements:
            known = getattr(statement, "element", None)
            if not known:
                yield rank, statement
                continue
            called = alias.get(known, known)
            yield rank, _said_of(statement, legible(called))
            if isinstance(statement, KnownAs) and statement.kind == "host":
                hosts[statement.name.lower()][called] = None
            elif isinstance(statement, KnownAs) and statement.kind == "source":
                built[statement.name][called] = None
            elif isinstance(statement, KnownAs) and statement.kind == "image":
                _note_image(statement.name, called, images)
        taken |= own


@dataclass(frozen=True)
class _Runs:
    """What runs, by its hosts, the folders that it is built from, and the last words of images."""

    hosts: Mapping[str, Mapping[str, None]]
    built: Mapping[str, Mapping[str, None]]
    images: Mapping[str, Mapping[str, None]]

    def behind(self, each: Promised) -> Iterator[Iterable[str]]:
        """Who may be meant by a description: who is built of its folder, else who runs an image
        that is called so. Builds call images after the module, or the application."""
        yield _builder(self.built, each.folder)
        if each.folder:
            yield self.images.get(each.element.lower(), ())


def _note_image(repository: str, element: str, images: Mapping[str, dict[str, None]]) -> None:
    if product_of_image(repository) is None and not is_plain(repository):
        images[parsed_image(repository).name.lower()][element] = None


def _aliases(
    one: Said, own: Mapping[str, None], runs: _Runs, taken: Mapping[str, None]
) -> dict[str, str]:
    """The elements of a source that others have under another name: a host, their source, or
    their image."""
    found = {}
    for element in own:
        behind = [*runs.hosts.get(element.lower(), ())]
        if element not in taken and len(behind) == 1 and behind[0] not in own:
            found[element] = behind[0]
    for each in one.statements:
        if isinstance(each, Promised) and not {each.element} & (found.keys() | taken.keys()):
            for names in runs.behind(each):
                behind = [*names]
                if len(behind) == 1 and behind[0] not in own:
                    found.setdefault(each.element, behind[0])
    return found


def _builder(built: Mapping[str, Mapping[str, None]], folder: str) -> Iterable[str]:
    """Who is built from the nearest folder above."""
    for above in (Path(folder), *Path(folder).parents) if folder else ():
        if str(above) in built:
            return built[str(above)]
    return ()


def _said_of(statement: Statement, element: str) -> Statement:
    """The statement, about an element of this name."""
    return (
        statement
        if isinstance(statement, Remark | About | UnreadFile)
        else replace(statement, element=element)
    )


def legible(name: str) -> str:
    """A name that a model can have: dots separate a service from its endpoint."""
    return _ODD.sub("-", name).strip(" -")[:200].strip() or "unnamed"


def unique_names(names: Mapping[Key, str], wider: Callable[[Key], Iterable[str]]) -> dict[Key, str]:
    """A name for each key that no other key has.

    A name that several have is replaced by the first one of ``wider`` that is free; the last one of
    these must be free.
    """
    chosen = {key: legible(name) for key, name in names.items()}
    counts = Counter(chosen.values())
    taken = {name for name, count in counts.items() if count == 1}
    for key, name in chosen.items():
        if counts[name] > 1:
            others = [legible(other) for other in wider(key)]
            free = next((other for other in others if other not in taken), others[-1])
            chosen[key] = free
            taken.add(free)
    return chosen
