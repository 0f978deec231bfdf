"""Runs of a MaaS that runs elsewhere are recorded as our own are: whole, once, checked for isolation, masked."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from incidents.models import Incident
from sensor.domain.external import Fault
from sensor.models import ExternalEvent, LedgerEntry, SensorEvent, TelemetryEvent
from sensor.services import ground_truth_record, judgements_record, runs_capture, telemetry_ingest
from sensor.services.copying import rows_copy
from tests.sensor import factories, foreign
from tests.sensor.factories import ANNA, BORIS

pytestmark = pytest.mark.django_db


def ingest(*events: dict[str, Any]) -> tuple[int, int, list[tuple[int, str]]]:
    """Accepted, duplicates, and of the rejected their place and the field that is wrong."""
    report = telemetry_ingest(events=events, source="test")
    return report.accepted, report.duplicates, [(row.index, row.errors[0].field) for row in report.rejected]


def recorded() -> tuple[int, int, int, int]:
    return (
        SensorEvent.objects.count(),
        TelemetryEvent.objects.count(),
        LedgerEntry.objects.count(),
        ExternalEvent.objects.count(),
    )


def test_ingest__event__keeps_what_the_teacher_needs() -> None:
    first, second = foreign.found(tags=["Sister", "city"]), foreign.found(days_ago=4, score=None)
    event = foreign.event(
        found=[first, second], used_ids=[first["id"]], experiment="exp-1", variant="test_a", cycle_type="macro",
        mode="evaluation", context="MEMORIES: Kazan", context_tokens=7, parameter_version=3, model="m",
        memory_id=str(uuid.uuid4()), thread_id=str(uuid.uuid4()), seed=5, retry_count=1, latency_ms=1234.5678,
        prompt_tokens=30, completion_tokens=4, cost_usd=0.00012, feedback_score=4, consent=True,
        feedback_at=foreign.STARTED.isoformat(),
    )  # fmt: skip

    assert ingest(event) == (1, 0, [])

    row = SensorEvent.objects.get()
    assert [str(each) for each in row.found_ids] == [first["id"], second["id"]]
    assert (row.found_scores, [str(each) for each in row.used_ids or ()]) == ([0.9, None], [first["id"]])
    assert (row.query, row.keywords, row.answer, row.context) == (
        "Where does my sister live?", ["sister", "live"], "In Kazan.", "MEMORIES: Kazan",
    )  # fmt: skip
    assert (row.memories_found, row.memories_used, row.isolation_ok) == (2, 1, True)
    assert row.avg_memory_age_days == pytest.approx(3)
    assert row.tag_overlap_score == 0.5
    assert (row.latency_ms, row.total_cost_usd) == (Decimal("1234.568"), Decimal("0.00012"))
    assert (row.experiment, row.variant, row.cycle_type, row.mode) == ("exp-1", "test_a", "macro", "evaluation")
    assert (row.parameter_version, row.context_tokens, row.seed, row.retry_count, row.model) == (3, 7, 5, 1, "m")
    assert (str(row.memory_id), str(row.thread_id)) == (event["memory_id"], event["thread_id"])
    assert (row.prompt_tokens, row.completion_tokens) == (30, 4)
    assert (row.feedback_score, row.feedback_at, row.consent) == (4, foreign.STARTED, True)
    assert (row.started_at, row.asked_at) == (foreign.STARTED, foreign.STARTED)


def test_ingest__event__has_one_row_per_stage_and_remembers_who_sent_it() -> None:
    event = foreign.event()
    ingest(event)

    latencies = dict(TelemetryEvent.objects.values_list("stage", "latency_ms"))
    assert {stage: float(ms or 0) for stage, ms in latencies.items()} == factories.TIMINGS | {"e2e": 2000.0}
    taken = ExternalEvent.objects.get()
    assert (str(taken.event_id), str(taken.run_id), taken.source) == (
        event["event_id"],
        event["pipeline_run_id"],
        "test",
    )


def test_ingest__failed_run__is_recorded_with_its_error() -> None:
    ingest(foreign.event(status="FAILED", answer=None, error_type="TimeoutError", error_message="30 s", stages={}))

    row = SensorEvent.objects.get()
    assert (row.status, row.answer, row.error_type, row.error_message) == ("FAILED", None, "TimeoutError", "30 s")
    assert TelemetryEvent.objects.get().error_type == "TimeoutError"


def test_ingest__same_events_again__are_duplicates_and_write_nothing() -> None:
    events = [foreign.event() for _ in range(3)]
    ingest(*events)
    before = recorded()

    changed = events[0] | {"answer": "In Riga.", "started_at": (foreign.STARTED - timedelta(hours=1)).isoformat()}
    assert ingest(changed, *events[1:]) == (0, 3, [])

    assert recorded() == before == (3, 15, 18, 3)
    assert set(SensorEvent.objects.values_list("answer", flat=True)) == {"In Kazan."}


def test_ingest__event_twice_in_one_batch__is_recorded_once() -> None:
    event = foreign.event()

    assert ingest(event, foreign.event(), event, event) == (2, 2, [])
    assert recorded()[0] == 2


def test_ingest__bad_rows_among_good_ones__are_returned_and_the_others_kept() -> None:
    rows: list[Any] = [foreign.event(), 7, foreign.without("query"), foreign.event(), None]

    assert ingest(*rows) == (2, 0, [(1, ""), (2, "query"), (4, "")])
    assert recorded()[0] == 2


@pytest.mark.parametrize("together", [True, False])
def test_ingest__event_id_of_another_run__is_refused(together: bool) -> None:
    first = foreign.event()
    other = foreign.event(event_id=first["event_id"])

    if together:
        assert ingest(first, other) == (1, 0, [(1, "event_id")])
    else:
        ingest(first)
        assert ingest(other) == (0, 0, [(0, "event_id")])
    assert str(SensorEvent.objects.get().pipeline_run_id) == first["pipeline_run_id"]


@pytest.mark.parametrize("together", [True, False])
def test_ingest__run_under_another_event_id__is_refused(together: bool) -> None:
    first = foreign.event()
    other = foreign.event(pipeline_run_id=first["pipeline_run_id"])

    if together:
        assert ingest(first, other) == (1, 0, [(1, "pipeline_run_id")])
    else:
        ingest(first)
        assert ingest(other, foreign.event()) == (1, 0, [(0, "pipeline_run_id")])
    assert not ExternalEvent.objects.filter(event_id=other["event_id"]).exists()
    assert SensorEvent.objects.filter(pipeline_run_id=first["pipeline_run_id"]).count() == 1


def test_ingest__repeat_of_a_row_that_is_refused__is_refused_too() -> None:
    first = foreign.event()
    ingest(first)
    other = foreign.event(event_id=first["event_id"])

    assert ingest(other, other) == (0, 0, [(0, "event_id"), (1, "event_id")])


def test_ingest__run_that_was_captured_live__is_refused() -> None:
    run_id = factories.run()
    runs_capture(run_ids=[run_id])

    assert ingest(foreign.event(pipeline_run_id=str(run_id))) == (0, 0, [(0, "pipeline_run_id")])
    assert not ExternalEvent.objects.exists()


def test_ingest__more_than_a_thousand__are_recorded_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensor.services.ingest.MOST_AT_ONCE", 3)
    events = [foreign.event() for _ in range(7)]
    other = foreign.event(pipeline_run_id=events[0]["pipeline_run_id"])

    assert ingest(*events, events[0], other, {}) == (7, 1, [(8, "pipeline_run_id"), (9, "event_id")])
    assert recorded()[0] == 7


def test_ingest__nothing__is_nothing() -> None:
    assert ingest() == (0, 0, [])


def test_ingest__memory_of_another_user__opens_an_incident() -> None:
    event = foreign.event(found=[foreign.found(), foreign.found(user_id=BORIS)])
    ingest(event)

    assert SensorEvent.objects.get().isolation_ok is False
    assert set(TelemetryEvent.objects.values_list("isolation_ok", flat=True)) == {False}
    incident = Incident.objects.get(kind="isolation")
    assert (incident.severity, incident.subject) == ("critical", f"user:{ANNA}")
    assert event["pipeline_run_id"] in incident.detail


def test_ingest__duplicate_with_a_foreign_memory__opens_no_second_incident() -> None:
    event = foreign.event(found=[foreign.found(user_id=BORIS)])
    ingest(event)
    Incident.objects.update(status="resolved", resolved_at=datetime.now(UTC))

    ingest(event)

    assert Incident.objects.count() == 1


@pytest.mark.parametrize(
    ("memories", "used", "isolation"),
    [
        ([], None, True),
        ([foreign.found()], None, True),
        ([foreign.found(), foreign.found(user_id=None)], None, None),
        ([foreign.found(user_id=None), foreign.found(user_id=BORIS)], None, False),
        ([foreign.found()], [str(uuid.UUID(int=7))], None),
    ],
    ids=["none", "own", "owner not told", "one not told, one foreign", "used one not found"],
)
def test_ingest__owners_as_far_as_told__decide_isolation(
    memories: list[dict[str, Any]], used: list[str] | None, isolation: bool | None
) -> None:
    ingest(foreign.event(found=memories, used_ids=used))

    assert SensorEvent.objects.get().isolation_ok is isolation
    assert Incident.objects.exists() is (isolation is False)


def test_ingest__two_runs_that_name_different_owners__each_stands_for_itself() -> None:
    """What one sender says of a memory does not excuse what another one found."""
    memory = foreign.found(user_id=ANNA)
    ingest(foreign.event(found=[memory]), foreign.event(user_id=str(BORIS), found=[memory]))

    assert dict(SensorEvent.objects.values_list("user_id", "isolation_ok")) == {ANNA: True, BORIS: False}


def test_ingest__age_and_tags_not_told__are_not_made_up() -> None:
    ingest(foreign.event(found=[foreign.found(days_ago=None)]))

    row = SensorEvent.objects.get()
    assert (row.avg_memory_age_days, row.tag_overlap_score, row.memories_used) == (None, None, None)


@pytest.mark.parametrize(("client", "kept"), [("user", "call [phone]"), ("emulator", "call +7 999 123-45-67")])
def test_ingest__phone_in_the_text__is_hidden_for_real_users_only(client: str, kept: str) -> None:
    text = "call +7 999 123-45-67"
    ingest(foreign.event(client_kind=client, query=text, answer=text, context=text, error_message=text))

    row = SensorEvent.objects.get()
    assert (row.query, row.answer, row.context, row.error_message) == (kept, kept, kept, kept)


def test_ingest__texts_with_everything_that_copy_treats_specially__are_kept_as_they_are() -> None:
    text = 'a\\b\tc\nd\re"f{,}\\N \\. й 😀 NULL'
    ingest(foreign.event(query=text, answer=text, keywords=[text, "", "NULL", "{"], context="\\."))

    row = SensorEvent.objects.get()
    assert (row.query, row.answer, row.keywords, row.context) == (text, text, [text, "", "NULL", "{"], "\\.")


def test_ingest__truth_and_judgement_of_a_foreign_run__reach_its_row() -> None:
    memory, event = foreign.found(), foreign.event()
    run_id = uuid.UUID(event["pipeline_run_id"])
    ground_truth_record([factories.truth(run_id, expected_memory_ids=(uuid.UUID(memory["id"]),))])

    ingest(event | {"found": [memory]})
    judgements_record([factories.judgement(run_id, context_utilized=True)])

    row = SensorEvent.objects.get()
    assert (row.batch, row.context_utilized) == ("batch-1", True)
    assert set(TelemetryEvent.objects.values_list("hit_rate", flat=True)) == {True}


def test_ingest__run_of_years_ago__makes_its_own_months_only() -> None:
    then = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0) - timedelta(days=3 * 365)
    ingest(foreign.event(), foreign.event(started_at=then.isoformat(), ended_at=then.isoformat()))

    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM sensor_events ORDER BY started_at LIMIT 1")
        assert cursor.fetchone() == (f"sensor_events_{then:y%Ym%m}",)
        between = then + timedelta(days=200)
        cursor.execute("SELECT to_regclass(%s)", [f"sensor_events_{between:y%Ym%m}"])
        assert cursor.fetchone() == (None,)


def test_ingest__broken_off_half_way__leaves_nothing_and_may_be_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(cursor: Any, table: str, rows: Any) -> None:
        if table == "public.telemetry_events":
            raise ConnectionError("gone")
        rows_copy(cursor, table, rows)

    event = foreign.event()
    with monkeypatch.context() as patch:
        patch.setattr("sensor.services.store.rows_copy", broken)
        with pytest.raises(ConnectionError):
            ingest(event)
    assert recorded() == (0, 0, 0, 0)

    assert ingest(event) == (1, 0, [])


def test_ingest__reasons__are_sentences_that_say_what_to_do() -> None:
    event = foreign.event()
    ingest(event)
    report = telemetry_ingest(
        events=[foreign.event(event_id=event["event_id"]), foreign.event(pipeline_run_id=event["pipeline_run_id"])],
        source="test",
    )

    assert [row.errors for row in report.rejected] == [
        (Fault("event_id", "this event id was given to another run before"),),
        (Fault("pipeline_run_id", "this run is recorded already, and not by this event"),),
    ]
