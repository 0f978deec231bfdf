"""A judge's own steadiness: does it say the same of the same answer when it is asked again?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.db import connection

from teacher.judges.record import judge_in_force

MARKS = ("hallucination_detected", "context_utilized", "retrieval_relevant")

# All pairs of repeats of a run in which both judgements were given. "Does not apply" is a mark like the others, but a
# mark that was asked for in neither says nothing.
_PAIRS = """
    SELECT count(DISTINCT a.run_id), count(*),
           {equal}
    FROM public.sensor_judgements AS a
    JOIN public.sensor_judgements AS b
      ON b.run_id = a.run_id AND b.judge_version = a.judge_version AND b.repeat > a.repeat
    WHERE a.judge_version = %(version)s
      AND a.run_id IN (SELECT pipeline_run_id FROM public.sensor_events WHERE batch = %(batch)s)
      AND a.hallucination_detected IS NOT NULL AND b.hallucination_detected IS NOT NULL
"""
_COUNTS = """
    SELECT count(DISTINCT repeat), count(*) FILTER (WHERE hallucination_detected IS NULL)
    FROM public.sensor_judgements
    WHERE judge_version = %(version)s
      AND run_id IN (SELECT pipeline_run_id FROM public.sensor_events WHERE batch = %(batch)s)
"""


@dataclass(frozen=True, slots=True)
class Steadiness:
    """`equal`: mark → share of pairs of judgements of one run that agree; None without a pair. `pairs`: how many there
    are. `missing`: judgements that failed, and are in no pair."""

    judge_version: str
    runs: int
    repeats: int
    pairs: Mapping[str, int]
    equal: Mapping[str, float | None]
    missing: int


def judge_steadiness(*, batch: str, judge_version: str | None = None) -> Steadiness:
    """Share of equal marks between repeats (`batch_judge(repeat=…)`) of a judge; of the one in force without a name."""
    version = judge_version or judge_in_force(batch) or ""
    values = {"batch": batch, "version": version}
    equal = ", ".join(
        f"count(*) FILTER (WHERE num_nonnulls(a.{name}, b.{name}) > 0), "
        f"count(*) FILTER (WHERE num_nonnulls(a.{name}, b.{name}) > 0 AND a.{name} IS NOT DISTINCT FROM b.{name})"
        for name in MARKS
    )
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS.format(equal=equal), values)
        runs, _, *counted = cursor.fetchone()
        cursor.execute(_COUNTS, values)
        repeats, missing = cursor.fetchone()
    pairs = dict(zip(MARKS, counted[::2], strict=True))
    same = dict(zip(MARKS, counted[1::2], strict=True))
    return Steadiness(
        judge_version=version,
        runs=runs,
        repeats=repeats,
        pairs=MappingProxyType(pairs),
        equal=MappingProxyType({name: same[name] / pairs[name] if pairs[name] else None for name in MARKS}),
        missing=missing,
    )
