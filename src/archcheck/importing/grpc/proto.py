"""Services in files of Protocol Buffers: their methods, and what is said about each.

Only services are read: of messages, enumerations and extensions it is checked that their braces
close (protobuf.dev, Protocol Buffers Language Specification).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from archcheck.importing.sources import SourceFile
from archcheck.model import ModelError, Place

_TOKEN = re.compile(
    r"""(?P<space>[\s\ufeff]+)
      | (?P<comment>//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)
      | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<word>[A-Za-z_.][\w.]*|[-+]?\d[\w.+-]*)
      | (?P<sign>.)""",
    re.VERBOSE,
)
_NAME = re.compile(r"[A-Za-z_]\w*")
_TYPE = re.compile(r"\.?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
MAX_DEPTH = 100
"""Braces inside each other. A choice; the compiler's own limit for messages is 32."""
_HTTP = ("get", "put", "post", "delete", "patch")
"""Methods of ``google.api.http`` (google/api/http.proto)."""


@dataclass
class Method:
    """A method of a service."""

    name: str
    place: Place
    takes_stream: bool = False
    returns_stream: bool = False
    deprecated: Place | None = None
    idempotent: Place | None = None
    http: tuple[tuple[str, str, Place], ...] = ()
    """Methods and paths under which HTTP has it, as ``google.api.http`` says."""
    comment: str = ""


@dataclass
class ProtoService:
    """A service of a file."""

    name: str
    package: str
    place: Place
    file: SourceFile
    methods: list[Method] = field(default_factory=list)
    deprecated: Place | None = None
    comment: str = ""

    @property
    def full_name(self) -> str:
        """Its name with its package."""
        return f"{self.package}.{self.name}" if self.package else self.name


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int


def services_in(file: SourceFile) -> list[ProtoService]:
    """The services of a file. Raises :class:`ModelError` with the line of what is wrong."""
    return list(_Parser(file).services())


class _Parser:
    def __init__(self, file: SourceFile) -> None:
        self._file = file
        self._tokens = list(_tokens(file.text))
        self._at = 0
        self._package = ""

    # -- tokens -------------------------------------------------------------------------------

    def _place(self, token: _Token | None = None) -> Place:
        known = token or self._peek()
        last = self._tokens[-1].line if self._tokens else 1
        return Place(str(self._file.path), known.line if known is not None else last)

    def _refuse(self, sentence: str, token: _Token | None = None) -> NoReturn:
        shown = token or self._peek()
        got = f", got {shown.text[:40]!r}" if shown is not None else ", and the file ends"
        raise ModelError(f"{sentence}{got}", self._place(token))

    def _peek(self) -> _Token | None:
        at = self._at
        while at < len(self._tokens) and self._tokens[at].kind == "comment":
            at += 1
        return self._tokens[at] if at < len(self._tokens) else None

    def _next(self, expected: str) -> _Token:
        while self._at < len(self._tokens) and self._tokens[self._at].kind == "comment":
            self._at += 1
        if self._at >= len(self._tokens):
            self._refuse(f"there must be {expected}")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, sign: str) -> _Token:
        token = self._next(repr(sign))
        if token.text != sign:
            self._refuse(f"there must be {sign!r}", token)
        return token

    def _word(self, what: str, pattern: re.Pattern[str]) -> _Token:
        token = self._next(what)
        if token.kind != "word" or not pattern.fullmatch(token.text):
            self._refuse(f"there must be {what}", token)
        return token

    def _comment_before(self, keyword: _Token) -> str:
        """The comment that ends on the line above a token that was just read."""
        found: list[str] = []
        line = keyword.line
        for at in range(self._at - 2, -1, -1):
            token = self._tokens[at]
            if token.kind != "comment" or token.line + token.text.count("\n") != line - 1:
                break
            found.append(token.text)
            line = token.line
        return " ".join(" ".join(_plain(text) for text in reversed(found)).split())[:500]

    # -- the file -----------------------------------------------------------------------------

    def services(self) -> Iterator[ProtoService]:
        """All services, in their order."""
        while self._peek() is not None:
            token = self._next("a statement")
            if token.text == "service":
                yield self._service(token)
            elif token.text == "package":
                self._package = self._word("a package's name", _TYPE).text.strip(".")
                self._take(";")
            elif token.text in ("syntax", "edition", "import", "option"):
                self._skip_statement()
            elif token.text in ("message", "enum", "extend"):
                self._skip_body(token)
            elif token.text != ";":
                self._refuse(
                    "there must be syntax, edition, package, import, option, message, enum, extend "
                    "or service",
                    token,
                )

    def _skip_body(self, token: _Token) -> None:
        self._word(f"the name of the {token.text}", _TYPE)
        self._take("{")
        self._inside()

    def _inside(self) -> list[_Token]:
        """What stands up to the brace that closes."""
        depth, start = 1, self._at
        while depth:
            token = self._next("'}'")
            depth += {"{": 1, "}": -1}.get(token.text, 0) if token.kind == "sign" else 0
            if depth > MAX_DEPTH:
                self._refuse(f"braces stand more than {MAX_DEPTH} inside each other", token)
        return self._tokens[start : self._at - 1]

    def _skip_statement(self) -> list[_Token]:
        """What stands up to the semicolon."""
        start = self._at
        while (token := self._next("';'")).text != ";" or token.kind != "sign":
            if token.text == "{" and token.kind == "sign":
                self._inside()
        return self._tokens[start : self._at - 1]

    # -- services -----------------------------------------------------------------------------

    def _service(self, keyword: _Token) -> ProtoService:
        comment = self._comment_before(keyword)
        name = self._word("the name of the service", _NAME)
        found = ProtoService(
            name.text, self._package, self._place(name), self._file, comment=comment
        )
        self._take("{")
        while (token := self._next("rpc, option or '}'")).text != "}":
            if token.text == "rpc":
                found.methods.append(self._method(token))
            elif token.text == "option":
                place = self._place(token)
                if _option(self._skip_statement())[:2] == ("deprecated", "true"):
                    found.deprecated = place
            elif token.text == "stream":
                self._refuse("streams of Protocol Buffers 1 are not read", token)
            elif token.text != ";":
                self._refuse("a service has rpc and option only", token)
        return found

    def _method(self, keyword: _Token) -> Method:
        comment = self._comment_before(keyword)
        name = self._word("the name of the method", _NAME)
        takes = self._type()
        self._take("returns")
        returns = self._type()
        method = Method(name.text, self._place(name), takes, returns, comment=comment)
        token = self._next("'{' or ';'")
        if token.text == "{":
            self._options(method)
        elif token.text != ";":
            self._refuse("a method must end with ';' or have options in braces", token)
        return method

    def _type(self) -> bool:
        """Whether the type in parentheses is a stream."""
        self._take("(")
        token = self._word("a type, or stream and a type", _TYPE)
        following = self._peek()
        streams = token.text == "stream" and following is not None and following.text != ")"
        if streams:
            self._word("the type of the stream", _TYPE)
        self._take(")")
        return streams

    def _options(self, method: Method) -> None:
        while (token := self._next("option or '}'")).text != "}":
            if token.text == ";":
                continue
            if token.text != "option":
                self._refuse("a method has options only", token)
            place, words = self._place(token), self._skip_statement()
            name, value, rest = _option(words)
            if (name, value) == ("deprecated", "true"):
                method.deprecated = place
            elif name == "idempotency_level" and value in ("IDEMPOTENT", "NO_SIDE_EFFECTS"):
                method.idempotent = place
            elif name == "(google.api.http)":
                method.http = tuple(self._http(rest))

    def _http(self, tokens: list[_Token]) -> Iterator[tuple[str, str, Place]]:
        for first, second, third in zip(tokens, tokens[1:], tokens[2:], strict=False):
            if first.text in _HTTP and second.text == ":" and third.kind == "text":
                yield first.text.upper(), third.text[1:-1], self._place(first)


def _option(tokens: list[_Token]) -> tuple[str, str, list[_Token]]:
    """Name, first word of the value, and the whole value of an option."""
    said = [token for token in tokens if token.kind != "comment"]
    at = next((at for at, token in enumerate(said) if token.text == "="), len(said))
    name = "".join(token.text for token in said[:at])
    value = said[at + 1 :]
    return name, value[0].text if value else "", value


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "sign"
        if kind != "space":
            yield _Token(kind, match[0], line)
        line += match[0].count("\n")


def _plain(comment: str) -> str:
    """The words of a comment."""
    if comment.startswith("//"):
        return comment.lstrip("/")
    return " ".join(line.strip().lstrip("*") for line in comment[2:-2].splitlines())
