"""Experiments for their pages: the list, and one with all that its verdict rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from contracts.metric import METRICS
from experiments.models import Experiment, ExperimentResult
from experiments.selectors import golden_look_number, golden_look_of, golden_looks
from kernel.errors import NotFound
from manager.models import Approval, Cycle, JournalEntry
from manager.services.policy import policy_current
from selflearn_site.pages.looks_chart import LookPoint, look_points
from selflearn_site.pages.selectors.criteria import Row, criterion_rows
from selflearn_site.pages.selectors.discoveries import small
from selflearn_site.pages.selectors.standing import short
from teacher.domain.wording import amount, change_of, interval, signed
from teacher.statistics.trust import CHECK as AGREEMENT
from tuner.models import ParameterVersion

_SHOWN = 12
"""Screened steps shown beside an experiment, best first."""


@dataclass(frozen=True, slots=True)
class GoldenRow:
    title: str
    before: str
    after: str
    difference: str


@dataclass(frozen=True, slots=True)
class Category:
    name: str
    n: int
    text: str
    difference: float


@dataclass(frozen=True, slots=True)
class ExperimentView:
    """`goals` and `guards` are the criteria, apart. Without a result all of them are empty."""

    experiment: Experiment
    result: ExperimentResult | None
    version: int | None
    metric_title: str
    change: str
    span: str
    n: int
    needs_n: int | None
    goals: tuple[Row, ...]
    guards: tuple[Row, ...]
    health: Sequence[Mapping[str, Any]]
    golden_rows: tuple[GoldenRow, ...]
    golden_n: int | None
    golden_hash: str
    look: int | None
    looks_allowed: int
    looks: int
    budget: int
    categories: tuple[Category, ...]
    approval: Approval | None

    @property
    def soundness(self) -> list[Mapping[str, Any]]:
        """Checks of the experiment itself; how far its judge is agreed with stands apart."""
        return [check for check in self.health if not check["name"].startswith(AGREEMENT)]

    @property
    def judge_open(self) -> list[str]:
        """Why the judge does not count, or that nobody has calibrated it; nothing of one that is agreed with."""
        checks = [check for check in self.health if check["name"].startswith(AGREEMENT)]
        return [check["detail"] for check in checks if not check["ok"] or "not calibrated" in check["detail"]]

    @property
    def judge_out(self) -> bool:
        return any(not check["ok"] for check in self.health if check["name"].startswith(AGREEMENT))

    @property
    def next_steps(self) -> list[str]:
        """What to try next: as the hypothesis says since the decision, which may be another than the verdict's."""
        hypothesis = self.experiment.hypothesis
        said = hypothesis.next_steps if hypothesis is not None else []
        return list(said or (self.result.recommendation.get("next_steps", []) if self.result else []))

    @property
    def broken(self) -> str:
        """The guard that alone made the variant lose, as `precision −.075`; empty where the target itself fell."""
        if any(row.tone == "bad" for row in self.goals):
            return ""
        return next((f"{short(row.metric)} {row.value}" for row in self.guards if row.tone == "bad"), "")

    @property
    def look_points(self) -> list[LookPoint]:
        """The looks that were taken, for the chart and its table; empty where one look is all that was planned."""
        criteria = self.result.evaluation.get("criteria", []) if self.result else []
        return look_points(
            self.experiment.looks,
            sizes=self.experiment.look_sizes,
            final=criteria[0] if criteria else None,
            verdict=self.result.verdict if self.result else "",
        )

    @property
    def looked(self) -> list[str]:
        """What each look before the end found, as sentences."""
        total = self.experiment.look_sizes[-1] if self.experiment.look_sizes else 0
        return [_looked(place, row, total) for place, row in enumerate(self.experiment.looks, start=1)]


@dataclass(frozen=True, slots=True)
class LookLine:
    """A row of the table behind the chart of looks, in words."""

    n: int
    value: str
    span: str
    boundary: str
    p: str
    level: str
    verdict: str


def look_lines(points: Sequence[LookPoint], metric: str) -> list[LookLine]:
    return [
        LookLine(
            n=point.n,
            value=change_of(metric, point.estimate),
            span=interval(metric, point.low, point.high),
            boundary="±" + change_of(metric, point.boundary).lstrip("+−"),
            p="–" if point.p_value is None else small(point.p_value),
            level="–" if point.level is None else small(point.level),
            verdict=point.verdict,
        )
        for point in points
    ]


def _looked(place: int, row: Mapping[str, Any], total: int) -> str:
    told = f"look {place} at {row['n']} of {total}: {row['verdict']}"
    if row["p_value"] is None or row["level"] is None:
        return told
    told += f", p {small(row['p_value'])} against {small(row['level'])}"
    open_still = row["verdict"] == "inconclusive" and row["p_value"] <= row["level"]
    return told + (", other criteria were open still" if open_still else "")


def experiment_list() -> QuerySet[Experiment]:
    """Newest first, each with its verdict and the version that came of it; no query per row."""
    result = ExperimentResult.objects.filter(experiment_id=OuterRef("slug"))
    made = ParameterVersion.objects.filter(experiment=OuterRef("slug"), kind="production")
    return (
        Experiment.objects.select_related("campaign")
        .annotate(verdict=Subquery(result.values("verdict")[:1]))
        .annotate(why=Subquery(result.values("recommendation__reason")[:1]))
        .annotate(n=Subquery(result.values("evaluation__n")[:1]))
        .annotate(version=Subquery(made.values("version")[:1]))
        .defer("spec")
        .order_by("-created_at")
    )


def experiment_view(slug: str) -> ExperimentView:
    """Raises `NotFound`. A fixed number of queries; the samples are not read here."""
    experiment = Experiment.objects.select_related("campaign", "hypothesis").filter(slug=slug).first()
    if experiment is None:
        raise NotFound(f"there is no experiment {slug!r}")
    result = ExperimentResult.objects.filter(experiment_id=slug).defer("samples").first()
    evaluation = result.evaluation if result else {}
    rows = criterion_rows(evaluation.get("criteria", []), (result.spec if result else experiment.spec))
    goal = next((row for row in rows if not row.guard), None)
    look = golden_look_of(slug)
    policy = policy_current()
    metric = goal.metric if goal else experiment.metric
    return ExperimentView(
        experiment=experiment,
        result=result,
        version=ParameterVersion.objects.filter(experiment=slug, kind="production")
        .values_list("version", flat=True)
        .first(),
        metric_title=METRICS[metric].title if metric in METRICS else metric,
        change=change_of(metric, goal.estimate) if goal else "",
        span=interval(metric, goal.low, goal.high) if goal else "",
        n=int(evaluation.get("n", 0)),
        needs_n=evaluation.get("needs_n"),
        goals=tuple(row for row in rows if not row.guard),
        guards=tuple(row for row in rows if row.guard),
        health=evaluation.get("health", []),
        golden_rows=_golden(result.golden.get("rows", {}) if result else {}),
        golden_n=look.planned // max(1, len(look.arms)) if look else None,
        golden_hash=look.golden_hash[:12] if look else "",
        look=golden_look_number(look) if look else None,
        looks_allowed=policy.golden_looks_per_campaign,
        looks=golden_looks(dataset=experiment.dataset),
        budget=policy.golden_budget,
        categories=_categories(result, metric),
        approval=Approval.objects.filter(experiment=experiment).order_by("-created_at").first(),
    )


def considered_of(experiment: Experiment) -> dict[str, Any] | None:
    """What the plan of its cycle ranked, and how many questions power asked for; None for one written by hand."""
    if experiment.campaign_id is None or experiment.cycle is None:
        return None
    cycle = Cycle.objects.filter(campaign_id=experiment.campaign_id, number=experiment.cycle).first()
    rows = cycle.data.get("plan", []) if cycle is not None else []
    told = JournalEntry.objects.filter(
        campaign_id=experiment.campaign_id, kind="hypothesis", experiment=experiment.slug
    ).first()
    needs = told.data.get("needs_n") if told is not None else None
    return {"rows": rows[:_SHOWN], "left": max(0, len(rows) - _SHOWN), "needs_n": needs} if rows else None


def _golden(rows: Mapping[str, Mapping[str, float | None]]) -> tuple[GoldenRow, ...]:
    return tuple(
        GoldenRow(
            title=METRICS[name].title if name in METRICS else name,
            before=amount(name, row.get("before")),
            after=amount(name, row.get("after")),
            difference=signed(name, row.get("difference")),
        )
        for name, row in rows.items()
    )


def _categories(result: ExperimentResult | None, metric: str) -> tuple[Category, ...]:
    """Largest gain first. A description, not a test."""
    found = (result.by_category or {}).get("differences", {}) if result else {}
    better = 1 if metric not in METRICS or METRICS[metric].higher_is_better else -1
    rows = [
        Category(name, int(row["n"]), signed(metric, float(row["difference"])), float(row["difference"]))
        for name, row in found.items()
    ]
    return tuple(sorted(rows, key=lambda row: -better * row.difference))
