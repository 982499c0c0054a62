"""Which network addresses are places of the open internet, and which names of hosts can be meant.

The table is our own, from the IANA special-purpose address registries (IPv4 and IPv6, RFC 6890 and what was added to
it), because what a library calls "global" changes with its version: whoever updates Python must not change where this
program connects.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_SPECIAL: Final[tuple[Network, ...]] = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by carriers
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local; clouds tell their secrets here
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays, ended
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and the limited broadcast
            "::/8",  # unspecified, loopback, IPv4 written into IPv6
            "64:ff9b::/96",  # IPv4 behind a translator
            "64:ff9b:1::/48",  # the same, local
            "100::/64",  # discard
            "100:0:0:1::/64",  # dummy
            "2001::/23",  # protocol assignments, Teredo, ORCHID
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: IPv4 inside
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
            "5f00::/16",  # segment routing
            "fc00::/7",  # unique local
            "fe80::/10",  # link-local
            "fec0::/10",  # site-local, ended
            "ff00::/8",  # multicast
        ),
    )
)
_UNICAST_6: Final = ipaddress.IPv6Network("2000::/3")
"""The only part of IPv6 from which addresses of the internet are given out."""

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


def is_open(address: Address) -> bool:
    """Say whether an address is a place of the open internet."""
    if isinstance(address, ipaddress.IPv6Address) and (address.scope_id or address not in _UNICAST_6):
        return False
    return not any(address in network for network in _SPECIAL if network.version == address.version)


def host_of(text: str) -> str | Address | None:
    """Read the host of an address: a name in small letters, or an address written in the one plain way.

    A decimal, octal, hexadecimal or shortened IPv4 address ("2130706433", "0x7f.1", "0177.0.0.1") is neither: systems
    do not agree on what it means.

    Args:
        text: the host as it stands between "//" and the port; an IPv6 address in brackets.

    Returns:
        None when it is neither.
    """
    name = text.lower()
    if name.startswith("["):
        return _address(name[1:-1], ipaddress.IPv6Address) if name.endswith("]") else None
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _address(name, ipaddress.IPv4Address)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    return name


def _address(text: str, kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address]) -> Address | None:
    try:
        return kind(text)
    except ValueError:
        return None
