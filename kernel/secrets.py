"""Secrets taken out of a text that is about to be shown or kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "***"
SHORTEST = 6
"""Characters. A shorter value is left alone: it may be a part of any word."""

_SHAPES = (
    re.compile(r"(\bslt_)[\w-]{20,}"),  # a token of the API; the ten characters that lists show may be logged
    re.compile(r"(\bwhsec_)[A-Za-z0-9+/=_-]{20,}"),
    re.compile(r"(\bBearer\s+)[^\s\"',;]{6,}", re.IGNORECASE),
    re.compile(r"(://[^\s:/@\"']*:)[^\s/@\"']+(?=@)"),  # the password of an address
)


def hide_in(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without these values, as they are or as an address or JSON writes them, and without what has the shape of
    a token of ours, a signing secret, a bearer header or a password in an address."""
    for secret in sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True):
        for written in (secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1]):
            text = text.replace(written, HIDDEN)
    for shape in _SHAPES:
        text = shape.sub(rf"\g<1>{HIDDEN}", text)
    return text
