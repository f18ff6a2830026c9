"""Landscapes in other notations than C4: FINOS CALM, Threagile, LikeC4.

Each importer puts what its file says into a :class:`~.drawing.Drawing`; one account, that of
Structurizr's workspaces, makes facts of it.
"""
