# ruff: noqa: ARG001 - ninja calls every route with `request`
"""A user's conversations, memories and consent over HTTP, for clients that talk for their users."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.pagination import paginate
from ninja.params import P, QueryEx

from contracts.base import Json
from contracts.paging import Pages, cursor_wrong
from maas import conversations as service

router = Router(tags=["maas"])

User = QueryEx[uuid.UUID, P(description="whose; of another user's nothing is told")]
Item = TypeVar("Item", service.Conversation, service.Exchange, service.Remembered)


class OwnPages(Pages[Item]):
    """Rows of one user, ordered by a time and an id."""

    def __init__(
        self, read: Callable[..., tuple[list[Item], int]], key: tuple[str, str], *, turned: bool = False
    ) -> None:
        self._read: Callable[..., tuple[list[Item], int]] = read
        self._key, self.turned = key, turned

    def page(self, *, after: Sequence[Json] | None, limit: int, offset: int) -> tuple[list[Item], int]:
        items, count = self._read(limit=limit, offset=offset, after=None if after is None else _moment(after))
        return (items[::-1] if self.turned else items), count

    def key(self, item: Item) -> Sequence[Json]:
        at, last = (getattr(item, name) for name in self._key)
        return [at.isoformat(), str(last)]


class ThreadPages(OwnPages[service.Exchange]):
    def __init__(self, *, user_id: uuid.UUID, thread_id: uuid.UUID) -> None:
        self.thread_id = thread_id
        read = partial(service.conversation, user_id=user_id, thread_id=thread_id)
        super().__init__(read, ("asked_at", "run_id"), turned=True)


def _moment(after: Sequence[Json]) -> service.After:
    try:
        at, last = after
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError
        return moment, uuid.UUID(last)
    except (ValueError, TypeError, AttributeError) as error:
        raise cursor_wrong("this is no cursor of this list") from error


class ConsentIn(Schema, extra="forbid"):
    user_id: uuid.UUID
    consent: bool
    thread_id: uuid.UUID | None = None
    """One conversation; without it all that the user has had."""


class ConsentOut(Schema):
    user_id: uuid.UUID
    consent: bool
    changed: int
    """Exchanges whose flag this has changed."""


@router.get("/maas/conversations", response=list[service.Conversation], summary="A user's conversations, latest first")
@paginate
def conversations_list(request: HttpRequest, user_id: User) -> OwnPages[service.Conversation]:
    """A conversation is the runs that share a `thread_id`; `first_words` is how it began."""
    return OwnPages(partial(service.conversations, user_id=user_id), ("last_at", "thread_id"))


@router.get("/maas/conversations/{uuid:thread_id}", response=list[service.Exchange], summary="One conversation")
@paginate(beside={"thread_id": uuid.UUID})
def conversation_get(request: HttpRequest, thread_id: uuid.UUID, user_id: User) -> ThreadPages:
    """The last `limit` exchanges, oldest first; `next` leads to those before.

    Each exchange with its answer, the memories found and used with their scores, and what it left in memory."""
    return ThreadPages(user_id=user_id, thread_id=thread_id)


@router.get("/maas/memories", response=list[service.Remembered], summary="What is remembered of a user, newest first")
@paginate
def memories_list(request: HttpRequest, user_id: User) -> OwnPages[service.Remembered]:
    return OwnPages(partial(service.memories, user_id=user_id), ("at", "memory_id"))


@router.put("/maas/consent", response=ConsentOut, summary="Whether a user's conversations may be learnt from")
def consent_put(request: HttpRequest, body: ConsentIn) -> ConsentOut:
    """False takes back what was given before. Runs to come carry `consent` in their own request (default: false)."""
    changed = service.consent_set(user_id=body.user_id, consent=body.consent, thread_id=body.thread_id)
    return ConsentOut(user_id=body.user_id, consent=body.consent, changed=changed)
