"""How long recorded rows are kept, and from when on the Sensor records at all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from audit.services import entry_append
from contracts.actor import Actor, Role
from kernel.errors import InvalidInput
from sensor.models import RetentionPolicy

EDITABLE = ("production_months", "evidence_months", "automatic")

_HOLD = "SELECT pg_advisory_xact_lock_shared(hashtext('sensor_recorded_from'))"
_MOVE = "SELECT pg_advisory_xact_lock(hashtext('sensor_recorded_from'))"
_READ = "SELECT recorded_from FROM public.sensor_retention"
_RAISE = """
UPDATE public.sensor_retention SET recorded_from = greatest(recorded_from, %s) RETURNING recorded_from
"""


def retention_current() -> RetentionPolicy:
    return RetentionPolicy.objects.get_or_create(id=1)[0]


@transaction.atomic
def retention_change(*, actor: Actor, reason: str, **values: Any) -> RetentionPolicy:
    """Change how long rows are kept. Removes nothing by itself.

    Raises `InvalidInput` for an unknown field, a wrong value or a change without a reason, `NotAuthorised` below
    meta-user.
    """
    actor.require(Role.META_USER)
    unknown = sorted(set(values) - set(EDITABLE))
    if unknown:
        raise InvalidInput(f"retention has no field {unknown[0]!r}", details={"known": list(EDITABLE)})
    if not reason.strip():
        raise InvalidInput("a change of retention needs a reason", details={"field": "reason"})
    policy = RetentionPolicy.objects.select_for_update().get(id=retention_current().id)
    before = {name: getattr(policy, name) for name in values}
    for name, value in values.items():
        setattr(policy, name, value)
    try:
        policy.full_clean()
    except ValidationError as error:
        raise InvalidInput("; ".join(error.messages), details={"fields": sorted(error.message_dict)}) from error
    policy.save(update_fields=[*values, "updated_at"])  # never `recorded_from`: a retention may be raising it
    entry_append(
        actor=actor,
        action="retention.changed",
        subject_type="retention",
        subject_id="1",
        before=before,
        after=values,
        reason=reason,
    )
    return policy


def recorded_from() -> datetime | None:
    """Runs that started before are never recorded again; None: everything is."""
    with connection.cursor() as cursor:
        return _read(cursor)


def recorded_from_hold(cursor: CursorWrapper) -> datetime | None:
    """The same, and it stays so until the transaction of `cursor` ends: what is written in it cannot come too late."""
    cursor.execute(_HOLD)
    return _read(cursor)


def recorded_from_raise(*, moment: datetime) -> datetime:
    """Record nothing before `moment` from now on; waits for whoever is writing. Returns the moment that holds now."""
    retention_current()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_MOVE)
        cursor.execute(_RAISE, [moment])
        raised: datetime = cursor.fetchone()[0]
        return raised


def retention_completed(*, policy: RetentionPolicy, at: datetime) -> None:
    """Remember that all went that had to go by this policy; not if it was changed meanwhile."""
    RetentionPolicy.objects.filter(id=policy.id, updated_at=policy.updated_at).update(completed_at=at)


def _read(cursor: CursorWrapper) -> datetime | None:
    cursor.execute(_READ)
    row = cursor.fetchone()
    return row[0] if row else None
