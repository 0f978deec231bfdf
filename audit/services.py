"""The one write of this room: append."""

from __future__ import annotations

from django.db import connection
from structlog.contextvars import get_contextvars

from audit.models import AuditEntry
from audit.selectors import ChainReport, chain_verify
from contracts.actor import Actor
from contracts.base import Json

__all__ = ["ChainReport", "chain_lock", "chain_verify", "entry_append"]


def entry_append(
    *,
    actor: Actor,
    action: str,
    subject_type: str,
    subject_id: str,
    before: Json = None,
    after: Json = None,
    reason: str = "",
    experiment: str | None = None,
    campaign: str | None = None,
    parameter: str | None = None,
    request_id: str | None = None,
) -> AuditEntry:
    """Add one row to the change log, inside the caller's transaction: it stands or falls with the change it records.

    Without `request_id` the one of the request at hand is taken, if there is one: it finds the entry in the logs.
    Writers of the chain wait for each other until commit, so append last. Whoever locks rows first and appends
    later calls `chain_lock` before those locks.
    """
    return AuditEntry.objects.create(
        actor_kind=actor.kind,
        actor=actor.name,
        role=str(actor.role),
        action=action,
        subject_type=subject_type,
        subject_id=subject_id,
        parameter=parameter,
        before=before,
        after=after,
        reason=reason,
        experiment=experiment,
        campaign=campaign,
        request_id=request_id or get_contextvars().get("request_id"),
    )


def chain_lock() -> None:
    """Take the chain's lock for the rest of the transaction, before any row lock: everyone in the same order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.audit_chain_lock()")
