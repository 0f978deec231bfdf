"""What a channel's address must look like, and how much of it may be shown."""

from __future__ import annotations

import re
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

MOST_RECIPIENTS = 20
LONGEST = 1000
_MAIL = re.compile(r"[^@\s,<>\"]{1,64}@[^@\s,<>\"]{1,253}")


class Kind(StrEnum):
    EMAIL = "email"
    WEBHOOK = "webhook"
    SLACK = "slack"


def recipients(address: str) -> list[str]:
    return [part.strip() for part in address.split(",") if part.strip()]


def problem(kind: Kind, address: str) -> str:
    """Why this is no address of that kind; empty when it is one. Looks up no name."""
    if len(address) > LONGEST or any(ord(letter) < 32 for letter in address):
        return f"an address has at most {LONGEST} characters, and no line breaks"
    if kind is Kind.EMAIL:
        found = recipients(address)
        if not 1 <= len(found) <= MOST_RECIPIENTS:
            return f"give 1 to {MOST_RECIPIENTS} e-mail addresses, with commas between"
        wrong = [one for one in found if not _MAIL.fullmatch(one)]
        return f"{wrong[0]!r} is no e-mail address" if wrong else ""
    return _web_problem(address)


def _web_problem(address: str) -> str:
    try:
        parts = urlsplit(address)
        _port = parts.port
    except ValueError:
        return "this is no web address"
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return "give a web address that begins with https:// (http:// only within a permitted private network)"
    if parts.username is not None or parts.password is not None:
        return "put no name or password into the address"
    return "leave out what follows the #" if parts.fragment else ""


def literal_ip(address: str) -> str:
    """The IP address that a web address names outright; empty when it names a host."""
    host = urlsplit(address).hostname or ""
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        return ""


def shown(kind: Kind, address: str) -> str:
    """The address without what may be a key: the path and query of a web address are never shown again."""
    if kind is Kind.EMAIL:
        return address
    parts = urlsplit(address)
    beyond = "/…" if parts.path not in ("", "/") or parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{beyond}"
