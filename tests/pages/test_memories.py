"""The list of memories: narrowed by person, words and what to review, with how well each serves."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from contracts.actor import component
from contracts.maas import NewMemory
from maas.access import as_service
from maas.client import memories_import, memories_quality
from maas.client.memories import memories_review
from maas.memory_list import MOST, MemoryFilter, MemoryList
from manager.models import PruningProposal
from manager.services.policy import policy_change
from manager.services.pruning import pruning_propose
from selflearn_site.pages.selectors.prunings import reasons_text
from selflearn_site.pages.views.memories import memories_news
from tests.manager.world import ALICE
from tests.pages.test_queries import asked

pytestmark = pytest.mark.django_db
START = datetime(2025, 3, 1, 9, tzinfo=UTC)
ANNA, BORIS = uuid.UUID(int=1), uuid.UUID(int=2)


def kept(number: int, text: str, *, user: uuid.UUID = ANNA, speaker: str = "Anna") -> NewMemory:
    at = START + timedelta(days=number)
    return NewMemory(memory_id=uuid.UUID(int=100 + number), user_id=user, text=text, simulated_at=at, speaker=speaker)


def counted(number: int, *, retrieved: int, used: int, helpful: int) -> None:
    with as_service() as cursor:
        cursor.execute(
            "UPDATE lsm_storage SET times_retrieved = %s, times_used = %s, times_helpful = %s WHERE id = %s",
            [retrieved, used, helpful, uuid.UUID(int=100 + number)],
        )


@pytest.fixture
def three(db: None) -> None:
    memories_import(
        [
            kept(1, "Bought a red cello in Kazan."),
            kept(2, "The 100% wool coat is in the attic."),
            kept(3, "Clara sails to Lisbon.", user=BORIS, speaker="Boris"),
        ]
    )
    counted(1, retrieved=8, used=4, helpful=2)
    counted(2, retrieved=20, used=1, helpful=0)


def numbers(chosen: MemoryFilter) -> list[int]:
    return [memory.memory_id.int - 100 for memory in MemoryList(chosen)[0:10]]


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        (MemoryFilter(), [3, 2, 1]),
        (MemoryFilter(person=str(ANNA)), [2, 1]),
        (MemoryFilter(person="bor"), [3]),
        (MemoryFilter(person="nobody"), []),
        (MemoryFilter(words="CELLO"), [1]),
        (MemoryFilter(words="100%"), [2]),
        (MemoryFilter(words="%"), [2]),
        (MemoryFilter(words="_"), []),
        (MemoryFilter(words=str(uuid.UUID(int=103))), [3]),
        (MemoryFilter(review=True), [2]),
        (MemoryFilter(person="boris", words="cello"), []),
    ],
)
def test_memory_list__narrowed__keeps_what_fits_newest_first(
    three: None, chosen: MemoryFilter, found: list[int]
) -> None:
    assert numbers(chosen) == found
    assert len(MemoryList(chosen)) == len(found)


def test_memory_list__score__is_used_by_retrieved_times_helpful_by_used(three: None) -> None:
    scores = {memory.memory_id.int - 100: memory.score for memory in MemoryList(MemoryFilter())[0:10]}
    assert scores == {1: pytest.approx(4 / 8 * 2 / 4), 2: 0.0, 3: None}


def test_memory_list__to_review__are_those_that_upkeep_counts(three: None) -> None:
    assert len(MemoryList(MemoryFilter(review=True))) == memories_quality().low == 1


def test_memories_page__memories__shows_counts_and_flags(three: None, viewer: Client) -> None:
    text = viewer.get("/memories/").content.decode()
    assert "<h1>3 memories are kept; 1 is often found and hardly helps.</h1>" in text
    assert text.count('<span class="chip wait">of low quality</span>') == 1
    assert f'href="?person={ANNA}"' in text


def test_memories_page__nothing_kept__says_what_will_be_here(viewer: Client) -> None:
    text = viewer.get("/memories/").content.decode()
    assert "<h1>Nothing is remembered yet.</h1>" in text
    assert "Open the chat" in text


def test_memories_page__nothing_matches__offers_everything(three: None, viewer: Client) -> None:
    text = viewer.get("/memories/?q=zeppelin").content.decode()
    assert "Nothing matches these filters." in text


def test_memories_page__more_memories__asks_no_more_queries(three: None, viewer: Client) -> None:
    before = asked(viewer, "/memories/", using="maas")
    memories_import([kept(number, f"Note {number}.") for number in range(4, 40)])
    assert asked(viewer, "/memories/", using="maas") == before


@pytest.mark.parametrize(
    ("shown", "narrowed", "kept_", "review", "news"),
    [
        (0, False, 0, 0, "Nothing is remembered yet."),
        (1, True, 5, 0, "1 memory matches."),
        (MOST, True, MOST * 3, 0, "More than 10,000 memories match."),
        (5, False, 5, 0, "5 memories are kept; none is often found and useless."),
        (5, False, 1200, 2, "1,200 memories are kept; 2 are often found and hardly help."),
    ],
)
def test_memories_news__says_how_many_and_what_to_review(
    shown: int, narrowed: bool, kept_: int, review: int, news: str
) -> None:
    assert memories_news(shown=shown, narrowed=narrowed, kept=kept_, review=review) == news


@pytest.fixture
def doubles(db: None) -> PruningProposal:
    memories_import([kept(1, "The cello is in the attic."), kept(2, "The cello is in the attic!")])
    memories_review(now=timezone.now())
    proposal = pruning_propose(actor=component("manager"), reason="flagged")
    assert proposal is not None
    return proposal


def test_proposal__on_the_page__says_why_and_lets_a_meta_user_alone_decide(
    doubles: PruningProposal, meta_user: Client, viewer: Client
) -> None:
    text = meta_user.get("/memories/").content.decode()
    assert "1 memory to set aside?" in text
    assert "says the same as another memory of this person" in text
    assert "Set the ticked aside, keep the others" in text
    assert "Set the ticked aside, keep the others" not in viewer.get("/memories/").content.decode()
    assert "1 proposal to set memories aside" in meta_user.get("/approvals/").content.decode()


def test_proposal__ticked_and_sent__sets_aside_and_can_be_brought_back(
    doubles: PruningProposal, meta_user: Client
) -> None:
    memory = doubles.memories[0]["memory_id"]
    form = {"seen": doubles.content_hash, "memory": [memory], "shown": [memory]}
    answer = meta_user.post(f"/memories/proposals/{doubles.pk}/approve/", form, follow=True).content.decode()
    assert "1 memory is set aside." in answer
    assert memory in meta_user.get("/memories/?review=3").content.decode()
    assert len(MemoryList(MemoryFilter())) == 1
    meta_user.post(f"/memories/proposals/{doubles.pk}/undo/", {"comment": "a mistake"})
    assert len(MemoryList(MemoryFilter())) == 2


def test_proposal__by_a_viewer__is_refused(doubles: PruningProposal, viewer: Client) -> None:
    assert viewer.post(f"/memories/proposals/{doubles.pk}/approve/", {}).status_code == 403
    assert viewer.post(f"/memories/{doubles.memories[0]['memory_id']}/keep/", {}).status_code == 403


def test_flagged__kept_by_an_operator__is_flagged_no_more(doubles: PruningProposal, operator: Client) -> None:
    memory = doubles.memories[0]["memory_id"]
    assert "Set aside…" in operator.get("/memories/?review=2").content.decode()
    operator.post(f"/memories/{memory}/keep/", {})
    assert len(MemoryList(MemoryFilter(flagged=True))) == 0


def test_memory__set_aside_by_a_meta_user__goes_at_once_and_under_four_eyes_waits(
    three: None, meta_user: Client
) -> None:
    meta_user.post(f"/memories/{uuid.UUID(int=102)}/prune/", {"comment": "never needed"})
    assert numbers(MemoryFilter(aside=True)) == [2]
    policy_change(actor=ALICE, reason="two people", four_eyes=True)
    meta_user.post(f"/memories/{uuid.UUID(int=103)}/prune/", {"comment": "never needed"})
    assert numbers(MemoryFilter(aside=True)) == [2]
    assert PruningProposal.objects.filter(status="pending").count() == 1


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ({"code": "low", "days": 1, "retrieved": 7, "score": 0.0}, "quality below 0.1 for 1 day (found 7 times)"),
        ({"code": "disliked", "times": 3}, "3 answers that used it were rated badly"),
        ({"code": "same", "as": "x"}, "says the same as another memory of this person"),
        (
            {"code": "unused", "days": 400, "asked": 60},
            "never found in 400 days, though its person asked 60 questions",
        ),
    ],
)
def test_reasons_text__of_each_reason__is_a_sentence(reason: dict[str, object], words: str) -> None:
    assert reasons_text([reason]) == [words]
