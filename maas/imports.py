"""Memories of existing histories that come in rows from outside: each is checked by itself."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from contracts.actor import Actor, Role
from contracts.maas import NewMemory
from kernel.errors import InvalidInput
from maas.access import as_service
from maas.memories import memories_import
from maas.services import MAX_QUERY_LENGTH

MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row was not taken. `row` counts from 0."""

    row: int
    memory_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Imported:
    """`imported`: new now. `known`: were there already, left as they are. `errors`: the others."""

    imported: int
    known: int
    errors: tuple[RowError, ...]


def rows_import(*, rows: Sequence[Mapping[str, Any]], actor: Actor) -> Imported:
    """Import the rows that are right, say of each other what is wrong with it. The same rows again import nothing.

    A row is wrong when it is no memory, its text is empty or too long, its time has no zone, or its id belongs to
    another user. Raises `NotAuthorised` below operator, `InvalidInput` for more than `MOST_AT_ONCE` rows.
    """
    actor.require(Role.OPERATOR)
    if len(rows) > MOST_AT_ONCE:
        raise InvalidInput(f"at most {MOST_AT_ONCE} memories at once", details={"field": "memories"})
    good: dict[int, NewMemory] = {}
    wrong: dict[int, str] = {}
    for number, row in enumerate(rows):
        try:
            good[number] = _memory(row)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            wrong[number] = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}".removeprefix(": ")
        except InvalidInput as error:
            wrong[number] = error.message
    owners = _owners([memory.memory_id for memory in good.values()])
    for number, memory in list(good.items()):
        if owners.setdefault(memory.memory_id, memory.user_id) != memory.user_id:
            wrong[number] = "this id belongs to a memory of another user"
            del good[number]
    added = memories_import(memories=list(good.values()))
    refused = (RowError(number, str(rows[number].get("memory_id", "")), wrong[number]) for number in sorted(wrong))
    return Imported(imported=added, known=len(good) - added, errors=tuple(refused))


def _memory(row: Mapping[str, Any]) -> NewMemory:
    memory = NewMemory.model_validate(row)
    if not memory.text.replace("\x00", "").strip():
        raise InvalidInput("text: it is empty")
    if len(memory.text) > MAX_QUERY_LENGTH:
        raise InvalidInput(f"text: longer than {MAX_QUERY_LENGTH} characters")
    if memory.simulated_at.tzinfo is None:
        raise InvalidInput("simulated_at: needs a time zone")
    return memory


def _owners(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    with as_service() as cursor:
        cursor.execute("SELECT id, user_id FROM lsm_storage WHERE id = ANY(%s)", [list(ids)])
        return {uuid.UUID(str(row[0])): uuid.UUID(str(row[1])) for row in cursor.fetchall()}
