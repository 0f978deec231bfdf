"""The measures of Teacher and Manager, read from what is stored: overall, and by campaign or month."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Generic, Literal, TypeVar

from django.db.models import Min

from experiments.models import Experiment, ExperimentResult
from goals.models import LearningGoal
from hypotheses.models import Hypothesis
from manager.models import Approval, Cycle
from teacher.designer.candidates import approval_reasons
from teacher.measures import (
    FactorMove,
    FinishedExperiment,
    ManagerMeasures,
    Share,
    TeacherMeasures,
    conflicts,
    teacher_measures,
    typical,
)
from tuner.domain.content import diff
from tuner.models import ParameterActivation, ParameterVersion
from tuner.registry import DEFAULTS, FACTORS

By = Literal["campaign", "month"]
_RESOLVED = ("confirmed", "rejected")


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One campaign (its number; None: without one) or one month (its first day). `when`: what it is ordered by."""

    name: str
    number: int | None
    when: datetime
    measures: TeacherMeasures
    finished: int


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Placed(Generic[T]):
    """What is measured, with its campaign and its time."""

    campaign: int | None
    at: datetime
    item: T


class Standing:
    """Everything that the measures are made from, read once: a fixed number of queries, however much there is."""

    @cached_property
    def finished(self) -> list[_Placed[FinishedExperiment]]:
        columns = ("experiment_id", "verdict", "golden__passed", "golden__rows", "created_at")
        results = {row[0]: row for row in ExperimentResult.objects.values_list(*columns)}
        found = []
        rows = Experiment.objects.filter(slug__in=results).order_by("created_at")
        for row in rows.values_list("slug", "campaign__number", "status", "decision", "completed_at", "decided_at"):
            slug, campaign, status, decision, completed_at, decided_at = row
            _, verdict, passed, golden, created_at = results[slug]
            item = FinishedExperiment(
                verdict=verdict,
                refused=decision.startswith("refused"),
                rolled_back=status == "rolled_back",
                golden_passed=passed,
                golden={name: values.get("difference") for name, values in (golden or {}).items()},
                completed_at=completed_at,
                decided_at=decided_at,
            )
            found.append(_Placed(campaign, created_at, item))
        return found

    @cached_property
    def resolved(self) -> list[_Placed[timedelta]]:
        rows = Hypothesis.objects.filter(status__in=_RESOLVED).order_by("resolved_at")
        return [
            _Placed(campaign, resolved, resolved - created)
            for campaign, created, resolved in rows.values_list("campaign__number", "created_at", "resolved_at")
            if resolved is not None
        ]

    @cached_property
    def activations(self) -> list[ParameterActivation]:
        return list(ParameterActivation.objects.order_by("id"))

    @cached_property
    def moves(self) -> list[_Placed[FactorMove]]:
        cycles = list(Cycle.objects.order_by("created_at").values_list("created_at", flat=True))
        campaigns = dict(Experiment.objects.values_list("slug", "campaign__number"))
        approved = self._approved
        active = {row.version for row in self.activations}
        values = {
            row.version: {**DEFAULTS, **row.stored_values}
            for row in ParameterVersion.objects.filter(version__in=active)
        }
        found = []
        for row in self.activations:
            if row.previous not in values:
                continue
            permitted = row.actor.startswith("person:") or row.version in approved
            for change in diff(values[row.previous], values[row.version]):
                move = FactorMove(
                    factor=change.param,
                    before=change.from_value,
                    after=change.to_value,
                    cycle=bisect_right(cycles, row.at),
                    permitted=permitted,
                    rollback=row.action == "rollback",
                )
                found.append(_Placed(campaigns.get(row.experiment or ""), row.at, move))
        return found

    @cached_property
    def _approved(self) -> set[int]:
        applied = Approval.objects.filter(kind="apply", status="applied", applied_version__isnull=False)
        return {version for version in applied.values_list("applied_version", flat=True) if version is not None}

    def teacher(self) -> TeacherMeasures:
        return _measured(self.finished, self.resolved, self.moves)

    def trend(self, by: By) -> list[TrendRow]:
        """Oldest first. Swings are counted inside each row: going back on what another campaign did shows in the
        whole alone."""
        keys: dict[str, tuple[int | None, datetime]] = {}
        everything: list[_Placed[FinishedExperiment] | _Placed[timedelta] | _Placed[FactorMove]] = [
            *self.finished,
            *self.resolved,
            *self.moves,
        ]
        for placed in everything:
            if by == "campaign" and placed.campaign is None:
                continue
            name = _key(placed, by)
            number, when = keys.get(name, (placed.campaign, placed.at))
            keys[name] = (number, min(when, placed.at))
        rows = []
        for name, (number, when) in keys.items():
            finished = [item for item in self.finished if _key(item, by) == name]
            measures = _measured(
                finished,
                [item for item in self.resolved if _key(item, by) == name],
                [item for item in self.moves if _key(item, by) == name],
            )
            rows.append(TrendRow(name, number if by == "campaign" else None, when, measures, len(finished)))
        return sorted(rows, key=lambda row: (row.number or 0, row.when))

    def manager(self) -> ManagerMeasures:
        first = LearningGoal.objects.annotate(first=Min("campaigns__experiments__created_at"))
        goals = list(first.values_list("status", "created_at", "first"))
        active = [tested for status, _, tested in goals if status == "active"]
        finished = [placed.item for placed in self.finished]
        return ManagerMeasures(
            to_experiment=typical(tested - created for _, created, tested in goals if tested is not None),
            to_decision=typical(
                item.decided_at - item.completed_at for item in finished if item.decided_at and item.completed_at
            ),
            coverage=Share(sum(tested is not None for tested in active), len(active)),
            conflicts=len(conflicts([placed.item for placed in self.moves])),
            outside_policy=sum(_outside(placed.item) for placed in self.moves),
            disorder=self._disorder(),
        )

    def _disorder(self) -> int:
        """Activations that did not follow on the version that was active: two who changed at once, or a lost row."""
        pairs = zip(self.activations, self.activations[1:], strict=False)
        return sum(after.previous != before.version for before, after in pairs)


def _key(placed: _Placed[FinishedExperiment] | _Placed[timedelta] | _Placed[FactorMove], by: By) -> str:
    return f"{placed.at:%Y-%m}" if by == "month" else str(placed.campaign)


def _outside(move: FactorMove) -> bool:
    """A program changed what policy leaves to a person, and no person agreed."""
    if move.permitted or move.rollback or move.factor not in FACTORS:
        return False
    return bool(approval_reasons(FACTORS[move.factor], move.before, move.after))


def _measured(
    finished: Sequence[_Placed[FinishedExperiment]],
    resolved: Sequence[_Placed[timedelta]],
    moves: Sequence[_Placed[FactorMove]],
) -> TeacherMeasures:
    return teacher_measures(
        finished=[placed.item for placed in finished],
        resolved=[placed.item for placed in resolved],
        moves=[placed.item for placed in moves],
    )
