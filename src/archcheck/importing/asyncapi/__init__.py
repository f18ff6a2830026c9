"""AsyncAPI 2 and 3: who sends and who receives on which channels, over which brokers.

One document is one application; several documents together are a system, whose channels are the
same where their brokers and addresses are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from archcheck.importing.asyncapi.reading import application_of
from archcheck.importing.asyncapi.references import References
from archcheck.importing.asyncapi.statements import Contracts
from archcheck.importing.facts import Precedence, Said
from archcheck.importing.sources import Choices, SourceFile

_SIGN = re.compile(r"""^[ \t]*(?:\{\s*)?["']?asyncapi["']?\s*:""", re.MULTILINE)


class AsyncApiImporter:
    """Reads documents of AsyncAPI, with the files that they refer to."""

    name = "asyncapi"
    title = "AsyncAPI"
    precedence: Precedence = "contract"
    order = 40

    def recognises(self, file: SourceFile) -> bool:
        if file.path.suffix.lower() not in (".yaml", ".yml", ".json"):
            return False
        text = file.text_if_readable
        if "asyncapi" not in text or not _SIGN.search(text):
            return False
        return any(document.has("asyncapi") for document in file.readable)

    def read(self, files: Sequence[SourceFile], choices: Choices) -> Iterable[Said]:
        references = References()
        applications = [
            application_of(document, file, references)
            for file in files
            for document in file.documents
            if document.has("asyncapi")
        ]
        statements = list(Contracts(applications).statements())
        yield Said(self.name, self.precedence, [*references.remarks, *statements])


importer = AsyncApiImporter()
