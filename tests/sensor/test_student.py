"""What the student itself makes of a request is recorded whole."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from contracts.maas import NewMemory, RunRequest
from maas.client import get_client, memories_import
from sensor.models import SensorEvent, TelemetryEvent
from sensor.services import catch_up
from tests.sensor.factories import ANNA


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["evaluation", "dialogue"])
def test_catch_up__run_answered_by_the_student__has_its_finds_scores_and_stages(mode: str) -> None:
    memory_id = uuid.uuid4()
    text = "My sister Vera moved to Kazan and works there as a potter."
    memories_import(
        [NewMemory(memory_id=memory_id, user_id=ANNA, text=text, simulated_at=datetime(2025, 1, 1, tzinfo=UTC))]
    )
    request = RunRequest.model_validate(
        {"user_id": ANNA, "query": "Where did my sister Vera move?", "client_kind": "emulator", "mode": mode}
    )
    answer = get_client().ask(request)

    assert catch_up().captured == 1

    event = SensorEvent.objects.get(pipeline_run_id=answer.run_id)
    assert event.found_ids == [each.memory_id for each in answer.found] == [memory_id]
    assert event.found_scores == [each.score for each in answer.found]
    assert (event.answer, event.memory_id, event.isolation_ok) == (answer.answer, answer.memory_id, True)
    assert event.keywords
    stages = set(TelemetryEvent.objects.values_list("stage", flat=True))
    assert stages >= {"analyzer", "assembler", "responder", "e2e"}
    assert ("archivist" in stages) == (mode == "dialogue")
