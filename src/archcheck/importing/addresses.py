"""Addresses in settings: URLs, ``host:port``, JDBC and other connection strings.

Which texts are addresses is decided here for all importers. A text that is an address for certain
(a URL with a host) is one wherever it stands; a bare word is one only where the name of its setting
says so (``CART_ADDR``, ``DB_HOST``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HOST = (
    r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?(?:\.[A-Za-z0-9][A-Za-z0-9_-]{0,62}){0,10}\.?"
)
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,30}(?::[A-Za-z][A-Za-z0-9]{0,20}){0,2}):(?://|thin:@/{0,2})"
    rf"(?:[^\s/@'\"]{{0,300}}@)?(?P<hosts>{_HOST}(?::\d{{1,5}})?"
    rf"(?:,(?![A-Za-z][\w+.-]{{0,30}}://){_HOST}(?::\d{{1,5}})?){{0,30}})"
)
_DSN = re.compile(rf"@(?:tcp|udp)\((?P<host>{_HOST})(?::(?P<port>\d{{1,5}}))?\)")
_PAIR = re.compile(
    r"(?:^|[;\s])(?:host|server|data source|datasource|hostname|address|addr)\s*=\s*"
    rf"(?:tcp:)?(?P<host>{_HOST})(?:[:,](?P<port>\d{{1,5}}))?(?=$|[;\s])",
    re.IGNORECASE,
)
_HOST_PORT = re.compile(rf"(?P<host>{_HOST}):(?P<port>\d{{1,5}})(?:/\S{{0,200}})?")
_BARE = re.compile(rf"(?P<host>{_HOST})")

_S3_ENDPOINT = re.compile(
    rf"s3[an]?://[^\s?]{{1,300}}\?(?:\S{{1,300}}&)?endpoint=(?:https?(?:://|%3A%2F%2F))?"
    rf"(?P<host>{_HOST})(?::(?P<port>\d{{1,5}}))?",
    re.IGNORECASE,
)
"""A bucket of a server of one's own: the host of the URL is the bucket (Go CDK, blob)."""

_NAMES_ADDRESS = re.compile(
    r"(?:^|[_.-])(?:ADDR(?:ESS)?(?:ES)?|HOST(?:NAME|S)?|URL|URI|ENDPOINTS?|SERVERS?|SERVICE|BROKERS?"
    r"|DSN|NODES?|CONNECT|BOOTSTRAP|UPSTREAM|BACKEND|TARGET|SVC|PEERS?)$"
    r"|(?:Addr(?:ess)?|Host|Url|Uri|Endpoint|Servers?)$"
    r"|(?-i:(?:^|[a-z_])Connection)$|(?:^|_)Connection_?Strings?(?:(?:__|[.:])\w+)?$",
    re.IGNORECASE,
)
"""Names of settings whose bare word is a host. A ``DB_CONNECTION`` is a driver (Laravel), an
``EventBusConnection`` and ``ConnectionStrings__Redis`` are hosts (.NET)."""
_NAMES_NO_CALL = re.compile(
    r"CORS|ORIGIN|ALLOWED|NO_?PROXY|ADVERTISED|LISTENERS?$|LISTEN_|BIND|ISSUER|AUDIENCE|REDIRECT|"
    r"CALLBACK|PUBLIC|EXTERNAL|VIRTUAL_HOST|SERVER_NAME|ROOT_URL|COOKIE|DOMAIN|REGISTRY_IMAGE|"
    r"CHARACTER.?SET|COLLATION",
    re.IGNORECASE,
)
"""Names of settings whose address somebody else uses: browsers, tokens, the element itself."""
_OWN = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "host.docker.internal"})  # noqa: S104  # text to recognise


@dataclass(frozen=True, order=True)
class Address:
    """A host with what else is said of it; ``scheme`` as it is written, in small letters."""

    host: str
    port: int | None = None
    scheme: str = ""

    def __str__(self) -> str:
        port = f":{self.port}" if self.port is not None else ""
        return f"{self.scheme}://{self.host}{port}" if self.scheme else f"{self.host}{port}"


def names_an_address(setting: str) -> bool:
    """Whether the bare word of a setting with this name is a host."""
    return _NAMES_ADDRESS.search(setting) is not None


def doubt_about(setting: str) -> str:
    """Why an address in a setting of this name may be none that it calls, or nothing."""
    if _NAMES_NO_CALL.search(setting):
        return "the name of the setting says that it is not (only) called"
    return ""


def is_own(host: str) -> bool:
    """Whether a host is the process's own machine, so that it names nobody."""
    return host.lower() in _OWN


def addresses_in(text: str, *, bare: bool) -> Iterator[Address]:
    """The addresses in the value of a setting; ``bare``: a word alone is a host as well.

    Addresses of the process itself (``localhost``, ``0.0.0.0``) are none.
    """
    text = text.strip()[:4_000]  # longer ones are certificates and scripts
    for found in _all_in(text, bare=bare):
        if not is_own(found.host) and not _is_number(found.host):
            yield found


def _all_in(text: str, *, bare: bool) -> Iterator[Address]:
    own = _S3_ENDPOINT.match(text)
    if own is not None:
        yield _address(own["host"], own["port"], "s3")
        return
    urls = list(_URL.finditer(text))
    if urls:
        for url in urls:
            yield from _of_url(url["scheme"].lower(), url["hosts"])
        return
    pairs = [*_DSN.finditer(text), *_PAIR.finditer(text)]
    if pairs:
        yield from (_address(pair["host"], pair["port"]) for pair in pairs)
        return
    for word in re.split(r"[,;\s]+", text) if len(text) < 1_000 else ():
        match = _HOST_PORT.fullmatch(word)
        if match and int(match["port"]) <= 65_535:
            yield _address(match["host"], match["port"])
        elif bare and (match := _BARE.fullmatch(word)):
            yield _address(match["host"], None)


def _of_url(scheme: str, hosts: str) -> Iterator[Address]:
    scheme = scheme.removeprefix("jdbc:").partition("+")[0]
    for host in hosts.split(","):
        name, _, port = host.partition(":")
        yield _address(name, port or None, scheme.partition(":")[0])


def _address(host: str, port: str | None, scheme: str = "") -> Address:
    number = int(port) if port else None
    return Address(host.rstrip("."), number if number and number <= 65_535 else None, scheme)


def _is_number(host: str) -> bool:
    """IP addresses name nobody, and neither do numbers."""
    return re.fullmatch(r"[\d.]+", host) is not None
