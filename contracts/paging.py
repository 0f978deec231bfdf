"""Where a page of a list ended: an opaque text that a client gives back to read on. Pure.

A cursor names the last row by the values that order it, not by its number: rows that are added or taken away meanwhile
shift nothing. It belongs to one list with one order and one set of filters (`place`), and says so when it is given to
another. It is no secret: whoever forges one reads the same list from another row.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from contracts.base import Json
from kernel.errors import InvalidInput

LONGEST = 2000
"""Characters; ours are far below."""
MARK = 12


Item = TypeVar("Item")


class Pages(Protocol[Item]):
    """A list that is read by its own statements, page by page. `turned`: each page is shown last item first."""

    turned: bool

    def page(self, *, after: Sequence[Json] | None, limit: int, offset: int) -> tuple[list[Item], int]:
        """At most `limit` items behind the one of that key, past `offset` of them; and how many the list has.

        Raises `InvalidInput` for a key that is none of this list's.
        """

    def key(self, item: Item) -> Sequence[Json]:
        """What orders an item, and no other has."""


def cursor_write(place: str, values: Sequence[Json]) -> str:
    body = json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(f"{_mark(place, body)}{body}".encode()).decode().rstrip("=")


def cursor_read(place: str, text: str) -> list[Any]:
    """The values that `cursor_write` was given. Raises `InvalidInput` for anything else."""
    try:
        if len(text) > LONGEST or not text.isascii():
            raise ValueError
        whole = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
        mark, body = whole[:MARK], whole[MARK:]
        values = json.loads(body)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise cursor_wrong("this is no cursor of this list") from error
    if mark != _mark(place, body) or not isinstance(values, list):
        raise cursor_wrong("this is no cursor of this list with this order and these filters")
    return values


def cursor_wrong(why: str) -> InvalidInput:
    message = f"{why}; leave it out to begin anew"
    return InvalidInput(message, details={"field": "cursor"})


def _mark(place: str, body: str) -> str:
    return hashlib.sha256(f"{place}\0{body}".encode()).hexdigest()[:MARK]
