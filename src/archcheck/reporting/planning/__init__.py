"""A capacity plan as text, as JSON, as a page and as a picture."""

from archcheck.reporting.planning.charts import draw_plan
from archcheck.reporting.planning.jsonform import plan_data
from archcheck.reporting.planning.page import plan_page
from archcheck.reporting.planning.text import print_plan

__all__ = ["draw_plan", "plan_data", "plan_page", "print_plan"]
