"""How a campaign stands: each metric now, against its target or constraint, and how it got there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from contracts.goal import Constraint, Target
from contracts.metric import METRICS
from goals.domain.lifecycle import CampaignStatus
from goals.models import Campaign
from manager.models import Cycle
from selflearn_site.pages.headline import CampaignNews, Movement, way_of
from selflearn_site.pages.said import term
from teacher.domain.gaps import Measured, target_value
from teacher.domain.wording import amount

ALWAYS = (
    "retrieval_recall", "retrieval_precision", "hallucination_rate", "context_utilization", "latency_p95", "token_cost",
)  # fmt: skip
_ALLOWED = 0.03
"""What "without losing" allows when the goal names no amount: what the Teacher's guards take then."""


State = Literal["met", "gap", "holds", "broken", "watched", "unmeasured"]


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement on validation, by cycle; the last one of an ended campaign is its closing measurement."""

    label: str
    version: int | None
    measured: Measured
    counts: Mapping[str, int]
    closing: bool = False

    def value(self, metric: str, category: str | None = None) -> float | None:
        return self.measured.value(metric, category)


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric on a card. `limit` is the target's or the constraint's value."""

    metric: str
    title: str
    doc: str
    category: str | None
    value: float | None
    start: float | None
    limit: float | None
    limit_text: str
    state: State
    n: int | None
    points: tuple[float | None, ...]

    @property
    def text(self) -> str:
        return amount(self.metric, self.value)


def series(campaign: Campaign) -> list[Point]:
    """Measurements in order. One query; only the small parts of each cycle's data are read."""
    rows = (
        Cycle.objects.filter(campaign=campaign, data__has_key="validation")
        .order_by("number")
        .values_list(
            "number", "data__version", "data__validation__metrics", "data__validation__counts",
            "data__validation__by_category",
        )
    )  # fmt: skip
    points = [
        Point(str(number), version, Measured(metrics or {}, by_category or {}), counts or {})
        for number, version, metrics, counts, by_category in rows
    ]
    after = campaign.metrics_after
    if after and campaign.status in (CampaignStatus.COMPLETED, CampaignStatus.STOPPED):
        points.append(Point(_("end"), campaign.end_version, Measured.from_json(after), after.get("counts", {}), True))
    return points


def readings(campaign: Campaign, points: Sequence[Point]) -> list[Reading]:
    """The goal's targets first, then its constraints, then what is always watched; six or more."""
    start = Measured.from_json(campaign.metrics_before or {})
    now = Measured.from_json(campaign.metrics_after or {})
    counts = (campaign.metrics_after or {}).get("counts", {})
    found: list[Reading] = []

    def add(metric: str, category: str | None, limit: float | None, text: str, state: State) -> None:
        if metric not in METRICS or any(item.metric == metric and item.category == category for item in found):
            return
        definition = METRICS[metric]
        value = now.value(metric, category)
        found.append(
            Reading(
                metric=metric,
                title=definition.title + (f" · {category}" if category else ""),
                doc=definition.doc,
                category=category,
                value=value,
                start=start.value(metric, category),
                limit=limit,
                limit_text=text,
                state="unmeasured" if value is None else state,
                n=counts.get(metric) if category is None else None,
                points=tuple(point.value(metric, category) for point in points),
            )
        )

    for item in campaign.goal.targets:
        target = Target.model_validate(item)
        wanted = target_value(target, start.value(target.metric, target.category))
        value = now.value(target.metric, target.category)
        add(target.metric, target.category, wanted, _target_text(target, wanted), _reached(target, wanted, value))
    for item in campaign.goal.constraints:
        constraint = Constraint.model_validate(item)
        limit, below = constraint_limit(constraint, start.value(constraint.metric))
        value = now.value(constraint.metric)
        broken = value is not None and limit is not None and ((value < limit) if below else (value > limit))
        text = "" if limit is None else f"{_('keep')} {'≥' if below else '≤'} {amount(constraint.metric, limit)}"
        add(constraint.metric, None, limit, text, "broken" if broken else "holds")
    for name in ALWAYS:
        definition = METRICS[name]
        sign = "≥" if definition.higher_is_better else "≤"
        text = "" if definition.target is None else f"{_('usual')} {sign} {amount(name, definition.target)}"
        add(name, None, None, text, "watched")
    return found


def _target_text(target: Target, wanted: float | None) -> str:
    sign = "≥" if target.direction == "increase" else "≤"
    return f"{_('target')} {sign} {amount(target.metric, wanted)}" if wanted is not None else _("as far as it goes")


def _reached(target: Target, wanted: float | None, value: float | None) -> State:
    if value is None:
        return "unmeasured"
    if wanted is None:
        return "gap"
    slack = 1e-9
    return "met" if (value >= wanted - slack if target.direction == "increase" else value <= wanted + slack) else "gap"


def constraint_limit(constraint: Constraint, start: float | None) -> tuple[float | None, bool]:
    """The value that must not be crossed, and whether it is crossed from above (a floor)."""
    if constraint.kind in ("min", "max"):
        return constraint.value, constraint.kind == "min"
    below = constraint.kind == "no_large_drop"
    if start is None:
        return None, below
    allowed = abs(constraint.value) if constraint.value is not None else _ALLOWED
    definition = METRICS[constraint.metric]
    measured = METRICS.get(definition.source or "", definition)
    if measured.kind == "positive":  # cost and latency are compared as ratios
        allowed *= abs(start)
    return (max(0.0, start - allowed) if below else start + allowed), below


def news(campaign: Campaign, found: Sequence[Reading]) -> CampaignNews:
    """What the title says of a campaign: its targets, then its constraints."""
    movements = []
    for item in found:
        if item.state == "watched" or (item.state == "unmeasured" and item.limit is None):
            continue
        share = METRICS[item.metric].unit in ("share", "score")
        movements.append(
            Movement(
                name=short(item.metric) + (f" ({item.category})" if item.category else ""),
                way=way_of(item.start, item.value, share=share),
                met={"met": True, "holds": True, "gap": False, "broken": False}.get(item.state),
                is_target=item.state in ("met", "gap"),
                start=amount(item.metric, item.start),
                now=amount(item.metric, item.value),
                target=amount(item.metric, item.limit) if item.limit is not None else "",
            )
        )
    return CampaignNews(number=campaign.number, status=campaign.status, movements=movements)


def short(metric: str) -> str:
    """`recall` for `Retrieval recall`: the word that people use."""
    title = METRICS[metric].title if metric in METRICS else metric.replace("_", " ")
    plain = title.removeprefix("Retrieval ").removeprefix("Context ") if title != "Context used" else title
    return term(plain.lower())
