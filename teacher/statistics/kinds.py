"""Which family of tests a metric belongs to, what it is read from, and what its worst value is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from contracts.evaluation import Sample
from contracts.metric import METRICS, MetricDefinition

Family = Literal["binary", "bounded", "ratio", "quantile", "plain"]


@dataclass(frozen=True)
class MetricKind:
    """`source`: the name in `Sample.metrics`. `span`: the width of the metric's range, None without one.

    `worst`: what a failed run without a value counts as; None: it is left out. `plain` is a count or an unknown
    quantity without a range, compared by means.
    """

    family: Family
    source: str
    span: float | None = None
    worst: float | None = None
    quantile: float | None = None


def metric_kind(name: str, samples: Iterable[Sample], *, higher_is_better: bool) -> MetricKind:
    """From the catalogue; for unknown names from their values. `higher_is_better` is used for unknown names only."""
    definition = METRICS.get(name)
    if definition is not None:
        return _catalogued(definition)
    found = [sample.metrics.get(name) for sample in samples]
    values = [value for value in found if value is not None]
    worst = 0.0 if higher_is_better else 1.0
    if values and all(value in (0, 1) for value in values):
        return MetricKind("binary", name, 1.0, worst)
    if _money_or_time(name) and values and min(values) >= 0:
        return MetricKind("ratio", name)
    if values and min(values) >= 0 and max(values) <= 1:
        return MetricKind("bounded", name, 1.0, worst)
    return MetricKind("plain", name)


def _money_or_time(name: str) -> bool:
    """Mean latencies and costs outside the catalogue keep their nature: `mean_latency`, `judge_cost`."""
    return bool({"cost", "latency", "duration", "tokens"} & set(name.lower().split("_")))


def _catalogued(definition: MetricDefinition) -> MetricKind:
    name = definition.name
    if definition.kind == "quantile":
        return MetricKind("quantile", definition.source or name, quantile=definition.quantile)
    if definition.kind == "positive":
        return MetricKind("ratio", name)
    if definition.kind == "count":
        return MetricKind("plain", name)
    low, high = (1.0, 5.0) if definition.unit == "score" else (0.0, 1.0)
    worst = low if definition.higher_is_better else high
    return MetricKind(definition.kind, name, high - low, worst)
