"""From a model to a plan: what engines run."""

from archcheck.simulation.compiling.compiler import compile_plan

__all__ = ["compile_plan"]
