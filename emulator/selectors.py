"""Reads of the emulator."""

from __future__ import annotations

import uuid

from contracts.dialogue import GroundTruth
from emulator.models import EmulationBatch, EmulationTurn
from kernel.errors import NotFound


def batch_by_name(batch: str) -> EmulationBatch:
    """Raises `NotFound`."""
    try:
        return EmulationBatch.objects.get(batch=batch)
    except EmulationBatch.DoesNotExist as error:
        raise NotFound(f"there is no emulation named {batch}") from error


def ground_truths(*, batch: str) -> list[GroundTruth]:
    """The truth of each question asked in a valid, finished dialogue of the batch, in the order asked.

    Left out: dialogues found invalid or not finished, and questions about statements whose run failed.
    """
    turns = (
        EmulationTurn.objects.filter(
            batch__batch=batch,
            dialogue__is_valid=True,
            dialogue__finished_at__isnull=False,
            truth_excluded="",
        )
        .exclude(query_id="")
        .select_related("dialogue")
        .order_by("dialogue__ordinal", "position")
    )
    return [_truth(batch, turn) for turn in turns]


def run_ids(*, batch: str) -> list[uuid.UUID]:
    """Ids of all runs of the batch that have finished, questions and statements alike, in the order said."""
    rows = EmulationTurn.objects.filter(batch__batch=batch, finished_at__isnull=False)
    return list(rows.order_by("dialogue__ordinal", "position").values_list("id", flat=True))


def _truth(batch: str, turn: EmulationTurn) -> GroundTruth:
    dialogue = turn.dialogue
    return GroundTruth(
        run_id=turn.id,
        example_id=f"{dialogue.example}:{turn.query_id}",
        batch=batch,
        dataset=dialogue.dataset,
        split=dialogue.split,
        cluster=dialogue.cluster,
        should_retrieve=bool(turn.should_retrieve),
        expected_memory_ids=tuple(turn.expected_memory_ids),
        key_facts=tuple(turn.key_facts),
        forbidden=tuple(turn.forbidden),
        category=turn.category,
        difficulty=turn.difficulty,
        asked_at=turn.simulated_at,
    )
