"""The LLM driver over real HTTP: what it is told, what it may not leave out, what it remembers, what it costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.actor import Actor
from contracts.maas import FoundMemory, RunAnswer, RunRequest
from emulator.domain.policy import Act
from emulator.domain.script import EmulationPlan, own_memory_user
from emulator.domain.user import ActKind
from emulator.drivers.base import Scene
from emulator.drivers.llm import LlmDriver, prompt, role_of
from emulator.library import load_personas
from emulator.models import EmulationBatch, EmulationDialogue
from emulator.selectors import ground_truths
from emulator.services import emulation_run, emulation_start
from kernel.canonical import derive_uuid
from kernel.errors import InvalidInput
from llm.offline import OfflineModel
from llm.openai_engine import OpenAIChat
from tests.emulator.fakes import FakeMaas
from tests.emulator.talk import CAT, DOG, WHICH_CAT, WHICH_DOG, pets, play, turns_of
from tests.llm.server import ProtocolServer, completion

USER = derive_uuid("user")
OWN = own_memory_user(USER)
SAID_WELL = "Right then: my cat, Tiger by name, is called in vain, it sleeps in the wardrobe."
USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}


class Rememberer(FakeMaas):
    """Finds one memory for whoever asks in evaluation."""

    def _answer(self, request: RunRequest) -> RunAnswer:
        answer = super()._answer(request)
        if request.mode != "evaluation":
            return answer
        at = datetime(2024, 3, 1, tzinfo=UTC)
        memory = FoundMemory(
            memory_id=USER, score=1, relevance=1, recency=1, text="It praised my wardrobe.", created_at=at
        )
        return answer.model_copy(update={"found": (memory,)})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProtocolServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ProtocolServer() as running:
        yield running


@pytest.fixture
def maas() -> Rememberer:
    return Rememberer()


@pytest.fixture
def driver(server: ProtocolServer, maas: Rememberer) -> LlmDriver:
    model = OpenAIChat(model="small-model", api_key="k", base_url=server.url)
    return LlmDriver(client=maas, model=model)


def scene(**changes: Any) -> Scene:
    values: dict[str, Any] = {
        "user_id": USER,
        "turn_id": derive_uuid("turn"),
        "thread_id": derive_uuid("thread"),
        "at": datetime(2024, 3, 1, 9, tzinfo=UTC),
        "language": "en",
        "persona": load_personas()["nora-accountant"],
        "goal": "be small",
        "seed": 7,
        "said": ("Hello.",),
        "answer": "I am here for you.",
    }
    return Scene(**(values | changes))


TELL = Act(kind=ActKind.SAY, reason="next on the agenda", text=CAT, point=1)


def says(server: ProtocolServer, *texts: str) -> None:
    server.faults.extend(completion(text, usage=USAGE) for text in texts)


def test_word__all_facts_are_there__is_said_as_the_model_words_it(server: ProtocolServer, driver: LlmDriver) -> None:
    says(server, SAID_WELL)
    worded = driver.word(TELL, scene())
    assert worded is not None
    assert (worded.text, worded.tokens) == (SAID_WELL, 120)


def test_word__a_fact_is_left_out__is_asked_for_again_by_name(server: ProtocolServer, driver: LlmDriver) -> None:
    says(server, "My cat sleeps in the wardrobe.", SAID_WELL)
    worded = driver.word(TELL, scene())
    assert worded is not None
    assert (worded.text, worded.tokens) == (SAID_WELL, 240)
    assert "tiger" in server.requests[-1][1]["messages"][-1]["content"]


def test_word__facts_left_out_twice__falls_back_to_the_scripts_own_text(
    server: ProtocolServer, driver: LlmDriver
) -> None:
    says(server, "I have a pet.", "Pets are nice.")
    worded = driver.word(TELL, scene())
    assert worded is not None
    assert worded.text.endswith(CAT)
    assert worded.tokens == 240
    assert len(server.requests) == 2


@pytest.mark.parametrize("wording", ["", "Мою кошку зовут Tiger, она спит в шкафу целый день."])
def test_word__nothing_or_another_language__is_refused(server: ProtocolServer, driver: LlmDriver, wording: str) -> None:
    says(server, wording, SAID_WELL)
    worded = driver.word(TELL, scene())
    assert worded is not None
    assert worded.text == SAID_WELL


def test_word__question_that_gives_its_answer_away__is_refused(server: ProtocolServer, driver: LlmDriver) -> None:
    turn = pets().turns[3]
    act = Act(kind=ActKind.SAY, reason="", text=turn.text, point=3, question="q-cat", truth=turn.query)
    says(server, "How is my cat called, Tiger?", "How is my cat called, do you know?")
    worded = driver.word(act, scene())
    assert worded is not None
    assert worded.text == "How is my cat called, do you know?"


def test_word__before_speaking__recalls_from_a_memory_of_its_own(
    server: ProtocolServer, driver: LlmDriver, maas: Rememberer
) -> None:
    says(server, SAID_WELL)
    driver.word(TELL, scene())
    (request,) = maas.asked
    assert (request.user_id, request.mode, request.query) == (OWN, "evaluation", CAT)
    told = json.loads(server.requests[0][1]["messages"][-1]["content"])
    assert (told["YOU_RECALL"], told["LAST_ANSWER"]) == (["It praised my wardrobe."], "I am here for you.")


def test_heard__an_answer__is_kept_once_in_its_own_memory(driver: LlmDriver, maas: Rememberer) -> None:
    for _ in range(2):
        driver.heard(said=CAT, answer="Yes, I have that now.", scene=scene())
    assert {request.user_id for request in maas.asked} == {OWN}
    assert len(maas.answers) == 1
    assert maas.asked[0].query == f"{CAT} The assistant answered: Yes, I have that now."


def test_prompt__each_persona__is_spoken_by_one_of_five_roles_and_leaves_no_gap() -> None:
    roles = {role_of(persona, user) for persona in load_personas().values() for user in range(20)}
    assert roles == {"student", "peer", "coach", "mentor", "expert"}
    for persona in load_personas().values():
        text = prompt(scene(persona=persona, language=persona.language))
        assert persona.background in text
        assert "{" not in text


def test_llm_driver__offline_engine__is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="SELFLEARN_LLM"):
        LlmDriver(client=FakeMaas(), model=OfflineModel())


@pytest.mark.django_db(transaction=True)
def test_emulation_run__played_by_a_model__keeps_truth_and_counts_its_tokens(
    bob: Actor, server: ProtocolServer, driver: LlmDriver
) -> None:
    says(
        server,
        "Hello, it is me again.",
        SAID_WELL,
        f"Also. {DOG}",
        WHICH_CAT,
        f"And now: {WHICH_DOG}",
        "Thanks, bye for now!",
    )
    student = FakeMaas(reply=lambda request: "Tiger." if "cat" in request.query else "Biscuit.")
    batch = play(bob, pets(), maas=student, driver=driver)
    assert [turn.text for turn in turns_of()][1] == SAID_WELL
    assert EmulationDialogue.objects.get().is_valid
    assert batch.driver_tokens == 120 * batch.turns_done
    assert [truth.expected_memory_ids for truth in ground_truths(batch="b1")] == [
        (turns_of()[1].memory_id,),
        (turns_of()[2].memory_id,),
    ]


@pytest.mark.django_db(transaction=True)
def test_emulation_run__no_model_set_up__says_so_and_leaves_the_batch_to_be_run(bob: Actor) -> None:
    batch = emulation_start(plan=EmulationPlan(batch="b1", dialogues=1, driver="llm"), actor=bob)
    with pytest.raises(InvalidInput, match="SELFLEARN_LLM"):
        emulation_run(batch_id=batch.pk, client=FakeMaas())
    assert EmulationBatch.objects.get().status == "pending"
