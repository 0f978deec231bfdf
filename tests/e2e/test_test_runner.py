"""Scripted dialogues in a real browser: start one, and see it end without touching the page."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.actor import Actor, Role
from maas.access import as_service
from maas.models import TestDialog, TestSession
from maas.test_runner.scripts import Row, scripts_load
from maas.test_runner.sessions import session_play
from tests.access.people import person
from tests.e2e.conftest import Window

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
BOB = Actor(kind="person", name="bob", role=Role.OPERATOR)
FACT, QUESTION = "I bought a red cello in Kazan.", "Where did I buy my cello?"


def test_scenario__run_from_the_page__shows_its_progress_and_its_end_by_itself(
    live_server: Any, window: Window
) -> None:
    person("bob", Role.OPERATOR)
    with as_service():
        TestDialog.objects.all().delete()
    scripts_load(rows=[Row("cello", 1, FACT, ""), Row("cello", 2, QUESTION, "Kazan")], actor=BOB)
    window.sign_in("bob")
    window.open("/tests/")
    window.page.get_by_role("button", name="Run cello").click()
    window.page.wait_for_url("**/tests/*-*/")
    assert window.title() == "Waiting for a worker to begin."
    session = TestSession.objects.get()
    session_play(session_id=session.pk, at_most=1)
    window.page.locator("h1", has_text="1 of 2 steps are played.").wait_for()
    session_play(session_id=session.pk)
    window.page.locator("h1", has_text="The expectation held.").wait_for()
    assert "Kazan" in window.text("#step-1")
    assert "passed" in window.text("#step-1")
