"""Files to import, and what was made of them."""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from archcheck import Service
from archcheck.importing import Import


def write(folder: Path, **files: str) -> Path:
    """Files by name: ``src__application_dot_yml`` is ``src/application.yml``."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def service(found: Import, name: str) -> Service:
    """A service that was made."""
    part = found.system.find(name)
    assert isinstance(part, Service)
    return part


def mutants(text: str, word: str, count: int) -> Iterator[str]:
    """The text with lines lost, repeated, moved, and words replaced by others that it has.

    The real reader of a format says of each what it is; ``word`` is the pattern of a word.
    """
    draw = random.Random(28)
    words = sorted(set(re.findall(word, text)))
    for _ in range(count):
        lines = text.splitlines()
        for _ in range(draw.choice([1, 1, 2])):
            at, other = draw.randrange(len(lines)), draw.randrange(len(lines))
            match draw.choice(["lose", "repeat", "swap", "word", "word", "word"]):
                case "lose":
                    del lines[at]
                case "repeat":
                    lines.insert(at, lines[at])
                case "swap":
                    lines[at], lines[other] = lines[other], lines[at]
                case _:
                    parts = re.split(r"(\s+)", lines[at])
                    parts[draw.randrange(len(parts))] = draw.choice(words)
                    lines[at] = "".join(parts)
        yield "\n".join(lines) + "\n"
