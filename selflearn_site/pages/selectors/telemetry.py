"""The explorer of recorded metrics: what a form asks, its answer as series, and the same as rows for a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kernel.errors import InvalidInput
from selflearn_site.pages.said import term
from sensor.dashboard import Point, merged
from sensor.domain.rolled import RolledMetric
from sensor.domain.rollup import percentiles
from sensor.question import Question, answer, question_of
from teacher.domain.wording import amount

SPANS: dict[str, tuple[timedelta, Any]] = {
    "24h": (timedelta(days=1), gettext_lazy("24 hours")),
    "7d": (timedelta(days=7), gettext_lazy("7 days")),
    "30d": (timedelta(days=30), gettext_lazy("30 days")),
    "90d": (timedelta(days=90), gettext_lazy("90 days")),
    "365d": (timedelta(days=365), gettext_lazy("a year")),
}
SHOWS = {
    "mean": gettext_lazy("mean"), "p50": gettext_lazy("P50"), "p95": gettext_lazy("P95"),
    "n": gettext_lazy("how many"), "total": gettext_lazy("sum"),
}  # fmt: skip
SPLITS = {
    "variant": gettext_lazy("variant"), "category": gettext_lazy("category"),
    "parameter_version": gettext_lazy("version"), "experiment": gettext_lazy("experiment"),
    "client_kind": gettext_lazy("client"), "cycle_type": gettext_lazy("cycle"), "split": gettext_lazy("split"),
}  # fmt: skip
SERIES_DRAWN = 12
ROWS_SHOWN = 100

# A metric of the catalogue that is said in this unit: its way of saying numbers is that of all.
_LIKE = {"ms": "latency_ms", "USD": "token_cost", "share": "hit_rate", "days": "memory_age",
         "score": "user_satisfaction", "count": "memory_growth"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form says, as it was said."""

    metric: str = "latency_ms"
    stage: str = ""
    grain: str = "hour"
    span: str = "24h"
    show: str = ""
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """One combination of the dimensions over all buckets. `place` counts from 0; None: not drawn."""

    name: str
    points: dict[datetime, Point]
    place: int | None
    n: int
    total: float
    p50: float | None
    p95: float | None

    @property
    def mean(self) -> float | None:
        return self.total / self.n if self.n else None

    @property
    def colour(self) -> int:
        return (self.place or 0) % 5 + 1

    @property
    def dash(self) -> str:
        return ("solid", "dash", "dot")[(self.place or 0) // 5]


@dataclass(frozen=True, slots=True)
class Explored:
    """The answer. `show`: what of it is drawn."""

    show: str
    question: Question
    points: Sequence[Point]
    series: Sequence[Series]

    @property
    def drawn(self) -> list[Series]:
        return [item for item in self.series if item.place is not None]

    @property
    def left_out(self) -> list[Series]:
        return [item for item in self.series if item.place is None]

    @property
    def counts(self) -> bool:
        """Whether the metric counts rows, of which there is no mean."""
        return self.question.metric.shown in ("n", "total")

    @property
    def more(self) -> bool:
        return len(self.points) > ROWS_SHOWN

    @property
    def stamp(self) -> str:
        """Changes with the answer, so that the chart is drawn anew."""
        return f"{len(self.points)}-{sum(item.n for item in self.series)}-{self.question.until:%Y%m%d%H}"

    def rows(self) -> list[tuple[datetime, str, Point]]:
        """The newest buckets, each series that has values in them."""
        newest = sorted(self.points, key=lambda point: point.bucket, reverse=True)[:ROWS_SHOWN]
        return [(point.bucket.astimezone(UTC), name_of(point, self.question), point) for point in newest]


def asked_of(query: QueryDict) -> Asked:
    given = Asked()
    return Asked(
        metric=query.get("metric", given.metric),
        stage=query.get("stage", ""),
        grain=query.get("grain", given.grain),
        span=query.get("span", given.span),
        show=query.get("show", ""),
        by=tuple(query.getlist("by")),
    )


def explore(asked: Asked) -> Explored:
    """Raises `InvalidInput` with a sentence and the field when this cannot be asked."""
    question = _question(asked)
    show = asked.show or question.metric.shown
    if show not in SHOWS:
        raise InvalidInput(_("That cannot be drawn."), details={"field": "show"})
    if show in ("p50", "p95") and not question.metric.has_percentiles:
        said = _("Percentiles are not kept of “%(metric)s”; take the mean.") % {"metric": term(question.metric.title)}
        raise InvalidInput(said, details={"field": "show"})
    points = answer(question)
    return Explored(show, question, points, _series(question, points))


def _question(asked: Asked) -> Question:
    if asked.span not in SPANS:
        raise InvalidInput(_("Choose one of the spans."), details={"field": "span"})
    now = timezone.now()
    return question_of(
        metric=asked.metric,
        grain=asked.grain,
        since=now - SPANS[asked.span][0],
        until=now,
        by=asked.by,
        stage=asked.stage or None,
    )


def _series(question: Question, points: Sequence[Point]) -> list[Series]:
    """Those with the most values first; only so many are drawn."""
    grouped: dict[str, list[Point]] = {}
    for point in points:
        grouped.setdefault(name_of(point, question), []).append(point)
    ranked = sorted(grouped.items(), key=lambda item: (-sum(point.n for point in item[1]), item[0]))
    return [_one(name, group, place if place < SERIES_DRAWN else None) for place, (name, group) in enumerate(ranked)]


def _one(name: str, points: Sequence[Point], place: int | None) -> Series:
    p50, p95 = percentiles(merged(points), [0.5, 0.95])
    total = float(sum(point.total for point in points))
    return Series(
        name, {point.bucket: point for point in points}, place, sum(point.n for point in points), total, p50, p95
    )


def name_of(point: Point, question: Question) -> str:
    """`v7 · factual`; the metric itself when nothing is split."""
    if not question.by:
        return term(question.metric.title)
    return " · ".join(_dimension(name, point.dimensions[name]) for name in question.by)


def _dimension(name: str, value: str | int | None) -> str:
    if value is None:
        return _("no %(what)s") % {"what": SPLITS[name]}
    return f"v{value}" if name == "parameter_version" else str(value)


def value_of(point: Point | None, show: str) -> float | None:
    """What is drawn of a bucket. No values are zero values, but no mean."""
    if show in ("n", "total"):
        return 0.0 if point is None else float(point.n if show == "n" else point.total)
    if point is None:
        return None
    return point.mean if show == "mean" else point.percentile(0.5 if show == "p50" else 0.95)


def said(metric: RolledMetric, value: float | None) -> str:
    """A mean or percentile of a metric in its unit."""
    return "–" if value is None else amount(_LIKE[metric.unit], value)


def said_as(metric: RolledMetric, show: str, value: float | None) -> str:
    """What is drawn in words: a number of values has no unit."""
    if value is None or show not in ("n", "total"):
        return said(metric, value)
    return f"{value:,.0f}" if show == "n" or metric.unit in ("count", "share") else said(metric, value)


def csv_rows(explored: Explored) -> Iterator[list[Any]]:
    """A heading and every point, also of series that are not drawn."""
    question = explored.question
    yield ["metric", "stage", "grain", "bucket", *question.by, "n", "total", "mean", "p50", "p95"]
    for point in explored.points:
        split = [_cell(point.dimensions[name]) for name in question.by]
        numbers = [point.n, point.total.normalize(), point.mean, point.percentile(0.5), point.percentile(0.95)]
        bucket = point.bucket.astimezone(UTC).isoformat()
        yield [question.metric.name, question.stage or "", question.grain, bucket, *split, *numbers]


def _cell(value: str | int | None) -> str | int | None:
    """A text from outside that a spreadsheet would take for a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
