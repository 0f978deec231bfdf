"""Each version that became active: what was promised of it, and what was seen since. Offline beside online.

A gain that only the questions show that chose it is no gain. So each source stands apart: validation (which decided),
golden (which was held out), dialogues of simulated users, and real people; a difference between them is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scipy.stats import norm

from contracts.metric import METRICS
from experiments.models import Experiment, ExperimentResult
from sensor.by_version import Source, VersionTotal, totals_by_version
from teacher.domain.wording import interval, signed
from teacher.statistics.proportions import newcombe, wilson
from tuner.models import ParameterActivation, ParameterVersion

SOURCES: tuple[Source, ...] = ("validation", "golden", "train", "online")
WATCHED = (
    "retrieval_recall", "retrieval_precision", "hallucination_rate", "context_utilization", "no_context_rate",
    "error_rate",
)  # fmt: skip
"""Shares between 0 and 1. What needs truth cannot be told of real people: nobody knows what they should have found."""
NEEDS_TRUTH = frozenset({"retrieval_recall", "retrieval_precision"})
KEPT = 0.5
"""A source that shows less than this part of the promised gain is told to fall short."""
_Z = float(norm.ppf(0.975))


@dataclass(frozen=True, slots=True)
class Seen:
    """A metric in one source: mean, 95 % interval, and how it changed from the version before (None: not seen there).

    Intervals are those of proportions (Wilson; Newcombe for the change), which for shares of one question between 0
    and 1 are rather too wide than too narrow; questions count as independent.
    """

    n: int
    mean: float
    low: float
    high: float
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What the experiment found of the goal's metric on validation, and what the gate saw on golden."""

    experiment: str
    metric: str
    estimate: float | None
    low: float | None
    high: float | None
    n: int
    golden: float | None


@dataclass(frozen=True, slots=True)
class VersionStory:
    """`rows`: metric → source → what was seen there. `warnings`: where less was seen than promised."""

    version: int
    before: int | None
    at: datetime
    reason: str
    rolled_back: bool
    active: bool
    promise: Promise | None
    rows: Mapping[str, Mapping[str, Seen]]
    warnings: tuple[str, ...]


def version_stories(*, most: int = 20) -> list[VersionStory]:
    """Versions that were activated, the newest first; a fixed number of queries."""
    first: dict[int, ParameterActivation] = {}
    for row in ParameterActivation.objects.order_by("id"):
        first.setdefault(row.version, row)
    chosen = sorted(first, reverse=True)[:most]
    parents = {first[number].previous for number in chosen} - {None}
    versions = {row.version: row for row in ParameterVersion.objects.filter(version__in=chosen)}
    seen = _seen(totals_by_version(metrics=WATCHED, versions=sorted({*chosen, *(p for p in parents if p is not None)})))
    promises = _promises([row.experiment for row in versions.values() if row.experiment])
    return [_story(first[number], versions[number], promises, seen) for number in chosen]


def _promises(slugs: Sequence[str]) -> dict[str, Promise]:
    metrics = dict(Experiment.objects.filter(slug__in=slugs).values_list("slug", "metric"))
    results = ExperimentResult.objects.filter(experiment_id__in=slugs)
    return {
        slug: promise
        for slug, criteria, golden in results.values_list("experiment_id", "evaluation__criteria", "golden__rows")
        if (promise := _promise(slug, metrics.get(slug, ""), criteria or [], golden or {})) is not None
    }


def _promise(
    slug: str, metric: str, criteria: Sequence[Mapping[str, Any]], golden: Mapping[str, Mapping[str, Any]]
) -> Promise | None:
    goal = next((item for item in criteria if item["direction"] in ("increase", "decrease")), None)
    if goal is None:
        return None
    return Promise(
        experiment=slug,
        metric=goal["metric"],
        estimate=goal["estimate"],
        low=goal["low"],
        high=goal["high"],
        n=goal["n"],
        golden=golden.get(metric, {}).get("difference"),
    )


_Known = Mapping[tuple[int, str, str], VersionTotal]


def _seen(totals: Sequence[VersionTotal]) -> _Known:
    return {(row.version, row.metric, row.source): row for row in totals}


def _story(
    row: ParameterActivation, version: ParameterVersion, promises: Mapping[str, Promise], seen: _Known
) -> VersionStory:
    promise = promises.get(version.experiment or "")
    rows: dict[str, dict[str, Seen]] = {}
    for metric in WATCHED:
        for source in SOURCES:
            now = seen.get((row.version, metric, source))
            if now is not None:
                before = seen.get((row.previous or 0, metric, source))
                rows.setdefault(metric, {})[source] = _figure(now, before)
    return VersionStory(
        version=row.version,
        before=row.previous,
        at=row.at,
        reason=version.reason,
        rolled_back=version.rolled_back_at is not None,
        active=version.is_active,
        promise=promise,
        rows=rows,
        warnings=_warnings(promise, rows),
    )


def _figure(now: VersionTotal, before: VersionTotal | None) -> Seen:
    hits = _share(now) * now.n
    low, high = wilson(hits, now.n, _Z)
    if before is None:
        return Seen(now.n, now.mean, low, high)
    least, most = newcombe(hits, now.n, _share(before) * before.n, before.n, _Z)
    return Seen(now.n, now.mean, low, high, now.mean - before.mean, least, most)


def _share(total: VersionTotal) -> float:
    return min(max(total.mean, 0.0), 1.0)


_TOLD: Mapping[Source, str] = {
    "golden": "the golden set shows",
    "train": "dialogues of simulated users show",
    "online": "real conversations show",
}


def _warnings(promise: Promise | None, rows: Mapping[str, Mapping[str, Seen]]) -> tuple[str, ...]:
    """Sources that show less than half of the promised gain, and clearly less: the two intervals share nothing. Said in
    numbers, decided by nobody here. Where so much was not to be gained, only what was counts as promised."""
    if promise is None or not promise.estimate or promise.metric not in WATCHED:
        return ()
    found = []
    for source, words in _TOLD.items():
        seen = rows.get(promise.metric, {}).get(source)
        if seen is None or seen.change is None or seen.change_low is None or seen.change_high is None:
            continue
        before = seen.mean - seen.change
        expected, low, high = (
            min(max(promise.estimate if end is None else end, -before), 1.0 - before)
            for end in (promise.estimate, promise.low, promise.high)
        )
        apart = seen.change_high < low or seen.change_low > high
        if apart and abs(expected) > 0 and seen.change / expected < KEPT:
            title = METRICS[promise.metric].title.lower()
            found.append(
                f"{words} {title} {signed(promise.metric, seen.change)} "
                f"{interval(promise.metric, seen.change_low, seen.change_high)}, less than half of the "
                f"{signed(promise.metric, promise.estimate)} that validation promised"
            )
    return tuple(found)
