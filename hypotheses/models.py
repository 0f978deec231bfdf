"""The registry of hypotheses: "if X moves to Y, then Z gets better". Mission columns first (TEACHER.md §5)."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from goals.models import Campaign
from hypotheses.domain.lifecycle import HypothesisStatus


class Hypothesis(models.Model):
    """One hypothesis on one factor, tried from one base version.

    `campaign` is empty for those that self-improvement rules queue between campaigns. `expected_effect` is the
    change of `metric` that the Teacher expects, in the metric's unit.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.TextField()
    description = models.TextField(blank=True, default="")
    status = models.TextField(
        choices=[(s.value, s.value) for s in HypothesisStatus], default=HypothesisStatus.PLANNED.value
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    related_experiments = ArrayField(models.TextField(), default=list, blank=True)
    tags = ArrayField(models.TextField(), default=list, blank=True)

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, null=True, blank=True, related_name="hypotheses")
    factor = models.TextField()
    from_value = models.JSONField()
    to_value = models.JSONField()
    base_version = models.IntegerField()
    metric = models.TextField()
    direction = models.TextField(choices=[("increase", "increase"), ("decrease", "decrease")])
    rationale = models.TextField(blank=True, default="")
    expected_effect = models.FloatField(null=True, blank=True)
    needs_approval = models.BooleanField(default=False)
    next_steps = models.JSONField(default=list, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "experiment_hypotheses"
        ordering = ["created_at", "id"]
        verbose_name_plural = "hypotheses"
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "factor", "to_value", "base_version", "metric"],
                nulls_distinct=False,
                name="hypothesis_is_registered_once_per_base_version",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in HypothesisStatus]), name="hypothesis_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(direction__in=["increase", "decrease"]), name="hypothesis_direction_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["campaign", "status"], name="hypotheses_by_campaign_status"),
            models.Index(fields=["factor", "created_at"], name="hypotheses_by_factor"),
        ]

    def __str__(self) -> str:
        return self.name
