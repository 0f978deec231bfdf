"""Learning goals and the campaigns that pursue them: columns and constraints."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from contracts.goal import Autonomy
from goals.domain.lifecycle import ENDED, CampaignStatus, GoalStatus

_AUTONOMY = [(level.value, level.value) for level in Autonomy]
_ENDED = sorted(status.value for status in ENDED)


class LearningGoal(models.Model):
    """What the meta-user wants, as written (`text`) and in formal terms.

    `translation` keeps the whole `GoalTranslation` as it was understood; `targets`, `constraints` and the rest are
    the formal side that campaigns work on and that the meta-user may have edited.
    """

    text = models.TextField()
    language = models.TextField(choices=[("ru", "ru"), ("en", "en")])
    translation = models.JSONField()
    targets = models.JSONField(default=list)
    constraints = models.JSONField(default=list)
    allowed_impacts = models.JSONField(default=list)
    forbidden_impacts = models.JSONField(default=list)
    autonomy = models.TextField(choices=_AUTONOMY, default=Autonomy.SEMI_AUTO.value)
    budget = models.JSONField(default=dict)
    priority = models.IntegerField(default=100, help_text="Smaller comes first.")
    status = models.TextField(choices=[(s.value, s.value) for s in GoalStatus], default=GoalStatus.ACTIVE.value)
    created_by = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "learning_goals"
        ordering = ["priority", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in GoalStatus]), name="learning_goal_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(autonomy__in=[level.value for level in Autonomy]), name="learning_goal_autonomy_is_known"
            ),
            models.CheckConstraint(condition=Q(language__in=["ru", "en"]), name="learning_goal_language_is_known"),
        ]
        indexes = [models.Index(fields=["status", "priority"], name="learning_goals_by_status")]

    def __str__(self) -> str:
        return f"goal {self.pk}: {self.text[:60]}"


class Campaign(models.Model):
    """One pursuit of a goal on one dataset: how far it may go, where it is, and what it came to.

    `metrics_*` and `golden_*` are what `teacher.aggregator.Aggregate.to_json` gives: n, metrics, counts, by category.
    `*_version` are parameter versions.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(help_text="How people name the campaign: 1, 2, 3, …")
    goal = models.ForeignKey(LearningGoal, on_delete=models.PROTECT, related_name="campaigns")
    dataset = models.TextField()
    autonomy = models.TextField(choices=_AUTONOMY)
    max_cycles = models.PositiveIntegerField()
    dialogues_per_cycle = models.PositiveIntegerField()
    seed = models.BigIntegerField()
    status = models.TextField(
        choices=[(s.value, s.value) for s in CampaignStatus], default=CampaignStatus.PLANNED.value
    )
    end_reason = models.TextField(blank=True, default="")
    metrics_before = models.JSONField(null=True, blank=True)
    metrics_after = models.JSONField(null=True, blank=True)
    golden_before = models.JSONField(null=True, blank=True)
    golden_after = models.JSONField(null=True, blank=True)
    start_version = models.IntegerField(null=True, blank=True)
    end_version = models.IntegerField(null=True, blank=True)
    tokens = models.BigIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_by = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "campaigns"
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["number"], name="campaign_number_is_unique"),
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in CampaignStatus]), name="campaign_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(autonomy__in=[level.value for level in Autonomy]), name="campaign_autonomy_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=_ENDED, finished_at__isnull=False)
                | (~Q(status__in=_ENDED) & Q(finished_at__isnull=True)),
                name="campaign_has_end_time_exactly_when_ended",
            ),
            models.CheckConstraint(
                condition=Q(max_cycles__gte=1, dialogues_per_cycle__gte=1), name="campaign_has_cycles_and_dialogues"
            ),
            models.CheckConstraint(condition=Q(tokens__gte=0, cost_usd__gte=0), name="campaign_totals_never_negative"),
        ]
        indexes = [
            models.Index(fields=["status"], name="campaigns_by_status"),
            models.Index(fields=["goal", "status"], name="campaigns_by_goal_and_status"),
        ]

    def __str__(self) -> str:
        return f"campaign {self.number}"


class CampaignSpend(models.Model):
    """One thing that a campaign paid for: a run of the student (`run:<uuid>`), or judging a batch (`judge:<batch>`).

    Each is counted once, whoever asks for it again; `Campaign.tokens` and `cost_usd` are their sums.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="spends")
    what = models.TextField()
    tokens = models.BigIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=8, default=0)

    class Meta:
        db_table = "campaign_spends"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["what"], name="each_thing_is_paid_once"),
            models.CheckConstraint(condition=Q(tokens__gte=0, cost_usd__gte=0), name="what_is_paid_is_not_negative"),
        ]

    def __str__(self) -> str:
        return self.what
