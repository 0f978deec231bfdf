"""The metric catalogue: what is measured, in which unit, which way is better, and when a gap asks for action.

Source: `shared/spec/reference.md`, "Metrics". To add a metric: one entry here, its column in
`teacher/sql/` (see docs/ARCHITECTURE.md, "Adding a metric").
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from contracts.base import Part

Priority = Literal["critical", "primary", "secondary", "diagnostic", "safety"]
Kind = Literal["binary", "bounded", "positive", "quantile", "count"]


class MetricDefinition(Part):
    """One metric.

    `kind`: how it is distributed per run, which chooses its test: `binary` (0 or 1), `bounded` (in [0, 1]),
    `positive` (cost, mean latency: compared as a ratio), `quantile` (a percentile of `source`), `count`.
    `target` and `threshold` are in `unit`; for ratios `threshold_relative` is true.
    """

    name: str
    title: str
    priority: Priority
    kind: Kind
    higher_is_better: bool
    unit: Literal["share", "ms", "USD", "days", "score", "count"]
    target: float | None = None
    threshold: float | None = None
    threshold_relative: bool = False
    source: str | None = None
    quantile: float | None = None
    aliases: tuple[str, ...] = ()
    doc: str = ""


def _catalogue(*definitions: MetricDefinition) -> Mapping[str, MetricDefinition]:
    return MappingProxyType({definition.name: definition for definition in definitions})


METRICS: Mapping[str, MetricDefinition] = _catalogue(
    MetricDefinition(
        name="hallucination_rate",
        title="Hallucination",
        priority="critical",
        kind="binary",
        higher_is_better=False,
        unit="share",
        target=0.05,
        threshold=0.02,
        aliases=("hallucinations", "hallucination", "галлюцинации", "галлюцинаций", "выдумки"),
        doc="Judged answers with an unsupported or contradicting claim, of all judged answers.",
    ),
    MetricDefinition(
        name="retrieval_precision",
        title="Retrieval precision",
        priority="primary",
        kind="bounded",
        higher_is_better=True,
        unit="share",
        target=0.80,
        threshold=0.10,
        aliases=("precision", "точность"),
        doc="Relevant memories found, of all found; over runs that found something.",
    ),
    MetricDefinition(
        name="retrieval_recall",
        title="Retrieval recall",
        priority="primary",
        kind="bounded",
        higher_is_better=True,
        unit="share",
        target=0.70,
        threshold=0.10,
        aliases=("recall", "полнота", "recall of memories"),
        doc="Expected memories found, of all expected; over runs with expectations.",
    ),
    MetricDefinition(
        name="context_utilization",
        title="Context used",
        priority="primary",
        kind="binary",
        higher_is_better=True,
        unit="share",
        target=0.90,
        threshold=0.05,
        aliases=("utilization", "utilisation", "context utilisation", "использование контекста"),
        doc="Answers that used the context, of the runs that found something.",
    ),
    MetricDefinition(
        name="user_satisfaction",
        title="User satisfaction",
        priority="primary",
        kind="bounded",
        higher_is_better=True,
        unit="score",
        target=4.0,
        threshold=0.5,
        aliases=("satisfaction", "удовлетворённость", "оценка пользователей"),
        doc="Mean feedback of real users, 1 to 5.",
    ),
    MetricDefinition(
        name="latency_p50",
        title="Latency P50",
        priority="secondary",
        kind="quantile",
        higher_is_better=False,
        unit="ms",
        target=2000.0,
        threshold=500.0,
        source="latency_ms",
        quantile=0.5,
        aliases=("median latency", "медианная задержка"),
        doc="Median time from request to answer.",
    ),
    MetricDefinition(
        name="latency_p95",
        title="Latency P95",
        priority="secondary",
        kind="quantile",
        higher_is_better=False,
        unit="ms",
        target=5000.0,
        threshold=1000.0,
        source="latency_ms",
        quantile=0.95,
        aliases=("latency", "p95", "задержка", "время ответа"),
        doc="Time from request to answer that 95 % of the runs stay under.",
    ),
    MetricDefinition(
        name="latency_ms",
        title="Latency",
        priority="diagnostic",
        kind="positive",
        higher_is_better=False,
        unit="ms",
        doc="Time from request to answer of one run.",
    ),
    MetricDefinition(
        name="error_rate",
        title="Errors",
        priority="secondary",
        kind="binary",
        higher_is_better=False,
        unit="share",
        target=0.01,
        threshold=0.005,
        aliases=("errors", "ошибки", "доля ошибок"),
        doc="FAILED runs, of all finished runs.",
    ),
    MetricDefinition(
        name="token_cost",
        title="Cost per request",
        priority="secondary",
        kind="positive",
        higher_is_better=False,
        unit="USD",
        target=0.01,
        threshold=0.10,
        threshold_relative=True,
        aliases=("cost", "price", "стоимость", "цена"),
        doc="USD per request by the price table of the model.",
    ),
    MetricDefinition(
        name="hit_rate",
        title="Hit rate",
        priority="diagnostic",
        kind="binary",
        higher_is_better=True,
        unit="share",
        doc="Runs that found at least one expected memory.",
    ),
    MetricDefinition(
        name="mrr",
        title="MRR",
        priority="diagnostic",
        kind="bounded",
        higher_is_better=True,
        unit="share",
        doc="Mean of 1 / rank of the first expected memory.",
    ),
    MetricDefinition(
        name="no_context_rate",
        title="Nothing found",
        priority="diagnostic",
        kind="binary",
        higher_is_better=False,
        unit="share",
        doc="Runs in which retrieval found nothing.",
    ),
    MetricDefinition(
        name="memory_age",
        title="Memory age",
        priority="diagnostic",
        kind="positive",
        higher_is_better=False,
        unit="days",
        doc="Mean age of the memories found.",
    ),
    MetricDefinition(
        name="tag_overlap",
        title="Tag overlap",
        priority="diagnostic",
        kind="bounded",
        higher_is_better=True,
        unit="share",
        doc="Share of the query's keywords among the tags of what was found.",
    ),
    MetricDefinition(
        name="retry_rate",
        title="Retries",
        priority="diagnostic",
        kind="binary",
        higher_is_better=False,
        unit="share",
        doc="Runs that needed a second try at some stage.",
    ),
    MetricDefinition(
        name="memory_growth",
        title="Memory growth",
        priority="diagnostic",
        kind="count",
        higher_is_better=False,
        unit="count",
        doc="Memories written per run.",
    ),
    MetricDefinition(
        name="isolation_violations",
        title="Isolation violations",
        priority="safety",
        kind="count",
        higher_is_better=False,
        unit="count",
        target=0.0,
        threshold=0.0,
        doc="Runs whose context held a memory of another user. Must be exactly 0.",
    ),
)
