"""Scripted dialogues in the admin: operators write them, viewers look."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from contracts.actor import Role
from maas.models import TestDialog, TestRun
from tests.access.people import client_of, person
from tests.admin.world import World

STEP = {"scenario": "mine", "step": "1", "query": "Where do I live?", "expected_keyword": "Riga | Рига"}


@pytest.fixture
def operator(db: None) -> Client:
    return client_of(person("bob", Role.OPERATOR))


def test_step__added_by_an_operator__is_kept(operator: Client) -> None:
    page = operator.post(reverse("admin:maas_testdialog_add"), STEP)
    assert page.status_code == 302
    assert TestDialog.objects.get(scenario="mine").expected_keyword == "Riga | Рига"


@pytest.mark.parametrize("wrong", [{"expected_keyword": "?!"}, {"step": "0"}, {"query": ""}])
def test_step__that_is_wrong__is_refused_with_a_sentence(operator: Client, wrong: dict[str, str]) -> None:
    page = operator.post(reverse("admin:maas_testdialog_add"), STEP | wrong)
    assert page.status_code == 200
    assert "errornote" in page.content.decode() or "Please correct the error" in page.content.decode()
    assert not TestDialog.objects.filter(scenario="mine").exists()


def test_step__that_is_there_already__is_refused(operator: Client, world: World) -> None:
    page = operator.post(reverse("admin:maas_testdialog_add"), STEP | {"scenario": "s"})
    assert page.status_code == 200
    assert TestDialog.objects.filter(scenario="s").count() == 1


def test_step__edited_and_then_deleted__keeps_its_results(operator: Client, world: World) -> None:
    dialog = TestDialog.objects.get(scenario="s")
    page = operator.post(reverse("admin:maas_testdialog_change", args=[dialog.pk]), STEP | {"scenario": "s"})
    assert page.status_code == 302
    dialog.refresh_from_db()
    assert dialog.query == "Where do I live?"
    page = operator.post(reverse("admin:maas_testdialog_delete", args=[dialog.pk]), {"post": "yes"})
    assert page.status_code == 302
    assert not TestDialog.objects.filter(scenario="s").exists()
    assert TestRun.objects.get().dialog is None


def test_steps__for_a_viewer__cannot_be_added(db: None) -> None:
    page = client_of(person("charlie", Role.VIEWER)).post(reverse("admin:maas_testdialog_add"), STEP)
    assert page.status_code == 403
    assert not TestDialog.objects.filter(scenario="mine").exists()
