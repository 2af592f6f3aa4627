"""Requests to hosts that others name go to public addresses only, and to those that were checked."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Collection

import httpx

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

# Special purposes that not every version of `ipaddress` knows: RFC 6890, RFC 7526, RFC 9637.
_NOBODYS = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Refused(httpx.TransportError):
    """The host has an address that is not public, or none."""


class PublicOnly(httpx.AsyncHTTPTransport):
    """Looks a host up once, checks all its addresses, and connects to the first of them.

    Args:
        allowed: ``host:port`` of hosts that may have any address.
        trust: which certificates are trusted; by default those that httpx trusts.
        resolve: gives the addresses of a host and a port, as `socket.getaddrinfo` does by default.
    """

    def __init__(
        self,
        allowed: Collection[str],
        trust: ssl.SSLContext | None = None,
        resolve: Callable[[str, int], list[str]] | None = None,
    ) -> None:
        # A connection that is kept is kept for an address, whose certificate may be that of another host.
        super().__init__(verify=trust or True, limits=httpx.Limits(max_keepalive_connections=0))
        self._allowed = allowed
        self._resolve = resolve or _looked_up

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its header Host and its certificate are those of the host that was named."""
        url = request.url
        host, port = url.host, url.port or (443 if url.scheme == "https" else 80)
        try:
            found = await asyncio.to_thread(self._resolve, host, port)
            addresses = [ipaddress.ip_address(address.partition("%")[0]) for address in found]
        except (OSError, ValueError) as error:
            raise Refused(f"the host {host} is not known") from error
        if not addresses:
            raise Refused(f"the host {host} has no address")
        if f"{host}:{port}" not in self._allowed and not all(map(is_public, addresses)):
            raise Refused(f"the host {host} has an address that is not public")
        request.url = url.copy_with(host=str(addresses[0]))
        request.extensions = {**request.extensions, "sni_hostname": host}
        return await super().handle_async_request(request)


def _looked_up(host: str, port: int) -> list[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def may_be_public(host: str) -> bool:
    """Whether a host may have public addresses, as far as that is told without looking it up.

    Args:
        host: a name, or an address in any form that resolvers take, such as ``127.1`` and ``0x7f000001``.
    """
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return False
    try:
        return is_public(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        pass
    try:
        return is_public(ipaddress.IPv4Address(socket.inet_aton(name)))
    except (OSError, ValueError):
        return True


def is_public(address: Address) -> bool:
    """Whether anybody on the internet may have an address; one that is packed into another counts itself."""
    if isinstance(address, ipaddress.IPv6Address):
        inner: list[ipaddress.IPv4Address] = [*filter(None, (address.ipv4_mapped, address.sixtofour))]
        inner += address.teredo or ()
        if address in _NAT64:
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if inner:
            return all(map(is_public, inner))
        if address.is_site_local:
            return False
    if any(address in network for network in _NOBODYS):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
