"""Which network addresses a message may be sent to: never the machine's own neighbourhood, unless it was permitted.

Whoever sets up a channel must not be able to make this server call what only this server reaches: cloud metadata
(169.254.169.254), the database beside it, a router.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NEVER = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
        "::/128", "fe80::/10", "ff00::/8", "fd00:ec2::/32", "100.100.100.200/32", "192.0.0.192/32",
    )
)  # fmt: skip
"""Link-local, multicast, unspecified and reserved, and the metadata services of clouds outside these. No setting
permits them."""
_NAT64 = ip_network("64:ff9b::/96")


def networks_read(text: str) -> tuple[Network, ...]:
    """`10.0.0.0/8, 127.0.0.1` as networks. Raises `ValueError`, naming what is none."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def refusal(address: str, *, permitted: Sequence[Network]) -> str:
    """Why nothing may be sent to this address; empty when it may."""
    for one in _meanings(ip_address(address.partition("%")[0])):
        if any(_within(one, network) for network in _NEVER):
            return f"{one} is a link-local, metadata or reserved address"
        if not one.is_global and not any(_within(one, network) for network in permitted):
            return f"{one} is a private address; SELFLEARN_NOTIFY_NETWORKS permits private networks"
    return ""


def is_permitted_private(address: str, *, permitted: Sequence[Network]) -> bool:
    """Whether an address lies in a network that the installation named as its own."""
    return any(_within(ip_address(address.partition("%")[0]), network) for network in permitted)


def _within(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network


def _meanings(address: Address) -> list[Address]:
    """The address, and the IPv4 address that it stands for: mapped, translated (NAT64), 6to4 or Teredo."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    inner: list[Address] = [address]
    if address in _NAT64:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    if address.sixtofour is not None:
        inner.append(address.sixtofour)
    if address.teredo is not None:
        inner.append(address.teredo[1])
    return inner
