"""One pass of examples through MaaS under one or more arms."""

from __future__ import annotations

from django.db import models

from goals.models import Campaign


class EvaluationPass(models.Model):
    """Examples of one split, run under the arms given; resumable, since each run's id derives from its place.

    `purpose`: screening (train, decides only what to test), experiment (validation), gate (golden, decides),
    monitor (validation or golden, decides nothing, logged apart).
    """

    PURPOSES = ("screening", "experiment", "gate", "monitor")

    batch = models.CharField(max_length=200, unique=True)
    dataset = models.CharField(max_length=50)
    split = models.CharField(max_length=10)
    purpose = models.CharField(max_length=12, choices=[(name, name) for name in PURPOSES])
    experiment = models.CharField(max_length=120, null=True, blank=True)  # noqa: DJ001 - absent is not empty here
    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="passes",
        help_text="For whose change golden was asked; looks are counted by it.",
    )
    arms = models.JSONField(help_text="Arm name → parameter version.")
    planned = models.PositiveIntegerField(help_text="Runs that the pass needs.")
    done = models.PositiveIntegerField(default=0)
    golden_hash = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "evaluation_passes"
        verbose_name_plural = "evaluation passes"
        ordering = ["-started_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(purpose__in=["screening", "experiment", "gate", "monitor"]),
                name="pass_purpose_is_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(split="golden") | models.Q(purpose__in=["gate", "monitor"]),
                name="golden_only_gates_or_is_monitored",
            ),
        ]

    def __str__(self) -> str:
        return self.batch
