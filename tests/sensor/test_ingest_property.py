"""Whatever mix of good, bad and repeated rows comes in whatever batches: the good ones are recorded, once each."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensor.models import ExternalEvent, LedgerEntry, SensorEvent, TelemetryEvent
from sensor.services import telemetry_ingest
from tests.sensor import foreign

BROKEN: tuple[dict[str, Any], ...] = ({"status": "READY"}, {"latency_ms": -1}, {"ended_at": None}, {"surprise": 1})


class Sent(NamedTuple):
    event: int
    run: int
    fault: dict[str, Any] | None


SENT = st.builds(Sent, st.integers(0, 4), st.integers(0, 4), st.sampled_from([None, None, None, *BROKEN]))


class Book:
    """What should be recorded, by the documented rules, one row after the other."""

    def __init__(self) -> None:
        self.events: dict[int, int] = {}
        self.answers: dict[int, str] = {}

    def read(self, batch: list[Sent], answers: list[str]) -> tuple[int, int, list[int]]:
        first: dict[int, tuple[int, int]] = {}
        runs: set[int] = set()
        fates: dict[int, str] = {}
        for index, sent in enumerate(batch):
            if sent.fault is not None:
                fates[index] = "rejected"
            elif sent.event in first:
                of_first, run = first[sent.event]
                fates[index] = "rejected" if run != sent.run or fates[of_first] == "rejected" else "duplicate"
            elif sent.run in runs:
                fates[index] = "rejected"
            else:
                first[sent.event] = (index, sent.run)
                runs.add(sent.run)
                fates[index] = self._take(sent, answers[index])
        counted = list(fates.values())
        rejected = [index for index, fate in fates.items() if fate == "rejected"]
        return counted.count("accepted"), counted.count("duplicate"), rejected

    def _take(self, sent: Sent, answer: str) -> str:
        if sent.event in self.events:
            return "duplicate" if self.events[sent.event] == sent.run else "rejected"
        if sent.run in self.answers:
            return "rejected"
        self.events[sent.event] = sent.run
        self.answers[sent.run] = answer
        return "accepted"


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(SENT, max_size=8), min_size=1, max_size=4))
def test_ingest__any_mix_of_rows__records_the_good_ones_once(batches: list[list[Sent]], db: None) -> None:
    events, runs = ([uuid.uuid4() for _ in range(5)] for _ in range(2))
    book = Book()
    for number, batch in enumerate(batches):
        answers = [f"{number}.{index}" for index in range(len(batch))]
        rows = [
            foreign.event(event_id=str(events[sent.event]), pipeline_run_id=str(runs[sent.run]), answer=answer)
            | (sent.fault or {})
            for sent, answer in zip(batch, answers, strict=True)
        ]
        report = telemetry_ingest(events=rows, source="test")

        assert (report.accepted, report.duplicates, [row.index for row in report.rejected]) == book.read(batch, answers)

    kept = SensorEvent.objects.filter(pipeline_run_id__in=runs).values_list("pipeline_run_id", "answer")
    assert sorted(kept) == sorted((runs[run], answer) for run, answer in book.answers.items())
    assert TelemetryEvent.objects.filter(pipeline_id__in=runs).count() == 5 * len(book.answers)
    assert LedgerEntry.objects.filter(run_id__in=runs).count() == 6 * len(book.answers)
    taken = ExternalEvent.objects.filter(event_id__in=events).values_list("event_id", "run_id")
    assert dict(taken) == {events[event]: runs[run] for event, run in book.events.items()}
