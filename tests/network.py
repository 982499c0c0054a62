"""No test leaves the machine: sockets open to loopback addresses and unix paths only."""

from __future__ import annotations

import ipaddress
import sys

LOCAL_NAMES = frozenset({"", "localhost", "localhost.localdomain"})
LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
ADDRESSED = frozenset({"socket.connect", "socket.sendto"})


class NetworkForbidden(RuntimeError):
    """A test tried to leave the machine."""


def forbid() -> None:
    """Refuse, for the rest of this process, whatever Python code does to reach another machine."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in LOOKUPS:
        host = arguments[0]
    elif event in ADDRESSED and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if not _is_local(host):
        raise NetworkForbidden(f"{event} {host}")


def _is_local(host: object) -> bool:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is None or name in LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(str(name).partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
