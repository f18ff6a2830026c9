"""An import from its paths to its system: find files, have them read, join what they say.

In a folder, a file that cannot be read is left out, with the reason; a file that is named is read
or the import ends with a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from archcheck.importing.facts import Fact, Said, UnreadFile
from archcheck.importing.joined import Joined
from archcheck.importing.joining import join
from archcheck.importing.plugins import Importer, importer_called, importers
from archcheck.importing.profiles import profiles_by_name
from archcheck.importing.sources import Choices, Found, SourceFile, find
from archcheck.model import ModelError, Place, System


@dataclass(frozen=True)
class ReadFile:
    """A file that was read, and as what."""

    path: str
    kind: str


@dataclass(frozen=True)
class Import:
    """An imported system, and how it came about."""

    joined: Joined
    files: tuple[ReadFile, ...]
    skipped: tuple[tuple[str, str], ...]
    """Files and folders that were not read, and why."""

    @property
    def system(self) -> System:
        """The system."""
        return self.joined.system


def import_paths(
    paths: Sequence[str | Path], *, only: str | None = None, choices: Choices | None = None
) -> Import:
    """The system that the files under ``paths`` describe.

    ``only``: the name of one importer, which then reads all that it can. Raises
    :class:`ModelError` with the line of what is wrong, and for paths in which nothing is known.
    """
    chosen = choices or Choices()
    targets = [Path(path) for path in paths]
    candidates = (importer_called(only),) if only is not None else importers()
    found = find(targets)
    claimed = _claimed(found, candidates, forced=only is not None)
    said: list[Said] = []
    for importer, files in claimed:
        told = replace(chosen, deployed_with=profiles_by_name(said))
        heard = _read(importer, files, told, found)
        if _is_once_more(heard, said) and not any(file.named for file in files):
            why = "another deployment of the same services: name it to import it"
            found.skipped |= {str(file.path): why for file in files}
            continue
        said += heard
    for one in said:
        for statement in one.statements:
            if isinstance(statement, UnreadFile):
                found.skipped.setdefault(statement.path, statement.reason)
    read = [file for _, files in claimed for file in files if str(file.path) not in found.skipped]
    if not read or not any(one.statements for one in said):
        only_one = found.files[0].place if len(found.files) == 1 else None
        raise ModelError(_nothing(targets, found, candidates), only_one)
    joined = join(said, chosen.name or _name_of(targets, said), Place(str(targets[0].resolve()), 1))
    if not joined.system.elements and not any(file.named for file in read):
        raise ModelError(_nothing_runs(targets, found))  # it would verify without a finding
    return Import(
        joined,
        tuple(
            ReadFile(str(file.path), importer.title)
            for importer, files in claimed
            for file in files
            if str(file.path) not in found.skipped
        ),
        tuple(found.skipped.items()),
    )


def recognised(path: str | Path) -> bool:
    """Whether an importer knows the file, or one in the folder."""
    found = find([Path(path)])
    return any(each.recognises(file) for file in found.files for each in importers())


def _claimed(
    found: Found, candidates: Sequence[Importer], *, forced: bool
) -> list[tuple[Importer, list[SourceFile]]]:
    """The files of each importer; several may read the same one."""
    claimed: dict[str, list[SourceFile]] = {importer.name: [] for importer in candidates}
    for file in found.files:
        owners = [each for each in candidates if each.recognises(file)]
        if not owners and forced and file.named:
            owners = [candidates[0]]
        for owner in owners:
            claimed[owner.name].append(file)
        if not owners:
            _note_unclaimed(file, found, candidates)
    return [(each, claimed[each.name]) for each in candidates if claimed[each.name]]


def _note_unclaimed(file: SourceFile, found: Found, candidates: Sequence[Importer]) -> None:
    """A file that nobody knows: of a folder, it is no matter unless it cannot be read."""
    if file.problem is not None:
        if file.named:
            raise file.problem
        found.skipped[str(file.path)] = f"line {_line(file.problem)}: {file.problem.sentence}"
    elif file.named:
        kinds = ", ".join(each.title for each in candidates)
        raise ModelError(f"is none of what is known here: {kinds}", file.place)


def _read(
    importer: Importer, files: list[SourceFile], choices: Choices, found: Found
) -> list[Said]:
    """What the files say; in a folder, without the files that are wrong."""
    left = list(files)
    while left:
        try:
            return list(importer.read(left, choices))
        except ModelError as error:
            wrong = _file_of(error, left)
            if wrong is None or wrong.named:
                raise
            found.skipped[str(wrong.path)] = f"line {_line(error)}: {error.sentence}"
            left.remove(wrong)
    return []


def _is_once_more(heard: Sequence[Said], said: Sequence[Said]) -> bool:
    """Whether a source deploys what others deploy already: a Compose file for development beside
    the manifests. One system is one of them: both together are a system that nobody runs.

    So it is when half of the smaller one is in both, unless what is known is only a small part,
    such as the stores. Halves are a choice: what runs beside the services differs between the two.
    """
    own, known = _deployed(heard), _deployed(said)
    smaller = min(len(own), len(known))
    return 0 < smaller <= 2 * len(own & known) and len(own) <= 2 * len(known)


def _deployed(said: Iterable[Said]) -> set[str]:
    return {
        statement.element
        for one in said
        for statement in one.statements
        if isinstance(statement, Fact) and statement.path == ("deployment",)
    }


def _file_of(error: ModelError, files: Iterable[SourceFile]) -> SourceFile | None:
    place = error.place
    return next((file for file in files if place and str(file.path) == place.file), None)


def _line(error: ModelError) -> int:
    return error.place.line if error.place else 1


def _name_of(targets: Sequence[Path], said: Iterable[Said]) -> str:
    """As a file says, else as the folder is called."""
    for one in said:
        if one.name:
            return one.name
    first = targets[0].resolve()
    folder = first if first.is_dir() else first.parent
    return folder.name or "imported"


def _nothing_runs(targets: Sequence[Path], found: Found) -> str:
    where = ", ".join(map(str, targets))
    return f"what was read in {where} names nothing that runs{_left_out(found)}"


def _nothing(targets: Sequence[Path], found: Found, candidates: Sequence[Importer]) -> str:
    kinds = ", ".join(importer.title for importer in candidates)
    where = ", ".join(map(str, targets))
    return f"nothing in {where} is known; archcheck reads {kinds}{_left_out(found)}"


def _left_out(found: Found) -> str:
    """The first of what was left out, of each reason one."""
    by_reason = {reason: f"{path}: {reason}" for path, reason in reversed(found.skipped.items())}
    out = [*by_reason.values()][::-1]
    return f"; left out: {'; '.join(out[:3])}" if out else ""
