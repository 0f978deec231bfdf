"""A campaign's measurements as lines with 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence

from django.db import connection

from contracts.metric import METRICS
from experiments.models import EvaluationPass
from goals.models import Campaign
from selflearn_site.pages.charts import Line, Mark
from selflearn_site.pages.said import digits
from selflearn_site.pages.selectors.standing import Point, Reading, short
from teacher.aggregator import AVERAGED
from tuner.models import ActivationAction, ParameterActivation

Interval = tuple[float, float]


def lines(campaign: Campaign, points: Sequence[Point], readings: Sequence[Reading]) -> list[Line]:
    """The goal's targets and constraints of one unit, on one axis: the first target's. Never two axes."""
    wanted = [item for item in readings if item.state not in ("watched", "unmeasured")]
    if not wanted:
        wanted = [item for item in readings if item.state != "unmeasured"][:2]
    unit = METRICS[wanted[0].metric].unit if wanted else "share"
    wanted = [item for item in wanted if METRICS[item.metric].unit == unit][:3]
    versions = {point.version for point in points}
    bands = intervals(campaign, [item.metric for item in wanted if item.category is None], versions)
    return [
        Line(
            metric=item.metric,
            name=short(item.metric) + (f" · {item.category}" if item.category else ""),
            marks=[_mark(point, item, bands) for point in points],
            target=item.limit if item.state in ("met", "gap") else None,
            target_text=digits(f"{short(item.metric)}: {item.limit_text}"),
        )
        for item in wanted
    ]


def _mark(point: Point, item: Reading, bands: Mapping[tuple[int, str], Interval]) -> Mark:
    low, high = bands.get((point.version or 0, item.metric), (None, None)) if item.category is None else (None, None)
    return Mark(
        label=point.label,
        version=point.version,
        value=point.value(item.metric, item.category),
        n=point.counts.get(item.metric),
        low=low,
        high=high,
    )


def rolled_back() -> list[int]:
    """Versions that a rollback left."""
    rows = ParameterActivation.objects.filter(action=ActivationAction.ROLLBACK).values_list("previous", flat=True)
    return [version for version in rows if version is not None]


def intervals(
    campaign: Campaign, metrics: Sequence[str], shown: Container[int | None]
) -> dict[tuple[int, str], Interval]:
    """(version, metric) → 95 % interval of the mean on validation. Questions that share a cluster are not
    independent: the variance is taken over clusters (Liang & Zeger 1986), Student's t with clusters − 1 degrees of
    freedom. Two queries; nothing for metrics that are no averages."""
    names = [name for name in metrics if name in AVERAGED]
    passes = EvaluationPass.objects.filter(
        dataset=campaign.dataset, split="validation", purpose="monitor", finished_at__isnull=False
    ).order_by("started_at")
    found_arms = ((batch, arms.get("active")) for batch, arms in passes.values_list("batch", "arms"))
    versions = {batch: version for batch, version in found_arms if version in shown}
    if not names or not versions:
        return {}
    columns = ", ".join(f"count({name}), sum({name}), sum({name} * {name})" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT batch, coalesce(cluster, example_id), {columns} FROM teacher_run_metrics
            WHERE batch = ANY (%s) GROUP BY 1, 2
            """,  # noqa: S608 - the names come from a constant of the Teacher
            [list(versions)],
        )
        grouped = cursor.fetchall()
    found = {}
    for batch, version in versions.items():
        rows = [row[2:] for row in grouped if row[0] == batch]
        for index, name in enumerate(names):
            parts = [row[3 * index : 3 * index + 3] for row in rows if row[3 * index]]
            band = mean_interval([(int(n), float(total), float(squares)) for n, total, squares in parts])
            if band is not None and version is not None:
                found[(version, name)] = band
    return found


def mean_interval(clusters: Sequence[tuple[int, float, float]]) -> Interval | None:
    """95 % interval of a mean from (n, sum, sum of squares) of each cluster; None with fewer than three clusters.

    The larger of the cluster-robust and the independent variance, so that it never claims more than independence.
    """
    groups, n = len(clusters), sum(item[0] for item in clusters)
    if groups < 3 or n < 3:
        return None
    mean = sum(item[1] for item in clusters) / n
    robust = groups / (groups - 1) * sum((total - count * mean) ** 2 for count, total, _squares in clusters) / n**2
    independent = max(0.0, sum(item[2] for item in clusters) - n * mean**2) / (n - 1) / n
    from scipy.special import stdtrit

    reach = float(stdtrit(groups - 1, 0.975)) * math.sqrt(max(robust, independent))
    return mean - reach, mean + reach
