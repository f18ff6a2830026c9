"""Which expressions are values, and what they are worth.

Only a value may be replaced by another one. Whoever replaces a choice (``a if b else c``), a
parameter or arithmetic with names writes a number where somebody had written a reason.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import archcheck.model
import archcheck.units
from archcheck.editing.sources import PythonSource, Sources
from archcheck.model.errors import ArchcheckError
from archcheck.units import Quantity

_MOST_NAMES = 12
"""Names of names that are followed. A choice."""
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class UnknownValueError(Exception):
    """What an expression is worth cannot be seen without running the model."""


class Literals:
    """What expressions are worth by themselves, through names that get their value once."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def is_value(self, source: PythonSource, node: ast.expr, depth: int = 0) -> bool:
        """Whether an expression is nothing but a value, or the name of one."""
        if isinstance(node, ast.Name | ast.Attribute) and depth < _MOST_NAMES:
            binding = self._sources.resolve(source, node)
            if binding is not None:
                found = binding.value
                return found is not None and self.is_value(binding.source, found, depth + 1)
        return self._is_written_out(source, node)

    def _is_written_out(self, source: PythonSource, node: ast.expr) -> bool:
        """Whether an expression names nothing but the vocabulary."""
        match node:
            case ast.Constant():
                return True
            case ast.Name() | ast.Attribute():
                return self._of_library(source, node) is not None
            case ast.UnaryOp(operand=operand):
                return self._is_written_out(source, operand)
            case ast.BinOp(left=left, right=right):
                inside = [left, right]
            case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
                inside = elements
            case ast.Call(func=func, args=args, keywords=keywords):
                inside = [func, *args, *(word.value for word in keywords)]
            case _:
                return False
        return all(self._is_written_out(source, each) for each in inside)

    def of(self, source: PythonSource, node: ast.expr, depth: int = 0) -> Any:
        """What an expression is worth. Raises :class:`UnknownValueError`."""
        try:
            return self._of(source, node, depth)
        except (ArchcheckError, ArithmeticError, TypeError, ValueError) as error:
            raise UnknownValueError from error

    def _of(self, source: PythonSource, node: ast.expr, depth: int) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._of(source, operand, depth)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                both = self._of(source, left, depth), self._of(source, right, depth)
                return _ARITHMETIC[type(op)](*both)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return tuple(self._of(source, each, depth) for each in elements)
            case ast.Call(func=func, args=args, keywords=keywords):
                return self._of_call(source, func, args, keywords, depth)
            case ast.Name() | ast.Attribute():
                return self._of_name(source, node, depth)
        raise UnknownValueError

    def _of_call(
        self,
        source: PythonSource,
        func: ast.expr,
        args: list[ast.expr],
        keywords: list[ast.keyword],
        depth: int,
    ) -> Any:
        made = self._of_library(source, func)
        if not callable(made) or any(word.arg is None for word in keywords):
            raise UnknownValueError
        named = {str(word.arg): self._of(source, word.value, depth) for word in keywords}
        return made(*(self._of(source, each, depth) for each in args), **named)

    def _of_name(self, source: PythonSource, node: ast.Name | ast.Attribute, depth: int) -> Any:
        binding = self._sources.resolve(source, node) if depth < _MOST_NAMES else None
        if binding is not None and binding.value is not None:
            return self._of(binding.source, binding.value, depth + 1)
        found = self._of_library(source, node) if binding is None else None
        if found is None:
            raise UnknownValueError
        return found

    def _of_library(self, source: PythonSource, node: ast.expr) -> Any:
        """What a name of archcheck's vocabulary or of its units stands for; ``None`` for others."""
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id in source.imports:
                module, level, name = source.imports[node.value.id]
                full = ".".join(each for each in (module, name) if each)
                if not level and full in {"archcheck", "archcheck.units"}:
                    return _named(node.attr)
            return getattr(self._of_library(source, node.value), node.attr, None)
        if not isinstance(node, ast.Name):
            return None
        if node.id in source.imports:
            module, level, name = source.imports[node.id]
            is_ours = not level and module in {"archcheck", "archcheck.model", "archcheck.units"}
            return _named(name) if is_ours and name else None
        if source.is_bound(node) or not any(
            module in {"archcheck", "archcheck.units"} for module, _ in source.starred
        ):
            return None
        return _named(node.id)


def _named(name: str) -> Any:
    unit = getattr(archcheck.units, name, None)
    if isinstance(unit, Quantity) or (isinstance(unit, type) and issubclass(unit, Quantity)):
        return unit
    return getattr(archcheck.model, name, None) if name in archcheck.model.__all__ else None
