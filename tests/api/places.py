"""Ids of the small world by the name of the path parameter that takes them."""

from __future__ import annotations

from typing import Any

from manager.models import UpkeepCycle
from notifications.models import Delivery
from tests.admin.world import SESSION, THREAD, World
from tuner.models import TenantParameters


def places_of(world: World) -> dict[str, Any]:
    """Cycles of campaigns; upkeep cycles are `upkeep_id`."""
    delivery = Delivery.objects.latest("created_at")
    return {
        "goal_id": world.goal.pk, "approval_id": world.approval.pk, "cycle_id": world.cycle.pk,
        "campaign_id": world.campaign.number, "experiment_id": world.experiment.slug,
        "hypothesis_id": world.hypothesis.pk, "version": 1, "other": 1, "run_id": world.run_id,
        "batch_id": world.batch.pk, "incident_id": world.incident.pk,
        "user_id": TenantParameters.objects.get().user_id, "session_id": SESSION,
        "dialogue_id": world.batch.dialogues.get().pk, "thread_id": THREAD, "pruning_id": world.pruning.pk,
        "key": "retrieval.top_k", "notification_id": delivery.pk, "channel_id": delivery.channel_id,
        "upkeep_id": UpkeepCycle.objects.get().pk,
    }  # fmt: skip
