"""The map of what was supposed: factors against metrics, each cell with its hypotheses and what came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypotheses.domain.lifecycle import HypothesisStatus
from hypotheses.models import Hypothesis
from tuner.registry import FACTORS

MOST = 2000
"""Hypotheses that a map shows: the newest."""
IN_CELL = 6
IN_MORE = 24
_COLUMNS = (
    "name", "description", "status", "factor", "metric", "from_value", "to_value", "related_experiments", "next_steps",
    "created_at", "updated_at",
)  # fmt: skip
_OPEN = (HypothesisStatus.PLANNED, HypothesisStatus.RUNNING)
_ORDER = {status.value: place for place, status in enumerate(
    (HypothesisStatus.CONFIRMED, HypothesisStatus.RUNNING, HypothesisStatus.PLANNED, HypothesisStatus.REJECTED,
     HypothesisStatus.INCONCLUSIVE)
)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MapCell:
    """`shown`: what is known best first; `more`: those that come next, `IN_MORE` at most; `left`: how many are in the
    list alone."""

    metric: str
    shown: Sequence[Hypothesis]
    more: Sequence[Hypothesis]
    left: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MapRow:
    factor: str
    cells: Sequence[MapCell]


@dataclass(frozen=True, slots=True)
class HypothesisMap:
    """`untried`: factors that no hypothesis was ever about."""

    metrics: Sequence[str]
    rows: Sequence[MapRow]
    untried: Sequence[str]
    total: int
    confirmed: int
    open_: int
    next_steps: Sequence[Hypothesis]


def hypothesis_map() -> HypothesisMap:
    """One query. Factors in the order of the registry, metrics by how often they were worked on."""
    rows = Hypothesis.objects.only(*_COLUMNS).order_by("-created_at", "id")
    found = list(rows[:MOST])
    cells: dict[str, dict[str, list[Hypothesis]]] = {}
    times: dict[str, int] = {}
    for item in found:
        cells.setdefault(item.factor, {}).setdefault(item.metric, []).append(item)
        times[item.metric] = times.get(item.metric, 0) + 1
    metrics = sorted(times, key=lambda name: (-times[name], name))
    factors = [key for key in FACTORS if key in cells] + sorted(set(cells) - set(FACTORS))
    by_status = [item.status for item in found]
    return HypothesisMap(
        metrics=metrics,
        rows=[MapRow(key, [_cell(name, cells[key].get(name, [])) for name in metrics]) for key in factors],
        untried=[key for key in FACTORS if key not in cells],
        total=len(found),
        confirmed=by_status.count(HypothesisStatus.CONFIRMED),
        open_=sum(status in _OPEN for status in by_status),
        next_steps=_next(found),
    )


def _cell(metric: str, items: Sequence[Hypothesis]) -> MapCell:
    ranked = sorted(items, key=lambda item: _ORDER[item.status])  # newest first among equals
    counts: dict[str, int] = {}
    for item in ranked:
        counts[item.status] = counts.get(item.status, 0) + 1
    end = IN_CELL + IN_MORE
    return MapCell(metric, ranked[:IN_CELL], ranked[IN_CELL:end], max(0, len(ranked) - end), counts)


def _next(found: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Of each factor the hypothesis that a verdict came to last, if it says what to try next; newest first."""
    last: dict[str, Hypothesis] = {}
    for item in found:
        untried = item.status == HypothesisStatus.INCONCLUSIVE and not item.related_experiments
        if item.status in _OPEN or untried:
            continue
        if item.factor not in last or item.updated_at > last[item.factor].updated_at:
            last[item.factor] = item
    return sorted((item for item in last.values() if item.next_steps), key=lambda item: item.updated_at, reverse=True)
