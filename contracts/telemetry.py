"""What a judge says of one run; the Sensor's service stores it beside the run."""

from __future__ import annotations

import uuid

from contracts.base import Message


class Judgement(Message):
    """Marks of one judge version. None: this judge could not tell (counted as missing, never as passed)."""

    run_id: uuid.UUID
    judge_version: str
    retrieval_relevant: bool | None = None
    context_utilized: bool | None = None
    hallucination_detected: bool | None = None
    reasons: tuple[str, ...] = ()
