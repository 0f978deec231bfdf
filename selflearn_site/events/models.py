"""The outbox. Rows are written by triggers alone, in the transaction of what they tell of (migration 0001)."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Event(models.Model):
    """Ids are given before a commit. Readers stop below the first id of whoever still writes (migration 0002), so
    nothing appears behind a reader's back."""

    kind = models.CharField(max_length=20)
    data = models.JSONField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "site_events"
        ordering = ["id"]
        indexes = [models.Index(fields=["at"], name="site_event_age")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
