"""Decisions about the student's memories that wait for a person, or were taken by one."""

from __future__ import annotations

import uuid

from django.db import models

from manager.domain.lifecycle import PruningStatus


class PruningProposal(models.Model):
    """Memories that a person may have set aside. What each says is read from the student when it is shown, not kept.

    `memories`: `[{"memory_id", "user_id", "score", "reasons"}]`, as proposed. `pruned`: ids that were set aside.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(
        max_length=10, choices=[(status.value, status.value) for status in PruningStatus], default=PruningStatus.PENDING
    )
    memories = models.JSONField()
    evidence = models.JSONField(default=dict, help_text="How many were flagged, and which were left out and why.")
    content_hash = models.TextField(help_text="Of the memories, as they were put before a person.")
    pruned = models.JSONField(default=list)
    proposed_by = models.CharField(max_length=100)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    decided_by = models.CharField(max_length=100, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    comment = models.TextField(blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it was undone, or erased for good.")

    class Meta:
        db_table = "pruning_proposals"
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=[status.value for status in PruningStatus]),
                name="pruning_status_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"prune {len(self.memories)} memories: {self.status}"
