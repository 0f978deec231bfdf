"""What is written to a table is read back as it was."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensor.models import SensorEvent
from sensor.services.copying import array, rows_copy

pytestmark = pytest.mark.django_db

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])) | st.sampled_from(
    ["\\N", "\\.", "NULL", "null", "", " ", "{}", '"', "\\", "a\tb\nc\rd\\t", "\b\f\v"]
)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2199, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=timezone(timedelta(hours=5, minutes=30)))
)
SCORES = st.floats(allow_nan=False)
NOW = datetime.now(UTC)
SENT: dict[str, Any] = {
    "user_id": uuid.uuid4(), "client_kind": "emulator", "mode": "dialogue", "cycle_type": "online", "query": "?",
    "found_ids": [], "found_scores": [], "keywords": [], "status": "COMPLETED", "asked_at": NOW, "started_at": NOW,
    "ended_at": NOW, "captured_at": NOW, "latency_ms": 1, "memories_found": 0, "retry_count": 0,
}  # fmt: skip
OTHERS = st.fixed_dictionaries(
    {
        "pipeline_run_id": st.uuids(),
        "consent": st.booleans(),
        "context_utilized": st.none() | st.booleans(),
        "avg_memory_age_days": st.none() | st.floats(-1e6, 1e6),
        "seed": st.none() | st.integers(-(2**63), 2**63 - 1),
        "total_cost_usd": st.none() | st.decimals(0, 1000, places=8),
        "answer": st.none() | TEXT,
        "asked_at": MOMENTS,
        "memory_id": st.none() | st.uuids(),
        "keywords": st.lists(TEXT, max_size=4),
        "used_ids": st.none() | st.lists(st.uuids(), max_size=4) | st.lists(st.uuids(), max_size=4).map(tuple),
        "found_scores": st.lists(st.none() | SCORES, max_size=4),
    }
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rows=st.lists(OTHERS, max_size=5, unique_by=lambda row: row["pipeline_run_id"]))
def test_rows_copy__any_values__are_read_back(given_rows: list[dict[str, Any]], db: None) -> None:
    SensorEvent.objects.all().delete()
    rows = [SENT | row for row in given_rows]
    with connection.cursor() as cursor:
        rows_copy(cursor, "public.sensor_events", rows)

    read = {row["pipeline_run_id"]: row for row in SensorEvent.objects.values(*SENT, *(rows[0] if rows else ()))}
    expected = {row["pipeline_run_id"]: {n: list(v) if type(v) is tuple else v for n, v in row.items()} for row in rows}
    assert read == expected


@pytest.mark.parametrize("count", [0, 1, 100, 101, 250])
def test_rows_copy__many_rows__all_arrive(count: int) -> None:
    with connection.cursor() as cursor:
        rows_copy(cursor, "public.sensor_events", [SENT | {"pipeline_run_id": uuid.uuid4()} for _ in range(count)])

    assert SensorEvent.objects.count() == count


def test_rows_copy__value_that_it_does_not_know__is_an_error_and_writes_nothing() -> None:
    rows = [SENT | {"pipeline_run_id": uuid.uuid4(), "query": text} for text in ("text", b"bytes")]
    with pytest.raises(TypeError, match="bytes"), transaction.atomic(), connection.cursor() as cursor:
        rows_copy(cursor, "public.sensor_events", rows)

    assert not SensorEvent.objects.exists()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXT | st.none(), max_size=5))
def test_array__as_a_parameter__is_read_back(texts: list[str | None], db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text[]", [array(texts)])
        assert cursor.fetchone() == (texts,)
