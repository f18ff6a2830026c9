"""LikeC4's language: read here to the document that ``likec4 export json`` would write.

``words`` tells its words apart, ``properties`` and ``reading`` follow its grammar, ``scopes`` finds
who a name is, and ``document`` puts all files of a project together. Views and deployments are
passed over. LikeC4's own grammar and scopes are the measure: what its ``validate`` refuses is
refused, but for views.
"""

from archcheck.importing.landscapes.c4.document import SUFFIXES, projects

__all__ = ["SUFFIXES", "projects"]
