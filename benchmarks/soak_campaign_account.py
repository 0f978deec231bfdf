"""What a campaign decided, ran and paid; and what differs between two databases that should tell the same."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from django.db import connection

from experiments.models import ExperimentResult
from goals.models import Campaign
from maas.access import as_service
from manager.models import JournalEntry
from tuner.selectors import active_version, version_values

_SHOWN = 3


@dataclass(frozen=True)
class Story:
    """All that must come out again, whatever was killed on the way."""

    status: str
    end_reason: str
    cycles: list[tuple[Any, ...]]
    decisions: list[tuple[Any, ...]]
    """Of each experiment: cycle, change, verdict, decision with its reason, and how many were compared."""
    journal: list[tuple[Any, ...]]
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    """Of the last measuring, on validation and golden."""
    tokens: int
    usd: Decimal
    paid: frozenset[str]
    """What is on the bill, one by one."""
    runs: frozenset[uuid.UUID]


def story_read(campaign_id: uuid.UUID) -> Story:
    campaign = Campaign.objects.get(id=campaign_id)
    results = {item.experiment_id: item for item in ExperimentResult.objects.all()}
    return Story(
        status=campaign.status,
        end_reason=campaign.end_reason,
        cycles=list(campaign.cycles.order_by("number").values_list("number", "state", "outcome", "outcome_text")),
        decisions=[
            (
                *(item.cycle, item.factor, item.from_value, item.to_value, item.decision, item.decision_reason),
                *((found.verdict, _told_again(found.evaluation)) if (found := results.get(item.slug)) else ()),
            )
            for item in campaign.experiments.order_by("cycle", "slug")
        ],
        journal=list(
            JournalEntry.objects.filter(campaign=campaign)
            .order_by("cycle_number", "key")
            .values_list("cycle_number", "key", "kind", "text", "reason")
        ),
        parameters=version_values(active_version().version),
        metrics=_told_again({"validation": campaign.metrics_after, "golden": campaign.golden_after}),
        tokens=campaign.tokens,
        usd=campaign.cost_usd,
        paid=frozenset(campaign.spends.values_list("what", flat=True)),
        runs=frozenset(row[0] for row in _student("SELECT id FROM pipeline_runs")),
    )


def _told_again(value: Any) -> Any:
    """Without how many runs needed a second try, for that is what kills are for, and without the last digits of sums,
    which depend on the order of their rows."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: _told_again(item) for key, item in value.items() if key != "retry_rate"}
    return [_told_again(item) for item in value] if isinstance(value, list) else value


def differences(expected: Story, found: Story) -> list[str]:
    """A sentence for each part that is otherwise, with where; none: the same decisions, runs and bill."""
    told = []
    for item in fields(Story):
        before, after = getattr(expected, item.name), getattr(found, item.name)
        if isinstance(before, frozenset):
            before, after = sorted(before - after), sorted(after - before)
        if before != after:
            told.append(f"{item.name} differ: {_shown(_otherwise(before, after))}")
    return told


def _otherwise(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where two values differ, each place with both."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _otherwise(before.get(key), after.get(key), f"{path}.{key}")
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _otherwise(one, other, f"{path}[{place}]")
    elif before != after:
        yield f"{path} {before} became {after}"


def twice() -> list[str]:
    """A sentence for each kind of work that was done or paid more than once, or left open."""
    recorded = Counter(_default("SELECT pipeline_run_id FROM public.sensor_events"))
    settled = {row[0] for row in _student("SELECT id FROM pipeline_runs WHERE finished_at IS NOT NULL")}
    problems = {
        "runs are recorded more than once": [row for row, times in recorded.items() if times > 1],
        "settled runs are not recorded": settled - {row[0] for row in recorded},
        "recorded runs are not settled": {row[0] for row in recorded} - settled,
        "runs did not end": _student("SELECT id FROM pipeline_runs WHERE finished_at IS NULL"),
        "runs failed": _student("SELECT id FROM pipeline_runs WHERE status = 'FAILED'"),
        "campaigns' bills are not the sum of what was paid for": _default(
            "SELECT c.number, c.tokens, sum(s.tokens), c.cost_usd, sum(s.cost_usd)"
            " FROM campaigns AS c JOIN campaign_spends AS s ON s.campaign_id = c.id GROUP BY c.id"
            " HAVING c.tokens <> sum(s.tokens) OR abs(c.cost_usd - sum(s.cost_usd)) > 1e-6"
        ),
        "versions came of the same experiment twice": _default(
            "SELECT experiment, count(*) FROM parameter_activations WHERE action = 'apply' AND experiment IS NOT NULL"
            " GROUP BY 1 HAVING count(*) > 1"
        ),
    }
    return [f"{len(rows)} {what}: {_shown(rows)}" for what, rows in problems.items() if rows]


def counts() -> dict[str, int]:
    """How far the student is, and how much had to be taken up again."""
    (row,) = _student(
        "SELECT count(*) FILTER (WHERE finished_at IS NOT NULL), count(*) FILTER (WHERE retry_count > 0)"
        " FROM pipeline_runs"
    )
    return {"settled": row[0], "taken_up_again": row[1]}


def _shown(rows: Iterable[Any]) -> str:
    found = list(rows)
    return "; ".join(str(row)[:400] for row in found[:_SHOWN]) + (" …" if len(found) > _SHOWN else "") or "nothing"


def _student(statement: str) -> list[tuple[Any, ...]]:
    with as_service() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _default(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())
