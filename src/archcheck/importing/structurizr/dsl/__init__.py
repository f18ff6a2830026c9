"""Structurizr's DSL, read into the document that Structurizr would export."""

from __future__ import annotations

from archcheck.importing.sources import SourceFile
from archcheck.importing.structurizr.dsl.document import document_of
from archcheck.importing.structurizr.dsl.reader import Reader
from archcheck.importing.structurizr.dsl.state import ReaderState
from archcheck.importing.values import Value

__all__ = ["read_dsl"]


def read_dsl(file: SourceFile) -> tuple[Value, ReaderState]:
    """The document of a workspace in the DSL, and what the reader noted on the way.

    Raises :class:`~archcheck.model.ModelError` with the line of what is wrong.
    """
    state = Reader().read(file)
    return document_of(state, file.place), state
