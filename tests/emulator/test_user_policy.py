"""The policy alone, over many scenarios and answers of every kind: whatever is heard, the story stays true."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from emulator.domain.audit import dialogue_faults
from emulator.domain.hearing import Heard, HeardKind, read_answer
from emulator.domain.policy import Act, next_act
from emulator.domain.script import DialogueScript, QueryTruth
from emulator.domain.user import FROM_AGENDA, ActKind, Asked, Ending, Said, UserState, turn_limit
from emulator.drivers.pools import phrases, wordings
from emulator.scripts import scenario_scripts
from llm.offline.speech import is_question, statements
from llm.text import sentences

CAT = "My cat is called Tiger and sleeps in the wardrobe."
TOLD = {"cat": CAT, "dog": "Our neighbour has a spotted dog by the name of Biscuit."}


def played(script: DialogueScript, told: dict[str, str], earlier: list[Asked], draw: random.Random) -> Any:
    """One dialogue with answers drawn at random: the state at its end, and how it ended."""
    said: list[Said] = []
    patience = draw.randint(1, 6)
    limit = turn_limit(len(script.turns), turns=draw.choice([None, None, 2, 5]))
    while True:
        state = UserState(
            goal=script.goal,
            agenda=script.turns,
            told=told,
            outdated=frozenset(),
            earlier=tuple(earlier),
            retold=frozenset(),
            patience=patience,
            limit=limit,
            luck=7,
            said=tuple(said),
        )
        act = next_act(state)
        if isinstance(act, Ending):
            return state, act
        turn = turn_of(act, state, draw)
        told.update(dict.fromkeys(turn.event_ids, turn.text))
        said.append(turn)


def turn_of(act: Act, state: UserState, draw: random.Random) -> Said:
    item = state.agenda[act.point] if act.point is not None else None
    at = state.agenda[0].simulated_at + timedelta(minutes=len(state.said))
    return Said(
        kind=act.kind,
        text=act.text or "Goodbye.",
        at=at,
        point=act.point,
        event_ids=item.event_ids if item else tuple(f"{name}~{len(state.said)}" for name in act.repeats),
        question=act.question,
        heard=Heard(kind=draw.choice(list(HeardKind))),
    )


@pytest.mark.parametrize("seed", range(6))
def test_next_act__any_answers__tells_in_order_asks_for_what_was_told_and_ends(seed: int) -> None:
    draw = random.Random(seed)
    users: dict[object, tuple[dict[str, str], list[Asked]]] = {}
    for script in scenario_scripts(dialogues=72, seed=seed, user_salt="x"):
        told, earlier = users.setdefault(script.user_id, ({}, []))
        state, ending = played(script, told, earlier, draw)
        points = [turn.point for turn in state.said if turn.kind in FROM_AGENDA and turn.event_ids]
        assert points == sorted(points)
        assert len(state.said) <= state.limit
        assert dialogue_faults(state=state, ending=ending, language=script.language) == []
        earlier.extend(Asked(turn.text, turn.query) for turn in script.turns if turn.query)


def test_next_act__same_state__same_act() -> None:
    script = scenario_scripts(dialogues=1, seed=1, user_salt="x")[0]
    first = played(script, {}, [], random.Random(3))
    assert played(script, {}, [], random.Random(3)) == first


def truth(**changes: Any) -> QueryTruth:
    return QueryTruth.model_validate({"id": "q", "expects": ("cat",), "key_facts": ("Tiger",), **changes})


@pytest.mark.parametrize(
    ("answer", "question", "kind"),
    [
        ("Your cat is Tiger.", truth(), HeardKind.HELPED),
        ("I have no memory of that.", truth(), HeardKind.FORGOT),
        ("В моей памяти этого нет.", truth(), HeardKind.FORGOT),
        ("Your parrot is Coco.", truth(), HeardKind.WRONG),
        ("Which cat do you mean?", truth(), HeardKind.ASKED_BACK),
        ("It is Tiger, formerly Leo.", truth(forbidden=("Leo",)), HeardKind.HELPED),
        ("It is Leo.", truth(forbidden=("Leo",)), HeardKind.WRONG),
        ("A cat that sleeps in the wardrobe.", truth(), HeardKind.PARTLY),
        ("The cat sleeps in the wardrobe.", truth(key_facts=()), HeardKind.HELPED),
        ("The cat sleeps in the wardrobe.", truth(key_facts=(), expects=("cat", "dog"), category="multi-hop"),
         HeardKind.PARTLY),
        ("I do not know.", truth(category="negative", should_retrieve=False, expects=()), HeardKind.HELPED),
        ("It was in May.", truth(category="negative", should_retrieve=False, expects=()), HeardKind.WRONG),
        ("Yes, I have that now.", None, HeardKind.ACKNOWLEDGED),
        ("From before: the spotted dog is Biscuit.", None, HeardKind.REMINDED),
        ("How is it going?", None, HeardKind.ASKED_BACK),
        ("I have no memory of that.", None, HeardKind.FORGOT),
        ("", truth(), HeardKind.NOTHING),
    ],
)  # fmt: skip
def test_read_answer__kinds_of_answers__are_told_apart(
    answer: str, question: QueryTruth | None, kind: HeardKind
) -> None:
    assert read_answer(answer=answer, question=question, told=TOLD).kind is kind


@pytest.mark.parametrize(("language", "told"), [("en", "My cat is called Tiger."), ("ru", "Мою кошку зовут Тигра.")])
def test_reactions__in_front_of_a_statement__leave_nothing_in_its_memory(language: str, told: str) -> None:
    source = phrases(language)
    said = [
        text
        for group in (source.reactions, source.weary)
        for manners in group.values()
        for patterns in manners.values()
        for text in wordings(patterns)
    ]
    assert not [text for text in said if statements(f"{text} {told}") != [told]]
    assert not [text for text in said if any(is_question(sentence) for sentence in sentences(text))]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_asking_around__leads_and_hints__are_not_remembered_as_told(language: str) -> None:
    source = phrases(language)
    alone = [*source.sum_up, *source.test_memory, *source.hint, *source.leave["plain"], *source.leave["brief"]]
    leads = [f"{lead} Where do I live?" for lead in wordings([*source.ask_simpler, *source.clarify])]
    assert not [text for text in (*wordings(alone), *leads) if statements(text)]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_phrases__pools__are_large_enough_not_to_be_worn_out(language: str) -> None:
    source = phrases(language)
    for kind in (HeardKind.HELPED, HeardKind.WRONG, HeardKind.FORGOT, HeardKind.ACKNOWLEDGED, HeardKind.REMINDED):
        assert len(set(wordings(source.reactions[kind]["plain"]))) >= 20
    for patterns in (source.ask_simpler, source.clarify, source.correct, source.sum_up):
        assert len(set(wordings(patterns))) >= 12


def test_act_kinds__every_one__has_a_way_to_be_said_by_the_model() -> None:
    from emulator.drivers.llm import _TASKS

    assert set(_TASKS) == set(ActKind)
