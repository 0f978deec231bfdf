"""Standing A/A experiments for the page of experiments."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.models import StandingTest
from manager.domain.standing import LIMIT
from manager.services.standing import standing_share

_NEWEST = 12


@dataclass(frozen=True, slots=True)
class Standing:
    """The A/A experiments on one data set; shares as texts."""

    dataset: str
    tests: int
    false: int
    alike: int
    share: str
    span: str
    limit: str
    too_many: bool
    newest: list[StandingTest]


def standing() -> list[Standing]:
    """One for each data set that has any."""
    names = StandingTest.objects.order_by("dataset").values_list("dataset", flat=True).distinct()
    return [_of(name) for name in names]


def _of(dataset: str) -> Standing:
    found = standing_share(dataset=dataset)
    return Standing(
        dataset=dataset,
        tests=found.tests,
        false=found.false,
        alike=found.alike,
        share=_percent(found.share),
        span=f"{_percent(found.low)}, {_percent(found.high)}",
        limit=_percent(LIMIT),
        too_many=found.too_many,
        newest=list(StandingTest.objects.filter(dataset=dataset).order_by("-number")[:_NEWEST]),
    )


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"
