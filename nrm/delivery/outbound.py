"""The only door through which this program speaks HTTP to the outside, and only where it may.

An address that somebody typed in is an order to connect from inside the network. So: https only, the port on a list,
no user name, no redirects, no proxies from the environment; the name is resolved once for each request, *all* its
addresses are looked at, and the connection goes to one of exactly these; the certificate is checked against the name.
A name that answers with another address a moment later (DNS rebinding) has no moment in which that matters. A
ministry's inner network is reached only by an operator's setting that names host, port and network.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError, SSLError

from nrm.config import AllowedHost, Config
from nrm.delivery.addresses import Address, host_of, is_open
from nrm.delivery.time_limits import DEADLINES, Watch, in_time
from nrm.errors import DeliveryFailed

CONNECT_SECONDS: Final = 5.0
RESOLVE_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 15.0
"""From the first look at the name to the last byte of the answer."""

LARGEST_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read; with more the connection is closed."""

LONGEST_URL: Final = 500

Resolve = Callable[[str, int], Sequence[str]]
"""Host name and port → all its addresses, as text. Raises OSError when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Where this installation may connect.

    Attributes:
        ports: ports of the open internet.
        allowed: hosts of inner networks, by exact name, port and network.
        ca_file: certificates of authorities beside the system's; "" for none.
    """

    ports: frozenset[int] = frozenset({443})
    allowed: tuple[AllowedHost, ...] = ()
    ca_file: str = ""


def rules_of(config: Config) -> Rules:
    """Give the rules of an installation."""
    return Rules(ports=config.outbound_ports, allowed=config.outbound_allowed, ca_file=config.outbound_ca_file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        body: its first bytes, at most `LARGEST_ANSWER`.
        retry_after: seconds that the receiver asks to wait; None where it does not say.
    """

    status: int
    body: bytes
    retry_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A checked address without its name having been resolved.

    Attributes:
        host: a name or a plain address.
        port: its port.
        target: path and query.
        header: what stands in the Host header.
        inner: the network in which an operator's setting allows it; None for the open internet.
    """

    host: str
    port: int
    target: str
    header: str
    inner: ipaddress.IPv4Network | ipaddress.IPv6Network | None


def check_url(url: str, rules: Rules) -> Place:
    """Look at an address that somebody typed in, without asking the network anything.

    Args:
        url: as typed.
        rules: where this installation may connect.

    Raises:
        DeliveryFailed: "bad_url", "not_https", "credentials_in_url", "port_refused" or "address_refused".
    """
    parts = _split(url)
    if parts.scheme.lower() != "https":
        raise DeliveryFailed("not_https")
    if "@" in parts.netloc:
        raise DeliveryFailed("credentials_in_url")
    host, port = _host_and_port(parts)
    inner = next((entry.network for entry in rules.allowed if (entry.host, entry.port) == (str(host), port)), None)
    if inner is None and port not in rules.ports:
        raise DeliveryFailed("port_refused")
    if not isinstance(host, str):
        _must_be_allowed([host], inner)
    shown = f"[{host}]" if isinstance(host, ipaddress.IPv6Address) else str(host)
    return Place(
        host=str(host),
        port=port,
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        header=shown if port == 443 else f"{shown}:{port}",
        inner=inner,
    )


def _split(url: str) -> SplitResult:
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise DeliveryFailed("bad_url")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises when it is no port
    except ValueError:
        raise DeliveryFailed("bad_url") from None
    if parts.fragment:
        raise DeliveryFailed("bad_url")
    return parts


def _host_and_port(parts: SplitResult) -> tuple[str | Address, int]:
    text, bracket, rest = parts.netloc.rpartition("]")
    text = text + bracket if bracket else parts.netloc.partition(":")[0]
    rest = rest if bracket else parts.netloc[len(text) :]
    host = host_of(text)
    if host is None or parts.port == 0 or rest == ":":
        raise DeliveryFailed("bad_url")
    return host, parts.port or 443


def _must_be_allowed(addresses: Sequence[Address], inner: ipaddress.IPv4Network | ipaddress.IPv6Network | None) -> None:
    """Stop when one of the addresses is not allowed, not only when all are not."""

    def allowed(address: Address) -> bool:
        return is_open(address) if inner is None else address.version == inner.version and address in inner

    if not addresses or not all(map(allowed, addresses)):
        raise DeliveryFailed("address_refused")


def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system for all addresses of a name."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Outbound:
    """Posts to addresses of the outside; connections stay open between requests to the same place.

    One object is used by one thread at a time.
    """

    def __init__(self, rules: Rules, *, resolve: Resolve = resolve, total_seconds: float = TOTAL_SECONDS) -> None:
        """Prepare.

        Args:
            rules: where this installation may connect.
            resolve: how names become addresses.
            total_seconds: how long a request may take.
        """
        self._rules = rules
        self._resolve = resolve
        self._total = total_seconds
        self._context = _tls(rules.ca_file)
        self._pools: dict[tuple[str, int], _Pool] = {}

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post a body and give the answer, whatever its status; a redirect is an answer like any other.

        Args:
            url: where to, checked anew at each request.
            body: what.
            headers: beside Host and Content-Length.

        Raises:
            DeliveryFailed: "bad_url", "not_https", "credentials_in_url", "port_refused", "address_refused",
                "name_unknown", "not_reachable", "tls_failed", "timeout" or "answer_broken".
        """
        started = time.monotonic()
        place = check_url(url, self._rules)
        addresses = self._addresses(place)
        pool = self._pool(place, addresses)
        left = self._total - (time.monotonic() - started)
        if left <= 0:
            raise DeliveryFailed("timeout")
        watch = pool.watch = Watch()
        try:
            with DEADLINES.until(time.monotonic() + left, watch.cut):
                answer = self._ask(pool, place, body, headers, left)
            if watch.late:
                # What was cut looks like an answer that ended.
                raise TimeoutError
            return answer
        except (HTTPError, OSError, ValueError) as error:
            pool.close()
            self._pools.pop((place.host, place.port), None)
            raise DeliveryFailed("timeout" if watch.late else _cause(error)) from error

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def _ask(self, pool: _Pool, place: Place, body: bytes, headers: Mapping[str, str], left: float) -> Answer:
        response = pool.urlopen(
            "POST",
            place.target,
            body=body,
            headers={**headers, "Host": place.header},
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
            timeout=urllib3.Timeout(connect=min(CONNECT_SECONDS, left), read=left),
        )
        try:
            content = response.read(LARGEST_ANSWER + 1, decode_content=False) or b""
            if len(content) > LARGEST_ANSWER:
                response.close()
            return Answer(
                status=int(response.status),
                body=content[:LARGEST_ANSWER],
                retry_after=_seconds(response.headers.get("Retry-After")),
            )
        finally:
            response.release_conn()

    def _addresses(self, place: Place) -> tuple[str, ...]:
        """Resolve the name once, and refuse it when one of its addresses is not allowed."""
        plain = host_of(f"[{place.host}]" if ":" in place.host else place.host)
        if plain is not None and not isinstance(plain, str):
            return (place.host,)
        found = in_time(lambda: self._resolve(place.host, place.port), RESOLVE_SECONDS)
        try:
            addresses = [ipaddress.ip_address(text) for text in dict.fromkeys(found)]
        except ValueError:
            raise DeliveryFailed("address_refused") from None
        _must_be_allowed(addresses, place.inner)
        return tuple(map(str, addresses))

    def _pool(self, place: Place, addresses: tuple[str, ...]) -> _Pool:
        key = (place.host, place.port)
        pool = self._pools.get(key)
        if pool is None:
            pool = _Pool(place.host, port=place.port, maxsize=1, block=False, ssl_context=self._context)
            self._pools[key] = pool
        # A connection that is open already leads to an address that was allowed then; is it still one of the name's?
        pool.addresses = addresses
        pool.drop_strangers()
        return pool


class _Connection(HTTPSConnection):
    """Connects to an address that was looked at, while the certificate is checked against the name."""

    pool: _Pool
    _handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        last: OSError | None = None
        for address in self.pool.addresses:
            if self.pool.watch.late:
                break
            try:
                opened = socket.create_connection((address, self.port), timeout=CONNECT_SECONDS)
            except OSError as error:
                last = error
                continue
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # A second name of the same connection: TLS takes the first one over before it has shaken hands.
            self._handle = self.pool.watch.connection = opened.dup()
            return opened
        raise NewConnectionError(self, "no address answers") from last

    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as urllib3 declares it
        self.pool.watch.connection = self._handle
        super().request(*args, **options)

    def close(self) -> None:
        super().close()
        if self._handle is not None:
            self._handle.close()
            self._handle = None


class _Pool(urllib3.HTTPSConnectionPool):
    """The connections to one place."""

    ConnectionCls = _Connection

    def __init__(self, host: str, **options: Any) -> None:  # noqa: ANN401 - urllib3's own options
        super().__init__(host, **options)
        self.addresses: tuple[str, ...] = ()
        self.watch = Watch()

    def _new_conn(self) -> _Connection:
        connection: _Connection = super()._new_conn()  # type: ignore[assignment]  # of `ConnectionCls`
        connection.pool = self
        return connection

    def drop_strangers(self) -> None:
        """Close an open connection that leads to none of the addresses."""
        if self.pool is None:
            return
        with_one = self.pool.get(block=False)
        if with_one is not None and with_one.sock is not None and _peer(with_one.sock) not in self.addresses:
            with_one.close()
        self.pool.put(with_one, block=False)


def _peer(connection: socket.socket) -> str:
    """Give the address to which a connection leads; "" when the other side has broken it off."""
    try:
        return str(connection.getpeername()[0])
    except OSError:
        return ""


def _tls(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


def _cause(error: Exception) -> str:
    if isinstance(error, SSLError | ssl.SSLError):
        return "tls_failed"
    if isinstance(error, NameResolutionError | NewConnectionError):
        return "not_reachable"
    if isinstance(error, urllib3.exceptions.TimeoutError | TimeoutError):
        return "timeout"
    return "answer_broken"


def _seconds(text: str | None) -> int | None:
    """Read Retry-After where it is a number of seconds; a date is left alone."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 9:
        return None
    return int(text)
