"""Memories of an existing history over HTTP: row by row, once each."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from contracts.actor import Role
from contracts.maas import NewMemory
from kernel.errors import InvalidInput
from maas import client as door
from maas.imports import MOST_AT_ONCE
from tests.access.people import bearer

ADDRESS = "/api/v1/maas/memories/import"


def row(user: uuid.UUID, text: str = "The bakery was closed today.", **changes: Any) -> dict[str, Any]:
    given = {"memory_id": str(uuid.uuid4()), "user_id": str(user), "text": text, "simulated_at": "2024-02-03T19:30:00Z"}
    return given | changes


def send(rows: list[dict[str, Any]], role: Role = Role.OPERATOR) -> Any:
    answer = Client().post(
        ADDRESS, {"memories": rows}, headers=bearer(role, uuid.uuid4().hex), content_type="application/json"
    )
    return answer.status_code, answer.json()


def test_import__new_rows__are_remembered_once(db: None, anna: uuid.UUID) -> None:
    rows = [row(anna), row(anna, "The tram was late.")]
    assert send(rows) == (200, {"imported": 2, "known": 0, "errors": []})
    status, body = send(rows)
    assert (status, body["imported"], body["known"]) == (200, 0, 2)
    assert door.memories_count(user_id=anna) == 2


def test_import__some_rows_wrong__takes_the_others_and_names_each(db: None, anna: uuid.UUID, boris: uuid.UUID) -> None:
    his = row(boris)
    send([his])
    rows = [
        row(anna),
        row(anna, "  "),
        {"text": "nobody's"},
        row(anna, simulated_at="2024-02-03T19:30:00"),
        row(anna, memory_id=his["memory_id"]),
    ]
    status, body = send(rows)
    assert (status, body["imported"], body["known"]) == (200, 1, 0)
    assert [(item["row"], item["message"]) for item in body["errors"]] == [
        (1, "text: it is empty"),
        (2, "memory_id: Field required"),
        (3, "simulated_at: needs a time zone"),
        (4, "this id belongs to a memory of another user"),
    ]
    assert door.memories_count(user_id=anna) == 1


def test_import__below_operator_or_too_many__is_refused(db: None, anna: uuid.UUID) -> None:
    assert send([row(anna)], Role.VIEWER)[0] == 403
    status, body = send([row(anna)] * (MOST_AT_ONCE + 1))
    assert (status, body["error"]["code"]) == (422, "INVALID_INPUT")
    assert door.memories_count(user_id=anna) == 0


def test_memories_import__student_elsewhere__goes_over_http(
    live_server: Any, settings: Settings, anna: uuid.UUID, boris: uuid.UUID
) -> None:
    token = bearer(Role.OPERATOR)["Authorization"].split()[1]
    settings.MAAS_URL, settings.MAAS_TOKEN = live_server.url, token
    at = datetime(2024, 2, 3, tzinfo=UTC)
    notes = [NewMemory(memory_id=uuid.uuid4(), user_id=anna, text=f"Note {n}.", simulated_at=at) for n in range(3)]
    assert [door.memories_import(notes), door.memories_import(notes), door.memories_count(user_id=anna)] == [3, 0, 3]
    stolen = notes[0].model_copy(update={"user_id": boris})
    with pytest.raises(InvalidInput, match="row 0: this id belongs to a memory of another user"):
        door.memories_import([stolen])
