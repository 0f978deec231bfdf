"""Runs of months long past, as they lie in the tables."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from sensor.domain.retention import month_of, months_after
from sensor.models import RetentionPolicy
from sensor.services import ground_truth_record, judgements_record, runs_capture
from tests.sensor import factories


def month_ago(months: int) -> datetime:
    """The beginning of the month so many months before the current one."""
    return months_after(month_of(timezone.now()), -months)


def recorded(months: int, *, batch: str | None = None, judged: bool = False, **columns: Any) -> uuid.UUID:
    """A run of that month, recorded with its stages; of a batch when one is named."""
    began = month_ago(months) + timedelta(days=9)
    run_id = factories.run(**{"created_at": began, "finished_at": began + timedelta(seconds=1), **columns})
    if batch is not None:
        ground_truth_record([factories.truth(run_id, batch=batch)])
    runs_capture(run_ids=[run_id])
    if judged:
        judgements_record([factories.judgement(run_id, retrieval_relevant=True)])
    return run_id


def kept(production: int | None, evidence: int | None = None, *, automatic: bool = False) -> None:
    """The policy says so from now on."""
    RetentionPolicy.objects.update_or_create(
        id=1, defaults={"production_months": production, "evidence_months": evidence, "automatic": automatic}
    )


def rows(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM public.{table}")  # noqa: S608  a name of the test
        number: int = cursor.fetchone()[0]
        return number


def exists(table: str, month: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"public.{table}_y{month:%Y}m{month:%m}"])
        found: bool = cursor.fetchone()[0]
        return found
