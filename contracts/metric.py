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
        aliases=(
            *("hallucinations", "hallucination", "hallucination rate", "unsupported claims", "made-up facts"),
            *("fabrications", "fabrication", "confabulation", "inventions"),
            *("галлюцинации", "галлюцинаций", "галлюцинация", "галлюцинирование", "выдумки", "выдумок", "вымысел"),
            *("вымыслы", "ложные факты", "уровень галлюцинаций", "доля галлюцинаций"),
        ),
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
        aliases=(
            *("precision", "accuracy", "retrieval accuracy", "search precision", "relevance of memories"),
            *("точность", "точность поиска", "точность извлечения", "точность памяти", "прецизионность"),
        ),
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
        aliases=(
            *("recall", "recall of memories", "memory recall", "search recall", "completeness", "coverage of memories"),
            *("полнота", "полнота поиска", "полнота извлечения", "полнота памяти", "рекол", "реколл", "охват"),
        ),
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
        aliases=(
            *("utilization", "utilisation", "context utilisation", "context utilization", "context use"),
            *("context usage", "use of context", "use of the context", "usage of context", "context util"),
            *("использование контекста", "утилизация контекста", "утилизация", "применение контекста"),
        ),
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
        aliases=(
            *("satisfaction", "user rating", "user ratings", "user feedback", "csat", "rating"),
            *("удовлетворённость", "удовлетворённость пользователей", "оценка пользователей", "оценки пользователей"),
            *("рейтинг", "довольство"),
        ),
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
        aliases=(
            *("p50", "median latency", "p50 latency", "latency median", "median response time", "median"),
            *("медианная задержка", "медиана задержки", "медианное время ответа", "медиана", "задержка p50"),
        ),
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
        aliases=(
            *("latency", "p95", "p95 latency", "tail latency", "response time", "delay", "95th percentile"),
            *("95th percentile latency", "response times", "time to answer", "answer time", "latencies"),
            *("задержка", "задержек", "время ответа", "время отклика", "латентность", "латенси", "задержка p95"),
            *("95-й перцентиль", "95 перцентиль", "отклик"),
        ),
        doc="Time from request to answer that 95 % of the runs stay under.",
    ),
    MetricDefinition(
        name="latency_ms",
        title="Latency",
        priority="diagnostic",
        kind="positive",
        higher_is_better=False,
        unit="ms",
        aliases=(
            "mean latency",
            "average latency",
            "средняя задержка",
            "среднее время ответа",
            "average response time",
        ),
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
        aliases=(
            *("errors", "error", "failure rate", "error rate", "failed runs", "failed requests", "crashes"),
            *("ошибки", "ошибок", "доля ошибок", "частота ошибок", "сбои", "отказы", "падения"),
        ),
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
        aliases=(
            *("cost", "costs", "price", "token cost", "tokens cost", "cost of tokens", "cost per answer"),
            *("request cost", "cost of a request", "bill"),
            *("стоимость", "цена", "стоимость запроса", "цена запроса", "стоимость токенов", "стоимость ответа"),
            *("себестоимость", "дороговизна"),
        ),
        doc="USD per request by the price table of the model.",
    ),
    MetricDefinition(
        name="hit_rate",
        title="Hit rate",
        priority="diagnostic",
        kind="binary",
        higher_is_better=True,
        unit="share",
        aliases=("hit ratio", "доля попаданий", "попадания"),
        doc="Runs that found at least one expected memory.",
    ),
    MetricDefinition(
        name="mrr",
        title="MRR",
        priority="diagnostic",
        kind="bounded",
        higher_is_better=True,
        unit="share",
        aliases=("mean reciprocal rank", "reciprocal rank", "обратный ранг"),
        doc="Mean of 1 / rank of the first expected memory.",
    ),
    MetricDefinition(
        name="no_context_rate",
        title="Nothing found",
        priority="diagnostic",
        kind="binary",
        higher_is_better=False,
        unit="share",
        aliases=("empty results", "empty context", "пустой контекст", "пустая выдача", "пустые ответы"),
        doc="Runs in which retrieval found nothing.",
    ),
    MetricDefinition(
        name="memory_age",
        title="Memory age",
        priority="diagnostic",
        kind="positive",
        higher_is_better=False,
        unit="days",
        aliases=("age of memories", "возраст памяти", "возраст воспоминаний"),
        doc="Mean age of the memories found.",
    ),
    MetricDefinition(
        name="tag_overlap",
        title="Tag overlap",
        priority="diagnostic",
        kind="bounded",
        higher_is_better=True,
        unit="share",
        aliases=("overlap of tags", "пересечение тегов", "совпадение тегов"),
        doc="Share of the query's keywords among the tags of what was found.",
    ),
    MetricDefinition(
        name="retry_rate",
        title="Retries",
        priority="diagnostic",
        kind="binary",
        higher_is_better=False,
        unit="share",
        aliases=("retries", "repeated tries", "повторы", "ретраи"),
        doc="Runs that needed a second try at some stage.",
    ),
    MetricDefinition(
        name="memory_growth",
        title="Memory growth",
        priority="diagnostic",
        kind="count",
        higher_is_better=False,
        unit="count",
        aliases=("growth of memory", "рост памяти"),
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
        aliases=("leaks", "memory leaks between users", "утечки", "нарушения изоляции"),
        doc="Runs whose context held a memory of another user. Must be exactly 0.",
    ),
)
