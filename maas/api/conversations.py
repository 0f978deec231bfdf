# ruff: noqa: ARG001 - ninja calls every route with `request`
"""A user's conversations, memories and consent over HTTP, for clients that talk for their users."""

import uuid

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.params import P, QueryEx

from maas import conversations as service

router = Router(tags=["maas"])

User = QueryEx[uuid.UUID, P(description="whose; of another user's nothing is told")]
Limit = QueryEx[int, P(ge=1, le=service.LONGEST_PAGE)]
Offset = QueryEx[int, P(ge=0)]


class ConversationsOut(Schema):
    items: list[service.Conversation]
    count: int


class ConversationOut(Schema):
    thread_id: uuid.UUID
    items: list[service.Exchange]
    """The last `limit` exchanges (before the last `offset`), oldest first."""
    count: int


class MemoriesOut(Schema):
    items: list[service.Remembered]
    count: int


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


@router.get("/maas/conversations", response=ConversationsOut, summary="A user's conversations, latest first")
def conversations_list(request: HttpRequest, user_id: User, limit: Limit = 50, offset: Offset = 0) -> ConversationsOut:
    """A conversation is the runs that share a `thread_id`; `first_words` is how it began."""
    items, count = service.conversations(user_id=user_id, limit=limit, offset=offset)
    return ConversationsOut(items=items, count=count)


@router.get("/maas/conversations/{uuid:thread_id}", response=ConversationOut, summary="One conversation")
def conversation_get(
    request: HttpRequest, thread_id: uuid.UUID, user_id: User, limit: Limit = 50, offset: Offset = 0
) -> ConversationOut:
    """Each exchange with its answer, the memories found and used with their scores, and what it left in memory."""
    items, count = service.conversation(user_id=user_id, thread_id=thread_id, limit=limit, offset=offset)
    return ConversationOut(thread_id=thread_id, items=items, count=count)


@router.get("/maas/memories", response=MemoriesOut, summary="What is remembered of a user, newest first")
def memories_list(request: HttpRequest, user_id: User, limit: Limit = 50, offset: Offset = 0) -> MemoriesOut:
    items, count = service.memories(user_id=user_id, limit=limit, offset=offset)
    return MemoriesOut(items=items, count=count)


@router.put("/maas/consent", response=ConsentOut, summary="Whether a user's conversations may be learnt from")
def consent_put(request: HttpRequest, body: ConsentIn) -> ConsentOut:
    """False takes back what was given before. Runs to come carry `consent` in their own request (default: false)."""
    changed = service.consent_set(user_id=body.user_id, consent=body.consent, thread_id=body.thread_id)
    return ConsentOut(user_id=body.user_id, consent=body.consent, changed=changed)
