"""Metrics Aggregator: recorded runs into metrics, in SQL. Numbers from ids come before judgements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from contracts.evaluation import Sample
from contracts.metric import METRICS

AVERAGED = (
    "hallucination_rate",
    "retrieval_precision",
    "retrieval_recall",
    "context_utilization",
    "hit_rate",
    "mrr",
    "no_context_rate",
    "retry_rate",
    "memory_age",
    "tag_overlap",
    "memory_growth",
    "token_cost",
)
_SAMPLE_METRICS = (*AVERAGED, "latency_ms")
_NEEDS_EXPECTATIONS = ("retrieval_recall", "hit_rate", "mrr")
_NEEDS_FINDS = ("retrieval_precision", "context_utilization")
_JUDGED = ("hallucination_rate", "context_utilization")


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Metrics of one group of runs. A metric is None when no run of the group has a value; `counts` says how many
    runs stand behind each average."""

    n: int
    metrics: Mapping[str, float | None]
    counts: Mapping[str, int]
    tokens: int
    cost_usd: float
    by_category: Mapping[str, Aggregate] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "metrics": dict(self.metrics),
            "counts": dict(self.counts),
            "tokens": self.tokens,
            "cost_usd": self.cost_usd,
            "by_category": {name: {"n": item.n, **item.metrics} for name, item in self.by_category.items()},
        }


def metrics_aggregate(*, batch: str, variant: str | None = None, also: Sequence[str] = ()) -> Aggregate:
    """Metrics of one batch (and arm), overall and by category. Latency in ms, cost in USD, rates as fractions.

    `also`: batches whose runs are taken together with these, as one group.
    """
    averages = ", ".join(f"avg({name}), count({name})" for name in AVERAGED)
    sql = f"""
        SELECT category, count(*), avg(failed::int), sum(isolation_violation),
               percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms),
               percentile_cont(0.95) WITHIN GROUP (ORDER BY latency_ms),
               COALESCE(sum(tokens), 0), COALESCE(sum(token_cost), 0), {averages}
        FROM teacher_run_metrics
        WHERE batch = ANY(%s) AND (%s::text IS NULL OR variant = %s)
        GROUP BY GROUPING SETS ((), (category))
        ORDER BY grouping(category) DESC, category
    """  # noqa: S608 - the names come from a constant above
    with connection.cursor() as cursor:
        cursor.execute(sql, [[batch, *also], variant, variant])
        rows = cursor.fetchall()
    whole, *parts = rows
    groups = {str(row[0]): _aggregate(row) for row in parts if row[0] is not None}
    return _aggregate(whole, groups)


def _aggregate(row: tuple[Any, ...], groups: Mapping[str, Aggregate] | None = None) -> Aggregate:
    _, n, errors, isolation, p50, p95, tokens, cost, *pairs = row
    metrics: dict[str, float | None] = {
        name: None if pairs[2 * index] is None else float(pairs[2 * index]) for index, name in enumerate(AVERAGED)
    }
    counts = {name: int(pairs[2 * index + 1]) for index, name in enumerate(AVERAGED)}
    metrics |= {
        "error_rate": None if errors is None else float(errors),
        "latency_p50": None if p50 is None else float(p50),
        "latency_p95": None if p95 is None else float(p95),
        "isolation_violations": float(isolation or 0),
    }
    counts |= dict.fromkeys(("error_rate", "latency_p50", "latency_p95", "isolation_violations"), int(n))
    return Aggregate(
        n=int(n), metrics=metrics, counts=counts, tokens=int(tokens), cost_usd=float(cost), by_category=groups or {}
    )


def samples_read(*, batch: str) -> list[Sample]:
    """Every run of a batch as a sample of the statistics engine, in a stable order.

    Present but None: the measurement is missing (not judged, or the run failed). Absent: the metric does not apply
    to this run (precision where nothing was found, recall where nothing was expected, use of a context that held no
    answer when none was given, marks of a judge that judges a sample which this run is not in).
    """
    columns = ", ".join(_SAMPLE_METRICS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT example_id, variant, category, cluster, failed, expected, found, left_out,
                   row_number() OVER (ORDER BY started_at, run_id), {columns}
            FROM teacher_run_metrics WHERE batch = %s AND split IS DISTINCT FROM 'golden' ORDER BY example_id, variant
            """,  # noqa: S608 - the names come from a constant above
            [batch],
        )
        rows = cursor.fetchall()
    return [_sample(row) for row in rows]


def _sample(row: tuple[Any, ...]) -> Sample:
    example, variant, category, cluster, failed, expected, found, left_out, order, *values = row
    metrics: dict[str, float | None] = {}
    for name, value in zip(_SAMPLE_METRICS, values, strict=True):
        if name in _NEEDS_EXPECTATIONS and not expected:
            continue
        if name in _NEEDS_FINDS and not failed and not found:
            continue
        if left_out and name in _JUDGED:
            continue
        if name == "context_utilization" and value is None and metrics.get("hallucination_rate") is not None:
            continue  # judged, and found not to apply: a justified "I do not know"
        if METRICS[name].priority == "diagnostic" and value is None:
            continue
        metrics[name] = None if value is None else float(value)
    return Sample(
        example_id=example,
        variant=variant,
        metrics=metrics,
        category=category,
        failed=bool(failed),
        cluster=cluster,
        order=int(order),
    )


def differences_by_category(
    samples: list[Sample], *, baseline: str, variant: str, metric: str
) -> dict[str, dict[str, float | int]]:
    """Mean paired difference (variant − baseline) of one metric by category, with its n; description, not a test."""
    values = {(item.example_id, item.variant): item.metrics.get(metric) for item in samples}
    category = {item.example_id: item.category or "other" for item in samples}
    groups: dict[str, list[float]] = {}
    for example, name in category.items():
        before, after = values.get((example, baseline)), values.get((example, variant))
        if before is not None and after is not None:
            groups.setdefault(name, []).append(after - before)
    return {name: {"n": len(items), "difference": sum(items) / len(items)} for name, items in sorted(groups.items())}
