"""Files that ``archcheck init`` and ``archcheck rules --new`` write.

They are complete: the rule finds what its examples show, the model verifies, and the workflow
runs as it stands.
"""

from __future__ import annotations

import re

from archcheck.model import ArchcheckError

_RULE = '''"""Services have a description.

Why it matters: a newcomer reads the model first; a name alone says little.

How to fix: ``description="Takes orders and keeps them."``.

False positives: none.

Sources: our own conventions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import Service, System
from archcheck.findings import Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph


@dataclass(frozen=True)
class Options:
    """Thresholds; set in [tool.archcheck.rules.{identity}]."""

    min_words: int = option(3, "words that a description has at least")


rule = Rule("{identity}", "{name}", severity="warning", method="attr", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    for service in graph.system.services:
        if service.description is None:
            yield Undecided(service, "description")
        elif len(service.description.split()) < options.min_words:
            yield Violation(
                service,
                f"{{service.name}} is described in fewer than {{options.min_words}} words",
                fix='description="..."',
            )


def _described(description: str | None) -> System:
    return System("shop", [Service("orders", description=description)])


@rule.bad("orders")
def a_single_word() -> System:
    return _described("orders")


@rule.borderline()
def just_enough_words() -> System:
    return _described("Takes all orders.")


@rule.good
def a_sentence() -> System:
    return _described("Takes orders and keeps them.")


@rule.unknown("description")
def no_description() -> System:
    return _described(None)
'''


def rule_skeleton(name: str, identity: str) -> str:
    """A rule with its examples, to be rewritten for one's own purpose."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ArchcheckError(
            f"a rule's name has lower-case words with hyphens, such as no-description; got {name!r}"
        )
    if not re.fullmatch(r"[A-Z]{3}\d{3}", identity):
        raise ArchcheckError(
            f"a rule's id has three capitals and three digits, such as ACM001; got {identity!r}"
        )
    return _RULE.format(name=name, identity=identity)


_MODEL = '''"""The architecture of {name}: a first model, to be rewritten with your own services."""

from archcheck import (
    Call,
    Endpoint,
    Gateway,
    Http2,
    Journey,
    Load,
    Poisson,
    PostgreSQL,
    Read,
    Scenario,
    Service,
    Slo,
    System,
    Work,
)
from archcheck.units import ms, percent, s

web = Gateway(
    "web",
    boundary="edge",
    owner="{team}",
    endpoints=[
        Endpoint(
            "show",
            Http2("GET", "/items/{{id}}", contract="contracts/web.v1.yaml", encrypted=True),
            public=True,
            authentication="anonymous",
            steps=[Work(1 * ms), Call("items.get", timeout=200 * ms)],
        )
    ],
)

items = Service(
    "items",
    boundary="items",
    owner="{team}",
    endpoints=[
        Endpoint(
            "get",
            Http2("GET", "/items/{{id}}", contract="contracts/items.v1.yaml", encrypted=True),
            idempotent=True,
            steps=[Work(2 * ms), Read("items-db", timeout=50 * ms)],
        )
    ],
)

items_db = PostgreSQL("items-db", belongs_to="items", read=2 * ms)

system = System(
    "{name}",
    [web, items, items_db],
    journeys=[
        Journey(
            "show", "web.show", public=True, slo=Slo(p99=300 * ms, availability=99.5 * percent)
        )
    ],
    scenarios=[Scenario("peak", load=[Load("show", Poisson(50 / s))])],
)
'''

_CONTRACT = """openapi: 3.1.0
info:
  title: {title}
  version: "1"
paths:
  /items/{{id}}:
    get:
      parameters:
        - name: id
          in: path
          required: true
          schema:
            type: string
      responses:
        "200":
          description: The item.
"""

_CONFIGURATION = """# What archcheck checks; see `archcheck rules` and `archcheck explain RULE`.
profile = "recommended"  # minimal: only errors; strict: everything
fail-on = "error"
strict = false           # true: undecided rules fail too

# [severity]
# RES009 = "error"

# [rules.BND011]
# max-depth = 4
"""

_GITHUB = """name: architecture
on:
  pull_request:
  push:
    branches: [main]

permissions:
  contents: read
  security-events: write

jobs:
  verify:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: |
          {install}
      - run: archcheck verify --format sarif --output archcheck.sarif
      - if: always()
        uses: github/codeql-action/upload-sarif@v3
        with:
          sarif_file: archcheck.sarif
"""

_GITLAB = """architecture:
  image: python:3.12-slim
  script:
    - |
      {install}
    - archcheck verify --format gitlab --output archcheck.json
  artifacts:
    when: always
    reports:
      codequality: archcheck.json
"""


def first_files(name: str, team: str, ci: str, install: str) -> dict[str, str]:
    """Path to text: a model that verifies, its contracts, a configuration, a workflow for ``ci``.

    ``install`` is the shell command with which the workflow installs archcheck.
    """
    files = {
        "models/architecture.py": _MODEL.format(name=name, team=team),
        "contracts/web.v1.yaml": _CONTRACT.format(title="web"),
        "contracts/items.v1.yaml": _CONTRACT.format(title="items"),
        "archcheck.toml": _CONFIGURATION,
    }
    if ci == "github":
        files[".github/workflows/architecture.yml"] = _GITHUB.format(install=install)
    elif ci == "gitlab":
        files[".gitlab-ci.yml"] = _GITLAB.format(install=install)
    return files
