"""Events as a MaaS that runs elsewhere sends them: rows read from JSON."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sensor.factories import ANNA, TIMINGS

STARTED = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def found(*, user_id: uuid.UUID | None = ANNA, days_ago: float | None = 2, **changes: Any) -> dict[str, Any]:
    """A memory that a run found; what is None is not told."""
    told: dict[str, Any] = {"id": str(uuid.uuid4()), "score": 0.9}
    if user_id is not None:
        told["user_id"] = str(user_id)
    if days_ago is not None:
        told["created_at"] = (STARTED - timedelta(days=days_ago)).isoformat()
    return told | changes


def event(**changes: Any) -> dict[str, Any]:
    return {
        "event_id": str(uuid.uuid4()),
        "pipeline_run_id": str(uuid.uuid4()),
        "user_id": str(ANNA),
        "client_kind": "emulator",
        "query": "Where does my sister live?",
        "keywords": ["sister", "live"],
        "answer": "In Kazan.",
        "status": "COMPLETED",
        "started_at": STARTED.isoformat(),
        "ended_at": (STARTED + timedelta(seconds=2)).isoformat(),
        "stages": TIMINGS,
    } | changes


def without(name: str) -> dict[str, Any]:
    return {field: value for field, value in event().items() if field != name}
