"""The pages of the golden set: how it stands, an example from a real conversation, an example retired."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from contracts.actor import Actor
from contracts.maas import NewMemory
from experiments.datasets import dataset_store
from experiments.golden import golden_examples
from experiments.models import Dataset, GoldenSeal
from maas.client import memories_import
from sensor.models import SensorEvent
from tests.experiments.makers import example

VERA, RUN, MEMORY = uuid.UUID(int=71), uuid.UUID(int=501), uuid.UUID(int=601)
ASKED = datetime(2026, 5, 1, 12, tzinfo=UTC)
ADD = f"/golden/add/{RUN}/"


@pytest.fixture
def exchange(db: None) -> SensorEvent:
    memories_import(
        [
            NewMemory(memory_id=MEMORY, user_id=VERA, text="Vera moved to Kazan; call +7 999 123-45-67.",
                      simulated_at=ASKED.replace(month=4)),
        ]
    )  # fmt: skip
    now = timezone.now()
    return SensorEvent.objects.create(
        pipeline_run_id=RUN, user_id=VERA, client_kind="user", mode="dialogue", cycle_type="online", consent=True,
        status="COMPLETED", asked_at=ASKED, started_at=now, ended_at=now, latency_ms=1, memories_found=1,
        captured_at=now, query="Where did Vera move? Write to vera@example.org.", answer="To Kazan.",
    )  # fmt: skip


@pytest.fixture
def kept(db: None, alice: Actor) -> Dataset:
    return dataset_store(
        name="d", source="test", values={"golden": [example("e1"), example("e2")]}, report={}, actor=alice
    )


def said(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def form(**fields: Any) -> dict[str, Any]:
    return {
        "query": "Where did Vera move? Write to vera@example.org.", "category": "factual", "difficulty": "easy",
        "dataset": "real", "key_facts": "Kazan\n", "forbidden": "", "expected": [str(MEMORY)], **fields,
    }  # fmt: skip


def test_golden__none_yet__says_how_to_get_one(viewer: Client) -> None:
    page = said(viewer.get("/golden/"))
    assert "<h1>No golden set is here yet.</h1>" in page
    assert "load_dialogues" in page
    assert "Add from a conversation" not in page


def test_golden__sealed__shows_number_hash_and_looks(kept: Dataset, viewer: Client) -> None:
    page = said(viewer.get("/golden/"))
    assert "<h1>2 golden examples in one set, unchanged since it was sealed.</h1>" in page
    assert kept.golden_hash[:12] in page
    assert "0 of 200" in page
    assert "as sealed" in page


def test_golden__tampered_with__says_so_first(kept: Dataset, viewer: Client) -> None:
    Dataset.objects.update(golden_hash="x")
    page = said(viewer.get("/golden/"))
    assert "<h1>A golden set is not the one that was sealed. Nothing is decided on it.</h1>" in page
    assert "not as sealed" in page


def test_golden_set__of_a_name__shows_examples_and_sealings(kept: Dataset, viewer: Client) -> None:
    page = said(viewer.get("/golden/sets/d/"))
    assert "What of e1?" in page
    assert "expects 1 memory" in page
    assert "Retire…" not in page


def test_golden_set__unknown__is_not_found(viewer: Client) -> None:
    assert viewer.get("/golden/sets/x/").status_code == 404


@pytest.mark.parametrize("path", ["/golden/add/", ADD])
def test_adding__by_an_operator__is_refused(exchange: SensorEvent, operator: Client, path: str) -> None:
    assert operator.get(path).status_code == 403


def test_choose__nobody_agreed__says_what_would_be_here(meta_user: Client) -> None:
    page = said(meta_user.get("/golden/add/"))
    assert "No conversation may be used yet." in page
    assert "People agree on the chat page" in page


def test_choose__someone_agreed__shows_the_exchange_masked(exchange: SensorEvent, meta_user: Client) -> None:
    page = said(meta_user.get("/golden/add/"))
    assert "Where did Vera move? Write to [email]." in page
    assert "vera@example.org" not in page
    assert ADD in page


def test_new__consent_withdrawn_meanwhile__is_not_found(exchange: SensorEvent, meta_user: Client) -> None:
    SensorEvent.objects.update(consent=False)
    assert "agreed" in said(meta_user.get(ADD), 404)


def test_new__of_an_exchange__shows_the_persons_memories_masked(exchange: SensorEvent, meta_user: Client) -> None:
    page = said(meta_user.get(ADD))
    assert "Vera moved to Kazan; call [phone]." in page
    assert str(MEMORY) in page
    assert "123-45-67" not in page


def test_new__previewed__shows_what_would_be_sealed_and_seals_nothing(exchange: SensorEvent, meta_user: Client) -> None:
    page = said(meta_user.post(ADD, form(do="preview", key_facts="")))
    assert "As it would be sealed" in page
    assert "No key facts are named" in page
    assert "checked" in page
    assert not GoldenSeal.objects.exists()


def test_new__wrong__is_said_and_what_was_written_stays(exchange: SensorEvent, meta_user: Client) -> None:
    page = said(meta_user.post(ADD, form(do="preview", expected=[], forbidden="Moscow")), 422)
    assert "Choose the memories that the answer needs." in page
    assert "Moscow" in page


def test_new__sealed_with_a_reason__is_golden_and_in_the_change_log(exchange: SensorEvent, meta_user: Client) -> None:
    answer = meta_user.post(ADD, form(do="seal", reason="people ask this"), follow=True)
    assert "Sealed as number 1 of real, with 1 examples" in said(answer)
    assert golden_examples(dataset="real")[0].query == "Where did Vera move? Write to [email]."
    assert AuditEntry.objects.get(action="golden.added").reason == "people ask this"
    assert "No conversation may be used yet." in said(meta_user.get("/golden/add/"))


def test_new__sealed_without_a_reason__is_refused(exchange: SensorEvent, meta_user: Client) -> None:
    page = said(meta_user.post(ADD, form(do="seal")), 422)
    assert "needs a reason" in page
    assert not GoldenSeal.objects.exists()


def test_retire__with_a_reason__seals_anew(kept: Dataset, meta_user: Client) -> None:
    answer = meta_user.post("/golden/sets/d/retire/", {"example": "e1", "reason": "ambiguous"}, follow=True)
    page = said(answer)
    assert "Retired. The set is sealed anew as number 2" in page
    assert "What of e1?" not in page
    assert "ambiguous" in page


def test_retire__by_an_operator__is_refused(kept: Dataset, operator: Client) -> None:
    assert operator.post("/golden/sets/d/retire/", {"example": "e1", "reason": "x"}).status_code == 403
    assert GoldenSeal.objects.count() == 1
