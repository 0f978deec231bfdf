"""What went wrong, since when, and what was done."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from incidents.domain.lifecycle import IncidentStatus


class Severity(models.TextChoices):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Incident(models.Model):
    """One trouble of one subject. `timeline` is a list of `{at, actor, what, note}`, oldest first."""

    id = models.BigAutoField(primary_key=True)
    kind = models.TextField()
    severity = models.TextField(choices=Severity.choices)
    title = models.TextField()
    detail = models.TextField(blank=True, default="")
    subject = models.TextField()
    status = models.TextField(choices=[(s.value, s.value) for s in IncidentStatus], default=IncidentStatus.OPEN.value)
    opened_at = models.DateTimeField(db_default=Now())
    resolved_at = models.DateTimeField(null=True, blank=True)
    timeline = models.JSONField(default=list)
    actor = models.TextField()

    class Meta:
        db_table = "incidents"
        ordering = ("-id",)
        indexes = [models.Index(fields=["status", "-opened_at"], name="incidents_by_status")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=~Q(status=IncidentStatus.RESOLVED.value),
                name="one_unresolved_incident_per_kind_and_subject",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in IncidentStatus]), name="incident_status_is_known"
            ),
            models.CheckConstraint(condition=Q(severity__in=Severity.values), name="incident_severity_is_known"),
            models.CheckConstraint(
                condition=Q(status=IncidentStatus.RESOLVED.value, resolved_at__isnull=False)
                | (~Q(status=IncidentStatus.RESOLVED.value) & Q(resolved_at__isnull=True)),
                name="incident_has_an_end_when_resolved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.title}"


class SafetyRun(models.Model):
    """One time that every safety check is made. `label` names the check at hand; `slot` is 1 until it has ended."""

    STATES = [("queued", "queued"), ("running", "running"), ("completed", "completed"), ("failed", "failed")]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.TextField(choices=STATES, default="queued")
    slot = models.PositiveSmallIntegerField(null=True, default=1, unique=True)
    started_by = models.TextField()
    done = models.PositiveSmallIntegerField(default=0)
    planned = models.PositiveSmallIntegerField(default=0)
    label = models.TextField(blank=True, default="")
    error = models.TextField(blank=True, default="")
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "safety_runs"
        ordering = ("-started_at", "-id")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "completed", "failed"]), name="safety_run_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, slot=1) | Q(finished_at__isnull=False, slot=None),
                name="safety_run_slot_is_free_at_the_end",
            ),
        ]

    def __str__(self) -> str:
        return f"safety checks, {self.state}"


class SafetyResult(models.Model):
    """What one safety check found at one time. `ok` is NULL where it cannot be made here: `detail` says why."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(SafetyRun, on_delete=models.CASCADE, related_name="results", null=True)
    name = models.TextField()
    ok = models.BooleanField(null=True)
    detail = models.TextField()
    checked_at = models.DateTimeField(db_default=Now())
    actor = models.TextField()

    class Meta:
        db_table = "safety_results"
        ordering = ("-id",)
        indexes = [models.Index(fields=["name", "-id"], name="safety_results_by_name")]

    def __str__(self) -> str:
        return f"{self.name}: {'not made' if self.ok is None else 'holds' if self.ok else 'failed'}"
