"""Which judge counts for a batch, what it did, and at what price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils import timezone

from teacher.judges.protocol import Bill, Marks
from teacher.models import BatchJudging


def judging_bind(*, batch: str, version: str, sampled: bool) -> None:
    """From now on the marks of this judge count for the batch, and no others. The same again changes nothing.

    Rows of earlier judges stay: that there were others is what blocks the verdict of an experiment.
    """
    if BatchJudging.objects.filter(batch=batch, judge_version=version, in_force=True).exists():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('teacher_judging'), hashtext(%s))", [batch])
        BatchJudging.objects.filter(batch=batch, in_force=True).update(in_force=False)
        BatchJudging.objects.update_or_create(
            batch=batch, judge_version=version, repeat=0, defaults={"in_force": True, "sampled": sampled}
        )


@dataclass(frozen=True, slots=True)
class Extent:
    """How many runs of a batch have an answer, and how many of them are in the sample (all, when there is none)."""

    runs: int
    chosen: int


def judging_add(
    *,
    batch: str,
    version: str,
    repeat: int,
    sampled: bool,
    extent: Extent,
    marks: Sequence[Marks],
    bill: Bill,
    stopped: str = "",
) -> None:
    """Add what was done to the record of the batch; call it in the transaction that records the marks.

    `bill`: what it took, with what was paid for and not recorded.
    """
    row, _ = BatchJudging.objects.get_or_create(
        batch=batch, judge_version=version, repeat=repeat, defaults={"sampled": sampled}
    )
    missing = sum(one.missing for one in marks)
    BatchJudging.objects.filter(pk=row.pk).update(
        runs=extent.runs,
        chosen=extent.chosen,
        judged=F("judged") + len(marks) - missing,
        missing=F("missing") + missing,
        calls=F("calls") + bill.calls,
        cached=F("cached") + bill.cached,
        cost_usd=F("cost_usd") + Decimal(str(round(bill.cost_usd, 8))),
        stopped=stopped,
        judged_at=timezone.now(),
    )


def judgings_of(batch: str) -> list[BatchJudging]:
    """What each judge did with the batch, the first first; repeats after what counts."""
    return list(BatchJudging.objects.filter(batch=batch).order_by("repeat", "bound_at", "pk"))


def judgings_recent(*, limit: int = 20) -> list[BatchJudging]:
    """What was judged last, the newest first."""
    return list(BatchJudging.objects.filter(judged_at__isnull=False).order_by("-judged_at", "-pk")[:limit])


def judge_in_force(batch: str) -> str | None:
    """The judge whose marks count for the batch; None when no judge has been at it."""
    return BatchJudging.objects.filter(batch=batch, in_force=True).values_list("judge_version", flat=True).first()


def judging_spent(*, batches: Sequence[str]) -> Decimal:
    """US dollars that judging these batches took, repeats too."""
    return BatchJudging.objects.filter(batch__in=batches).aggregate(Sum("cost_usd"))["cost_usd__sum"] or Decimal(0)


def judging_cut_short(batch: str) -> bool:
    """Whether the judge that counts for the batch ended early."""
    return BatchJudging.objects.filter(batch=batch, in_force=True).exclude(stopped="").exists()
