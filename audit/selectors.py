"""Reads of the change log, and the proof that nobody touched it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet

from audit.models import AuditEntry

_KINDS = ("person", "token", "component")

_FIRST_BAD = """
SELECT c.id, c.id <> c.place, c.hash <> c.expected_hash
FROM (
  SELECT e.id, e.prev_hash, e.hash,
         row_number() OVER (ORDER BY e.id) AS place,
         coalesce(lag(e.hash) OVER (ORDER BY e.id), repeat('0', 64)) AS expected_prev,
         public.audit_entry_hash(e) AS expected_hash
  FROM public.audit_entries e
) c
WHERE c.id <> c.place OR c.prev_hash <> c.expected_prev OR c.hash <> c.expected_hash
ORDER BY c.id LIMIT 1
"""


@dataclass(frozen=True)
class ChainReport:
    """`first_bad_id` is the first row that does not follow from the one before; `head` is the last row's hash.

    Rows cut from the very end leave a sound shorter chain: compare `head` with one noted earlier to see that.
    """

    ok: bool
    rows: int
    first_bad_id: int | None = None
    reason: str = ""
    head: str = ""


def entries(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    parameter: str | None = None,
    initiator: str | None = None,
    experiment: str | None = None,
    campaign: str | None = None,
    action: str | None = None,
) -> QuerySet[AuditEntry]:
    """Newest first. `since` is inclusive, `until` exclusive; `initiator` is a name, a kind, or `kind:name`."""
    rows = AuditEntry.objects.all()
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    if parameter:
        rows = rows.filter(parameter=parameter)
    if initiator:
        kind, _, name = initiator.partition(":")
        if name and kind in _KINDS:
            rows = rows.filter(actor_kind=kind, actor=name)
        else:
            rows = rows.filter(Q(actor=initiator) | Q(actor_kind=initiator))
    if experiment:
        rows = rows.filter(experiment=experiment)
    if campaign:
        rows = rows.filter(campaign=campaign)
    if action:
        rows = rows.filter(action=action)
    return rows.order_by("-id")


def chain_verify() -> ChainReport:
    """Recompute every hash from its row and name the first row that does not fit, with the reason as a sentence."""
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_BAD)
        bad = cursor.fetchone()
        cursor.execute(
            "SELECT count(*), coalesce((SELECT hash FROM public.audit_entries ORDER BY id DESC LIMIT 1), '')"
            " FROM public.audit_entries"
        )
        rows, head = cursor.fetchone()
    if bad is None:
        return ChainReport(ok=True, rows=rows, head=head)
    row_id, misplaced, altered = bad
    if altered:
        reason = f"row {row_id} was changed after it was written"
    elif misplaced:
        reason = f"a row before row {row_id} is missing"
    else:
        reason = f"row {row_id} does not follow the row before it"
    return ChainReport(ok=False, rows=rows, first_bad_id=row_id, reason=reason, head=head)
