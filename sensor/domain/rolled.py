"""What rollups can be asked for: each metric with its title, its unit, and what of it is worth a first look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from contracts.metric import METRICS

Unit = Literal["share", "ms", "USD", "days", "score", "count"]
Value = Literal["mean", "p50", "p95", "n", "total"]


@dataclass(frozen=True, slots=True)
class RolledMetric:
    """`shown`: what of it is drawn unless asked otherwise. `of_runs`, `of_stages`: what it is recorded of."""

    name: str
    title: str
    unit: Unit
    doc: str
    shown: Value = "mean"
    of_runs: bool = True
    of_stages: bool = False

    @property
    def has_percentiles(self) -> bool:
        return self.name in HISTOGRAMS


HISTOGRAMS = frozenset({"latency_ms", "capture_lag_ms"})
"""Metrics whose percentiles are kept (`sensor_bin`, migration 0004)."""

_SHARED = (
    "error_rate", "retrieval_recall", "retrieval_precision", "mrr", "no_context_rate", "context_utilization",
    "hallucination_rate", "user_satisfaction", "token_cost", "retry_rate", "memory_age", "tag_overlap",
)  # fmt: skip
"""Named, titled and defined as in the catalogue of metrics."""


def _catalogued(name: str, *, shown: Value = "mean", of_stages: bool = False) -> RolledMetric:
    known = METRICS[name]
    return RolledMetric(name, known.title, known.unit, known.doc, shown, of_stages=of_stages)


def _own(name: str, title: str, unit: Unit, doc: str, shown: Value = "mean") -> RolledMetric:
    return RolledMetric(name, title, unit, doc, shown)


ROLLED: Mapping[str, RolledMetric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            _own("runs", "Recorded runs", "count", "Runs that settled and are recorded.", "n"),
            _catalogued("latency_ms", shown="p95", of_stages=True),
            _catalogued("hit_rate", of_stages=True),
            *(_catalogued(name) for name in _SHARED),
            _own("capture_lag_ms", "Capture lag", "ms", "Time from the end of a run to its row.", "p95"),
            _own("prompt_tokens", "Prompt tokens", "count", "Tokens of the prompts of one run."),
            _own("completion_tokens", "Completion tokens", "count", "Tokens of the answers of one run."),
            _own("memories_found", "Memories found", "count", "Memories that retrieval found for one run."),
            _own("memories_used", "Memories used", "count", "Memories that entered the context of one run."),
            _own("retrieval_relevant", "Retrieval relevant", "share", "Runs whose finds the judge called relevant."),
            _own("isolation_violation", "Isolation violations", "count", METRICS["isolation_violations"].doc, "total"),
            _catalogued("memory_growth"),
            RolledMetric("stage_rows", "Recorded stages", "count", "Stages of runs that are recorded.", "n",
                         of_runs=False, of_stages=True),
        )
    }
)  # fmt: skip
