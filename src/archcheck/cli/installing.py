"""The command that installs this very archcheck elsewhere, for pipelines that ``init`` writes.

pip records in ``direct_url.json`` where a distribution came from (PEP 610). Only such an origin is
repeated: another project owns the name on the package index, so the name alone would install
somebody else's code.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, distribution
from urllib.parse import urlsplit, urlunsplit

from archcheck.version import DISTRIBUTION

PLACEHOLDER = (
    "echo 'replace this line by one that installs archcheck from your own source' && exit 1"
)
"""It fails, so that nobody takes a pipeline that checks nothing for one that passes."""
_PLAIN = re.compile(r"[A-Za-z0-9:/._~%+@=-]+")
"""URLs that need no quotes, in a shell and in YAML."""


def install_command() -> str:
    """``pip install`` from where archcheck was installed, else a line that fails."""
    origin = _origin()
    return PLACEHOLDER if origin is None else f'pip install "{DISTRIBUTION} @ {origin}"'


def _origin() -> str | None:
    """The URL of a commit in a repository, or of an archive; ``None``: a place of this machine."""
    try:
        text = distribution(DISTRIBUTION).read_text("direct_url.json")
        found = json.loads(text or "{}")
    except (PackageNotFoundError, ValueError):
        return None
    url = _without_password(str(found.get("url", "")))
    version_control = found.get("vcs_info", {})
    if version_control:
        url = f"{version_control.get('vcs')}+{url}@{version_control.get('commit_id')}"
    elif not url.startswith("https://"):
        return None
    return url if _PLAIN.fullmatch(url) and "file:" not in url else None


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return url  # the user of an SSH address belongs to it
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
