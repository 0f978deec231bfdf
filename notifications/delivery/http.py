"""One POST to an address that somebody typed in: to no forbidden network, without redirects, within a total time."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

import httpx2

from notifications.delivery.outcome import LONGEST_ANSWER, Outcome, shortened
from notifications.domain.addresses import Network, is_permitted_private, refusal

_READ = 4 * LONGEST_ANSWER
"""Bytes of an answer that are read."""


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    permitted: Sequence[Network],
    timeout: float,
    verify: bool | ssl.SSLContext = True,
) -> Outcome:
    """POST once, within `timeout` seconds. 2xx is success; anything else, a redirect too, is not.

    1. Look the name up. One forbidden address among its addresses refuses them all.
    2. Connect to an address that was looked at, under the name that was asked for (certificate and `Host` too): a name
    that means something else a moment later (DNS rebinding) changes nothing. Proxies of the environment are left out,
    for they would look the name up again.
    3. The time holds for looking up and again for all the rest, however slowly the receiver lets its answer drip.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        addresses = _looked_up(host, port, timeout)
    except TimeoutError:
        return Outcome(sent=False, again=True, error=f"the name {host} was not found within {timeout:g} seconds")
    except OSError:
        return Outcome(sent=False, again=True, error=f"the name {host} is not known")
    for address in addresses:
        why = refusal(address, permitted=permitted)
        if not why and parts.scheme == "http" and not is_permitted_private(address, permitted=permitted):
            why = "http:// is not encrypted: use https:// outside permitted private networks"
        if why:
            return Outcome(sent=False, error=f"refused: {why}")
    try:
        return asyncio.run(_within(url, addresses, host, body, headers, timeout, verify))
    except TimeoutError:
        return Outcome(sent=False, again=True, error=f"no answer within {timeout:g} seconds")
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        return Outcome(sent=False, again=True, error=_said(error))


async def _within(
    url: str,
    addresses: Sequence[str],
    host: str,
    body: bytes,
    headers: Mapping[str, str],
    timeout: float,
    verify: bool | ssl.SSLContext,
) -> Outcome:
    async with asyncio.timeout(timeout), httpx2.AsyncClient(trust_env=False, verify=verify, timeout=None) as client:
        for place, address in enumerate(addresses):
            try:
                return await _posted(client, url, address, host, body, headers)
            except httpx2.ConnectError:
                if place == len(addresses) - 1:
                    raise
    raise httpx2.ConnectError("no address")


async def _posted(
    client: httpx2.AsyncClient, url: str, address: str, host: str, body: bytes, headers: Mapping[str, str]
) -> Outcome:
    parts = urlsplit(url)
    place = f"[{address}]" if ":" in address else address
    pinned = urlunsplit(parts._replace(netloc=place if parts.port is None else f"{place}:{parts.port}"))
    given = {**headers, "Host": parts.netloc, "User-Agent": "Selflearn-notifications/1"}
    async with client.stream(
        "POST", pinned, content=body, headers=given, extensions={"sni_hostname": host}
    ) as response:
        read = b""
        async for chunk in response.aiter_bytes():
            read += chunk
            if len(read) >= _READ:
                break
        answer = shortened(read[:_READ].decode(errors="replace"))
        if response.is_success:
            return Outcome(sent=True, status=response.status_code, answer=answer)
        return Outcome(
            sent=False,
            again=True,
            status=response.status_code,
            answer=answer,
            error="the receiver redirects; give the final address"
            if response.is_redirect
            else f"the receiver answered {response.status_code}",
            retry_after=_seconds(response.headers.get("retry-after", "")),
        )


def _looked_up(host: str, port: int, timeout: float) -> list[str]:
    """The addresses of a name. In a thread of its own, because the system's resolver knows no time limit."""
    found: list[str] = []
    failed: list[OSError] = []

    def look() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            failed.append(error if isinstance(error, OSError) else OSError(str(error)))
        else:
            found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(timeout)
    if failed:
        raise failed[0]
    if not found:
        raise TimeoutError
    return found


def _seconds(text: str) -> float | None:
    return float(text) if text.isdecimal() and len(text) < 9 else None


def _said(error: Exception) -> str:
    """In our own words: what a library says may hold the address, which may be a key."""
    names = {
        "ConnectError": "the receiver cannot be reached, or its certificate is not valid",
        "RemoteProtocolError": "the receiver closed the connection without an answer",
        "ReadError": "the connection broke while the answer was read",
        "WriteError": "the connection broke while the message was sent",
    }
    return names.get(type(error).__name__, f"it could not be sent ({type(error).__name__})")
