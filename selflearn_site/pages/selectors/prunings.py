"""Proposals to set memories aside, with what each memory says now, and the words for why it was put up."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contracts.maas import FlaggedMemory
from maas.client.memories import memories_shown
from manager.domain.lifecycle import PruningStatus
from manager.models import PruningProposal
from manager.services.pruning import UNDO_DAYS

_LAST = 5


@dataclass(frozen=True, slots=True)
class Proposed:
    """One memory of a proposal. `memory` is None when its person was purged since."""

    memory_id: str
    memory: FlaggedMemory | None
    score: float | None
    why: list[str]


@dataclass(frozen=True, slots=True)
class Pruning:
    """A proposal. `undo_until`: until then it cannot be erased; `undoable`: it can still be undone."""

    proposal: PruningProposal
    memories: list[Proposed]

    @property
    def undoable(self) -> bool:
        return self.proposal.status == PruningStatus.APPLIED

    @property
    def undo_until(self) -> datetime | None:
        return self.proposal.applied_at and self.proposal.applied_at + timedelta(days=UNDO_DAYS)


def prunings_waiting_count() -> int:
    return PruningProposal.objects.filter(status=PruningStatus.PENDING).count()


def prunings_shown() -> tuple[list[Pruning], list[Pruning]]:
    """What waits, the oldest first, and the last that were decided. Three queries, however many memories."""
    waiting = list(PruningProposal.objects.filter(status=PruningStatus.PENDING).order_by("created_at")[:_LAST])
    others = PruningProposal.objects.exclude(status=PruningStatus.PENDING)
    decided = list(others.order_by("-decided_at", "-created_at")[:_LAST])
    ids = [uuid.UUID(row["memory_id"]) for item in (*waiting, *decided) for row in item.memories]
    texts = {str(item.memory_id): item for item in memories_shown(memory_ids=ids)}
    return [_with(item, texts) for item in waiting], [_with(item, texts) for item in decided]


def _with(proposal: PruningProposal, texts: Mapping[str, FlaggedMemory]) -> Pruning:
    rows = [
        Proposed(row["memory_id"], texts.get(row["memory_id"]), row["score"], reasons_text(row["reasons"]))
        for row in proposal.memories
    ]
    return Pruning(proposal, rows)


def reasons_text(reasons: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why a memory is put up for review, for people."""
    return [_reason(reason) for reason in reasons]


def _reason(reason: Mapping[str, Any]) -> str:
    code = reason.get("code")
    if code == "low":
        days = int(reason["days"])
        return ngettext(
            "quality below 0.1 for %(days)s day (found %(found)s times)",
            "quality below 0.1 for %(days)s days (found %(found)s times)",
            days,
        ) % {"days": days, "found": reason["retrieved"]}
    if code == "disliked":
        return ngettext(
            "%(n)s answer that used it was rated badly", "%(n)s answers that used it were rated badly", reason["times"]
        ) % {"n": reason["times"]}
    if code == "same":
        return _("says the same as another memory of this person")
    if code == "unused":
        days = int(reason["days"])
        return ngettext(
            "never found in %(days)s day, though its person asked %(asked)s questions",
            "never found in %(days)s days, though its person asked %(asked)s questions",
            days,
        ) % {"days": days, "asked": reason["asked"]}
    return str(code)
