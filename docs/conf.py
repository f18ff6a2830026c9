"""How Sphinx makes the site of the documentation: ``make site``.

The pages are plain Markdown with relative links, as a forge shows them; nothing in them is of
Sphinx. What the site has beyond them is its navigation: :data:`NAVIGATION` and :data:`LISTS`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from sphinx.application import Sphinx

from archcheck.version import __version__

project = "archcheck"
version = release = __version__
extensions = ["myst_parser"]
include_patterns = [
    *("CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("docs/*.md", "docs/**/*.md", "examples/**/README.md", "models/*/README.md"),
]
exclude_patterns = [".*", "out", "build", "dist", "src", "tests", "rules", "benchmarks"]
root_doc = "docs/README"
nitpicky = True  # a reference without a target is a warning, and `make site` fails on warnings
smartquotes = False  # "--format" stays as it is typed
highlight_language = "text"  # of blocks that do not say theirs

myst_heading_anchors = 6

html_theme = "furo"
html_title = "archcheck"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_static_path = ["site/archcheck.css"]
html_css_files = ["archcheck.css"]
templates_path = ["site"]
html_additional_pages = {"index": "index.html"}  # the start page is in a folder, as in the sources

NAVIGATION = {
    "Start": [
        *("/docs/start/check", "/docs/start/load", "/docs/start/prove", "/docs/start/review"),
        *("/docs/tutorial", "/docs/import/README"),
    ],
    "How to": [
        "/docs/how-to/gate-a-merge",
        "/docs/how-to/find-the-bottleneck",
        "/docs/how-to/survive-a-zone",
        "/docs/how-to/size-for-a-sale",
        "/docs/how-to/review-a-change",
        "/docs/how-to/own-rules",
        "/docs/completion",
    ],
    "Reference": [
        *("/docs/rules/README", "/docs/vocabulary/README", "/docs/commands", "/docs/verify"),
        *("/docs/json", "/docs/export", "/docs/diagrams", "/docs/report"),
        *("/docs/simulation/reference", "/docs/simulation/defaults", "/docs/simulation/fields"),
        "/docs/stability",
    ],
    "How it works": [
        *("/docs/proofs", "/docs/planning", "/docs/resilience", "/docs/simulation/README"),
        *("/docs/simulation/load", "/docs/simulation/outcomes", "/docs/simulation/times"),
        *("/docs/simulation/threads", "/docs/simulation/cpu_limits", "/docs/simulation/calls"),
        *("/docs/simulation/faults", "/docs/simulation/caches", "/docs/simulation/datastores"),
        *("/docs/simulation/messages", "/docs/simulation/autoscaling"),
        *("/docs/simulation/statistics", "/docs/simulation/traces", "/docs/simulation/engines"),
    ],
    "How far to trust it": [
        *("/docs/simulation/validation", "/docs/truth", "/docs/performance", "/docs/mutants"),
        *("/docs/findings/online_boutique", "/docs/findings/social_network"),
    ],
    "Examples": [
        *("/docs/gallery", "/examples/classics/README", "/examples/repository/README"),
        *("/models/shop/README", "/models/online_boutique/README"),
        "/models/social_network/README",
        *("/examples/packs/bank/README", "/examples/packs/platform/README"),
    ],
    "The project": [
        *("/docs/decisions/README", "/CHANGELOG", "/CONTRIBUTING", "/SECURITY"),
        "/CODE_OF_CONDUCT",
    ],
}
"""Caption to pages, in the order in which they are listed."""

LISTS = ("docs/rules", "docs/vocabulary", "docs/import", "docs/decisions")
"""Folders whose README links to every page in them; the navigation lists the README alone."""

Tree = Callable[..., str]
_CAPTION = 'role="heading"'


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", navigate)
    app.connect("html-page-context", Navigation(), priority=100)  # before the theme asks for it
    app.connect("html-page-context", reach_by_keyboard)


def navigate(app: Sphinx, page: str, source: list[str]) -> None:
    """Say in the sources which pages are below which."""
    if page == root_doc:
        source[0] += "".join(map(_contents, NAVIGATION, NAVIGATION.values()))
    if page in {f"{folder}/README" for folder in LISTS}:
        source[0] += _contents("", ["*"])


def _contents(caption: str, pages: list[str]) -> str:
    options = [":hidden:", ":glob:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["\n\n```{toctree}", *options, "", *pages, "```\n"])


class Navigation:
    """The navigation beside a page; the pages of a list share that of its README.

    Their links are the same, since they are in the same folder. Resolved for each of four hundred
    pages it would take most of the time of a build.
    """

    def __init__(self) -> None:
        self._made: dict[str, str] = {}

    def __call__(
        self, app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object
    ) -> None:
        whole: Tree | None = context.get("toctree")
        folder = str(PurePosixPath(page).parent)
        if whole is None:
            return
        if folder not in LISTS:
            context["toctree"] = lambda **options: _levelled(whole(**{**options, "maxdepth": 1}))
            return
        if folder not in self._made:
            made = app.builder._get_local_toctree  # type: ignore[attr-defined]
            options = {"collapse": False, "titles_only": True, "includehidden": True}
            self._made[folder] = _levelled(made(f"{folder}/README", maxdepth=1, **options))
        context["toctree"] = lambda **options: self._made[folder]


def _levelled(tree: str) -> str:
    """Sphinx calls captions headings and does not say of which level; screen readers need that."""
    return tree.replace(_CAPTION, f'{_CAPTION} aria-level="2"')


def reach_by_keyboard(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object
) -> None:
    """What scrolls sideways can be reached and scrolled without a mouse."""
    body = context.get("body", "").replace("<pre>", '<pre tabindex="0">')
    wide = '<div class="table-wrapper'
    context["body"] = body.replace(wide, wide.replace("<div", '<div tabindex="0"'))
