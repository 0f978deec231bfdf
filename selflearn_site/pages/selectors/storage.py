"""How the recorded rows lie on the disk, month by month, and how long they are kept, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sensor.domain.retention import TABLES, RetentionReport, month_name, month_of
from sensor.models import RetentionPolicy
from sensor.services.retention_policy import retention_current
from sensor.storage import Partition, StorageState, partitions, storage_state

MONTHS_SHOWN = 12
EVENTS, STAGES = TABLES


@dataclass(frozen=True, slots=True)
class Month:
    """One month of both tables; `starts` None: what lies in no month."""

    starts: datetime | None
    runs: int
    runs_bytes: int
    stages: int
    stages_bytes: int

    @property
    def name(self) -> str:
        return month_name(self.starts) if self.starts else _("in no month")


@dataclass(frozen=True, slots=True)
class Stored:
    """`months`: newest first, those that have begun. `ahead`: names of months that are made and have not."""

    months: Sequence[Month]
    ahead: Sequence[str]
    state: StorageState
    policy: RetentionPolicy

    @property
    def shown(self) -> Sequence[Month]:
        return self.months[:MONTHS_SHOWN]

    @property
    def older(self) -> Sequence[Month]:
        return self.months[MONTHS_SHOWN:]

    @property
    def bytes(self) -> int:
        return sum(month.runs_bytes + month.stages_bytes for month in self.months)

    @property
    def stray(self) -> int:
        return sum(self.state.stray.values())


def stored() -> Stored:
    """A few small queries to the catalogue; rows of months are the database's estimates."""
    now = month_of(timezone.now())
    grouped: dict[datetime | None, dict[str, Partition]] = {}
    for part in partitions():
        grouped.setdefault(part.starts, {})[part.table] = part
    state = storage_state()
    begun = sorted((month for month in grouped if month is not None and month <= now), reverse=True)
    months = [_month(month, grouped[month]) for month in begun]
    return Stored(
        months=months,
        ahead=[month_name(month) for month in sorted(item for item in grouped if item is not None and item > now)],
        state=state,
        policy=retention_current(),
    )


def _month(starts: datetime, parts: dict[str, Partition]) -> Month:
    runs, stages = parts.get(EVENTS), parts.get(STAGES)
    return Month(
        starts,
        runs.rows if runs else 0,
        runs.bytes if runs else 0,
        stages.rows if stages else 0,
        stages.bytes if stages else 0,
    )


def policy_words(policy: RetentionPolicy) -> list[str]:
    """How long rows are kept, and by whom they are taken away."""
    if policy.production_months is None:
        return [_("Recorded runs and their stages are kept for ever.")]
    said = [
        ngettext(
            "Runs of production are kept for the current month and %(n)s full month before it.",
            "Runs of production are kept for the current month and %(n)s full months before it.",
            policy.production_months,
        )
        % {"n": policy.production_months}
    ]
    if policy.evidence_months is None:
        said.append(_("Runs of experiments and batches, on which decisions rest, are kept for ever."))
    else:
        said.append(
            ngettext(
                "Runs of experiments and batches are kept %(n)s full month.",
                "Runs of experiments and batches are kept %(n)s full months.",
                policy.evidence_months,
            )
            % {"n": policy.evidence_months}
        )
    if policy.automatic:
        said.append(_("The Sensor removes what is older by itself."))
    else:
        said.append(_("Nothing goes by itself: somebody has to apply it."))
    if policy.recorded_from is not None:
        said.append(
            _("Nothing from before %(day)s is recorded any more.") % {"day": f"{policy.recorded_from:%Y-%m-%d}"}
        )
    said.append(_("What the rollups have added up stays in any case."))
    return said


def plan_sentence(report: RetentionReport) -> str:
    """What a retention would take, in one sentence."""
    if not report.going:
        return _("Nothing would go: nothing is older than it is kept.")
    return ngettext(
        "%(n)s row would go, out of %(months)s.", "%(n)s rows would go, out of %(months)s.", report.rows
    ) % {"n": f"{report.rows:,}", "months": ", ".join(sorted({month_name(line.month) for line in report.going}))}


def done_sentence(report: RetentionReport) -> str:
    """What a retention has taken."""
    gone = ngettext("%(n)s row is removed.", "%(n)s rows are removed.", report.rows) % {"n": f"{report.rows:,}"}
    if report.complete:
        return f"{gone} {_('Sums and percentiles of that time stay.')}"
    return f"{gone} {_('That is not all yet: apply it again, and it goes on from here.')}"
