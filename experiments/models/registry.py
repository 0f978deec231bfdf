"""Experiments and their results. Column names of `experiment_results` are the mission's."""

from __future__ import annotations

import uuid

from django.db import models

from experiments.domain.lifecycle import ExperimentStatus
from goals.models import Campaign
from hypotheses.models import Hypothesis

_STATUSES = [(status.value, status.value) for status in ExperimentStatus]


class Experiment(models.Model):
    """One factor, a baseline and a variant, on one data set."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=120, unique=True, help_text="The mission's text `experiment_id`.")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="experiments", null=True)
    cycle = models.PositiveIntegerField(null=True, help_text="Number of the cycle inside its campaign.")
    hypothesis = models.ForeignKey(Hypothesis, on_delete=models.PROTECT, related_name="experiments", null=True)
    dataset = models.CharField(max_length=50)
    factor = models.CharField(max_length=100)
    from_value = models.JSONField()
    to_value = models.JSONField()
    metric = models.CharField(max_length=50, help_text="The goal's metric that this experiment is to move.")
    spec = models.JSONField()
    status = models.CharField(max_length=12, choices=_STATUSES, default=ExperimentStatus.PLANNED)
    base_version = models.PositiveIntegerField(help_text="The active version that the baseline arm copies.")
    arm_versions = models.JSONField(default=dict, help_text="Arm name → parameter version.")
    planned_n = models.PositiveIntegerField()
    seed = models.BigIntegerField()
    look_sizes = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="Examples at each planned look; empty: one look, at the end.",
    )
    looks = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="What each look before the end found.",
    )
    closes_at = models.DateTimeField(
        null=True, blank=True, help_text="When it closes although its sample is not complete; empty: never."
    )
    ended_early = models.TextField(
        blank=True, default="", db_default="", help_text="Why it ended before its sample was complete."
    )
    needs_approval = models.JSONField(default=list, help_text="Why a person must approve; empty when nobody must.")
    decision = models.CharField(max_length=20, blank=True)
    decision_reason = models.TextField(blank=True)
    policy_version = models.PositiveIntegerField(null=True, help_text="The policy that it was decided under.")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    analyzed_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "experiments"
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=[status.value for status in ExperimentStatus]),
                name="experiment_status_is_known",
            ),
            models.UniqueConstraint(
                fields=["factor"],
                condition=models.Q(status="running"),
                name="one_experiment_per_parameter_running_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class ExperimentResult(models.Model):
    """What the Teacher found; final once written. `samples` holds the exact input of the statistics, for replay."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    experiment_id = models.TextField(help_text="The experiment's slug.")
    created_at = models.DateTimeField(auto_now_add=True)
    verdict = models.CharField(max_length=12)
    metrics_baseline = models.JSONField()
    metrics_variant = models.JSONField()
    p_values = models.JSONField()
    recommendation = models.JSONField()
    notes = models.TextField(blank=True)
    evaluation = models.JSONField()
    spec = models.JSONField()
    samples = models.JSONField()
    samples_hash = models.CharField(max_length=64)
    sample_digests = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="Example, arm and fingerprint of each sample; empty for results that are older than these.",
    )
    looks = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="Sizes of the looks, the verdict's own last; empty: one look.",
    )
    horizon = models.PositiveIntegerField(null=True, blank=True, help_text="The planned end of those looks.")
    engine_version = models.CharField(max_length=20)
    judge_version = models.CharField(max_length=60, blank=True)
    by_category = models.JSONField(default=dict)
    golden = models.JSONField(default=dict, help_text="The golden gate's figures and decision.")

    class Meta:
        db_table = "experiment_results"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["experiment_id"], name="one_final_result_per_experiment"),
            models.CheckConstraint(
                condition=models.Q(verdict__in=["winner", "loser", "inconclusive"]), name="verdict_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.experiment_id}: {self.verdict}"
