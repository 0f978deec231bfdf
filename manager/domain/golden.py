"""The golden gate: what the held-out set must show before a change is applied (MANAGER.md §0.4, reference.md)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from contracts.metric import METRICS
from teacher.domain.wording import amount, signed

_FALLING = ("retrieval_precision", "retrieval_recall")
_LIMIT, _FIFTH = 0.05, 0.2
_ROUNDING = 1e-9
"""Differences of means carry rounding errors: what lies at a limit is not beyond it, and no change is no change."""
_IMPROVED = {
    "retrieval_precision": 0.02,
    "retrieval_recall": 0.02,
    "hallucination_rate": -0.01,
    "context_utilization": 0.02,
}
_WORST = {
    "retrieval_recall": 0.0,
    "retrieval_precision": 0.0,
    "hallucination_rate": 1.0,
    "context_utilization": 0.0,
}
"""What a failed run counts as: a missing case is not a passing case."""
_WATCHED = ("retrieval_recall", "retrieval_precision", "hallucination_rate", "context_utilization")


_NOT_WORSE = frozenset({"token_cost", "latency_p50", "latency_p95", "latency_ms"})
"""Goals about these ask golden for quality that holds; whether they were reached is what validation decides."""


def mode_for(metric: str, mode: str) -> str:
    """The mode of the gate for a change tested for `metric`; `mode` is the policy's (reference.md, "Golden gate")."""
    return "not_worse" if metric in _NOT_WORSE else mode


@dataclass(frozen=True, slots=True)
class GateDecision:
    """`rows`: metric → before, after, difference. `reason` says in one sentence why it passed or not."""

    passed: bool
    mode: str
    reason: str
    rows: Mapping[str, Mapping[str, float | None]]

    def to_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "mode": self.mode,
            "reason": self.reason,
            "rows": {name: dict(row) for name, row in self.rows.items()},
        }


@dataclass(frozen=True, slots=True)
class CategoryValues:
    """The goal's metric on the golden questions of one category."""

    name: str
    before: float | None
    after: float | None


def gate(  # noqa: PLR0911
    *,
    before: Mapping[str, float | None],
    after: Mapping[str, float | None],
    metric: str,
    mode: str,
    category: CategoryValues | None = None,
    distrusted: Mapping[str, str] = MappingProxyType({}),
) -> GateDecision:
    """Decide on one change. `metric` is the goal's own; `category`: the goal asks about this kind of question only, so
    its metric must move the right way on these.

    Any mode: rejected when hallucination rises by more than 0.05, or precision or recall falls by more than 0.05 or
    a fifth of its value, whichever is stricter. Then `directional`: the goal's metric must move the right way;
    `strict`: one of the mission's improvements must be seen; `not_worse`: nothing more.

    `distrusted`: metrics that rest on a judge which does not count, each with its reason. As in a verdict nothing is
    refused on its word, and nothing is applied that would need it.
    """
    rows = {name: _row(before.get(name), after.get(name)) for name in dict.fromkeys((metric, *_WATCHED))}
    broken = degradations(before=before, after=after, distrusted=distrusted)
    if broken:
        return GateDecision(False, mode, "; ".join(broken), rows)
    needed = next((name for name in ("hallucination_rate", metric) if name in distrusted), None)
    if needed is not None:
        title = METRICS[needed].title.lower()
        return GateDecision(False, mode, f"{title} does not count on the golden set: {distrusted[needed]}", rows)
    if mode == "not_worse":
        return GateDecision(True, mode, "nothing got worse on the golden set", rows)
    if mode == "strict":
        counted = [(name, least) for name, least in _IMPROVED.items() if name not in distrusted]
        improved = [name for name, least in counted if _beyond(rows.get(name, {}), least)]
        if not improved:
            return GateDecision(False, mode, "no improvement on the golden set", rows)
        return GateDecision(True, mode, f"{METRICS[improved[0]].title.lower()} improved on the golden set", rows)
    difference = rows[metric]["difference"]
    title = METRICS[metric].title.lower()
    if category is not None:
        difference = _row(category.before, category.after)["difference"]
        title = f"{title} of {category.name} questions"
    if difference is None:
        return GateDecision(False, mode, f"{title} cannot be measured on the golden set", rows)
    right = difference > _ROUNDING if METRICS[metric].higher_is_better else difference < -_ROUNDING
    if not right:
        return GateDecision(
            False, mode, f"{title} does not move the right way on the golden set ({signed(metric, difference)})", rows
        )
    return GateDecision(
        True, mode, f"the golden set agrees: {title} {signed(metric, difference)}, nothing else got worse", rows
    )


def failures_priced(metrics: Mapping[str, float | None], counts: Mapping[str, int]) -> dict[str, float | None]:
    """Means in which each failed run counts as the worst there is; averages alone leave failed runs out.

    For what is judged, never for what it is compared with: failures of the baseline must not make a change look good.
    `counts["error_rate"]` is the number of all runs.
    """
    failed = round((metrics.get("error_rate") or 0.0) * counts.get("error_rate", 0))
    priced = dict(metrics)
    for name, worst in _WORST.items() if failed else ():
        measured = counts.get(name, 0)
        total = (metrics.get(name) or 0.0) * measured + worst * failed
        priced[name] = total / (measured + failed)
    return priced


def averaged(looks: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """Several looks at the same parameters as one: their mean, for a single look carries the chance of what a model
    said. A metric that one of them lacks is lacking."""
    found: dict[str, float | None] = {}
    for name in dict.fromkeys(name for look in looks for name in look):
        values = [look.get(name) for look in looks]
        known = [value for value in values if value is not None]
        found[name] = sum(known) / len(known) if len(known) == len(values) else None
    return found


def degradations(
    *,
    before: Mapping[str, float | None],
    after: Mapping[str, float | None],
    distrusted: Collection[str] = (),
) -> list[str]:
    """What got worse beyond the gate's limits, as sentences; what can no longer be measured counts as worse.

    `distrusted`: metrics of which nothing is said, because the judge behind them does not count.
    """
    before = {name: value for name, value in before.items() if name not in distrusted}
    after = {name: value for name, value in after.items() if name not in distrusted}
    found = []
    foreign = after.get("isolation_violations") or 0
    if foreign:
        found.append(f"memories of another user reached golden answers ({foreign:.0f})")
    found += [
        f"{METRICS[name].title.lower()} cannot be measured on the golden set"
        for name in ("hallucination_rate", *_FALLING)
        if before.get(name) is not None and after.get(name) is None
    ]
    rise = _row(before.get("hallucination_rate"), after.get("hallucination_rate"))["difference"]
    if rise is not None and rise > _LIMIT + _ROUNDING:
        found.append(f"hallucination rises by {amount('hallucination_rate', rise)} on the golden set, more than .050")
    for name in _FALLING:
        row = _row(before.get(name), after.get(name))
        if row["difference"] is None or row["before"] is None:
            continue
        limit = min(_LIMIT, _FIFTH * row["before"])
        if -row["difference"] > limit + _ROUNDING:
            title = METRICS[name].title.lower()
            fall, most = amount(name, -row["difference"]), amount(name, limit)
            found.append(f"{title} falls by {fall} on the golden set, more than {most}")
    return found


def _row(before: float | None, after: float | None) -> dict[str, float | None]:
    difference = None if before is None or after is None else after - before
    return {"before": before, "after": after, "difference": difference}


def _beyond(row: Mapping[str, float | None], least: float) -> bool:
    difference = row.get("difference")
    if difference is None:
        return False
    return difference > least + _ROUNDING if least > 0 else difference < least - _ROUNDING
