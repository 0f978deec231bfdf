"""What a dashboard asks of the rollups: read from words, and held within what can be answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from kernel.errors import InvalidInput
from sensor.dashboard import DIMENSIONS, Grain, Point, metric_points
from sensor.domain.facts import END_TO_END, STAGES
from sensor.domain.rolled import ROLLED, RolledMetric

GRAINS: dict[str, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
BUCKETS_MOST = 2400
"""A hundred days by hours, six years and a half by days."""
SPLITS_MOST = 3
POINTS_MOST = 20_000
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
DEFAULT_SPAN = timedelta(days=1)
EVERY_STAGE = (*STAGES, END_TO_END)


@dataclass(frozen=True, slots=True)
class Question:
    """A metric of whole runs (`stage` None) or of one stage, from `since` to before `until`, split by `by`."""

    metric: RolledMetric
    grain: Grain
    since: datetime
    until: datetime
    by: tuple[str, ...]
    stage: str | None

    def buckets(self) -> list[datetime]:
        """The beginnings of all buckets of the span, whether anything was recorded in them or not."""
        first = self.since.replace(minute=0, second=0, microsecond=0)
        first = first.replace(hour=0) if self.grain == "day" else first
        found = []
        while first < self.until:
            found.append(first)
            first += GRAINS[self.grain]
        return found


def question_of(
    *,
    metric: str,
    grain: str = "hour",
    since: datetime | None = None,
    until: datetime | None = None,
    by: Sequence[str] = (),
    stage: str | None = None,
) -> Question:
    """Until now when nothing is said, since a day before that. Raises `InvalidInput` with a sentence and the field."""
    known = ROLLED.get(metric)
    if known is None:
        raise _wrong("metric", f"there is no metric {metric[:60]!r}", known=list(ROLLED))
    if stage is not None and stage not in EVERY_STAGE:
        raise _wrong("stage", f"there is no stage {stage[:60]!r}", known=list(EVERY_STAGE))
    if not (known.of_stages if stage else known.of_runs):
        fitting = [item.name for item in ROLLED.values() if (item.of_stages if stage else item.of_runs)]
        of = "of single stages" if stage else "of whole runs"
        raise _wrong("metric", f"{known.title} is not recorded {of}", known=fitting)
    if grain not in GRAINS:
        raise _wrong("grain", f"a grain is an hour or a day, not {grain[:60]!r}", known=list(GRAINS))
    splits = tuple(dict.fromkeys(by))
    if strange := [name for name in splits if name not in DIMENSIONS]:
        raise _wrong("by", f"runs cannot be split by {strange[0][:60]!r}", known=list(DIMENSIONS))
    if len(splits) > SPLITS_MOST:
        raise _wrong("by", f"runs can be split by {SPLITS_MOST} things at once, not by {len(splits)}")
    end = moment_of("until", until) if until else timezone.now().astimezone(UTC)
    start = moment_of("since", since) if since else end - DEFAULT_SPAN
    if start >= end:
        raise _wrong("since", "the span is empty: it ends before it begins")
    if (end - start) / GRAINS[grain] > BUCKETS_MOST:
        instead = "ask for days, or for a shorter span" if grain == "hour" else "ask for a shorter span"
        raise _wrong("since", f"that is more than {BUCKETS_MOST:,} {grain}s; {instead}")
    return Question(known, "hour" if grain == "hour" else "day", start, end, splits, stage)


def answer(question: Question) -> list[Point]:
    """Oldest first. Raises `InvalidInput` when the answer is too long to be of use."""
    points = metric_points(
        question.metric.name,
        grain=question.grain,
        since=question.since,
        until=question.until,
        by=question.by,
        stage=question.stage,
    )
    if len(points) > POINTS_MOST:
        raise _wrong("by", f"that is more than {POINTS_MOST:,} points; ask for a shorter span, days, or fewer splits")
    return points


def moment_of(name: str, moment: datetime) -> datetime:
    """In UTC, which a time without a zone is taken for. Raises `InvalidInput` when nothing can have happened then."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not EARLIEST < aware < LATEST:
        raise _wrong(name, f"a time between {EARLIEST.year} and {LATEST.year} is needed")
    return aware.astimezone(UTC)


def _wrong(field: str, sentence: str, known: Sequence[str] | None = None) -> InvalidInput:
    return InvalidInput(sentence, details={"field": field} | ({"known": list(known)} if known else {}))
