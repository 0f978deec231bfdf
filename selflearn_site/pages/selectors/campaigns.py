"""Goals and campaigns for their pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from contracts.goal import Constraint, Target
from experiments.models import Dataset, ExperimentResult
from goals.domain.budget import budget_lines
from goals.models import Campaign, LearningGoal
from goals.selectors import campaign_taken, goal_budget
from kernel.errors import NotFound
from manager.models import Cycle, JournalEntry, Report
from selflearn_site.pages.said import digits
from selflearn_site.pages.selectors.standing import short
from teacher.domain.wording import amount


@dataclass(frozen=True, slots=True)
class GoalRow:
    """A goal with its campaigns, newest first."""

    goal: LearningGoal
    targets: tuple[str, ...]
    campaigns: Sequence[Campaign]


def goal_rows(*, limit: int = 100) -> list[GoalRow]:
    """The most urgent first, then the newest. Two queries."""
    goals = LearningGoal.objects.prefetch_related("campaigns").order_by("priority", "-id")[:limit]
    return [
        GoalRow(goal, tuple(target_words(item) for item in goal.targets), list(goal.campaigns.all())) for goal in goals
    ]


def campaign_by_number(number: int) -> Campaign:
    """Raises `NotFound`."""
    found = Campaign.objects.select_related("goal").filter(number=number).first()
    if found is None:
        raise NotFound(f"there is no campaign {number}")
    return found


def cycles(campaign: Campaign) -> list[dict[str, Any]]:
    """Newest first, without the bulk of their data, each with its experiment's `verdict`. Two queries."""
    rows = Cycle.objects.filter(campaign=campaign).order_by("-number")
    found = [
        dict(row)
        for row in rows.values(
            "number", "state", "outcome", "outcome_text", "error", "created_at", "finished_at", "data__version",
            "data__experiment",
        )
    ]  # fmt: skip
    results = ExperimentResult.objects.filter(experiment_id__in=[row["data__experiment"] for row in found])
    verdicts: dict[Any, str] = dict(results.values_list("experiment_id", "verdict"))
    return [{**row, "verdict": verdicts.get(row["data__experiment"], "")} for row in found]


def journal(campaign: Campaign) -> list[JournalEntry]:
    """Newest first."""
    return list(JournalEntry.objects.filter(campaign=campaign).order_by("-id")[:200])


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """One limit of the goal: what is used of it, in words, and as a share for its bar (0 to 1)."""

    what: str
    words: str
    share: float
    spent: bool


_BUDGET_WORDS = {
    "tokens": lambda line: f"{line.used:,.0f} / {line.limit:,.0f}",
    "usd": lambda line: f"${line.used:.4f} / ${line.limit:g}",
    "hours": lambda line: f"{line.used:.1f} / {line.limit:g}",
    "cycles": lambda line: f"{line.used:g} / {line.limit:g}",
}


def budget_use(campaign: Campaign, *, cycles: int) -> list[BudgetUse]:
    """What is used of each limit that the goal sets, until now or until the campaign ended."""
    lines = budget_lines(
        goal_budget(campaign.goal), campaign_taken(campaign), cycles=cycles, now=campaign.finished_at or timezone.now()
    )
    return [
        BudgetUse(line.what, _BUDGET_WORDS[line.what](line), min(line.share, 1.0), line.share >= 1) for line in lines
    ]


def report_exists(campaign: Campaign) -> bool:
    return Report.objects.filter(campaign=campaign).exists()


def dataset_names() -> list[str]:
    return list(Dataset.objects.order_by("name").values_list("name", flat=True))


def target_words(item: dict[str, Any]) -> str:
    """`recall ≥ .600`, `precision + .050`, `latency p95 as low as it goes`."""
    target = Target.model_validate(item)
    name = short(target.metric) + (f" ({target.category})" if target.category else "")
    up = target.direction == "increase"
    if target.value is not None:
        return digits(f"{name} {'≥' if up else '≤'} {amount(target.metric, target.value)}")
    if target.delta is not None:
        size = f"{abs(target.delta) * 100:g} %" if target.relative else amount(target.metric, abs(target.delta))
        return digits(f"{name} {'+' if up else '−'}{size}")
    return f"{name} {'↑' if up else '↓'}"


def constraint_words(item: dict[str, Any]) -> str:
    """`precision: no drop over .030`."""
    constraint = Constraint.model_validate(item)
    name, value = short(constraint.metric), constraint.value
    limit = "" if value is None else f" {amount(constraint.metric, abs(value))}"
    kinds = {
        "no_large_drop": _("no drop over") + limit if limit else _("no large drop"),
        "no_large_rise": _("no rise over") + limit if limit else _("no large rise"),
        "min": f"≥{limit}",
        "max": f"≤{limit}",
    }
    return digits(f"{name}: {kinds[constraint.kind]}")
