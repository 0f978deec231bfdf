"""The pages of emulations: the list and its form, a batch while it is played, a dialogue as it was held."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django_q.models import OrmQ

from contracts.actor import Actor, Role
from emulator.models import EmulationBatch, EmulationDialogue
from manager.services.emulations import emulation_launch, emulation_play
from tests.access.people import client_of, person
from tests.emulator.fakes import FakeMaas
from tests.emulator.makers import asks, plan, says, script

pytestmark = pytest.mark.django_db(transaction=True)
BOB = Actor(kind="person", name="bob", role=Role.OPERATOR)
FORM = {"split": "train", "dialogues": "2", "turns": "3", "seed": "7", "parallel": "1", "arm": "", "driver": ""}


@pytest.fixture
def operator(transactional_db: None) -> Client:
    return client_of(person("bob", Role.OPERATOR))


@pytest.fixture
def viewer(transactional_db: None) -> Client:
    return client_of(person("charlie", Role.VIEWER))


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def small(**student: Any) -> EmulationBatch:
    turns = (says("My cat is Tiger", "cat"), asks("Who purrs?", "cat", key_facts=("Tiger",)))
    batch = emulation_launch(plan=plan(script("d1", *turns)), actor=BOB)
    return emulation_play(batch_id=batch.pk, client=FakeMaas(**student)) if student else batch


def played() -> EmulationBatch:
    return small(fail=lambda _: False)


def test_list__nothing_yet__says_what_will_be_here_and_offers_the_form(operator: Client) -> None:
    page = text(operator, "/emulations/")
    assert "<h1>No dialogues have been played yet.</h1>" in page
    assert "Nothing yet." in page
    assert 'value="career-change-en"' in page


def test_list__for_a_viewer__offers_nothing_to_start(viewer: Client) -> None:
    page = text(viewer, "/emulations/")
    assert 'id="emulation-form"' not in page
    assert "An operator can start it." in page
    assert viewer.post("/emulations/", FORM).status_code == 403
    assert not EmulationBatch.objects.exists()


def test_form__filled_in__starts_what_was_asked_for(operator: Client) -> None:
    answer = operator.post("/emulations/", FORM | {"scenario": ["career-change-en"]})
    batch = EmulationBatch.objects.get()
    assert answer["Location"] == f"/emulations/{batch.pk}/"
    wanted = {"dialogues": 2, "turns": 3, "seed": 7, "parallel": 1, "scenarios": ["career-change-en"]}
    assert {name: batch.plan[name] for name in wanted} == wanted
    assert OrmQ.objects.count() == 1
    assert "waiting" in text(operator, f"/emulations/{batch.pk}/")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"dialogues": "many"}, "Dialogues: a whole number from 1 to 5000."),
        ({"turns": "0"}, "Turns: a whole number from 1 to 100."),
        ({"parallel": "65"}, "Users at once: a whole number from 1 to 64."),
        ({"split": "golden"}, "Train or validation can be played."),
        ({"scenario": ["moving-coast-en"]}, "The scenarios ticked are of the other split"),
        ({"arm": "v:4711"}, "4711"),
        ({"arm": "a:none:b"}, "none"),
    ],
)
def test_form__wrong__comes_back_as_it_was_with_what_is_wrong(
    operator: Client, wrong: dict[str, Any], said: str
) -> None:
    answer = operator.post("/emulations/", FORM | {"seed": "4242"} | wrong)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert 'value="4242"' in page
    assert not EmulationBatch.objects.exists()


def test_batch__played__shows_its_dialogues_and_each_can_be_read(viewer: Client) -> None:
    batch = played()
    dialogue = EmulationDialogue.objects.get()
    page = text(viewer, f"/emulations/{batch.pk}/")
    assert "<h1>The dialogue was played.</h1>" in page
    assert f"/emulations/{batch.pk}/dialogues/{dialogue.pk}/" in page
    read = text(viewer, f"/emulations/{batch.pk}/dialogues/{dialogue.pk}/")
    assert "My cat is Tiger" in read
    assert "heard: Who purrs?" in read
    assert "Should have been found" in read
    assert "✗ Tiger" in read
    assert "not a language model" in read


def test_batch__with_an_invalid_dialogue__says_why_and_can_show_only_those(viewer: Client) -> None:
    batch = small(fail=lambda request: request.query == "Who purrs?")
    page = text(viewer, f"/emulations/{batch.pk}/?show=invalid")
    assert "1 of 1 dialogues is invalid." in page
    assert "1 of its turns could not be said" in page
    assert "None of these." in text(viewer, f"/emulations/{batch.pk}/?show=valid")


def test_batch__stopped_and_gone_on_with__by_the_buttons(operator: Client, viewer: Client) -> None:
    batch = small()
    address = f"/emulations/{batch.pk}/"
    assert f"{address}stop/" in text(operator, address)
    assert f"{address}stop/" not in text(viewer, address)
    assert viewer.post(f"{address}stop/").status_code == 403
    operator.post(f"{address}stop/", {"next": address})
    page = text(operator, address)
    assert "It is stopped." in page
    assert "Stopped after 0 of 1 dialogues." in page
    operator.post(f"{address}resume/", {"next": address})
    batch.refresh_from_db()
    assert batch.status == "pending"
    assert operator.get(f"{address}stop/").status_code == 405
    assert operator.post(f"{address}burn/").status_code == 404


def test_batch__of_a_campaign__offers_no_buttons(operator: Client) -> None:
    batch = small()
    EmulationBatch.objects.update(created_by="component:manager")
    page = text(operator, f"/emulations/{batch.pk}/")
    assert "part of a campaign" in page
    assert "/stop/" not in page


def test_purge__by_a_meta_user__shows_what_would_go_and_needs_a_reason(operator: Client) -> None:
    batch, meta_user = played(), client_of(person("alice", Role.META_USER))
    EmulationBatch.objects.update(plan=batch.plan | {"loaded": False})
    address = f"/emulations/{batch.pk}/"
    assert "1 simulated people, 1 dialogues, 2 turns" in text(meta_user, address)
    assert "Purge" not in text(operator, address)
    assert operator.post(f"{address}purge/", {"reason": "x"}).status_code == 403
    meta_user.post(f"{address}purge/", {"next": address})
    assert "say why" in text(meta_user, address)
    answer = meta_user.post(f"{address}purge/", {"reason": "served", "next": address})
    assert answer["Location"] == "/emulations/"
    assert "Purged: 2 turns" in text(meta_user, "/emulations/")
    assert not EmulationBatch.objects.exists()


def test_purge__of_what_has_to_stay__says_why(operator: Client) -> None:
    batch, meta_user = played(), client_of(person("alice", Role.META_USER))
    address = f"/emulations/{batch.pk}/"
    assert "These data have to stay: its users belong to the data set" in text(meta_user, address)
    meta_user.post(f"{address}purge/", {"reason": "x", "next": address})
    assert "b1 stays: its users belong to the data set" in text(meta_user, address)
    assert EmulationBatch.objects.exists()
