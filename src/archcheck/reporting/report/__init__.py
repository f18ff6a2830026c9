"""The report of a design review: everything that can be said of a system, in one HTML file.

:func:`carry_out` asks all questions and gives a :class:`Review`; :func:`report_page` writes it. The
page loads nothing: pictures, charts, fonts and one script of ours are inside.
"""

from archcheck.reporting.report.page import report_page
from archcheck.reporting.report.review import BUDGET, PACKAGES, PARTS, Review, carry_out

__all__ = ["BUDGET", "PACKAGES", "PARTS", "Review", "carry_out", "report_page"]
