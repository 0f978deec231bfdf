"""Knowledge of steps, kept: what was seen is written down once per occasion, and read as what is believed now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Sum

from contracts.metric import METRICS
from contracts.parameters import ParameterChange
from teacher.designer.knowledge import (
    BETWEEN_OCCASIONS,
    STARTING,
    Belief,
    Effect,
    Knowledge,
    Seen,
    gain_of,
    move_of,
)
from teacher.designer.screening import Difference
from teacher.models import StepObservation


@dataclass(frozen=True, slots=True)
class Occasion:
    """Where steps were seen: a screening, or one experiment."""

    source: str
    reference: str
    dataset: str
    base_version: int


def observations_record(
    *, occasion: Occasion, seen: Sequence[tuple[ParameterChange, Mapping[str, Difference]]], also: Collection[str] = ()
) -> int:
    """Write down what each step did to each metric that can be compared. The same occasion twice is recorded once.

    Metrics that only describe are left out, but for those that are asked for (`also`).
    Returns how many observations were there to record.
    """
    rows = []
    for change, differences in seen:
        for metric, found in differences.items():
            if metric not in METRICS or (METRICS[metric].priority == "diagnostic" and metric not in also):
                continue
            gain = gain_of(metric, found.mean, found.error, found.base)
            if gain is None:
                continue
            rows.append(
                StepObservation(
                    source=occasion.source,
                    reference=occasion.reference,
                    metric=metric,
                    factor=change.param,
                    move=move_of(change.from_value, change.to_value),
                    from_value=change.from_value,
                    to_value=change.to_value,
                    gain=gain[0],
                    error=gain[1],
                    n=found.n,
                    dataset=occasion.dataset,
                    base_version=occasion.base_version,
                )
            )
    StepObservation.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def knowledge_read(*, until: datetime | None = None, starting: Mapping[Effect, float] = STARTING) -> Knowledge:
    """What is known now, or was known at a moment, so that a step that runs again knows what it knew.

    Summed up by the database: as many rows come as there are moves and metrics, however often they were seen.
    """
    rows = StepObservation.objects.all() if until is None else StepObservation.objects.filter(observed_at__lte=until)
    weight = 1.0 / (F("error") * F("error") + BETWEEN_OCCASIONS**2)
    sums = rows.values_list("metric", "factor", "move").annotate(
        times=Count("id"), weight=Sum(weight), told=Sum(F("gain") * weight)
    )
    totals = {(metric, factor, move): Seen(*told) for metric, factor, move, *told in sums.order_by()}
    return Knowledge(totals=totals, starting=starting)


def steps_seen(*, references: Sequence[str], base_version: int) -> set[tuple[str, str]]:
    """(factor, value as text) of the steps that these screenings saw from a base version."""
    rows = StepObservation.objects.filter(reference__in=references, base_version=base_version)
    return {(factor, str(value)) for factor, value in rows.values_list("factor", "to_value").distinct()}


@dataclass(frozen=True, slots=True)
class Known:
    """One line of what is known: a move, a metric, what is believed of it, and how often it was seen where."""

    metric: str
    factor: str
    move: str
    belief: Belief
    screenings: int
    experiments: int


def known_list(*, metric: str = "", factor: str = "") -> list[Known]:
    """Everything that is believed or was seen, the most promising first."""
    knowledge = knowledge_read()
    times: dict[Effect, dict[str, int]] = {}
    counts = StepObservation.objects.values_list("metric", "factor", "move", "source").annotate(n=Count("id"))
    for name, key, move, source, n in counts.order_by():
        times.setdefault((name, key, move), {})[source] = n
    found = []
    for name, key, move in knowledge.effects():
        if (metric and name != metric) or (factor and key != factor):
            continue
        seen = times.get((METRICS[name].source or name, key, move), {})
        belief = knowledge.belief(name, key, move)
        found.append(Known(name, key, move, belief, seen.get("screening", 0), seen.get("experiment", 0)))
    return sorted(found, key=lambda item: (-item.belief.mean, item.metric, item.factor, item.move))
