"""A prompt that a model writes for the loop: only with a model and above the limit, once a step, and never a stop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from audit.models import AuditEntry
from goals.models import Campaign
from maas.client import prompt_texts
from maas.models import SystemPrompt
from manager.engine.context import Note
from tests.llm.server import Fault, ProtocolServer, completion, error
from tests.manager.test_exploring import ALLOWED, context_of, offered, told
from tests.manager.world import Sizes, campaign_make, dataset_load, goal
from tests.teacher.test_prompt_check import GOOD
from tuner.registry import FACTORS

pytestmark = pytest.mark.django_db(databases=["default", "maas"])


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    return campaign_make(translation=goal(allowed=ALLOWED))


@pytest.fixture
def server(settings: Settings) -> Iterator[ProtocolServer]:
    with ProtocolServer() as running:
        settings.SELFLEARN_LLM, settings.SELFLEARN_MODEL = "openai", "writer"
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = running.url, "k"
        settings.SELFLEARN_EMBEDDING_MODEL = ""
        yield running


def said(**changes: Any) -> Fault:
    return completion(json.dumps({"prompt": GOOD, "idea": "It names the note first.", **changes}))


def written(notes: list[Note]) -> list[Note]:
    return [note for note in notes if note.kind == "prompt_written"]


def test_prompts__above_the_limit_with_a_model__one_is_written_kept_and_logged(
    campaign: Campaign, server: ProtocolServer
) -> None:
    server.faults.append(said())
    _, notes = offered(context_of(campaign), invented=0.28)

    name = f"w-c{campaign.number}-k2"
    prompt = SystemPrompt.objects.get(version=name)
    assert (prompt.role, prompt.template) == ("responder", GOOD)
    assert "It names the note first." in prompt.description
    assert AuditEntry.objects.get(action="prompt.added").actor == "teacher"
    assert name in written(notes)[0].text


def test_prompts__step_repeated__asks_the_model_once(campaign: Campaign, server: ProtocolServer) -> None:
    server.faults.append(said())
    context = context_of(campaign)
    offered(context, invented=0.28)
    offered(context, invented=0.28)
    assert len(server.requests) == 1


def test_prompts__model_fails__bundled_ones_are_offered_and_the_journal_says_so(
    campaign: Campaign, server: ProtocolServer
) -> None:
    server.faults += [error(401, "no such key")] * 4
    (found,), notes = offered(context_of(campaign), invented=0.28)
    bundled = {value for key, value in told(found) if key == "prompts.responder"}
    assert bundled == set(FACTORS["prompts.responder"].choices) - {"v1"}
    (note,) = written(notes)
    assert note.text == "no prompt was written: the bundled versions are what is offered"
    assert note.reason.startswith("writer could not be asked: ")


@pytest.mark.parametrize("invented", [None, 0.1])
def test_prompts__up_to_the_limit__no_model_is_asked(
    campaign: Campaign, server: ProtocolServer, invented: float | None
) -> None:
    offered(context_of(campaign), invented=invented)
    assert server.requests == []


def test_prompts__offline__bundled_ones_alone(campaign: Campaign) -> None:
    before = prompt_texts(role="responder")
    _, notes = offered(context_of(campaign), invented=0.28)
    assert (written(notes), prompt_texts(role="responder")) == ([], before)


def test_prompts__golden_text_in_what_was_written__is_never_kept(campaign: Campaign, server: ProtocolServer) -> None:
    from experiments.golden import golden_examples

    (example,) = golden_examples(dataset=campaign.dataset)
    server.faults += [said(prompt=f"{GOOD} {example.query}")] * 2
    before = prompt_texts(role="responder")
    _, notes = offered(context_of(campaign), invented=0.28)
    assert "repeats words of an example" in written(notes)[0].reason
    assert example.query not in written(notes)[0].reason
    assert prompt_texts(role="responder") == before
