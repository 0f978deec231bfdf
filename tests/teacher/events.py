"""Rows of `sensor_events` as the Sensor leaves them, in few words."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from kernel.canonical import derive_uuid
from sensor.models import SensorEvent

BATCH = "batch-1"
START = datetime.now(UTC).replace(microsecond=0)
_places = iter(range(10**9))


def ids(text: str) -> list[uuid.UUID]:
    """Memory ids by their names: `ids("a b")`."""
    return [derive_uuid("memory", name) for name in text.split()]


def event(found: str = "", expected: str | None = "", **columns: Any) -> SensorEvent:
    """One recorded run: names of memories found (best first) and expected (None: no ground truth of them)."""
    place = next(_places)
    started = START + timedelta(milliseconds=place)
    values: dict[str, Any] = {
        "pipeline_run_id": uuid.uuid4(),
        "user_id": derive_uuid("user", "anna"),
        "client_kind": "emulator",
        "mode": "evaluation",
        "variant": "baseline",
        "cycle_type": "macro",
        "query": "Where?",
        "found_ids": ids(found),
        "used_ids": ids(found),
        "memories_found": len(found.split()),
        "expected_ids": None if expected is None else ids(expected),
        "batch": BATCH,
        "dataset": "d",
        "split": "validation",
        "example_id": f"e{place:06d}",
        "cluster": "c",
        "category": "factual",
        "difficulty": "easy",
        "should_retrieve": bool(expected),
        "status": "COMPLETED",
        "asked_at": started,
        "started_at": started,
        "ended_at": started,
        "latency_ms": Decimal("10"),
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_cost_usd": Decimal("0.001"),
        "isolation_ok": True,
        "captured_at": started,
        **columns,
    }
    return SensorEvent(**values)


def store(*events: SensorEvent) -> list[SensorEvent]:
    return SensorEvent.objects.bulk_create(events)
