"""What is behind a number: the questions that lost or gained most, with what each arm found and said."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.metric import METRICS
from experiments.models import Experiment, ExperimentResult
from maas.access import as_service
from sensor.models import SensorEvent
from teacher.domain.wording import amount, signed

SHOWN = 8
_MOST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Found:
    """One memory of an arm. `rank` counts from 1; None: expected and not found. `used`: the answer rests on it."""

    text: str
    expected: bool
    rank: int | None
    used: bool


@dataclass(frozen=True, slots=True)
class ArmSide:
    name: str
    version: int | None
    value: str
    answer: str
    status: str
    memories: tuple[Found, ...]

    @property
    def hits(self) -> int:
        return sum(1 for item in self.memories if item.expected and item.rank is not None)

    @property
    def expected(self) -> int:
        return sum(1 for item in self.memories if item.expected)

    @property
    def best_rank(self) -> int | None:
        return min((item.rank for item in self.memories if item.expected and item.rank is not None), default=None)


@dataclass(frozen=True, slots=True)
class Case:
    example: str
    query: str
    category: str
    difference: str
    worse: bool
    sides: tuple[ArmSide, ...]


@dataclass(frozen=True, slots=True)
class Cases:
    """`worse`, `better`, `equal`: how many pairs. `losses` worst first, `gains` best first."""

    worse: int
    better: int
    equal: int
    losses: tuple[Case, ...]
    gains: tuple[Case, ...]


def cases(experiment: Experiment, *, metric: str) -> Cases | None:
    """None without stored samples. Three queries, one of them to the student's database."""
    samples = ExperimentResult.objects.filter(experiment_id=experiment.slug).values_list("samples", flat=True).first()
    if not samples:
        return None
    ordered = differences(samples, metric=metric)
    sign = 1 if metric not in METRICS or METRICS[metric].higher_is_better else -1
    losses = [name for name, value in ordered if sign * value < 0]
    gains = [name for name, value in reversed(ordered) if sign * value > 0]
    if sign < 0:
        losses, gains = losses[::-1], gains[::-1]
    shown = [*losses[:SHOWN], *gains[:SHOWN]]
    details = _details(experiment, shown, dict(ordered), metric=metric, sign=sign)
    return Cases(
        worse=len(losses),
        better=len(gains),
        equal=len(ordered) - len(losses) - len(gains),
        losses=tuple(details[name] for name in losses[:SHOWN] if name in details),
        gains=tuple(details[name] for name in gains[:SHOWN] if name in details),
    )


def differences(samples: Sequence[Mapping[str, Any]], *, metric: str) -> list[tuple[str, float]]:
    """(example, variant − baseline), smallest first; only pairs in which both have a value. Pure."""
    values: dict[str, dict[str, float]] = {}
    for sample in samples:
        value = sample["metrics"].get(metric)
        if value is not None:
            values.setdefault(sample["example_id"], {})[sample["variant"]] = value
    pairs = [
        (name, arms["variant"] - arms["baseline"])
        for name, arms in values.items()
        if "variant" in arms and "baseline" in arms
    ]
    return sorted(pairs, key=lambda pair: (pair[1], pair[0]))


def _details(
    experiment: Experiment, names: Sequence[str], moved: Mapping[str, float], *, metric: str, sign: int
) -> dict[str, Case]:
    events = SensorEvent.objects.filter(batch=f"{experiment.slug}-validation", example_id__in=names)
    by_example: dict[str, dict[str, SensorEvent]] = {}
    for event in events.order_by("started_at"):
        by_example.setdefault(event.example_id or "", {})[event.variant or ""] = event
    texts = memory_texts(
        memory
        for arms in by_example.values()
        for event in arms.values()
        for memory in [*event.found_ids, *(event.expected_ids or [])]
    )
    found = {}
    for name, arms in by_example.items():
        first = next(iter(arms.values()))
        found[name] = Case(
            example=name,
            query=first.query,
            category=first.category or "",
            difference=signed(metric, moved[name]),
            worse=sign * moved[name] < 0,
            sides=tuple(_side(arm, arms[arm], texts, metric) for arm in ("baseline", "variant") if arm in arms),
        )
    return found


def _side(arm: str, event: SensorEvent, texts: Mapping[uuid.UUID, str], metric: str) -> ArmSide:
    expected, used = set(event.expected_ids or []), set(event.used_ids or [])
    memories = [
        Found(texts.get(memory, ""), memory in expected, rank, memory in used)
        for rank, memory in enumerate(event.found_ids, start=1)
    ]
    missed = [memory for memory in event.expected_ids or [] if memory not in set(event.found_ids)]
    memories += [Found(texts.get(memory, ""), True, None, False) for memory in missed]
    hits = sum(1 for item in memories if item.expected and item.rank is not None)
    values = {
        "retrieval_recall": hits / len(expected) if expected else None,
        "retrieval_precision": hits / len(event.found_ids) if event.found_ids else None,
        "latency_ms": float(event.latency_ms),
        "token_cost": None if event.total_cost_usd is None else float(event.total_cost_usd),
    }
    return ArmSide(
        name=arm,
        version=event.parameter_version,
        value=amount(metric, values[metric]) if values.get(metric) is not None else "",
        answer=event.answer or "",
        status=event.status,
        memories=tuple(memories),
    )


def memory_texts(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Text by memory id, shortened; memories that are gone are absent. For people of the staff, in all users' name."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    with as_service() as cursor:
        cursor.execute("SELECT id, left(summary_text, %s) FROM lsm_storage WHERE id = ANY (%s)", [_MOST_TEXT, wanted])
        return dict(cursor.fetchall())
