"""A capacity plan as text, as JSON and as a page."""

from archcheck.reporting.planning.jsonform import plan_data
from archcheck.reporting.planning.page import plan_page
from archcheck.reporting.planning.text import print_plan

__all__ = ["plan_data", "plan_page", "print_plan"]
