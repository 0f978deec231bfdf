"""Emulations in the background: slices, stop, go on, and what the Sensor keeps of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from contracts.actor import Actor
from emulator.domain.script import EmulationPlan
from emulator.models import EmulationBatch, EmulationTurn
from emulator.services import play
from emulator.standing import STALLED_AFTER, standing
from kernel.errors import IllegalTransition, InvalidInput, NotAuthorised, RuleViolated, Unavailable
from maas.client import get_client
from manager import tasks
from manager.services.emulations import emulation_halt, emulation_launch, emulation_play, emulation_resume
from sensor.models import SensorEvent
from tests.emulator.fakes import FakeMaas
from tests.emulator.makers import asks, plan, says, script

pytestmark = pytest.mark.django_db(transaction=True)


def launched(bob: Actor, **changes: Any) -> EmulationBatch:
    given = {"batch": "bg", "dialogues": 2, "turns": 4, "seed": 3} | changes
    return emulation_launch(plan=EmulationPlan(**given), actor=bob)


def small(bob: Actor) -> EmulationBatch:
    turns = (says("cat", "cat"), says("dog", "dog"), says("hen"), asks("pets?", "cat", "dog"))
    return emulation_launch(plan=plan(script("d1", *turns)), actor=bob)


def test_launch__by_an_operator__is_queued_once_and_played_and_recorded(bob: Actor) -> None:
    batch = launched(bob)
    assert (batch.status, batch.created_by) == ("pending", "person:bob")
    queued = OrmQ.objects.get()
    assert queued.func() == "manager.tasks.emulation_play"
    assert tasks.emulation_play(*queued.args()) == "completed"
    batch.refresh_from_db()
    assert SensorEvent.objects.count() == batch.turns_done > 0
    assert tasks.emulation_play(*queued.args()) == "completed", "a task that comes twice plays nothing"
    assert SensorEvent.objects.count() == batch.turns_done


def test_launch__arm_that_does_not_exist__is_refused_before_anything_is_written(bob: Actor) -> None:
    with pytest.raises(InvalidInput) as caught:
        launched(bob, experiment="nothing", variant="b")
    assert caught.value.details == {"field": "variant"}
    with pytest.raises(InvalidInput) as caught:
        launched(bob, pinned_version=4711)
    assert caught.value.details == {"field": "pinned_version"}
    assert not EmulationBatch.objects.exists()


def test_launch__by_a_viewer__is_refused(charlie: Actor) -> None:
    with pytest.raises(NotAuthorised):
        launched(charlie)
    assert not OrmQ.objects.exists()


def test_play__time_is_up__waits_for_the_next_slice_and_repeats_no_turn(bob: Actor) -> None:
    batch, student = small(bob), FakeMaas()
    OrmQ.objects.all().delete()
    sliced = emulation_play(batch_id=batch.pk, client=student, seconds=0)
    assert (sliced.status, sliced.turns_done) == ("pending", 0)
    assert OrmQ.objects.count() == 1
    done = emulation_play(batch_id=batch.pk, client=student)
    assert (done.status, done.turns_done) == ("completed", 4)
    assert [request.query for request in student.asked] == ["cat", "dog", "hen", "pets?"]
    assert OrmQ.objects.count() == 1


def test_halt__while_it_is_played__stops_after_the_turn_and_goes_on_from_there(
    bob: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(play, "_STOP_POLL_SECONDS", 0.0)
    batch = small(bob)
    OrmQ.objects.all().delete()

    def stop(request: Any) -> None:
        if request.query == "dog":
            emulation_halt(batch_id=batch.pk, actor=bob)

    student = FakeMaas(before=stop)
    stopped = emulation_play(batch_id=batch.pk, client=student)
    assert (stopped.status, stopped.turns_done) == ("stopped", 2)
    assert not OrmQ.objects.exists()
    assert emulation_play(batch_id=batch.pk, client=student).status == "stopped", "a late task does not undo the stop"
    assert emulation_resume(batch_id=batch.pk, actor=bob).status == "pending"
    assert OrmQ.objects.count() == 1
    assert emulation_play(batch_id=batch.pk, client=student).status == "completed"
    assert [request.query for request in student.asked] == ["cat", "dog", "hen", "pets?"]


def test_halt__before_it_is_played__is_at_once_and_its_task_plays_nothing(bob: Actor) -> None:
    batch, student = small(bob), FakeMaas()
    assert emulation_halt(batch_id=batch.pk, actor=bob).status == "stopped"
    assert emulation_play(batch_id=batch.pk, client=student).status == "stopped"
    assert student.asked == []


def test_play__student_not_there__is_failed_and_can_be_gone_on_with(bob: Actor) -> None:
    batch = small(bob)

    def gone(request: Any) -> None:
        if request.query == "hen":
            raise Unavailable("nobody there")

    failed = emulation_play(batch_id=batch.pk, client=FakeMaas(before=gone))
    assert (failed.status, failed.turns_done) == ("failed", 2)
    assert "nobody there" in failed.error
    resumed = emulation_resume(batch_id=batch.pk, actor=bob)
    assert (resumed.status, resumed.error) == ("pending", "")
    heir = FakeMaas()
    assert emulation_play(batch_id=batch.pk, client=heir).status == "completed"
    assert [request.query for request in heir.asked] == ["hen", "pets?"]


def test_resume__of_one_that_is_over_or_at_work__is_refused(bob: Actor) -> None:
    batch = small(bob)
    with pytest.raises(IllegalTransition):
        emulation_resume(batch_id=batch.pk, actor=bob)
    emulation_play(batch_id=batch.pk, client=FakeMaas())
    with pytest.raises(IllegalTransition):
        emulation_resume(batch_id=batch.pk, actor=bob)
    with pytest.raises(IllegalTransition):
        emulation_halt(batch_id=batch.pk, actor=bob)


def test_abandoned__its_player_is_gone__can_be_gone_on_with_or_stopped_at_once(bob: Actor) -> None:
    batch = small(bob)
    long_ago = timezone.now() - 2 * STALLED_AFTER
    EmulationBatch.objects.update(status="running", started_at=long_ago)
    batch.refresh_from_db()
    assert standing(batch).stalled
    assert emulation_halt(batch_id=batch.pk, actor=bob).status == "stopped"
    emulation_resume(batch_id=batch.pk, actor=bob)
    EmulationBatch.objects.update(status="running")
    assert emulation_play(batch_id=batch.pk, client=FakeMaas()).status == "completed"


def test_standing__while_played__gives_rate_and_time_left(bob: Actor) -> None:
    batch = small(bob)
    now = timezone.now()
    EmulationBatch.objects.update(status="running", started_at=now - timedelta(seconds=10), turns_done=2)
    ids = list(EmulationTurn.objects.order_by("position").values_list("id", flat=True)[:2])
    EmulationTurn.objects.filter(id__in=ids).update(finished_at=now)
    batch.refresh_from_db()
    found = standing(batch)
    assert found.rate == pytest.approx(0.2, rel=0.1)
    assert found.eta_seconds == pytest.approx(10, rel=0.1)
    assert not found.stalled


def test_play__real_student__keeps_truth_for_its_questions(bob: Actor) -> None:
    batch = launched(bob, driver="script", turns=None)
    emulation_play(batch_id=batch.pk, client=get_client())
    batch.refresh_from_db()
    assert SensorEvent.objects.filter(batch="bg").count() == batch.queries_total > 0


@pytest.mark.parametrize(
    ("minutes", "by", "queued"),
    [(11, "person:bob", 1), (2, "person:bob", 0), (11, "person:command-line", 0), (11, "component:manager", 0)],
)
def test_pick_up__worker_of_an_emulation_died__queues_it_again(bob: Actor, minutes: int, by: str, queued: int) -> None:
    batch = small(bob)
    OrmQ.objects.all().delete()
    then = timezone.now() - timedelta(minutes=minutes)
    EmulationBatch.objects.update(status="running", started_at=then, created_by=by)
    tasks.unattended_pick_up()
    assert OrmQ.objects.count() == queued
    for task in OrmQ.objects.all():
        assert tasks.emulation_play(*task.args()) in ("completed", "failed")
    batch.refresh_from_db()
    assert (batch.status == "running") is not bool(queued)


def test_halt_and_resume__dialogues_of_a_campaign__are_left_to_the_campaign(bob: Actor) -> None:
    batch = small(bob)
    EmulationBatch.objects.filter(pk=batch.pk).update(created_by="component:manager")
    for act in (emulation_halt, emulation_resume):
        with pytest.raises(RuleViolated, match="pause or stop the campaign"):
            act(batch_id=batch.pk, actor=bob)
    batch.refresh_from_db()
    assert (batch.status, batch.stop_requested) == ("pending", False)
