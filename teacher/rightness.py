"""Which answers were right by what was known beforehand: they say what a right answer holds, and make nothing up."""

from __future__ import annotations

import uuid

from llm.offline.phrases import is_abstention
from sensor.selectors import events
from teacher.judges.offline import says_any


def answers_right(*, batch: str) -> list[uuid.UUID]:
    """Runs of a batch whose answer holds a key fact of its question and was not marked as a hallucination.

    Questions without key facts say nothing here: that the right memory was found does not make an answer right.
    """
    rows = events(batch=batch, golden=True).exclude(status="FAILED").exclude(hallucination_detected=True)
    asked = rows.filter(should_retrieve=True, key_facts__len__gt=0).order_by("pipeline_run_id")
    return [
        run
        for run, answer, facts in asked.values_list("pipeline_run_id", "answer", "key_facts")
        if answer and not is_abstention(answer) and says_any(answer, facts or ())
    ]
