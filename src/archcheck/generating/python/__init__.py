"""A model as Python that a person would write: see :mod:`archcheck.generating`.

:mod:`layout` lays expressions out in lines, :mod:`expressions` makes them of elements,
:mod:`shorthands` finds what deserves a name, :mod:`identifiers` makes names, :mod:`arranging`
chooses the file of each element, :mod:`modules` writes a file and :mod:`packages` all of them.
"""

from archcheck.generating.python.identifiers import module_name
from archcheck.generating.python.packages import in_written_order, write_python

__all__ = ["in_written_order", "module_name", "write_python"]
