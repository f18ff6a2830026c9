"""What every part of a model is: a frozen dataclass that knows where it was declared.

``@element`` turns a class into a dataclass that is frozen, keyword-only (a field says
``field(kw_only=False)`` to be positional) and whose arguments pydantic checks: strictly, unknown
ones refused. It also

- records the *declaration site*: the user's lines that led to the construction, innermost
  first, through helper functions, loops and ``dataclasses.replace``; the site takes no part in
  equality;
- turns pydantic's list of errors into one sentence that says what was given, what would be
  right, and where (:class:`~archcheck.model.errors.ModelError`).

Fields that hold other elements are checked with ``isinstance``: elements are built by
constructors, never from loose dictionaries, so their sites and their checks cannot be bypassed.

There are many kinds, and a model uses few: what a kind costs (its annotations evaluated, pydantic's
validator) is paid when its first element is made, so that every command starts quickly.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Sequence
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    TypeVar,
    cast,
    dataclass_transform,
    get_args,
)

import pydantic
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ArgsKwargs, core_schema

from archcheck.model.errors import MistakesError, ModelError
from archcheck.model.plain import HIDDEN, complaint_about, is_plain
from archcheck.model.renamed import renamed
from archcheck.model.sites import Site, site_of
from archcheck.units import Fraction

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.plugin._schema_validator import PluggableSchemaValidator
    from pydantic_core import CoreSchema, ErrorDetails, SchemaValidator

__all__ = [
    "Absent",
    "Element",
    "Many",
    "Name",
    "Probability",
    "Site",
    "declared_at",
    "element",
    "element_types",
]

T = TypeVar("T")
C = TypeVar("C", bound="type[Element]")

_types: dict[str, type[Element]] = {}
_validators: dict[type[Element], SchemaValidator | PluggableSchemaValidator] = {}
_field_names: dict[type[Element], tuple[str, ...]] = {}
_plain_names: dict[type[Element], tuple[str, ...]] = {}
_being_built: set[type[Element]] = set()


class _TupleOf:
    """Accept any list, tuple or set and keep a tuple."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        (item,) = get_args(source)
        return core_schema.tuple_variable_schema(handler.generate_schema(item), strict=False)


Many = Annotated[Sequence[T], _TupleOf()]
"""Any sequence, kept as a tuple."""

_UNPRINTABLE = (
    r"\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff"
)
_NAME = rf"^[^\s.{_UNPRINTABLE}]([^.{_UNPRINTABLE}]{{0,198}}[^\s.{_UNPRINTABLE}])?$"


def _checked_name(name: str) -> str:
    if not re.match(_NAME, name) or HIDDEN.search(name) or name.endswith("\n") or "->" in name:
        raise ValueError(
            "must be a name of 1 to 200 printable characters that neither begins nor ends with a "
            "space and has no dot (dots separate a service from its endpoint) and no '->', "
            f"got {name!r}"
        )
    return name


Name = Annotated[
    str, pydantic.AfterValidator(_checked_name), pydantic.WithJsonSchema({"pattern": _NAME})
]
"""A name without dots (dots separate a service from its endpoint in references)."""


def _at_most_one(share: Fraction) -> Fraction:
    if float(share) > 1:
        raise ValueError(f"must be at most 100%, got {share}")
    return share


Probability = Annotated[Fraction, pydantic.AfterValidator(_at_most_one)]
"""A fraction between 0% and 100%."""


class _Signature:
    """What editors and notebooks complete, made when somebody asks for it."""

    def __get__(self, instance: object, kind: type[Element]) -> inspect.Signature:
        if instance is not None or kind is Element:
            raise AttributeError("__signature__")
        evaluate_annotations(kind)
        parameters = [
            inspect.Parameter(
                part.name,
                inspect.Parameter.KEYWORD_ONLY
                if part.kw_only
                else inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=inspect.Parameter.empty if part.default is MISSING else part.default,
                annotation=part.type,
            )
            for part in fields(kind)  # type: ignore[arg-type]  # a dataclass by now
        ]
        return inspect.Signature(sorted(parameters, key=lambda parameter: parameter.kind))


class Element:
    """Base of everything that a model declares."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")
    __signature__: ClassVar[_Signature] = _Signature()
    _site: ClassVar[Site | None] = None
    _is_abstract: ClassVar[bool] = True
    _gathers: ClassVar[str | None] = None
    """The field that takes all positional arguments, where a class has one."""

    @property
    def site(self) -> Site | None:
        """Where this element was declared; ``None`` when it was not built by user code."""
        return self._site

    # What dataclasses would generate for each class: written once, imports are twice as fast.

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kind = type(self)
        validator = _validators.get(kind) or _built(kind)
        site = site_of(sys._getframe(1))
        if args and self._gathers:
            args, kwargs = (), {self._gathers: args, **kwargs}
        try:
            validator.validate_python(ArgsKwargs(args, kwargs), self_instance=self)
        except ValidationError as error:
            raise _model_error(self, args, kwargs, error, site) from None
        _refuse_odd(self, site)
        object.__setattr__(self, "_site", site)

    def __eq__(self, other: object) -> bool:
        """Equal fields; the declaration site takes no part."""
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in field_names(type(self)))

    def __repr__(self) -> str:
        """The constructor call: fields that have their default value are left out."""
        shown = []
        for part in fields(self):  # type: ignore[arg-type]  # every element is a dataclass
            value = getattr(self, part.name)
            if value != part.default:
                shown.append(f"{value!r}" if not part.kw_only else f"{part.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        if cls in _being_built:
            return handler(source)
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        if schema["type"] == "is-instance":
            return {"x-element": cls.__name__}
        return handler(schema)

    @classmethod
    def _phrase(cls) -> str:
        """The class in an error sentence; an abstract one lists what may stand there."""
        concrete = [name for name, kind in _types.items() if issubclass(kind, cls)]
        if len(concrete) <= 1:
            return cls.__name__
        shown = concrete[:6] + (["..."] if len(concrete) > 6 else [])
        return f"one of {', '.join(shown)}"


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field, Field))
def element(cls: C) -> C:
    """Make ``cls`` (a subclass of :class:`Element`) a part of the model's vocabulary.

    A class that only holds what others have in common says ``_is_abstract = True``: no model and no
    JSON can name it.
    """
    built = cast("C", dataclass(cls, init=False, eq=False, repr=False, kw_only=True))
    if "_is_abstract" not in cls.__dict__:
        _types[cls.__name__] = built
    return built


def declared_at(part: Element, site: Site) -> None:
    """Say where ``part`` was declared, for readers of files: they construct what others wrote."""
    object.__setattr__(part, "_site", site)


def _refuse_odd(part: Element, site: Site | None) -> None:
    """Refuse text that cannot be shown, and numbers that nothing has."""
    for name in _plain_fields(type(part)):
        value = getattr(part, name)
        for item in value if type(value) is tuple else (value,):
            complaint = complaint_about(item)
            if complaint:
                raise ModelError(
                    f"{type(part).__name__}: {name} {complaint}", site.place if site else None
                )


def _plain_fields(kind: type[Element]) -> tuple[str, ...]:
    """The fields that may hold text or a number without a unit."""
    if kind not in _plain_names:
        every = fields(kind)  # type: ignore[arg-type]  # a dataclass by now
        _plain_names[kind] = tuple(part.name for part in every if is_plain(part.type))
    return _plain_names[kind]


def adapter_of(kind: type[Element]) -> TypeAdapter[Any]:
    """Pydantic's account of ``kind`` itself; within other kinds it is only an instance."""
    evaluate_annotations(kind)
    _being_built.add(kind)
    try:
        return TypeAdapter(kind)
    finally:
        _being_built.discard(kind)


def _built(kind: type[Element]) -> SchemaValidator | PluggableSchemaValidator:
    _validators[kind] = adapter_of(kind).validator
    return _validators[kind]


def evaluate_annotations(kind: type[Element]) -> None:
    """Make the annotations of ``kind`` and its bases types, where they are still source text."""
    for base in kind.__mro__:
        written = inspect.get_annotations(base)
        if any(isinstance(each, str) for each in written.values()):
            base.__annotations__ = inspect.get_annotations(base, eval_str=True)
            for part in fields(base) if is_dataclass(base) else ():
                part.type = base.__annotations__.get(part.name, part.type)


def field_names(kind: type[Element]) -> tuple[str, ...]:
    """The fields of an element class, in order."""
    if kind not in _field_names:
        _field_names[kind] = tuple(part.name for part in fields(kind))  # type: ignore[arg-type]
    return _field_names[kind]


def element_types() -> dict[str, type[Element]]:
    """Every declared kind of element by its name; the names are the tags of the JSON form."""
    return dict(_types)


@element
class Absent(Element):
    """The author states that there deliberately is none, and why.

    ``Call("audit.log", timeout=Absent("the mesh enforces 2 s"))`` is different from a timeout
    that nobody declared: rules take it as an answer, never as a gap.
    """

    reason: str = field(kw_only=False)
    """Why there is none, for the reader of the report."""


def _model_error(
    part: Element,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    error: ValidationError,
    site: Site | None,
) -> ModelError:
    errors = sorted(error.errors(include_url=False), key=_rank)
    place = site.place if site else None
    cause = errors[0].get("ctx", {}).get("error")
    if isinstance(cause, MistakesError):
        return cause
    if isinstance(cause, ModelError):
        return ModelError(cause.sentence, cause.place or place)
    label = _label(type(part), args, kwargs)
    mistakes = [
        ModelError(f"{label}: {sentence}", place) for sentence in _sentences(type(part), errors)
    ]
    return mistakes[0] if len(mistakes) == 1 else MistakesError(mistakes)


def _sentences(kind: type[Element], errors: list[ErrorDetails]) -> list[str]:
    """One for each argument that is wrong: of the kinds that a value is not, the first says it.

    What is missing is told only where nothing was given too much, which explains it: a misspelt
    name.
    """
    found: dict[str, str] = {}
    has_more = errors[0]["type"].startswith("unexpected")
    for error in errors:
        if has_more and error["type"].startswith("missing"):
            continue
        found.setdefault(_argument(kind, error["loc"]), _one_error(kind, error))
    return [*found.values()]


def _rank(error: ErrorDetails) -> int:
    """What was given too much explains what is missing, not the other way round."""
    return 0 if error["type"].startswith("unexpected") else 1


def _label(kind: type[Element], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    first = args[0] if args else kwargs.get("name", kwargs.get("target"))
    return f"{kind.__name__} {first!r}" if isinstance(first, str) else kind.__name__


def _one_error(kind: type[Element], error: ErrorDetails) -> str:
    names = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    where = _argument(kind, error["loc"])
    match error["type"]:
        case "unexpected_keyword_argument":
            name = str(error["loc"][-1])
            return renamed(kind, name) or f"there is no argument {name!r}{nearest(name, names)}"
        case "unexpected_positional_argument":
            return (
                "too many positional arguments; write the rest with names "
                f"({', '.join(names[:6])} ...)"
            )
        case "multiple_argument_values":
            return f"{where} is given twice, by its place and by its name"
        case "missing" | "missing_argument" | "missing_keyword_only_argument":
            return f"{where} is missing"
        case "tuple_type":
            return f"{where} must be a list, got {_shown(error['input'])}"
        case "value_error":
            if not error["loc"]:
                return error["msg"].removeprefix("Value error, ")
            return f"{where} {error['msg'].removeprefix('Value error, ')}"
        case "is_instance_of":
            expected = error["ctx"]["class"]
            phrase = _types[expected]._phrase() if expected in _types else _abstract(expected)
            return f"{where} must be {phrase}, got {_shown(error['input'])}"
        case _:
            message = error["msg"].removeprefix("Input ").replace("should", "must")
            return f"{where} {message[0].lower()}{message[1:]}, got {_shown(error['input'])}"


def _abstract(class_name: str) -> str:
    for kind in _types.values():
        for base in kind.__mro__:
            if base.__name__ == class_name and issubclass(base, Element):
                return base._phrase()
    return class_name


def _argument(kind: type[Element], loc: tuple[int | str, ...]) -> str:
    if not loc:
        return "a value"
    head, *rest = loc
    if isinstance(head, int):
        positional = [f.name for f in fields(kind) if not f.kw_only]  # type: ignore[arg-type]
        head = positional[head] if head < len(positional) else f"argument {head + 1}"
    indexes = "".join(f"[{part}]" for part in rest if isinstance(part, int))
    return f"{head}{indexes}"


def _shown(value: object) -> str:
    if isinstance(value, Element):
        return f"a {type(value).__name__}"
    try:
        text = repr(value)
    except ValueError:  # Python writes no number of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


def nearest(word: str, known: Sequence[str]) -> str:
    """``; did you mean 'x' or 'y'?`` for a misspelt ``word``, or nothing."""
    matches = get_close_matches(word, known, n=3, cutoff=0.6)
    if not matches:
        lowered = {name.lower(): name for name in known}
        matches = [lowered[m] for m in get_close_matches(word.lower(), list(lowered), 3, 0.6)]
    if not matches:
        return ""
    return f"; did you mean {' or '.join(repr(match) for match in matches)}?"
