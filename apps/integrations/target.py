"""Calling addresses that people typed in: never the inside of our own network.

What a name leads to is looked up once, every address it gives is judged, and the connection goes to the address that
was judged: a name that answers differently a moment later gains nothing. Redirects are not followed.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from apps.common.said import Said, about

NAT64 = ipaddress.ip_network("64:ff9b::/96")


class TargetError(ValueError):
    """An address that may not be called; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, or 0 and the error. `ms` is how long it took."""

    status: int
    error: str
    ms: int

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


def check_url(url: str) -> SplitResult:
    """The parts of a URL that may be called. Raises TargetError; what a name leads to is judged when it is called."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise TargetError(about(url, error)) from error
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.WEBHOOK_PRIVATE_ADDRESSES):
        raise TargetError(about(url, Said("it has to begin with https://")))
    if not host or port == 0 or not url.isascii() or any(c.isspace() for c in url):
        raise TargetError(about(url, Said("it names no host that can be called")))
    if parts.username is not None or parts.password is not None:
        text = Said("a user and a password in the address are not sent: check the signature instead")
        raise TargetError(text)
    literal = _literal(host)
    if literal:
        _judge(literal)
    elif not settings.WEBHOOK_PRIVATE_ADDRESSES and (host == "localhost" or host.endswith((".localhost", ".local"))):
        raise TargetError(_ours(host))
    return parts


def addresses(host: str, port: int) -> list[str]:
    """The addresses of a host, all of which may be called. Raises TargetError, or OSError for an unknown name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [_judge(address) for address in dict.fromkeys(str(one[4][0]) for one in found)]


def _literal(host: str) -> str:
    """The address a host is written as, "" for a name. Also what libc takes for one: 127.1, 0x7f.1, 2130706433."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return ""


def _judge(address: str) -> str:
    if not settings.WEBHOOK_PRIVATE_ADDRESSES and not _is_public(ipaddress.ip_address(address.partition("%")[0])):
        raise TargetError(_ours(address))
    return address


def _ours(address: str) -> Said:
    return Said("%(address)s is an address of our own network", address=address)


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send a body; any answer but 2xx, and any failure on the way, is told in the Answer."""
    begin = time.monotonic()
    try:
        status = _post(check_url(url), body, headers)
        error = "" if 200 <= status < 300 else f"HTTP {status}"
    except (OSError, http.client.HTTPException, TargetError, UnicodeError) as problem:
        status, error = 0, f"{type(problem).__name__}: {problem}"
    return Answer(status, error[:300], round((time.monotonic() - begin) * 1000))


def _post(parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> int:
    connection = _Pinned(parts)
    limit = threading.Timer(settings.WEBHOOK_TIMEOUT_MS / 1000, connection.abort)
    limit.daemon = True
    limit.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, dict(headers))
        return connection.getresponse().status
    finally:
        limit.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was judged, though the certificate must be the name's."""

    def __init__(self, parts: SplitResult) -> None:
        self._secure = parts.scheme == "https"
        port = parts.port or (443 if self._secure else 80)
        super().__init__(parts.hostname or "", port, timeout=settings.WEBHOOK_TIMEOUT_MS / 1000)
        # http.client writes it into the Host header: without the port that goes without saying.
        self.default_port = 443 if self._secure else 80

    def connect(self) -> None:
        failures: list[OSError] = []
        for address in addresses(self.host, self.port):
            try:
                self.sock = socket.create_connection((address, self.port), self.timeout)
            except OSError as error:
                failures.append(error)
            else:
                if self._secure:
                    context = ssl.create_default_context()
                    self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
                return
        raise failures[0] if failures else OSError(f"{self.host} has no address")

    def abort(self) -> None:
        """The whole attempt took too long, though each of its parts may have been quick enough."""
        with contextlib.suppress(OSError, AttributeError):  # it has ended by itself meanwhile
            self.sock.shutdown(socket.SHUT_RDWR)
