"""What all experiments together say: which factor moved which metric, how every arm did, and what learning cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, Count, Sum, Value, When

from contracts.metric import METRICS
from experiments.models import Experiment, ExperimentResult
from goals.models import Campaign, CampaignSpend
from teacher.domain.wording import change_of, interval
from tuner.models import ParameterVersion
from tuner.registry import DEFAULTS, FACTORS

SHOWN = (
    "retrieval_recall", "retrieval_precision", "hallucination_rate", "context_utilization", "latency_ms", "token_cost",
)  # fmt: skip
ARMS_MOST = 400
"""Arms drawn as lines, the newest: more is a grey wall."""


@dataclass(frozen=True, slots=True)
class Effect:
    """The largest change that an experiment of this factor saw in this metric."""

    metric: str
    slug: str
    text: str
    span: str
    tone: str
    step: str

    @property
    def title(self) -> str:
        return METRICS[self.metric].title


@dataclass(frozen=True, slots=True)
class Influence:
    """A factor, in how many experiments it was tried, and its largest effect on each shown metric (None: not tried)."""

    factor: str
    title: str
    tried: int
    won: int
    effects: tuple[Effect | None, ...]


def influences(results: Sequence[Mapping[str, Any]]) -> list[Influence]:
    """By factor, those whose effects were largest for their metric's spread first. Pure.

    `results`: `factor`, `slug`, `from_value`, `to_value`, `verdict`, `criteria` of each finished experiment. An effect
    counts as decided, and is coloured, when its interval leaves zero out.
    """
    by_factor: dict[str, list[Mapping[str, Any]]] = {}
    for row in results:
        by_factor.setdefault(row["factor"], []).append(row)
    found = [
        Influence(
            factor=factor,
            title=FACTORS[factor].title if factor in FACTORS else factor,
            tried=len(rows),
            won=sum(1 for row in rows if row["verdict"] == "winner"),
            effects=tuple(_largest(rows, metric) for metric in SHOWN),
        )
        for factor, rows in by_factor.items()
    ]
    largest = {
        metric: max((_size(rows, metric) for rows in by_factor.values()), default=0.0) or 1.0 for metric in SHOWN
    }
    weight = {
        factor: max(_size(rows, metric) / largest[metric] for metric in SHOWN) for factor, rows in by_factor.items()
    }
    return sorted(found, key=lambda item: (-weight[item.factor], item.factor))


def _of(row: Mapping[str, Any], metric: str) -> Mapping[str, Any] | None:
    return next((one for one in row["criteria"] if one["metric"] == metric and one["estimate"] is not None), None)


def _size(rows: Sequence[Mapping[str, Any]], metric: str) -> float:
    return max((abs(one["estimate"]) for row in rows if (one := _of(row, metric)) is not None), default=0.0)


def _largest(rows: Sequence[Mapping[str, Any]], metric: str) -> Effect | None:
    pairs = [(row, one) for row in rows if (one := _of(row, metric)) is not None]
    if not pairs:
        return None
    row, one = max(pairs, key=lambda pair: abs(pair[1]["estimate"]))
    low, high, estimate = one["low"], one["high"], one["estimate"]
    tone = ""
    if low is not None and high is not None and (low > 0 or high < 0):
        better = (estimate > 0) == METRICS[metric].higher_is_better
        tone = "good" if better else "bad"
    return Effect(
        metric=metric,
        slug=row["slug"],
        text=change_of(metric, estimate),
        span=interval(metric, low, high),
        tone=tone,
        step=f"{row['from_value']} → {row['to_value']}",
    )


def finished_read() -> list[dict[str, Any]]:
    """Finished experiments with their criteria. A verdict never changes, so those read before are kept in the process;
    three queries after the first time, one of them for what is new."""
    rows = Experiment.objects.exclude(completed_at=None).values("slug", "factor", "from_value", "to_value")
    known = {row["slug"]: row for row in rows}
    stored = dict(ExperimentResult.objects.values_list("experiment_id", "created_at"))
    new = [slug for slug, at in stored.items() if slug in known and (slug not in _criteria or _criteria[slug][0] != at)]
    for slug, at, verdict, criteria in ExperimentResult.objects.filter(experiment_id__in=new).values_list(
        "experiment_id", "created_at", "verdict", "evaluation__criteria"
    ):
        _criteria[slug] = (at, verdict, criteria or [])
    return [
        {**known[slug], "verdict": _criteria[slug][1], "criteria": _criteria[slug][2]}
        for slug in stored
        if slug in known and slug in _criteria
    ]


_criteria: dict[str, tuple[datetime, str, list[Any]]] = {}
"""By experiment: when its verdict was stored, the verdict and its criteria."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of a finished experiment: its parameters and what it measured on validation."""

    slug: str
    name: str
    values: Mapping[str, Any]
    metrics: Mapping[str, float | None]


def arms_read() -> list[Arm]:
    """The newest arms, oldest first. Three queries."""
    results = list(
        ExperimentResult.objects.order_by("-created_at").values_list(
            "experiment_id", "metrics_baseline", "metrics_variant"
        )[: ARMS_MOST // 2]
    )
    bound = dict(Experiment.objects.filter(slug__in=[slug for slug, *_ in results]).values_list("slug", "arm_versions"))
    versions = {
        row.version: {**DEFAULTS, **row.stored_values}
        for row in ParameterVersion.objects.filter(
            version__in={number for arms in bound.values() for number in arms.values()}
        )
    }
    found = []
    for slug, *measured in reversed(results):
        for name, metrics in zip(("baseline", "variant"), measured, strict=True):
            values = versions.get(bound.get(slug, {}).get(name))
            if values is not None:
                found.append(Arm(slug, name, values, metrics))
    return found


def varied(arms: Sequence[Arm]) -> list[str]:
    """Factors that differ between the arms, in the registry's order. Pure."""
    return [key for key in FACTORS if len({str(arm.values.get(key)) for arm in arms}) > 1]


@dataclass(frozen=True, slots=True)
class Spent:
    """What one campaign paid: for runs of the student, and for judging."""

    number: int
    goal: str
    status: str
    experiments: int
    tokens: int
    student_usd: Decimal
    judge_usd: Decimal

    @property
    def usd(self) -> Decimal:
        return self.student_usd + self.judge_usd


def spent_read(*, most: int = 50) -> list[Spent]:
    """The newest campaigns and what they paid. Two queries."""
    campaigns = list(
        Campaign.objects.select_related("goal").annotate(tried=Count("experiments")).order_by("-number")[:most]
    )
    kind = Case(When(what__startswith="judge:", then=Value("judge")), default=Value("run"), output_field=CharField())
    sums: dict[tuple[Any, str], Decimal] = {
        (row["campaign_id"], row["kind"]): row["usd"] or Decimal(0)
        for row in CampaignSpend.objects.filter(campaign__in=campaigns)
        .annotate(kind=kind)
        .values("campaign_id", "kind")
        .annotate(usd=Sum("cost_usd"))
        .order_by()
    }
    return [
        Spent(
            number=one.number,
            goal=one.goal.text,
            status=one.status,
            experiments=one.tried,
            tokens=one.tokens,
            student_usd=sums.get((one.id, "run"), Decimal(0)),
            judge_usd=sums.get((one.id, "judge"), Decimal(0)),
        )
        for one in campaigns
    ]
