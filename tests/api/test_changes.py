"""The change log over HTTP: as a file, and checked."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.test import Client

from audit.models import AuditEntry
from audit.services import entry_append
from contracts.actor import Actor, Role
from tests.access.people import bearer

pytestmark = pytest.mark.django_db
EXPORT = "/api/v1/changes/export"


@pytest.fixture
def two(alice: Actor) -> None:
    for experiment in ("e1", "e2"):
        entry_append(
            actor=alice, action="note", subject_type="test", subject_id="1", reason="seen", experiment=experiment
        )


def test_export__csv_by_default__has_what_is_filtered(two: None) -> None:
    answer = Client().get(f"{EXPORT}?experiment=e2", headers=bearer(Role.VIEWER))
    (row,) = csv.DictReader(io.StringIO(answer.getvalue().decode()))
    assert (row["experiment"], row["reason"]) == ("e2", "seen")
    assert answer["Content-Type"].startswith("text/csv")


def test_export__jsonl__has_one_object_a_line(two: None) -> None:
    answer = Client().get(f"{EXPORT}?format=jsonl&initiator=person:alice", headers=bearer(Role.VIEWER))
    rows = [json.loads(line) for line in answer.getvalue().decode().splitlines()]
    assert [row["experiment"] for row in rows] == ["e2", "e1"]


def test_export__unknown_format__is_refused(two: None) -> None:
    assert Client().get(f"{EXPORT}?format=xls", headers=bearer(Role.VIEWER)).status_code == 422


def test_verify__sound_log__gives_rows_and_head(two: None) -> None:
    headers = bearer(Role.VIEWER)
    answer = Client().get("/api/v1/changes/verify", headers=headers).json()
    last = AuditEntry.objects.order_by("-id")[0]
    assert answer == {
        "ok": True, "rows": AuditEntry.objects.count(), "first_bad_id": None, "reason": "", "head": last.hash,
    }  # fmt: skip
