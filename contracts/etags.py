"""ETags: what a client saw, so that it changes what it saw and nothing else. Pure; for every room's API.

A route that shows one thing gives its tag (`tagged`). A route that changes it takes `If-Match` (`unchanged`): when the
thing is another by now, nothing happens, and the answer is 412 with the tag that it has now. Without `If-Match` the
route does what it did. In `openapi_extra`, `TAGGED` and `TAKES_IF_MATCH` say so to the document; the site adds headers
and statuses, and answers 304 to `If-None-Match` by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

from pydantic import BaseModel

from kernel.canonical import stable_hash
from kernel.errors import Stale

TAGGED = {"x-etag": True}
TAKES_IF_MATCH = {"x-if-match": True, "x-etag": True}

Shown = TypeVar("Shown", bound=BaseModel)
_TAG = re.compile(r'(W/)?"([^"]*)"')


def etag_of(shown: BaseModel) -> str:
    """Of all that a client is shown: the same content always has the same tag."""
    return f'"{stable_hash(shown.model_dump(mode="json"))[:24]}"'


def tagged(response: Any, shown: Shown) -> Shown:
    """Puts the tag on the route's `response`, and hands on what is shown."""
    response["ETag"] = etag_of(shown)
    return shown


@contextmanager
def unchanged(
    request: Any,
    shown: Callable[[], BaseModel | str],
    *,
    inside: Callable[[], AbstractContextManager[Any]] = nullcontext,
    lock: Callable[[], object] | None = None,
) -> Iterator[None]:
    """Around the call of a service: raises `Stale` when the caller named a tag that the thing does not have any more.

    1. Without `If-Match` nothing is done. 2. `inside` (`transaction.atomic`) is entered and `lock` taken, so that of
    two callers with one tag the second waits. 3. What is shown now, or its tag, is compared. Take no `inside` around a
    service that keeps what it records when it refuses; such a service must compare and swap by itself.
    """
    asked = request.headers.get("If-Match")
    if asked is None:
        yield
        return
    with inside():
        if lock is not None:
            lock()
        found = shown()
        now = found if isinstance(found, str) else etag_of(found)
        if not tag_matches(asked, now, weak=False):
            raise Stale("this was changed since you looked; look again and decide anew", details={"etag": now})
        yield


def tag_matches(header: str, tag: str, *, weak: bool) -> bool:
    """Whether a list of tags, or `*`, names this one. `weak`: tags of `If-None-Match` count whether weak or not."""
    if header.strip() == "*":
        return True
    return any(f'"{found[2]}"' == tag for found in _TAG.finditer(header) if weak or not found[1])
