"""Upkeep cycles with real rows: what they leave, traffic that pauses them, stops, kills, the schedule and its audit."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone

from audit.models import AuditEntry
from contracts.actor import Actor
from contracts.maas import SafetyFinding
from experiments.models import Dataset, EvaluationExample, EvaluationPass, StandingTest
from incidents.models import Incident
from kernel.errors import Conflict, IllegalTransition, InvalidInput, NotAuthorised
from maas.access import as_service
from maas.client import get_client, last_real_request
from manager.domain.lifecycle import UpkeepState
from manager.engine import upkeep as engine
from manager.models import UpkeepCycle
from manager.services.upkeep import schedule_change, schedule_row, upkeep_begin, upkeep_get, upkeep_stop
from sensor.models import SensorEvent
from tests.manager.world import ALICE, DATASET, Sizes, dataset_load

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def world(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=4, validation=3, golden=2))
    schedule_change(actor=ALICE, reason="a small world", dataset=DATASET, micro_questions=2)
    monkeypatch.setattr(engine, "parallel", lambda: 1)  # a test's transaction is seen by one thread only


def begun(kind: str = "micro") -> UpkeepCycle:
    return upkeep_begin(kind=kind, actor=ALICE, reason="to see it")  # type: ignore[arg-type]


def worked(cycle: UpkeepCycle, *, worker: str = "w1") -> str:
    return engine.upkeep_work(cycle_id=cycle.id, worker=worker, client=get_client())


def asked(seconds_ago: float) -> None:
    """A real user's request, so long ago."""
    with as_service() as cursor:
        cursor.execute("DELETE FROM pipeline_runs WHERE client_kind = 'user'")
        cursor.execute(
            "INSERT INTO pipeline_runs (id, user_id, user_query, status, created_at)"
            " VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 'NEW', now() - make_interval(secs => %s))",
            [seconds_ago],
        )


def test_micro__worked__leaves_telemetry_of_its_type_for_so_many_questions() -> None:
    cycle = begun()
    assert worked(cycle) == "completed"
    batch = f"upkeep-{cycle.id}-train"
    events = SensorEvent.objects.filter(batch=batch)
    assert set(events.values_list("cycle_type", flat=True)) == {"micro"}
    assert events.count() == 2
    found = upkeep_get(cycle.id).findings["quick evaluation"]
    assert found["n"] == 2
    assert found["metrics"]["latency_p95"] > 0


@pytest.mark.parametrize(("kind", "part"), [("micro", "quick evaluation"), ("macro", "validation")])
def test_cycle__data_set_without_such_questions__says_so_and_does_the_rest(kind: str, part: str) -> None:
    EvaluationExample.objects.all().delete()
    cycle = begun(kind)
    assert worked(cycle) == "completed"
    findings = upkeep_get(cycle.id).findings
    assert "questions" in findings[part]["left_out"]
    assert set(findings) == set(engine.PARTS[kind])


def test_macro__golden_set_never_sealed__leaves_golden_out() -> None:
    Dataset.objects.create(name="bare", source="test")
    schedule_change(actor=ALICE, reason="a bare one", dataset="bare")
    cycle = begun("macro")
    assert worked(cycle) == "completed"
    found = upkeep_get(cycle.id).findings
    assert found["golden"] == {"left_out": "the data set 'bare' has no golden questions"}
    assert found["safety"]["failed"] == 0


def test_macro__worked__monitors_validation_and_golden_and_checks_safety() -> None:
    cycle = begun("macro")
    assert worked(cycle) == "completed"
    passes = EvaluationPass.objects.filter(batch__startswith=f"upkeep-{cycle.id}")
    assert set(passes.values_list("split", "purpose", "done")) == {
        ("validation", "monitor", 3),
        ("golden", "monitor", 2),
    }
    assert upkeep_get(cycle.id).findings["safety"]["failed"] == 0
    assert not Incident.objects.exists()


def test_macro__a_safety_check_fails__opens_a_critical_incident_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = SafetyFinding(name="tenant isolation", ok=False, detail="user a sees 1 row of others")
    monkeypatch.setattr(engine, "safety_checks", lambda: [wrong])
    assert worked(begun("macro")) == "completed"
    incident = Incident.objects.get(subject="safety:tenant isolation")
    assert (incident.severity, incident.detail) == ("critical", wrong.detail)


def test_deep__worked__tells_how_good_memories_are() -> None:
    cycle = begun("deep")
    assert worked(cycle) == "completed"
    quality = upkeep_get(cycle.id).findings["memory quality"]
    assert quality["memories"] > 0
    assert quality["unembedded"] == 0
    assert quality["age_days"] > 0


def test_deep__too_few_questions_for_a_verdict__leaves_the_standing_test_out_and_says_why() -> None:
    cycle = begun("deep")
    assert worked(cycle) == "completed"
    assert "a verdict needs 50" in upkeep_get(cycle.id).findings["standing A/A"]["left_out"]


def test_deep__enough_questions__runs_one_standing_test_of_its_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def standing(*, dataset: str, **_: object) -> StandingTest:
        ran.append(dataset)
        return StandingTest(slug="aa-1", verdict="inconclusive")

    monkeypatch.setattr(engine, "standing_run", standing)
    cycle = begun("deep")
    assert worked(cycle) == "completed"
    assert ran == [cycle.dataset]
    assert upkeep_get(cycle.id).findings["standing A/A"] == {
        "test": "aa-1", "verdict": "inconclusive", "false": 0, "tests": 0,
    }  # fmt: skip


def test_traffic__while_it_would_begin__pauses_it_and_it_resumes_by_itself() -> None:
    cycle = begun()
    asked(5)
    assert worked(cycle) == "paused"
    paused = upkeep_get(cycle.id)
    assert paused.state == "paused"
    assert paused.paused_since is not None
    assert worked(cycle) == "paused"
    assert upkeep_get(cycle.id).paused_since == paused.paused_since
    asked(120)
    assert worked(cycle) == "completed"
    assert upkeep_get(cycle.id).paused_since is None


def test_traffic__between_parts__keeps_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def and_then_somebody_asks(work: engine._Work) -> dict[str, object]:
        asked(1)
        return {"embedded": 7}

    parts = {"embedding": and_then_somebody_asks, "memory quality": lambda _: {"memories": 1}}
    monkeypatch.setitem(engine.PARTS, "deep", parts)
    cycle = begun("deep")
    assert worked(cycle) == "paused"
    assert upkeep_get(cycle.id).findings == {"embedding": {"embedded": 7}}
    asked(120)
    monkeypatch.setitem(parts, "embedding", lambda _: pytest.fail("a part that was finished is not repeated"))
    assert worked(cycle) == "completed"


def test_last_real_request__of_simulated_users__is_none() -> None:
    assert worked(begun()) == "completed"
    assert last_real_request() is None


def test_begin__another_is_open__is_refused() -> None:
    begun()
    with pytest.raises(Conflict, match="has not ended"):
        begun("deep")


def test_begin__by_a_viewer__is_refused(charlie: Actor) -> None:
    with pytest.raises(NotAuthorised):
        upkeep_begin(kind="micro", actor=charlie, reason="x")


def test_stop__nobody_works_on_it__stops_at_once_and_makes_room(bob: Actor) -> None:
    cycle = begun()
    assert upkeep_stop(cycle_id=cycle.id, actor=bob).state == "stopped"
    with pytest.raises(IllegalTransition):
        upkeep_stop(cycle_id=cycle.id, actor=bob)
    assert worked(cycle) == "ended"
    assert begun("deep").state == "running"


def test_stop__while_a_worker_is_at_it__is_asked_for_and_obeyed(bob: Actor) -> None:
    cycle = begun()
    until = timezone.now() + timedelta(minutes=1)
    UpkeepCycle.objects.filter(id=cycle.id).update(lease_owner="w1", lease_until=until)
    assert upkeep_stop(cycle_id=cycle.id, actor=bob).stop_requested
    assert worked(cycle, worker="w2") == "busy"
    assert worked(cycle, worker="w1") == "stopped"


def test_part__that_fails__ends_the_cycle_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(work: engine._Work) -> dict[str, object]:
        raise InvalidInput("no vectors today")

    monkeypatch.setitem(engine.PARTS, "deep", {"embedding": broken})
    cycle = begun("deep")
    with pytest.raises(InvalidInput):
        worked(cycle)
    found = upkeep_get(cycle.id)
    assert (found.state, found.error, found.slot) == ("failed", "no vectors today", None)


def test_tick__idle_long_enough__starts_one_cycle_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    queued: list[object] = []
    monkeypatch.setattr(engine, "upkeep_enqueue", queued.append)
    schedule_change(actor=ALICE, reason="no nights", deep_cron="")
    asked(400)
    assert engine.upkeep_tick().type == "micro"
    cycle = UpkeepCycle.objects.get()
    assert (cycle.reason, cycle.started_by, queued) == ("nobody has asked for 5 min", "component:manager", [cycle.id])
    assert engine.upkeep_tick().kind == "nothing"
    assert queued == [cycle.id, cycle.id], "a cycle that nobody works on is queued again"


def test_schedule_change__audited__and_refused_where_wrong(bob: Actor) -> None:
    schedule_change(actor=ALICE, reason="quiet nights", deep_cron="30 2 * * *")
    entry = AuditEntry.objects.filter(action="upkeep_schedule.changed").latest("id")
    assert (entry.reason, entry.before, entry.after) == (
        "quiet nights", {"deep_cron": "0 3 * * *"}, {"deep_cron": "30 2 * * *"},
    )  # fmt: skip
    for values in ({"deep_cron": "nightly"}, {"micro_idle_minutes": 0}, {"moon": 1}):
        with pytest.raises(InvalidInput):
            schedule_change(actor=ALICE, reason="x", **values)
    with pytest.raises(NotAuthorised):
        schedule_change(actor=bob, reason="x", enabled=False)
    assert schedule_row().deep_cron == "30 2 * * *"


def test_part__that_fails_unexpectedly__ends_the_cycle_and_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(work: engine._Work) -> dict[str, object]:
        raise ZeroDivisionError("no memories")

    monkeypatch.setitem(engine.PARTS, "deep", {"embedding": broken})
    cycle = begun("deep")
    with pytest.raises(ZeroDivisionError):
        worked(cycle)
    found = upkeep_get(cycle.id)
    assert (found.state, found.error) == ("failed", "unexpected ZeroDivisionError: no memories")
    assert (found.slot, found.lease_owner) == (None, "")


def test_part__whose_workers_keep_dying__is_given_up_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(work: engine._Work) -> dict[str, object]:
        raise OperationalError("the server is gone")

    monkeypatch.setitem(engine.PARTS, "deep", {"embedding": killed})
    cycle = begun("deep")
    for _ in range(engine.MOST_ATTEMPTS):
        with pytest.raises(OperationalError):
            worked(cycle)
        assert upkeep_get(cycle.id).state == "running"
    with pytest.raises(Conflict):
        worked(cycle)
    found = upkeep_get(cycle.id)
    assert (found.state, found.error) == ("failed", "embedding was begun 5 times and never came to its end")


def test_part__that_stood_back_for_people__has_all_its_attempts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def stands_back(work: engine._Work) -> dict[str, object]:
        raise engine._Stand(UpkeepState.PAUSED)

    monkeypatch.setitem(engine.PARTS, "deep", {"embedding": stands_back})
    cycle = begun("deep")
    assert [worked(cycle) for _ in range(engine.MOST_ATTEMPTS + 2)] == ["paused"] * (engine.MOST_ATTEMPTS + 2)
    assert upkeep_get(cycle.id).attempts == 0
