"""How Sphinx makes the site of the documentation: ``make site``.

The pages are plain Markdown with relative links, as a forge shows them; nothing in them is of
Sphinx. What the site has beyond them, its navigation, is :data:`NAVIGATION`.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from archcheck.version import __version__

project = "archcheck"
version = release = __version__
extensions = ["myst_parser"]
include_patterns = [
    "*.md",
    "docs/*.md",
    "docs/**/*.md",
    "examples/**/README.md",
    "models/*/README.md",
]
exclude_patterns = [".*", "out", "build", "dist", "src", "tests", "rules", "benchmarks"]
exclude_patterns += ["README.md", "examples/packs"]
root_doc = "docs/README"
nitpicky = True

myst_heading_anchors = 6
myst_links_external_new_tab = False

html_theme = "furo"
html_title = "archcheck"
html_copy_source = False
html_show_sphinx = False
templates_path = ["site"]
html_additional_pages = {"index": "index.html"}

NAVIGATION: dict[str, dict[str, list[str]]] = {
    "docs/README": {
        "Start": ["tutorial"],
        "Reference": ["rules/README", "vocabulary/README", "import/README", "verify", "stability"],
        "Decisions": ["decisions/README"],
    },
    "docs/rules/README": {"": ["*"]},
    "docs/vocabulary/README": {"": ["*"]},
    "docs/import/README": {"": ["*"]},
    "docs/decisions/README": {"": ["*"]},
}


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", navigate)
    app.connect("html-page-context", collapse, priority=100)  # before the theme asks for the tree


def navigate(app: Sphinx, page: str, source: list[str]) -> None:
    """Hang the pages below this one into the navigation."""
    for caption, pages in NAVIGATION.get(page, {}).items():
        source[0] += "\n".join(
            ["\n```{toctree}", ":hidden:", ":glob:", f":caption: {caption}", *pages, "```\n"]
        )


def collapse(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    """Show the branch of the page alone: each page would carry the links to hundreds of others."""
    whole = context["toctree"]
    context["toctree"] = lambda **options: whole(**{**options, "collapse": True})
