"""Models found where they are: a file, a folder, ``package.module:name``, a JSON file.

Loading a Python model *runs* it, with everything that its code may do; a model that is not
trusted is exported to JSON by its author and loaded from there, which runs nothing.

- A Python file is a module. Its ``System`` objects are the systems; without one, all elements
  that it declares make a system called like the file.
- A folder with ``__init__.py`` is a package: all its modules are one unit, treated alike.
- A folder without it: its own Python files are one unit and may import each other by name; each
  JSON file is a system; each subfolder is a folder again.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import sys
import traceback
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import CodeType, ModuleType

from archcheck.model import (
    ArchcheckError,
    ModelError,
    Place,
    System,
    from_json,
)
from archcheck.model.codec import MAX_BYTES
from archcheck.model.collecting import Collected, collect, modules_of
from archcheck.model.element import nearest
from archcheck.model.errors import raise_all
from archcheck.model.suppressions import Suppression, noting

_IGNORED = {"__pycache__", "node_modules"}


def load(*targets: str | Path) -> tuple[System, ...]:
    """All systems in ``targets``, in order. Runs Python models.

    Raises :class:`ModelError` with one sentence, and the place where there is one.
    """
    systems: list[System] = []
    for target in targets:
        found = list(_load_target(str(target)))
        if not found:
            raise ModelError(
                f"{target} declares no system: write services, or a System that lists them"
            )
        for system in found:
            object.__setattr__(system, "_loaded_from", _lasting(str(target)))
        systems += found
    _refuse_duplicates(systems)
    return tuple(systems)


def _lasting(target: str) -> str:
    """The target as it can be named from another working folder."""
    return str(Path(target).resolve()) if Path(target).exists() else target


def origin(system: System) -> str | None:
    """What :func:`load` has read ``system`` from; else the file that declares it, if it can be run.

    The program that runs is not run once more.
    """
    known = vars(system).get("_loaded_from")
    if known is not None or system.site is None:
        return known
    file = system.site.place.file
    program = getattr(sys.modules.get("__main__"), "__file__", None)
    runs = program is not None and Path(program).resolve() == Path(file).resolve()
    return file if Path(file).is_file() and not runs else None


def load_changed(target: str, texts: Mapping[str, str]) -> tuple[System, ...]:
    """The systems in ``target`` if its Python files had these texts. Runs them; writes nothing.

    Modules that are imported already are imported anew, and are as they were afterwards.
    """
    changed = {os.path.realpath(file): text for file, text in texts.items()}
    finder = _ChangedFinder(changed)
    token = _changed.set(changed)
    sys.meta_path.insert(0, finder)
    try:
        with _set_aside({Path(file).parent for file in changed}):
            return tuple(_load_target(target))
    finally:
        sys.meta_path.remove(finder)
        _changed.reset(token)


_changed: ContextVar[Mapping[str, str] | None] = ContextVar("_changed", default=None)


class _ChangedLoader(importlib.machinery.SourceFileLoader):
    """Runs a text in place of that of the file."""

    def get_code(self, fullname: str) -> CodeType | None:
        text = (_changed.get() or {}).get(os.path.realpath(self.path))
        if text is None:
            return super().get_code(fullname)
        code: CodeType = compile(text.removeprefix("\ufeff"), self.path, "exec", dont_inherit=True)
        return code


class _ChangedFinder(importlib.abc.MetaPathFinder):
    """Finds the modules whose files have other texts."""

    def __init__(self, changed: Mapping[str, str]) -> None:
        self._changed = changed

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if (
            spec is None
            or spec.origin is None
            or os.path.realpath(spec.origin) not in self._changed
        ):
            return None
        return _spec_of(fullname, Path(spec.origin), spec.submodule_search_locations)


@contextmanager
def _set_aside(folders: Collection[Path]) -> Iterator[None]:
    """Forget the modules of these folders for a while."""
    aside = {}
    for name, module in [*sys.modules.items()]:
        file = getattr(module, "__file__", None)
        if name == "__main__" or not file or name.partition(".")[0] == "archcheck":
            continue
        if any(_is_model_file(Path(file).resolve(), folder) for folder in folders):
            aside[name] = sys.modules.pop(name)
    try:
        yield
    finally:
        sys.modules.update(aside)


def _refuse_duplicates(systems: Iterable[System]) -> None:
    names: dict[str, System] = {}
    for system in systems:
        if system.name in names and names[system.name] is not system:
            place = system.site.place if system.site else None
            raise ModelError(f"there are two systems called {system.name!r}; rename one", place)
        names[system.name] = system


class SkippedFile(UserWarning):
    """A file in a folder of models is no ordinary file, and was not read."""


def _load_target(target: str) -> Iterator[System]:
    if not target:
        raise ModelError("the name of a model is empty; is a variable not set?")
    path = Path(target)
    if path.is_dir():
        yield from _load_folder(path.resolve())
    elif path.suffix == ".json" and path.is_file():
        yield load_json(path.resolve())
    elif path.suffix == ".py" and path.is_file():
        yield from _load_files([path.resolve()], path.stem)
    elif path.exists():
        raise ModelError(f"{target} is neither a Python file, a JSON file nor a folder")
    elif _looks_like_module(target):
        yield from _load_module(target)
    else:
        raise ModelError(f"there is no file or folder {target}{_nearest_path(path)}")


def _looks_like_module(target: str) -> bool:
    module = target.partition(":")[0]
    return all(part.isidentifier() for part in module.split("."))


def _nearest_path(path: Path) -> str:
    parent = path.parent
    return nearest(path.name, [p.name for p in parent.iterdir()]) if parent.is_dir() else ""


def load_json(path: Path) -> System:
    """The system in a JSON file. Runs nothing."""
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"is larger than {MAX_BYTES // 1024**2} MiB", Place(str(path), 1))
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(f"is not UTF-8 text: {error.reason}", Place(str(path), 1)) from None
    return from_json(text, str(path))


def modules_in(folder: Path, known: Collection[str | None] = ()) -> list[ModuleType]:
    """The modules of the Python files and packages in ``folder``, imported (that is, run).

    Files in ``known`` are left out, and so is a folder that does not exist.
    """
    found: list[ModuleType] = []
    if not folder.is_dir():
        return found
    folder = folder.resolve()
    with _importable(folder):
        for path in sorted(folder.iterdir()):
            package = path / "__init__.py"
            if path.name.startswith((".", "_")) or str(package) in known or str(path) in known:
                continue
            with _explained(path):
                if package.is_file() and not _is_known(path, known):
                    found += modules_of(_fresh_import(path.name, package))
                elif path.suffix == ".py":
                    found.append(_fresh_import(path.stem, path))
    return found


def _is_known(package: Path, known: Collection[str | None]) -> bool:
    return any(file and Path(file).is_relative_to(package) for file in known)


# -- Python ---------------------------------------------------------------------------------------


def _load_folder(folder: Path) -> Iterator[System]:
    if (folder / "__init__.py").is_file():
        with _importable(folder.parent), _explained(folder), noting() as noted:
            modules = modules_of(_fresh_import(folder.name, folder / "__init__.py"))
            found = _with_noted(collect(modules), noted)
        yield from _systems(found, folder.name)
        return
    if files := _ordinary(folder, ".py"):
        yield from _load_files(files, folder.name)
    for path in _ordinary(folder, ".json"):
        yield load_json(path)
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in _IGNORED and not path.name.startswith("."):
            yield from _load_folder(path)


def _ordinary(folder: Path, ending: str) -> list[Path]:
    """The files of a folder with this ending; of what cannot be read to an end there is a warning.

    A named pipe would be waited for.
    """
    files = []
    for path in sorted(folder.glob(f"*{ending}")):
        if path.name.startswith(".") or path.is_dir():
            continue
        if path.is_file():
            files.append(path)
        else:
            warnings.warn(f"{path}: left out, it is no ordinary file", SkippedFile, stacklevel=2)
    return files


def _load_files(files: list[Path], name: str) -> Iterator[System]:
    with _importable(files[0].parent), noting() as noted:
        modules: list[ModuleType] = []
        mistakes: list[ModelError] = []
        for path in files:
            try:
                with _explained(path):
                    modules.append(_fresh_import(path.stem, path))
            except ModelError as error:
                mistakes.append(error)
        raise_all(mistakes)
        with _explained(files[0]):
            found = _with_noted(collect(modules), noted)
    yield from _systems(found, name)


def _spec(name: str) -> importlib.machinery.ModuleSpec | None:
    """Where the module ``name`` is; looking for it imports the packages that it is in."""
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            return None
        raise


def _load_module(target: str) -> Iterator[System]:
    name, _, attribute = target.partition(":")
    with _importable(Path.cwd()):
        with _explained(Path.cwd() / name):
            spec = _spec(name)
        if spec is None:
            raise ModelError(f"there is no file, folder or module {target!r}")
        with _explained(Path(spec.origin or name)), noting() as noted:
            module = importlib.import_module(name)
            found = _with_noted(collect(modules_of(module)), noted)
    if not attribute:
        yield from _systems(found, name.rpartition(".")[2])
        return
    value = getattr(module, attribute, None)
    if not isinstance(value, System):
        known = [key for key, item in vars(module).items() if isinstance(item, System)]
        what = "has no" if value is None else "has no System called"
        raise ModelError(f"module {name!r} {what} {attribute!r}{nearest(attribute, known)}")
    yield value


def _systems(found: Collected, name: str) -> Iterator[System]:
    systems = [part for part in found.others if isinstance(part, System)]
    if systems:
        _refuse_orphans(found, systems)
        yield from systems
    elif found.members:
        yield System(
            name,
            found.members,
            journeys=found.journeys,
            policies=found.policies,
            scenarios=found.scenarios,
            suppressions=found.suppressions,
        )


def _with_noted(found: Collected, noted: list[Suppression]) -> Collected:
    """With the suppressions that stand alone, without a name: they are meant all the same.

    A system that the modules declare lists its own, wherever they were made.
    """
    known = {id(part) for part in found.suppressions}
    systems = [part for part in found.others if isinstance(part, System)]
    known |= {id(part) for system in systems for part in system.suppressions}
    found.suppressions += [part for part in noted if id(part) not in known]
    return found


def _refuse_orphans(found: Collected, systems: Iterable[System]) -> None:
    """A suppression that no system lists would suppress nothing, without a word."""
    listed = {id(part) for system in systems for part in system.suppressions}
    for suppression in found.suppressions:
        if id(suppression) not in listed:
            raise ModelError(
                f"the {suppression.title()} belongs to no system; list it in suppressions=[...]",
                suppression.site.place if suppression.site else None,
            )


def _fresh_import(name: str, path: Path) -> ModuleType:
    """Import ``path`` as ``name``; a module of that name from elsewhere is not mistaken for it."""
    present = sys.modules.get(name)
    if present is not None:
        if getattr(present, "__file__", None) == str(path):
            return present
        name = f"_archcheck_model_{abs(hash(str(path))):x}_{name}"
    search = [str(path.parent)] if path.name == "__init__.py" else None
    spec = _spec_of(name, path, search)
    if spec is None or spec.loader is None:
        raise ModelError("cannot be imported", Place(str(path), 1))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _spec_of(
    name: str, path: Path, search: list[str] | None
) -> importlib.machinery.ModuleSpec | None:
    loader = _ChangedLoader(name, str(path)) if _changed.get() else None
    return importlib.util.spec_from_file_location(
        name, path, loader=loader, submodule_search_locations=search
    )


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let the files of ``folder`` import each other, and leave no module of theirs behind."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin and _is_model_file(Path(origin), folder) and not name.startswith("archcheck"):
                del sys.modules[name]


def _is_model_file(origin: Path, folder: Path) -> bool:
    """Not a library that happens to be installed below the folder."""
    return origin.is_relative_to(folder) and "site-packages" not in origin.parts


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn whatever a model raises into one sentence with the place."""
    try:
        yield
    except ArchcheckError:
        raise
    except SyntaxError as error:
        place = Place(error.filename or str(path), error.lineno or 1)
        raise ModelError(f"syntax error: {error.msg}", place) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        place = _innermost(error, path)
        if isinstance(error, ImportError | AttributeError) and "circular import" in str(error):
            raise ModelError(_in_a_circle(error), place) from error
        text = str(error) or "no message"
        raise ModelError(f"the model raises {type(error).__name__}: {text}", place) from error


def _in_a_circle(error: BaseException) -> str:
    """Two files need each other's names; a reference by name needs no import."""
    named = re.search(r"cannot import name '([^']*)'", str(error))
    what = f"{named[1]!r} is not there yet" if named else "one of them is not there yet"
    return (
        f"the files of the model import each other in a circle, and {what}; leave this import out "
        'and refer by name, such as Call("payments.charge")'
    )


def _innermost(error: BaseException, path: Path) -> Place:
    """The last line of the model itself that led to ``error``."""
    root = path if path.is_dir() else path.parent
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(root) and "site-packages" not in file.parts:
            return Place(frame.filename, frame.lineno or 1)
    return Place(str(path), 1)
