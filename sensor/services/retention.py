"""Takes away recorded rows that are older than they are kept, month by month. What the rollups added up stays.

Rows are deleted in their own partition and never through the whole table, whose triggers would subtract them from
the rollups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils import timezone

from audit.services import entry_append
from contracts.actor import Actor, Role
from kernel.errors import Conflict
from sensor.domain.retention import RetentionLine, RetentionReport, kept_from, month_name, month_of
from sensor.models import RetentionPolicy
from sensor.services.retention_policy import recorded_from, recorded_from_raise, retention_completed, retention_current
from sensor.services.retention_rows import chunk_remove, month_drop, month_hide, rows_count
from sensor.storage import Partition, partitions

_ALONE = "SELECT pg_try_advisory_lock(hashtext('sensor_retention'))"
_IN_USE = ("55P03", "40P01")
"""A lock was not to be had in time, or only against somebody who waits for us."""
_DONE = "SELECT pg_advisory_unlock(hashtext('sensor_retention'))"


def retention_plan() -> RetentionReport:
    """What `retention_apply` would take now, exactly counted; changes nothing."""
    return _planned(retention_current(), timezone.now())


def _planned(policy: RetentionPolicy, now: datetime) -> RetentionReport:
    production = kept_from(now, policy.production_months)
    evidence = kept_from(now, policy.evidence_months)
    lines = []
    if production is not None:
        for part in partitions():
            if part.starts is not None and part.starts < production:
                lines.append(_line(part, part.starts, evidence=evidence, months=policy.evidence_months))
    return RetentionReport(applied=False, lines=lines, recorded_from=recorded_from())


def retention_due() -> bool:
    """Whether rows are to go by themselves, and the month or the policy is another than when they last did."""
    policy = retention_current()
    if not policy.automatic or policy.production_months is None:
        return False
    last = policy.completed_at
    return last is None or last < month_of(timezone.now()) or last < policy.updated_at


def retention_apply(*, actor: Actor, reason: str, go_on: Callable[[], bool] | None = None) -> RetentionReport:
    """Take away what `retention_plan` shows. Returns what went; broken off anywhere, the next call goes on.

    1. One at a time. 2. Nothing older is recorded from now on. 3. The change log says that it begins, and with what.
    4. A month without anything to protect is detached, so that nobody sees it any more; the ledger, truths and
    judgements of its runs go by chunks; the partition is dropped. 5. Out of other months the rows go by chunks, each
    with what belongs to it in one transaction. 6. The change log says what went, even if an error broke this off.

    `go_on` is called between chunks and may do something else; when it says False this ends, incomplete. Raises
    `NotAuthorised` below meta-user, `Conflict` when a retention is under way already.
    """
    actor.require(Role.META_USER)
    with _alone():
        policy = retention_current()
        now = timezone.now()
        production = kept_from(now, policy.production_months)
        if production is None:
            return RetentionReport(applied=True, lines=(), recorded_from=recorded_from())
        floor = recorded_from_raise(moment=production)
        plan = _planned(policy, now)
        done = RetentionReport(applied=True, lines=(), recorded_from=floor, complete=False)
        if plan.going:
            _say("retention.begun", actor, reason, plan)
        try:
            for line in plan.lines:
                went, complete = _taken(line, evidence=kept_from(now, policy.evidence_months), go_on=go_on)
                done = replace(done, lines=[*done.lines, went])
                if not complete:
                    return done
            done = replace(done, complete=all(line.action != "postponed" for line in done.lines))
            if done.complete:
                retention_completed(policy=policy, at=now)
            return done
        finally:
            if plan.going:
                _say("retention.applied", actor, reason, done)


def _line(part: Partition, month: datetime, *, evidence: datetime | None, months: int | None) -> RetentionLine:
    expired = not part.attached or (evidence is not None and month < evidence)
    going, kept = rows_count(part=part, evidence=evidence, everything=expired)
    shown: dict[str, Any] = {"table": part.table, "month": month, "kept": kept, **going}
    if not part.attached:
        return RetentionLine(action="drop", bytes=part.bytes, why="a retention was broken off here", **shown)
    if not kept:
        of = "runs of experiments and batches are as old" if expired else "nothing of experiments or batches in it"
        return RetentionLine(action="drop", bytes=part.bytes, why=of, **shown)
    stay = f"{kept:,} of experiments and batches stay {'for ever' if months is None else f'{months} months'}"
    if not going["rows"]:
        return RetentionLine(action="keep", bytes=0, why=stay, **shown)
    share = going["rows"] / (going["rows"] + kept)
    return RetentionLine(action="delete", bytes=int(part.bytes * share), why=stay, **shown)


def _taken(
    line: RetentionLine, *, evidence: datetime | None, go_on: Callable[[], bool] | None
) -> tuple[RetentionLine, bool]:
    """What went of it, and whether that is all."""
    if line.action == "keep":
        return line, True
    whole = line.action == "drop"
    counts: dict[str, Any] = dict.fromkeys(("rows", "ledger", "truths", "judgements"), 0)
    try:
        if whole and not month_hide(table=line.table, month=line.month, evidence=evidence):
            return _postponed(line, counts, "a row of an experiment or batch has come meanwhile"), True
        after = None
        while True:
            after, went = chunk_remove(
                table=line.table, month=line.month, after=after, evidence=evidence, detached=whole
            )
            counts = {name: number + went[name] for name, number in counts.items()}
            if after is None:
                break
            if go_on is not None and not go_on():
                return _postponed(line, counts, "it was told to end"), False
        if whole:
            month_drop(table=line.table, month=line.month)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) not in _IN_USE:
            raise
        return _postponed(line, counts, "somebody else is using the month"), True
    return replace(line, **counts), True


def _postponed(line: RetentionLine, counts: dict[str, Any], why: str) -> RetentionLine:
    """Rows of a month that is to be dropped are there until it is."""
    rows = 0 if line.action == "drop" else counts["rows"]
    return replace(line, **(counts | {"rows": rows}), action="postponed", bytes=0, why=why)


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(_ALONE)
        if not cursor.fetchone()[0]:
            raise Conflict("a retention is under way already; look again when it is over")
    try:
        yield
    finally:
        # A connection that broke has given the lock back by itself.
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute(_DONE)


def _say(action: str, actor: Actor, reason: str, report: RetentionReport) -> None:
    with transaction.atomic():
        entry_append(
            actor=actor,
            action=action,
            subject_type="retention",
            subject_id=month_name(report.recorded_from) if report.recorded_from else "1",
            after=report.as_json(),
            reason=reason,
        )
