"""The change log. Rows are added and read; the database refuses everything else."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class AuditEntry(models.Model):
    """Who did what to which subject, before and after, and why.

    `id`, `at`, `prev_hash` and `hash` are set by the database when the row is inserted (migration 0002): ids have no
    gaps, so a missing row shows. A new column must enter `audit_entry_hash` too, under a new hash version.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    actor_kind = models.TextField()
    actor = models.TextField()
    role = models.TextField()
    action = models.TextField()
    subject_type = models.TextField()
    subject_id = models.TextField()
    parameter = models.TextField(null=True, blank=True)  # noqa: DJ001 - absent is not the empty name
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    experiment = models.TextField(null=True, blank=True)  # noqa: DJ001 - absent is not the empty slug
    campaign = models.TextField(null=True, blank=True)  # noqa: DJ001 - absent is not the empty slug
    request_id = models.TextField(null=True, blank=True)  # noqa: DJ001 - absent is not the empty id
    prev_hash = models.TextField(db_default="", editable=False)
    hash = models.TextField(db_default="", editable=False)

    class Meta:
        db_table = "audit_entries"
        ordering = ("-id",)
        verbose_name = "change log entry"
        verbose_name_plural = "change log"
        indexes = [
            models.Index(fields=["at"], name="audit_by_time"),
            models.Index(fields=["parameter", "at"], name="audit_by_parameter"),
            models.Index(fields=["actor", "at"], name="audit_by_actor"),
            models.Index(fields=["experiment"], name="audit_by_experiment"),
            models.Index(fields=["campaign"], name="audit_by_campaign"),
            models.Index(fields=["subject_type", "subject_id"], name="audit_by_subject"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(actor_kind__in=["person", "token", "component"]),
                name="audit_actor_kind_is_known",
            ),
            models.UniqueConstraint(fields=["prev_hash"], name="audit_row_has_one_successor"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.actor_kind}:{self.actor} {self.action} {self.subject_type}:{self.subject_id}"
