"""What went wrong, since when, and what was done."""

from __future__ import annotations

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


class SafetyResult(models.Model):
    """What one safety check found at one time. `ok` is NULL where it cannot be made here: `detail` says why."""

    id = models.BigAutoField(primary_key=True)
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
