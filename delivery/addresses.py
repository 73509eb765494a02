"""Say which network addresses and URLs an endpoint may not have.

An address counts by what it leads to: IPv4 inside IPv6 (mapped, compatible, NAT64, 6to4, Teredo,
ISATAP) is unwrapped first. The check belongs where the socket is opened, with the address that is
about to be connected: a name may resolve to something else a moment later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from itertools import chain
from urllib.parse import SplitResult, urlsplit

import idna

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL_CHARACTERS = 2_048

# From the IANA special-purpose address registries; the first row that fits gives the name.
_REFUSED: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(text), kind)
    for text, kind in (
        ("169.254.169.254/32", "a cloud's metadata address"),
        ("168.63.129.16/32", "a cloud's metadata address"),  # Azure's, in a public range
        ("100.100.100.200/32", "a cloud's metadata address"),  # Alibaba's
        ("192.0.0.192/32", "a cloud's metadata address"),  # Oracle's
        ("fd00:ec2::254/128", "a cloud's metadata address"),
        ("fd20:ce::254/128", "a cloud's metadata address"),
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("172.16.0.0/12", "a private address"),
        ("192.168.0.0/16", "a private address"),
        ("100.64.0.0/10", "a provider's internal address (CGNAT)"),
        ("127.0.0.0/8", "a loopback address"),
        ("169.254.0.0/16", "a link-local address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a reserved address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("64:ff9b:1::/48", "a local translation address (NAT64)"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a private address"),
        ("ff00::/8", "a multicast address"),
        ("2001:db8::/32", "a documentation address"),
        ("3fff::/20", "a documentation address"),
        ("2001::/23", "a reserved address"),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", re.ASCII)
_ISATAP = (0x00005EFE, 0x02005EFE)


def refuse_reason(ip: str, *, allowed_networks: Sequence[Network] = ()) -> str | None:
    """Return why nothing may be sent to this address, `None` if it may.

    Allowed are public addresses and those inside `allowed_networks`.
    """
    try:
        address = ip_address(ip)
    except ValueError:
        return f"{ip} is not an IP address"
    if _is_in(address, allowed_networks):
        return None
    for inner in tuple(_embedded(address)) or (address,):
        kind = None if _is_in(inner, allowed_networks) else _kind(inner)
        if kind:
            return f"{ip} is {kind}" if inner == address else f"{ip} leads to {inner}, {kind}"
    return None


def check_url(url: str, *, allowed_networks: Sequence[Network] | None = None) -> str | None:
    """Return why this cannot be an endpoint's URL, `None` if it can.

    Looks at the text alone; with `allowed_networks` also at an address that the URL names itself.
    """
    if len(url) > MAX_URL_CHARACTERS:
        return f"The URL is longer than {MAX_URL_CHARACTERS} characters."
    if re.search(r"[\s\\\x00-\x1f\x7f]", url):
        return "The URL contains white space, a backslash or a control character."
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "The URL cannot be read."
    faults = chain(_part_faults(parts, port), _host_faults(host or "", allowed_networks))
    return next(faults, None)


def _part_faults(parts: SplitResult, port: int | None) -> Iterator[str]:
    if parts.scheme not in ("http", "https"):
        yield "The URL must start with https:// or http://."
    if "@" in parts.netloc:
        yield "The URL contains a user name or password; enter credentials separately."
    if port == 0:
        yield "The URL names port 0."


def _host_faults(host: str, allowed_networks: Sequence[Network] | None) -> Iterator[str]:
    address = literal(host)
    if not host:
        yield "The URL names no host."
    elif address is None:
        yield from _name_faults(host)
    elif allowed_networks is not None:
        reason = refuse_reason(str(address), allowed_networks=allowed_networks)
        if reason:
            yield f"The URL cannot be used: {reason}."


def _name_faults(host: str) -> Iterator[str]:
    # Some resolvers read 2130706433, 0x7f.1 and 127.1 as addresses; nobody means well by them.
    if re.fullmatch(r"[0-9]+|0[xX][0-9a-fA-F]*", host.rstrip(".").rpartition(".")[2]):
        yield "The URL's host looks like an address but is not written as one."
    try:
        name = host if host.isascii() else idna.encode(host.rstrip("."), uts46=True).decode()
    except idna.IDNAError:
        yield "The URL's host is not a valid name."
        return
    labels = name.removesuffix(".").split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        yield "The URL's host is not a valid name."


def literal(host: str) -> Address | None:
    """Return the address that a URL's host spells out, `None` if it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(network.version == address.version and address in network for network in networks)


def _kind(address: Address) -> str | None:
    for network, kind in _REFUSED:
        if network.version == address.version and address in network:
            return kind
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return "a reserved address"
    return None


def _embedded(address: Address) -> Iterator[Address]:
    """Yield the IPv4 addresses that an IPv6 address leads to."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    last_32 = IPv4Address(number & 0xFFFFFFFF)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address in _NAT64 or (address in _COMPATIBLE and number > 1):
        yield last_32
    elif address.sixtofour is not None:
        yield address.sixtofour
    elif address.teredo is not None:
        yield from address.teredo
    elif number >> 32 & 0xFFFFFFFF in _ISATAP:
        yield last_32
        # The outer address is routed first, so it must be fit by itself.
        yield address
