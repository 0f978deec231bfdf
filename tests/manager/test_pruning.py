"""Pruning by approval: what is proposed, who decides, what the student then hides, and that it comes back."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from audit.models import AuditEntry
from contracts.actor import Actor, Role
from contracts.maas import NewMemory
from experiments.domain.lifecycle import ExperimentStatus
from experiments.models import EvaluationExample, Experiment
from goals.models import Campaign
from kernel.errors import Conflict, IllegalTransition, InvalidInput, NotAuthorised, NotFound
from maas.client import get_client, memories_import
from maas.client.memories import memories_flagged, memories_review, memories_set_aside, memories_shown, merges
from manager.domain.lifecycle import PruningStatus
from manager.engine import upkeep as engine
from manager.engine.context import MANAGER
from manager.models import PruningProposal
from manager.services import pruning
from manager.services.policy import policy_change
from manager.services.pruning import (
    UNDO_DAYS,
    memory_keep,
    memory_merge_undo,
    pruning_apply,
    pruning_approve,
    pruning_erase,
    pruning_get,
    pruning_propose,
    pruning_reject,
    pruning_undo,
    prunings_tend,
)
from manager.services.upkeep import schedule_change, upkeep_begin, upkeep_get
from tests.manager.world import ALICE, DATASET, Sizes, campaign_make, dataset_load, experiment_won

pytestmark = pytest.mark.django_db
ANNA, BORIS = uuid.UUID(int=0xA1), uuid.UUID(int=0xB2)
CAROL = Actor(kind="person", name="carol", role=Role.META_USER)


def told(user: uuid.UUID, number: int, text: str) -> uuid.UUID:
    memory = uuid.UUID(int=user.int * 1000 + number)
    at = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(days=number)
    memories_import([NewMemory(memory_id=memory, user_id=user, text=text, simulated_at=at)])
    return memory


@pytest.fixture
def doubles(db: None) -> list[uuid.UUID]:
    """Two memories that are flagged, each as the double of another; ordered by id."""
    for user in (ANNA, BORIS):
        told(user, 1, "The cello is in the attic.")
        told(user, 2, "The cello is in the attic!")
    memories_review(now=timezone.now())
    return sorted(item.memory_id for item in memories_flagged())


def proposed() -> PruningProposal:
    found = pruning_propose(actor=MANAGER, reason="flagged")
    assert found is not None
    return found


def aside(*memories: uuid.UUID) -> list[str | None]:
    return [item.set_aside_for for item in memories_shown(memory_ids=memories)]


def test_propose__flagged__lists_each_with_its_evidence_once(doubles: list[uuid.UUID]) -> None:
    proposal = proposed()
    assert sorted(row["memory_id"] for row in proposal.memories) == [str(memory) for memory in doubles]
    assert all(row["reasons"][0]["code"] == "same" for row in proposal.memories)
    assert proposal.evidence == {"looked_at": 2, "expected_by_questions": 0, "in_another_proposal": 0}
    assert pruning_propose(actor=MANAGER, reason="again") is None
    assert aside(*doubles) == [None, None], "nothing goes before a person has decided"


def test_propose__expected_by_a_question__is_left_out_and_counted(doubles: list[uuid.UUID], tmp_path: Path) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    EvaluationExample.objects.filter(split="train").update(expected_memory_ids=[doubles[0]])
    proposal = proposed()
    assert [row["memory_id"] for row in proposal.memories] == [str(doubles[1])]
    assert proposal.evidence["expected_by_questions"] == 1
    with pytest.raises(InvalidInput, match="questions expect them"):
        pruning_propose(actor=ALICE, reason="old", memory_ids=[doubles[0]])


def test_approve__all__hides_them_and_says_so_in_the_change_log(doubles: list[uuid.UUID]) -> None:
    proposal = proposed()
    done = pruning_approve(proposal_id=proposal.id, actor=ALICE, comment="clutter", seen=proposal.content_hash)
    assert (done.status, done.decided_by, done.pruned) == ("applied", "person:alice", [str(item) for item in doubles])
    assert aside(*doubles) == [f"prune:{proposal.id}"] * 2
    actions = AuditEntry.objects.filter(subject_id=str(proposal.id)).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["pruning.proposed", "pruning.approved", "pruning.applied"]


def test_approve__some_to_keep__hides_the_others_and_does_not_ask_again(doubles: list[uuid.UUID]) -> None:
    proposal = proposed()
    pruning_approve(proposal_id=proposal.id, actor=ALICE, keep=[doubles[1]])
    assert aside(*doubles) == [f"prune:{proposal.id}", None]
    memories_review(now=timezone.now())
    assert pruning_propose(actor=MANAGER, reason="again") is None


def test_approve__seen_otherwise_or_twice__is_refused(doubles: list[uuid.UUID]) -> None:
    proposal = proposed()
    with pytest.raises(Conflict, match="not what you have seen"):
        pruning_approve(proposal_id=proposal.id, actor=ALICE, seen="other")
    with pytest.raises(InvalidInput, match="nothing is left"):
        pruning_approve(proposal_id=proposal.id, actor=ALICE, keep=doubles)
    pruning_approve(proposal_id=proposal.id, actor=ALICE)
    with pytest.raises(IllegalTransition):
        pruning_approve(proposal_id=proposal.id, actor=CAROL)


def test_approve__by_an_operator_or_under_four_eyes_its_proposer__is_refused(
    doubles: list[uuid.UUID], bob: Actor
) -> None:
    policy_change(actor=ALICE, reason="two people", four_eyes=True)
    proposal = pruning_propose(actor=ALICE, reason="useless", memory_ids=doubles)
    assert proposal is not None
    for actor in (bob, ALICE):
        with pytest.raises(NotAuthorised):
            pruning_approve(proposal_id=proposal.id, actor=actor)
    assert pruning_approve(proposal_id=proposal.id, actor=CAROL).status == PruningStatus.APPLIED


def test_approve__while_an_experiment_searches_these_memories__waits(
    doubles: list[uuid.UUID], tmp_path: Path, campaign: Campaign
) -> None:
    experiment = experiment_won(campaign)
    Experiment.objects.filter(pk=experiment.pk).update(status=ExperimentStatus.RUNNING)
    EvaluationExample.objects.filter(dataset__name=experiment.dataset, split="train").update(user_id=ANNA)
    proposal = proposed()
    with pytest.raises(Conflict, match="an experiment that runs"):
        pruning_approve(proposal_id=proposal.id, actor=ALICE)
    assert pruning_get(proposal.id).status == PruningStatus.PENDING
    Experiment.objects.filter(pk=experiment.pk).update(status=ExperimentStatus.REJECTED)
    assert pruning_approve(proposal_id=proposal.id, actor=ALICE).status == PruningStatus.APPLIED


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    return campaign_make()


def test_approve__killed_before_the_student_did_it__is_finished_by_the_minutely_task(
    doubles: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(**_: object) -> None:
        raise KeyboardInterrupt

    proposal = proposed()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pruning, "memories_set_aside", killed)
        pruning_approve(proposal_id=proposal.id, actor=ALICE)
    assert prunings_tend(actor=MANAGER) == 0, "whoever decided may still be at it"
    PruningProposal.objects.update(decided_at=timezone.now() - timedelta(minutes=3))
    assert prunings_tend(actor=MANAGER) == 1
    assert (pruning_get(proposal.id).status, aside(doubles[0])) == ("applied", [f"prune:{proposal.id}"])


def test_apply__killed_after_the_student_did_it__ends_the_same(doubles: list[uuid.UUID]) -> None:
    proposal = proposed()
    chosen = [row["memory_id"] for row in proposal.memories]
    PruningProposal.objects.update(status="approved", pruned=chosen, decided_by="person:alice")
    memories_set_aside(pairs=[(doubles[0], ANNA)], decision=f"prune:{proposal.id}")
    assert pruning_apply(proposal_id=proposal.id, actor=MANAGER).pruned == [str(memory) for memory in doubles]


def test_reject__with_a_reason__keeps_them_for_long(doubles: list[uuid.UUID]) -> None:
    proposal = proposed()
    with pytest.raises(InvalidInput):
        pruning_reject(proposal_id=proposal.id, actor=ALICE, comment=" ")
    assert pruning_reject(proposal_id=proposal.id, actor=ALICE, comment="they matter").status == "rejected"
    memories_review(now=timezone.now())
    assert memories_flagged() == []


def test_undo__after_pruning__finds_them_again(doubles: list[uuid.UUID]) -> None:
    proposal = proposed()
    with pytest.raises(IllegalTransition):
        pruning_undo(proposal_id=proposal.id, actor=ALICE, reason="too early")
    pruning_approve(proposal_id=proposal.id, actor=ALICE)
    assert pruning_undo(proposal_id=proposal.id, actor=ALICE, reason="a mistake").status == "undone"
    assert aside(*doubles) == [None, None]
    with pytest.raises(IllegalTransition):
        pruning_erase(proposal_id=proposal.id, actor=ALICE, reason="gone")


def test_erase__only_after_the_time_to_undo__deletes_for_good(doubles: list[uuid.UUID]) -> None:
    proposal = proposed()
    pruning_approve(proposal_id=proposal.id, actor=ALICE)
    with pytest.raises(Conflict, match="30 days"):
        pruning_erase(proposal_id=proposal.id, actor=ALICE, reason="make room")
    PruningProposal.objects.update(applied_at=timezone.now() - timedelta(days=UNDO_DAYS, minutes=1))
    assert pruning_erase(proposal_id=proposal.id, actor=ALICE, reason="make room").status == "erased"
    assert memories_shown(memory_ids=doubles) == []
    with pytest.raises(IllegalTransition):
        pruning_undo(proposal_id=proposal.id, actor=ALICE, reason="too late")


def test_expiry__nobody_decided__closes_it_and_it_may_be_proposed_again(doubles: list[uuid.UUID]) -> None:
    proposal = proposed()
    PruningProposal.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    with pytest.raises(Conflict, match="expired"):
        pruning_approve(proposal_id=proposal.id, actor=ALICE)
    assert pruning_get(proposal.id).status == PruningStatus.EXPIRED
    assert pruning_propose(actor=MANAGER, reason="flagged") is not None


def test_keep__one_memory__is_audited_and_unknown_ones_are_refused(doubles: list[uuid.UUID], bob: Actor) -> None:
    memory_keep(memory_id=doubles[0], actor=bob, reason="still true")
    assert [item.memory_id for item in memories_flagged()] == [doubles[1]]
    assert AuditEntry.objects.get(action="memory.kept").subject_id == str(doubles[0])
    with pytest.raises(NotFound):
        memory_keep(memory_id=uuid.uuid4(), actor=bob)


def test_macro_cycle__people_repeat_themselves__merges_but_what_questions_expect_or_experiments_search(
    tmp_path: Path, campaign: Campaign, bob: Actor
) -> None:
    for user in (ANNA, BORIS):
        told(user, 1, "The cello is in the attic.")
        told(user, 2, "The cello is in the attic!")
    EvaluationExample.objects.filter(split="train").update(
        expected_memory_ids=[uuid.UUID(int=ANNA.int * 1000 + number) for number in (1, 2)]
    )
    schedule_change(actor=ALICE, reason="a small world", dataset=DATASET)
    cycle = upkeep_begin(kind="macro", actor=ALICE, reason="now")
    assert engine.upkeep_work(cycle_id=cycle.id, worker="w", client=get_client()) == "completed"
    found = upkeep_get(cycle.id).findings["consolidation"]
    assert (found["merged"], found["refused"], found["under_test"]) == (1, 0, 0)
    (merge,) = merges(limit=9)
    assert merge.user_id == BORIS
    with pytest.raises(NotAuthorised):
        memory_merge_undo(merge_id=merge.id, actor=bob, reason="x")
    assert memory_merge_undo(merge_id=merge.id, actor=ALICE, reason="both are needed").undone_at is not None
    assert AuditEntry.objects.get(action="merge.undone").subject_id == str(merge.id)


def test_deep_cycle__something_is_flagged__proposes_it_once_and_prunes_nothing(
    doubles: list[uuid.UUID], tmp_path: Path
) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    schedule_change(actor=ALICE, reason="a small world", dataset=DATASET)
    cycle = upkeep_begin(kind="deep", actor=ALICE, reason="now")
    assert engine.upkeep_work(cycle_id=cycle.id, worker="w", client=get_client()) == "completed"
    found = upkeep_get(cycle.id).findings["review"]
    assert (found["flagged"], found["proposed"], found["set_aside"]) == (2, 2, 0)
    assert str(PruningProposal.objects.get().id) == found["proposal"]
