"""Memories of existing histories over HTTP: for whoever moves a history in, and for the Emulator's everyday notes."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from contracts.doors import actor_of
from maas.imports import MOST_AT_ONCE, Imported, rows_import

router = Router(tags=["maas"])


class MemoriesIn(Schema, extra="forbid"):
    """Rows of a history."""

    memories: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MOST_AT_ONCE,
        description="Each with `memory_id`, `user_id`, `text`, `simulated_at` (with a time zone), and if wanted "
        "`speaker` and `metadata`.",
        examples=[
            [
                {
                    "memory_id": "3f1c2a90-6a51-4f0e-9a6b-0b6a2f5d7c11",
                    "user_id": "7b0f4a52-6f0e-4c5e-9a35-0d6f3c1b2a10",
                    "text": "The bakery was closed today.",
                    "simulated_at": "2024-02-03T19:30:00Z",
                }
            ]
        ],
    )


class RowErrorOut(Schema):
    row: int = Field(description="Its place in `memories`, from 0.")
    memory_id: str = Field(description="As it was given; empty when there was none.")
    message: str


class MemoriesImportedOut(Schema):
    """What became of the rows."""

    imported: int = Field(description="New now.")
    known: int = Field(description="Were there already, and are left as they are.")
    errors: list[RowErrorOut] = Field(description="Rows that were not taken; those beside them were.")


@router.post(
    "/maas/memories/import",
    response=MemoriesImportedOut,
    operation_id="memories_import",
    summary="Add memories of an existing history",
    openapi_extra={"x-never": ["404", "409"]},
)
def memories_import(request: HttpRequest, body: MemoriesIn) -> Imported:
    """Needs the role operator. Idempotent by `memory_id`; each row is checked by itself, at most 1,000 at once."""
    return rows_import(rows=body.memories, actor=actor_of(request))
