"""An emulation in a real browser: started from the form, watched, read, and purged."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.actor import Role
from emulator.models import EmulationBatch
from maas.client import get_client
from manager.services.emulations import emulation_play
from tests.access.people import person
from tests.e2e.conftest import Window

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def test_emulation__started_from_the_page__is_watched_read_and_purged(live_server: Any, window: Window) -> None:
    person("alice", Role.META_USER)
    window.sign_in("alice")
    window.open("/emulations/")
    page = window.page
    page.fill("#dialogues", "2")
    page.check("input[value=career-change-en]")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_url("**/emulations/*-*/")
    assert window.title() == "Waiting for a worker."
    batch = EmulationBatch.objects.get()
    assert batch.plan["scenarios"] == ["career-change-en"]
    emulation_play(batch_id=batch.pk, client=get_client())
    page.locator("h1", has_text="All 2 dialogues were played.").wait_for()
    page.locator("#dialogues tbody a").nth(1).click()
    page.wait_for_url("**/dialogues/*-*/")
    first = batch.dialogues.order_by("ordinal")[1].turns.order_by("position")[0]
    assert first.text in window.text("#turn-0")
    page.go_back()
    page.get_by_text("Purge…").click()
    page.fill("textarea[name=reason]", "It has served.")
    page.get_by_role("button", name="Purge", exact=True).click()
    page.wait_for_url("**/emulations/")
    assert "Purged:" in window.text(".messages")
    assert not EmulationBatch.objects.exists()
