"""The people of validation and golden stories have everyday notes too, none of which says what a story says."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import pytest

from contracts.actor import Actor
from contracts.maas import NewMemory, RunRequest
from emulator.domain.scenario import Scenario
from emulator.everyday import EVERYDAY_NOTES, background
from experiments import bundled
from maas.client import memories_count, memories_import
from tests.emulator.fakes import FakeMaas
from tests.emulator.makers import scenario
from tests.experiments.test_golden_stories import NEAR_DUPLICATE, OTHERS, STORIES, _overlap, _wordings, _words


@pytest.fixture
def small_stories(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny, seal = scenario(split="validation"), scenario(split="golden", id="seal", family="seal")
    monkeypatch.setattr(bundled, "bundled_scenarios", lambda _: (tiny,))
    monkeypatch.setattr(bundled, "golden_stories", lambda: [seal])


@pytest.mark.usefixtures("small_stories")
@pytest.mark.django_db(transaction=True)
def test_bundled_prepare__validation_and_golden_story__import_each_users_notes_before_the_first_word(
    alice: Actor,
) -> None:
    seen: dict[uuid.UUID, int] = {}

    def look(request: RunRequest) -> None:
        seen.setdefault(request.user_id, memories_count(user_id=request.user_id))

    bundled.bundled_prepare(client=FakeMaas(before=look), actor=alice)

    assert list(seen.values()) == [EVERYDAY_NOTES, EVERYDAY_NOTES]


@pytest.mark.usefixtures("small_stories")
@pytest.mark.django_db(transaction=True)
def test_bundled_prepare__broken_off_and_repeated__imports_nothing_twice(
    alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    added: list[int] = []

    def counted(memories: Sequence[NewMemory]) -> int:
        added.append(memories_import(memories))
        return added[-1]

    def die(_: RunRequest) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(bundled, "memories_import", counted)
    with pytest.raises(ConnectionError):
        bundled.bundled_prepare(client=FakeMaas(before=die), actor=alice)
    bundled.bundled_prepare(client=FakeMaas(), actor=alice)

    assert sorted(added) == [0, 0, EVERYDAY_NOTES, EVERYDAY_NOTES]


@pytest.mark.parametrize("story", [*STORIES.values(), *OTHERS], ids=lambda story: story.id)
def test_background__beside_its_story__repeats_no_sentence_of_it(story: Scenario) -> None:
    said = [words for _, _, turn in story.turns() for words in _wordings(turn.text)]
    notes = background(user_id=uuid.UUID(int=1), story=story)

    near = [note.text for note in notes if any(_overlap(_words(note.text), words) > NEAR_DUPLICATE for words in said)]

    assert near == []
