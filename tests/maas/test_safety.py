"""Safety checks of the student: they pass on what the migrations make, and fail on what is broken by hand."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connections

from maas.access import as_service
from maas.client import safety_checks
from tests.maas.conftest import Remember


def found() -> dict[str, tuple[bool, str]]:
    return {item.name: (item.ok, item.detail) for item in safety_checks()}


@pytest.mark.django_db
def test_safety__as_migrated__holds_and_says_what_was_tried(
    anna: uuid.UUID, boris: uuid.UUID, remember: Remember
) -> None:
    for user in (anna, boris):
        remember(user, "Learning to play the cello in Kazan.")
    checks = found()
    assert all(ok for ok, _ in checks.values()), checks
    assert checks["tenant isolation"][1].startswith("tried as 2 users")


@pytest.mark.django_db(transaction=True)
def test_safety__row_security_switched_off__fails_by_catalogue_and_by_trying(
    anna: uuid.UUID, boris: uuid.UUID, remember: Remember, as_owner: Any
) -> None:
    for user in (anna, boris):
        remember(user, "Learning to play the cello in Kazan.")
    with as_owner("maas"), connections["maas"].cursor() as cursor:
        cursor.execute("ALTER TABLE lsm_storage DISABLE ROW LEVEL SECURITY")
    try:
        checks = found()
    finally:
        with as_owner("maas"), connections["maas"].cursor() as cursor:
            cursor.execute("ALTER TABLE lsm_storage ENABLE ROW LEVEL SECURITY")
    assert checks["row-level security"] == (False, "lsm_storage is not guarded")
    assert not checks["tenant isolation"][0]
    assert "can change memory" in checks["tenant isolation"][1]


@pytest.mark.django_db
def test_safety__a_search_that_found_anothers_memory__is_told(
    anna: uuid.UUID, boris: uuid.UUID, remember: Remember
) -> None:
    memory = remember(boris, "Learning to play the cello in Kazan.")
    with as_service() as cursor:
        cursor.execute(
            "INSERT INTO pipeline_runs (id, user_id, user_query, status, retrieval)"
            " VALUES (%s, %s, 'x', 'NEW', jsonb_build_object('found', jsonb_build_array(%s::text)))",
            [uuid.uuid4(), anna, str(memory)],
        )
    assert found()["searches stay with their user"] == (False, "1 found memories belong to another user")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "ok"),
    [
        ("no answer for clara@example.org", False),
        ("dialling +7 912 345-67-89 failed", False),
        ("card 4111 1111 1111 1111 refused", False),
        ("run 7b0f4a52-6f0e-4c5e-9a35-0d6f3c1b2a10 timed out at 2026-12-01T04:38:39.123456+00:00", True),
    ],
)
def test_safety__error_text_with_personal_data__is_told_without_it(anna: uuid.UUID, text: str, ok: bool) -> None:
    with as_service() as cursor:
        cursor.execute(
            "INSERT INTO pipeline_runs (id, user_id, user_query, status, error_message)"
            " VALUES (%s, %s, 'x', 'FAILED', %s)",
            [uuid.uuid4(), anna, text],
        )
    held, detail = found()["personal data in logs"]
    assert held is ok
    assert text not in detail
