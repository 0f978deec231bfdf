"""A model writes a prompt, over real HTTP: taken when sound, asked once more when not, and never a reason to stop."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from llm.openai_engine import OpenAIChat
from llm.protocol import ChatModel
from teacher.designer.prompting import NotWritten, WrittenPrompt, prompt_write
from tests.llm.server import Fault, ProtocolServer, completion, error
from tests.teacher.test_prompt_check import GOOD

PRESENT = "You answer from memories. " * 10
SECRET = "What did Clara say about the red bicycle in May?"


@pytest.fixture
def server() -> Iterator[ProtocolServer]:
    with ProtocolServer() as running:
        yield running


def model_of(server: ProtocolServer) -> ChatModel:
    return OpenAIChat(model="writer", api_key="k", base_url=server.url, price_table={})


def write(server: ProtocolServer) -> WrittenPrompt | NotWritten:
    return prompt_write(
        model=model_of(server), present=PRESENT, others=["Older."], invented=0.28, allowed=0.05,
        private=[SECRET, "Clara"], seed=3,
    )  # fmt: skip


def said(prompt: str, idea: str = "It names the note first.") -> Fault:
    return completion(json.dumps({"prompt": prompt, "idea": idea}))


def test_write__sound__is_taken_with_its_idea_and_model(server: ProtocolServer) -> None:
    server.faults.append(said(GOOD))
    written = write(server)
    assert isinstance(written, WrittenPrompt)
    assert (written.text, written.idea) == (GOOD, "It names the note first.")


def test_write__request__shows_prompts_and_rates_and_no_example(server: ProtocolServer) -> None:
    server.faults.append(said(GOOD))
    write(server)
    ((_, request),) = server.requests
    assert json.loads(request["messages"][1]["content"]) == {
        "present": PRESENT, "others": ["Older."], "measured": {"invents": 0.28, "may_invent": 0.05},
    }  # fmt: skip
    assert "Clara" not in json.dumps(request)


def test_write__copy_of_an_example__is_sent_back_once_without_naming_it(server: ProtocolServer) -> None:
    server.faults += [said(f"{GOOD} Like Clara."), said(GOOD)]
    assert isinstance(write(server), WrittenPrompt)
    asked = server.requests[1][1]["messages"][-1]["content"]
    assert "repeats words of an example" in asked
    assert "Clara" not in asked


def test_write__idea_that_copies_an_example__is_refused_too(server: ProtocolServer) -> None:
    server.faults += [said(GOOD, SECRET), said(GOOD, SECRET)]
    written = write(server)
    assert isinstance(written, NotWritten)
    assert "its idea repeats words of an example" in written.reason


def test_write__unsound_twice__is_not_written_and_says_why(server: ProtocolServer) -> None:
    server.faults += [said("Too short."), said("Too short.")]
    written = write(server)
    assert isinstance(written, NotWritten)
    assert "10 characters" in written.reason
    assert written.bill.tokens >= 0
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "fault", [error(401, "no such key"), error(400, "bad request"), completion("no JSON at all")]
)  # fmt: skip
def test_write__model_fails__is_not_written_and_says_why(server: ProtocolServer, fault: Fault) -> None:
    server.faults += [fault] * 6
    written = write(server)
    assert isinstance(written, NotWritten)
    assert written.reason.startswith("writer could not be asked: ")
