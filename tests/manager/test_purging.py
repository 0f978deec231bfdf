"""Training data purged after it has served: what goes, what stays, and what may not go."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import AuditEntry
from contracts.actor import Actor
from contracts.maas import NewMemory, RunRequest
from emulator.domain.script import EmulationPlan, own_memory_user
from emulator.models import EmulationBatch, EmulationTurn
from experiments.models import Dataset, EvaluationExample
from kernel.errors import IllegalTransition, InvalidInput, NotAuthorised, RuleViolated, Unavailable
from maas.access import as_service
from maas.client import get_client, memories_count, memories_import, users_count, users_purge
from maas.models import Memory, PipelineRun, RawLog
from manager.services import purging
from manager.services.emulations import emulation_launch, emulation_play, emulation_resume
from manager.services.purging import purge_plan, training_purge
from sensor.models import LedgerEntry, RunTruth, SensorEvent, TelemetryEvent
from tests.manager.world import Sizes, campaign_make, dataset_load
from tuner.models import ParameterVersion

pytestmark = pytest.mark.django_db(transaction=True)


def played(bob: Actor, name: str = "train-me", **changes: Any) -> EmulationBatch:
    given: dict[str, Any] = {"batch": name, "dialogues": 1, "turns": 3, "seed": 2} | changes
    batch = emulation_launch(plan=EmulationPlan(**given), actor=bob)
    return emulation_play(batch_id=batch.pk, client=get_client())


def student_rows() -> list[int]:
    with as_service():
        return [PipelineRun.objects.count(), RawLog.objects.count(), Memory.objects.count()]


def test_purge__of_a_batch__leaves_nothing_of_its_users_and_keeps_parameters_and_records(
    bob: Actor, alice: Actor
) -> None:
    batch = played(bob)
    versions, events, truths = ParameterVersion.objects.count(), SensorEvent.objects.count(), RunTruth.objects.count()
    assert events
    before = student_rows()
    done = training_purge(batches=[batch], actor=alice, reason="served its time")
    counts = done.counts
    assert student_rows() == [0, 0, 0]
    assert [counts.runs, counts.logs, counts.memories] == before
    assert not EmulationBatch.objects.exists()
    assert not EmulationTurn.objects.exists()
    assert (ParameterVersion.objects.count(), SensorEvent.objects.count(), RunTruth.objects.count()) == (
        versions,
        events,
        truths,
    )


def test_purge__what_a_model_remembered_as_one_of_them__goes_too(bob: Actor, alice: Actor) -> None:
    batch = played(bob)
    own = own_memory_user(batch.dialogues.get().user_id)
    get_client().ask(RunRequest(user_id=own, query="It answered that it liked my garden.", client_kind="emulator"))
    training_purge(batches=[batch], actor=alice, reason="served its time")
    assert student_rows() == [0, 0, 0]


def test_purge__in_the_change_log__says_who_why_and_how_much(bob: Actor, alice: Actor) -> None:
    done = training_purge(batches=[played(bob)], actor=alice, reason="served its time")
    begun, ended = AuditEntry.objects.filter(subject_type="emulation", subject_id="train-me").order_by("id")
    assert (begun.action, ended.action) == ("training_purge_begun", "training_purged")
    assert (ended.actor, ended.reason) == ("alice", "served its time")
    assert ended.after == begun.after == json.loads(json.dumps(asdict(done.counts)))


def test_purge__with_events__forgets_what_was_recorded_of_its_runs_alone(bob: Actor, alice: Actor) -> None:
    first, second = played(bob, "first"), played(bob, "second")
    kept = set(EmulationTurn.objects.filter(batch=second).values_list("id", flat=True))
    counts = training_purge(batches=[first], actor=alice, reason="x", events=True).counts
    assert counts.events == counts.runs > 0
    assert set(SensorEvent.objects.values_list("pipeline_run_id", flat=True)) == kept
    assert set(TelemetryEvent.objects.values_list("pipeline_id", flat=True)) == kept
    assert set(LedgerEntry.objects.values_list("run_id", flat=True)) == kept
    assert memories_count(user_id=second.dialogues.get().user_id) > 0


def test_plan__changes_nothing_and_counts_what_purging_deletes(bob: Actor, alice: Actor) -> None:
    batch = played(bob)
    before = student_rows()
    plan = purge_plan(batches=[batch])
    assert student_rows() == before
    assert not AuditEntry.objects.filter(subject_type="emulation").exists()
    assert plan.counts == training_purge(batches=[batch], actor=alice, reason="x").counts


def test_purge__killed_in_the_middle__does_the_rest_when_it_is_called_again(
    bob: Actor, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = played(bob)

    def gone(**_: Any) -> Any:
        raise Unavailable("killed")

    with monkeypatch.context() as patch, pytest.raises(Unavailable):
        patch.setattr(purging, "batch_remove_dialogues", gone)
        training_purge(batches=[batch], actor=alice, reason="x")
    assert student_rows() == [0, 0, 0]
    with pytest.raises(IllegalTransition, match="being removed"):
        emulation_resume(batch_id=batch.pk, actor=bob)
    again = EmulationBatch.objects.get()
    assert training_purge(batches=[again], actor=alice, reason="x").counts.turns > 0
    assert not EmulationBatch.objects.exists()
    assert AuditEntry.objects.filter(action="training_purge_begun").count() == 1


def test_purge__below_meta_user_or_without_a_reason__is_refused(bob: Actor, alice: Actor) -> None:
    batch = played(bob)
    with pytest.raises(NotAuthorised):
        training_purge(batches=[batch], actor=bob, reason="x")
    with pytest.raises(InvalidInput):
        training_purge(batches=[batch], actor=alice, reason="  ")
    assert student_rows()[0] > 0


def refused(batch: EmulationBatch, alice: Actor) -> str:
    before = student_rows()
    (item,) = training_purge(batches=[batch], actor=alice, reason="x").refused
    assert student_rows() == before
    assert EmulationBatch.objects.filter(pk=batch.pk).exists()
    return item.reason


def test_purge__while_it_is_played__is_refused(bob: Actor, alice: Actor) -> None:
    batch = emulation_launch(plan=EmulationPlan(batch="waits", dialogues=1, turns=2), actor=bob)
    assert refused(batch, alice) == "it is being played: stop it first"


def test_purge__what_a_campaign_that_is_not_over_learns_from__is_refused(
    bob: Actor, alice: Actor, tmp_path: Path
) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    campaign = campaign_make()
    batch = played(bob, f"c{campaign.number}-k1-train")
    assert refused(batch, alice) == f"campaign {campaign.number} is not over and learns from it"


def test_purge__users_whose_memories_a_data_set_needs__is_refused(bob: Actor, alice: Actor) -> None:
    batch = played(bob)
    EvaluationExample.objects.create(
        dataset=Dataset.objects.create(name="tiny", source="test"),
        external_id="t1",
        split="train",
        user_id=batch.dialogues.get().user_id,
        query="Where?",
        asked_at=timezone.now(),
        category="factual",
        cluster="c",
    )
    assert refused(batch, alice) == "questions of a data set need the memories of its users"


def test_purge__users_of_a_batch_that_stays__is_refused_and_together_they_go(bob: Actor, alice: Actor) -> None:
    first, second = (played(bob, name, user_salt="same people") for name in ("one", "two"))
    assert refused(first, alice) == "its users also talk in two"
    done = training_purge(batches=[first, second], actor=alice, reason="x")
    assert ([batch.batch for batch in done.batches], student_rows()) == (["one", "two"], [0, 0, 0])


def talks_as(user_id: uuid.UUID) -> None:
    get_client().ask(RunRequest(user_id=user_id, query="I am a person."))


def test_purge__a_person_has_talked_as_one_of_its_users__is_refused(bob: Actor, alice: Actor) -> None:
    batch = played(bob)
    talks_as(batch.dialogues.get().user_id)
    assert refused(batch, alice) == "a real person has talked as one of its users"


def test_users_purge__a_person_among_them__deletes_nothing_of_that_chunk() -> None:
    person, synthetic = uuid.uuid4(), uuid.uuid4()
    talks_as(person)
    note = NewMemory(
        memory_id=uuid.uuid4(), user_id=synthetic, text="Rain.", simulated_at=datetime(2024, 1, 1, tzinfo=UTC)
    )
    memories_import([note])
    with pytest.raises(RuleViolated, match="not all synthetic"):
        users_purge(user_ids=[synthetic, person])
    assert users_count(user_ids=[synthetic]).memories == 1
    assert users_count(user_ids=[person]).runs == 1
    assert users_purge(user_ids=[synthetic]).memories == 1


def command(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("purge_training", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


def test_command__dry_run_then_in_earnest__says_the_same_and_does_it(bob: Actor) -> None:
    played(bob)
    waits = emulation_launch(plan=EmulationPlan(batch="waits", dialogues=1, turns=2), actor=bob)
    code, said = command("--all", "--dry-run", "--json")
    dry = json.loads(said)
    assert (code, dry["batches"], dry["dry_run"]) == (0, ["train-me"], True)
    assert dry["refused"] == [{"batch": "waits", "reason": "it is being played: stop it first"}]
    code, said = command("--all", "--json")
    assert (code, json.loads(said)["counts"]) == (0, dry["counts"])
    assert list(EmulationBatch.objects.all()) == [waits]


def test_command__bad_usage_or_a_batch_that_stays__ends_as_documented(bob: Actor) -> None:
    emulation_launch(plan=EmulationPlan(batch="waits", dialogues=1, turns=2), actor=bob)
    assert command("--batch", "nobody")[0] == 2
    assert command("--before", "yesterday")[0] == 2
    assert command("--batch", "waits")[0] == 1
    assert command("--before", "2001-01-01") == (0, "gone: nothing\n")
