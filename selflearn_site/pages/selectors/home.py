"""Home: the campaign that matters now, what it does, what waits, what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Value, When
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from experiments.models import ExperimentResult
from goals.domain.lifecycle import CampaignStatus
from goals.models import Campaign
from incidents.models import Incident
from incidents.selectors import waiting
from manager.domain.lifecycle import ApprovalStatus, CycleState
from manager.models import Approval, Cycle, JournalEntry
from tuner.models import ParameterActivation, ParameterVersion, TunerState

STATES = (
    (CycleState.IDLE, _("Idle")),
    (CycleState.EMULATING, _("Emulating")),
    (CycleState.EVALUATING, _("Evaluating")),
    (CycleState.ANALYZING, _("Analyzing")),
    (CycleState.TUNING, _("Tuning")),
)
DECISIONS = ("applied", "refused", "rolled_back", "waits", "failed")


@dataclass(frozen=True, slots=True)
class Stage:
    """One dot of the state machine. `mark`: done, now, failed, held, or nothing."""

    title: Any
    mark: str


@dataclass(frozen=True, slots=True)
class Live:
    """What a campaign is doing: its newest cycle, the dots, and the progress of the step at hand."""

    cycle: Cycle
    stages: tuple[Stage, ...]
    label: str
    done: int
    planned: int
    rate: float | None
    left_s: float | None
    yields_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """A line of "last decisions". `version`: the one that was made of it."""

    entry: JournalEntry
    version: int | None
    verdict: str
    tone: str


@dataclass(frozen=True, slots=True)
class Active:
    version: ParameterVersion
    since: datetime | None
    reason: str
    frozen: TunerState | None


def campaign_shown() -> Campaign | None:
    """What runs or is paused comes first, then the newest."""
    at_work = Case(When(status__in=[CampaignStatus.RUNNING, CampaignStatus.PAUSED], then=Value(0)), default=Value(1))
    return Campaign.objects.select_related("goal").order_by(at_work, "-number").first()


def live(campaign: Campaign) -> Live | None:
    """None before the first cycle."""
    cycle = Cycle.objects.filter(campaign=campaign).defer("data").order_by("-number").first()
    if cycle is None:
        return None
    progress = cycle.progress or {}
    return Live(
        cycle=cycle,
        stages=stages(cycle.state, cycle.resume_state, finished=cycle.finished_at is not None),
        label=str(progress.get("label", "")),
        done=int(progress.get("done") or 0),
        planned=int(progress.get("planned") or 0),
        rate=progress.get("rate"),
        left_s=progress.get("left_s"),
        yields_since=parse_datetime(progress.get("yields_since", "")),
    )


def stages(state: str, resume_state: str, *, finished: bool) -> tuple[Stage, ...]:
    """Dots up to where the cycle is; a paused or failed one stands where it will go on."""
    stopped = {CycleState.PAUSED: "held", CycleState.FAILED: "failed"}.get(CycleState(state))
    where = resume_state if stopped and resume_state else state
    order = [name for name, _title in STATES]
    place = order.index(CycleState(where)) if where in order else 0
    if finished:
        return tuple(Stage(title, "now" if index == 0 else "") for index, (_name, title) in enumerate(STATES))
    return tuple(
        Stage(title, "done" if index < place else (f"now {stopped or ''}".strip() if index == place else ""))
        for index, (_name, title) in enumerate(STATES)
    )


def approvals_waiting(*, limit: int = 4) -> list[Approval]:
    """Oldest first: who waits longest is served first."""
    rows = Approval.objects.filter(status=ApprovalStatus.PENDING).select_related("experiment", "campaign")
    return list(rows.order_by("created_at")[:limit])


def decisions(*, campaign: Campaign | None = None, limit: int = 6) -> list[Decided]:
    """Newest first, over all campaigns or of one."""
    rows = JournalEntry.objects.filter(kind__in=DECISIONS).select_related("campaign").order_by("-id")
    if campaign is not None:
        rows = rows.filter(campaign=campaign)
    return with_versions(list(rows[:limit]))


def with_versions(entries: Sequence[JournalEntry]) -> list[Decided]:
    """Journal entries with their experiment's verdict and the version that came of it. Two queries.

    What was not proved is grey: nothing was found against it.
    """
    slugs = {entry.experiment for entry in entries if entry.experiment}
    verdicts = dict(ExperimentResult.objects.filter(experiment_id__in=slugs).values_list("experiment_id", "verdict"))
    made = ParameterVersion.objects.filter(experiment__in=slugs, kind="production").values_list("experiment", "version")
    versions = dict(made)
    colour = {"applied": "good", "refused": "bad", "rolled_back": "wait", "waits": "wait", "failed": "bad"}
    return [
        Decided(
            entry,
            versions.get(entry.experiment) if entry.kind == "applied" else None,
            verdicts.get(entry.experiment, ""),
            ""
            if entry.kind == "refused" and verdicts.get(entry.experiment) == "inconclusive"
            else colour.get(entry.kind, ""),
        )
        for entry in entries
    ]


def active() -> Active | None:
    """The active version and since when; None before the database is seeded."""
    version = ParameterVersion.objects.filter(is_active=True).first()
    if version is None:
        return None
    last = ParameterActivation.objects.filter(version=version.version).order_by("-id").first()
    return Active(
        version=version,
        since=last.at if last else None,
        reason=last.reason if last else version.reason,
        frozen=TunerState.objects.filter(frozen=True).first(),
    )


def incidents_open(*, limit: int = 4) -> list[Incident]:
    return list(waiting()[:limit])
