"""Servers: brokers by their protocol and host, and parties that are spoken to directly."""

from __future__ import annotations

import re
from dataclasses import dataclass

from archcheck.importing.addresses import is_own
from archcheck.importing.values import Value
from archcheck.model import Place

_SECURE = {
    "kafka-secure": "kafka", "amqps": "amqp", "mqtts": "mqtt", "secure-mqtt": "mqtt",
    "stomps": "stomp", "ibmmq-secure": "ibmmq", "wss": "ws", "https": "http", "rediss": "redis",
    "nats+tls": "nats", "pulsar+ssl": "pulsar",
}  # fmt: skip
"""Protocols with TLS, to those without (AsyncAPI 3.0, Server Object, protocol)."""
_SPELLED = {"mqtt5": "mqtt", "websocket": "ws", "websockets": "ws"}
_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{0,30}://)?(?:[^/@]{0,300}@)?([^/?#,]{0,300})([^?#]*)")
_HOST = re.compile(r"([\w.-]{1,253})(?::(\d{1,5}))?")


@dataclass(frozen=True, eq=False)
class Server:
    """Where an application connects."""

    name: str
    protocol: str
    """Without TLS: ``kafka`` for ``kafka-secure``."""
    is_secure: bool
    host: str | None
    """``None``: it is put in at run time, or it is the machine itself."""
    port: int | None
    path: str
    value: Value
    place: Place

    @property
    def is_direct(self) -> bool:
        """Whether it is the other party, and no broker."""
        return self.protocol in ("ws", "http")


def server_of(name: str, value: Value, place: Place) -> Server:
    """A server of version 2 (``url``) or 3 (``host`` and ``pathname``)."""
    protocol = value.need("protocol").string("protocol").strip().lower()
    where = value.get("host") or value.need("url")
    text = where.string("a server's address").strip()
    for key, variable in value.items("variables"):
        default = variable.get("default") if variable.is_mapping else None
        if default is not None:
            text = text.replace(f"{{{key}}}", default.string("default"))
    match = _URL.match(text)
    address = _HOST.fullmatch(match[1]) if match else None
    host = address[1].rstrip(".").lower() if address else None
    port = int(address[2]) if address and address[2] else None
    pathname = value.get("pathname")
    path = pathname.string("pathname") if pathname is not None else (match[2] if match else "")
    plain = _SPELLED.get(protocol, protocol)
    return Server(
        name,
        _SECURE.get(plain, plain),
        plain in _SECURE,
        host if host and not is_own(host) else None,
        port if port and port <= 65_535 else None,
        "" if path.startswith(",") else path.rstrip("/"),
        value,
        place,
    )
