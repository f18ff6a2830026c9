"""To the world: files that say what a verified model says.

:func:`write_python` writes a system as the Python package that a person would write. Its design:

- *Exact.* Loading what was written gives an equal system: the same elements in the same order,
  quantities to the last bit. Only what differs from its default is written.
- *Nothing of a model is code.* Names, descriptions and all other text of a model (which may come
  from files that nobody trusts) stand in string literals only, with escapes for what cannot be
  shown; identifiers are made of ASCII letters of the names; comments and docstrings are single
  plain lines.
- *Pleasant.* A file for each boundary; one for a small system. References are names. What stands
  in several places becomes a constant; settings that differ in few values become a function; where
  several files need it, in ``shared.py``. The package collects itself (``System.from_package``), so
  that nobody has to keep a list; only an order of elements that no order of files gives needs one.
- *As formatted.* The lines are those of ``ruff format`` with 100 columns, made without ruff.
- *Refused* with one sentence and a place is what no text can say: an element of a class that is
  not of the vocabulary. Files that a model names (recorded arrivals, icons, contracts) stay names.
"""

from archcheck.generating.python import in_written_order, module_name, write_python

__all__ = ["in_written_order", "module_name", "write_python"]
