"""Old rows go by the policy, and only they; what decisions rest on stays, and so does what was added up."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit.models import AuditEntry
from contracts.actor import Actor
from kernel.errors import NotAuthorised
from sensor.domain.retention import RetentionLine, RetentionReport, month_name
from sensor.models import ExternalEvent, LedgerEntry, RunJudgement, RunTruth, SensorEvent, TelemetryEvent
from sensor.services import backfill, runs_capture, telemetry_ingest
from sensor.services.retention import retention_apply, retention_plan
from sensor.services.retention_policy import recorded_from
from sensor.services.rollups import rollups_fold
from tests.sensor import factories
from tests.sensor.old import exists, kept, month_ago, recorded, rows

pytestmark = pytest.mark.django_db
TABLES = ("sensor_events", "telemetry_events")


def apply(actor: Actor, **options: Any) -> RetentionReport:
    return retention_apply(actor=actor, reason="a test of it", **options)


def line(report: RetentionReport, table: str, months: int) -> RetentionLine:
    (found,) = [each for each in report.lines if (each.table, each.month) == (table, month_ago(months))]
    return found


def left() -> set[uuid.UUID]:
    return set(SensorEvent.objects.values_list("pipeline_run_id", flat=True))


def test_apply__nothing_said__keeps_everything_for_ever(alice: Actor) -> None:
    run_id = recorded(100)

    report = apply(alice)

    assert (report.rows, report.recorded_from, left()) == (0, None, {run_id})


def test_apply__month_with_nothing_to_protect__drops_it_and_keeps_younger_ones(alice: Actor) -> None:
    recorded(7, judged=True)
    young = {recorded(6), recorded(2)}
    kept(6)

    report = apply(alice)

    assert left() == young
    assert line(report, "sensor_events", 7).action == "drop"
    assert [exists(table, month_ago(months)) for table in TABLES for months in (7, 6)] == [False, True] * 2
    assert TelemetryEvent.objects.count() == 10


def test_apply__run_that_went__leaves_neither_claim_nor_truth_nor_judgement(alice: Actor) -> None:
    run_id = recorded(5, judged=True, batch="b")
    ExternalEvent.objects.create(event_id=uuid.uuid4(), run_id=run_id, source="elsewhere")
    kept(2, 2)

    report = apply(alice)

    of_runs = line(report, "sensor_events", 5)
    assert (of_runs.ledger, of_runs.truths, of_runs.judgements) == (1, 1, 1)
    assert line(report, "telemetry_events", 5).ledger == 5
    assert not any(model.objects.exists() for model in (LedgerEntry, RunTruth, RunJudgement, ExternalEvent))


def test_apply__runs_of_experiments_and_batches__stay_with_their_stages(alice: Actor) -> None:
    protected = {recorded(5, batch="b", judged=True), recorded(5, experiment="exp-1", variant="baseline")}
    recorded(5)
    kept(2)

    report = apply(alice)

    assert left() == protected
    assert set(TelemetryEvent.objects.values_list("pipeline_id", flat=True)) == protected
    assert (RunTruth.objects.count(), RunJudgement.objects.count(), LedgerEntry.objects.count()) == (1, 1, 12)
    found = line(report, "telemetry_events", 5)
    assert (found.action, found.rows, found.kept) == ("delete", 5, 10)
    assert found.why == "10 of experiments and batches stay for ever"


def test_apply__experiments_older_than_their_own_limit__go_too(alice: Actor) -> None:
    recorded(9, experiment="exp-1")
    younger = recorded(5, experiment="exp-2")
    kept(2, 6)

    report = apply(alice)

    assert left() == {younger}
    assert line(report, "sensor_events", 9).action == "drop"
    assert line(report, "sensor_events", 5).why == "1 of experiments and batches stay 6 months"


def world() -> None:
    """All that a retention meets: to drop, to thin out, to leave; over the turn of a month; younger."""
    recorded(12, judged=True)
    for _ in range(3):
        recorded(8, judged=True)
    recorded(8, batch="b", judged=True)
    recorded(8, experiment="exp-1")
    recorded(6, batch="b")
    turn = month_ago(4) - timedelta(seconds=1)
    recorded(5, created_at=turn, finished_at=turn + timedelta(seconds=2))
    recorded(1)


@pytest.mark.parametrize("evidence", [None, 4, 7])
def test_plan__before_apply__changes_nothing_and_says_exactly_what_goes(evidence: int | None, alice: Actor) -> None:
    world()
    kept(3, evidence)
    tables = ("sensor_events", "telemetry_events", "sensor_ledger", "sensor_ground_truths", "sensor_judgements")
    before = {table: rows(table) for table in (*tables, "audit_entries", "sensor_rollup_deltas")}

    plan = retention_plan()
    assert {table: rows(table) for table in before} == before
    assert recorded_from() is None
    report = apply(alice)

    assert list(report.lines) == list(plan.lines)
    gone = {table: before[table] - rows(table) for table in tables}
    assert gone == {
        **{table: sum(each.rows for each in plan.lines if each.table == table) for table in TABLES},
        "sensor_ledger": sum(each.ledger for each in plan.lines),
        "sensor_ground_truths": sum(each.truths for each in plan.lines),
        "sensor_judgements": sum(each.judgements for each in plan.lines),
    }
    assert gone["sensor_events"] >= 5
    assert not apply(alice).rows


def test_apply__rollups_of_what_goes__stay(alice: Actor) -> None:
    world()
    rollups_fold()
    kept(3, 7)
    statement = "SELECT * FROM sensor_rollups_now ORDER BY grain, bucket, metric, stage, experiment, split, category"
    with connection.cursor() as cursor:
        cursor.execute(statement)
        before = cursor.fetchall()
        apply(alice)
        cursor.execute(statement)
        assert cursor.fetchall() == before


def test_apply__in_the_change_log__says_who_why_and_what(bob: Actor, alice: Actor) -> None:
    recorded(5)
    kept(2)
    with pytest.raises(NotAuthorised):
        apply(bob)

    report = apply(alice)

    begun, applied = AuditEntry.objects.filter(subject_type="retention").order_by("id")
    assert (begun.action, applied.action) == ("retention.begun", "retention.applied")
    assert (applied.actor, applied.reason, applied.after) == ("alice", "a test of it", report.as_json())


def test_apply__nothing_to_remove__writes_no_entry(alice: Actor) -> None:
    recorded(5, experiment="exp-1")
    kept(2)

    apply(alice)

    assert not AuditEntry.objects.filter(subject_type="retention").exists()


def test_backfill__after_retention__passes_by_what_it_removed_and_says_so(alice: Actor) -> None:
    recorded(5)
    stays = recorded(5, experiment="exp-1")
    kept(2)
    apply(alice)
    never_recorded = month_ago(4) + timedelta(days=3)
    factories.run(created_at=never_recorded, finished_at=never_recorded)
    factories.run()
    out = StringIO()

    call_command("sense", "--backfill", "--json", stdout=out)

    found = json.loads(out.getvalue())
    assert (found["captured"], found["too_old"]) == (1, 2)
    assert SensorEvent.objects.filter(started_at__lt=month_ago(2)).get().pipeline_run_id == stays
    assert not exists("sensor_events", month_ago(4))


def test_backfill__run_over_the_turn_of_the_month__is_not_recorded_again_either(alice: Actor) -> None:
    turn = month_ago(2) - timedelta(seconds=1)
    recorded(3, created_at=turn, finished_at=turn + timedelta(seconds=2))
    kept(2)
    apply(alice)

    report = backfill()

    assert (report.captured, report.too_old, SensorEvent.objects.count()) == (0, 1, 0)


def test_ingest__run_of_a_time_that_is_not_kept__is_refused_with_its_reason(alice: Actor) -> None:
    kept(2)
    apply(alice)
    began = (month_ago(3) + timedelta(days=1)).isoformat()
    row = {
        "event_id": str(uuid.uuid4()), "pipeline_run_id": str(uuid.uuid4()), "user_id": str(uuid.uuid4()),
        "client_kind": "user", "query": "Where?", "status": "COMPLETED", "answer": "There.", "started_at": began,
        "ended_at": began,
    }  # fmt: skip

    report = telemetry_ingest(events=[row], source="elsewhere")

    assert (report.accepted, report.duplicates) == (0, 0)
    assert report.rejected[0].errors[0].field == "started_at"
    assert "nothing is kept" in report.rejected[0].errors[0].message


def test_capture__run_as_old_as_what_is_kept__is_recorded(alice: Actor) -> None:
    kept(2)
    apply(alice)
    first = month_ago(2)

    assert runs_capture(run_ids=[factories.run(created_at=first, finished_at=first)]) == 1


def test_sense__retention_with_and_without_apply__shows_and_does(alice: Actor) -> None:
    recorded(5)
    kept(2)
    shown, done = StringIO(), StringIO()

    call_command("sense", "--retention", stdout=shown)
    assert SensorEvent.objects.count() == 1
    call_command("sense", "--retention", "--apply", stdout=done)

    name = month_name(month_ago(5))
    assert f"sensor_events {name}: the whole month goes (1 rows" in shown.getvalue()
    assert "nothing has changed" in shown.getvalue()
    assert "6 rows, and with them 6 claims of the ledger, 0 ground truths, 0 judgements went." in done.getvalue()
    assert not SensorEvent.objects.exists()


@pytest.mark.parametrize(("months", "said"), [(None, "Everything is kept for ever"), (2, "Nothing is older")])
def test_sense__retention_with_nothing_to_go__says_why(months: int | None, said: str) -> None:
    recorded(1)
    kept(months)
    out = StringIO()

    call_command("sense", "--retention", stdout=out)

    assert said in out.getvalue()


def test_sense__apply_without_retention__is_refused() -> None:
    with pytest.raises(CommandError, match="--apply goes with --retention"):
        call_command("sense", "--apply")
