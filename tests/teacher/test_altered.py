"""Stored samples that are not what they were: which row, which part of it, and what stood there."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.models import EvaluationPass, ExperimentResult
from kernel.canonical import stable_hash
from sensor.models import SensorEvent
from teacher.altered import AlteredRow
from teacher.services import Replay, verdict_replay
from tests.experiments.makers import experiment
from tests.teacher.events import BATCH
from tests.teacher.test_services import TEACHER, analyzed, runs_of_both_arms

pytestmark = pytest.mark.django_db


@pytest.fixture
def result(db: None) -> ExperimentResult:
    experiment(TEACHER)
    runs_of_both_arms()
    EvaluationPass.objects.create(
        batch=BATCH, experiment="e-1", dataset="d", split="validation", purpose="experiment", arms={}, planned=160
    )
    return analyzed()


def replayed(result: ExperimentResult) -> Replay:
    result.save()
    return verdict_replay(slug="e-1")


def test_result__recorded__has_a_fingerprint_for_each_sample(result: ExperimentResult) -> None:
    assert [tuple(row[:2]) for row in result.sample_digests] == [
        (row["example_id"], row["variant"]) for row in result.samples
    ]


def test_replay__metric_altered__names_row_metric_and_what_was_recorded(result: ExperimentResult) -> None:
    before = result.samples[3]
    was = before["metrics"]["latency_ms"]
    before["metrics"]["latency_ms"] = 12345.0
    found = replayed(result)
    row = AlteredRow(4, before["example_id"], before["variant"], "latency_ms", 12345.0, was)
    assert (found.identical, found.rows) == (False, (row,))
    assert f"row 4 (example {row.example}, arm {row.arm}): latency_ms is 12345.0, was {was}" in found.difference


def test_replay__metric_altered_and_runs_gone__still_names_what_stood_there(result: ExperimentResult) -> None:
    was = result.samples[0]["metrics"]["retrieval_precision"]
    result.samples[0]["metrics"]["retrieval_precision"] = 0.99
    SensorEvent.objects.all().delete()
    (row,) = replayed(result).rows
    assert (row.row, row.field, row.stored, row.was) == (1, "retrieval_precision", 0.99, was)


@pytest.mark.parametrize(
    ("part", "value"), [("failed", True), ("category", "nonsense"), ("example_id", "other"), ("order", 999)]
)
def test_replay__another_part_altered__is_named(result: ExperimentResult, part: str, value: Any) -> None:
    was = result.samples[5][part]
    result.samples[5][part] = value
    (row,) = replayed(result).rows
    assert (row.row, row.field, row.stored, row.was) == (6, part, value, was)


def test_replay__metric_taken_away__is_named(result: ExperimentResult) -> None:
    was = result.samples[2]["metrics"].pop("retrieval_precision")
    (row,) = replayed(result).rows
    assert (row.field, row.stored, row.was) == ("retrieval_precision", None, was)


def test_replay__value_that_nothing_knows_any_more__names_the_row_alone(result: ExperimentResult) -> None:
    result.samples[7]["metrics"] |= {"latency_ms": 12345.0, "retrieval_precision": 0.99}
    SensorEvent.objects.all().delete()
    found = replayed(result)
    key = result.samples[7]["example_id"], result.samples[7]["variant"]
    assert found.rows == (AlteredRow(8, *key),)
    assert f"row 8 (example {key[0]}, arm {key[1]}) is not as it was" in found.difference


def test_replay__many_rows_altered__tells_three_and_the_number_of_others(result: ExperimentResult) -> None:
    for row in result.samples[:5]:
        row["metrics"]["retrieval_precision"] = 0.99
    found = replayed(result)
    assert len(found.rows) == 5
    assert found.difference.endswith("; and 2 more")


def test_replay__row_deleted__is_named(result: ExperimentResult) -> None:
    gone = result.samples.pop(4)
    found = replayed(result)
    assert f"instead of {len(result.samples) + 1}; {gone['example_id']}, arm {gone['variant']}, is gone" in (
        found.difference
    )


def test_replay__fingerprint_altered_with_its_row__is_still_not_identical(result: ExperimentResult) -> None:
    result.samples[0]["metrics"]["retrieval_precision"] = 0.99
    result.sample_digests[0][2] = stable_hash(result.samples[0])[:16]
    found = replayed(result)
    assert (found.identical, found.rows) == (False, ())
    assert "those were altered too" in found.difference


def test_replay__result_from_before_fingerprints__says_that_rows_cannot_be_told(result: ExperimentResult) -> None:
    result.sample_digests = []
    assert replayed(result).identical is True
    result.samples[0]["metrics"]["retrieval_precision"] = 0.99
    found = replayed(result)
    assert (found.identical, found.rows) == (False, ())
    assert "older than fingerprints of single rows" in found.difference
