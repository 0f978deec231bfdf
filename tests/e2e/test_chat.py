"""A person talks to the student in the browser, and a real orchestrator answers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from contracts.actor import Role
from maas.access import as_service
from tests.access.people import client_of, person
from tests.e2e.conftest import Window

pytestmark = [pytest.mark.e2e, pytest.mark.processes]

FACT = "My sister Irina lives in Kazan and plays the cello."
QUESTION = "What does my sister Irina play?"
STATES = ["NEW", "ANALYZING", "ANALYZED", "ASSEMBLING", "READY", "RESPONDING", "COMPLETED"]

# Keeps each state that the page has shown, once.
WATCH = """
window.shown = [];
new MutationObserver(() => {
  for (const way of document.querySelectorAll(".exchange:last-child .way[data-shown]")) {
    if (way.offsetParent && window.shown.at(-1) !== way.dataset.shown) window.shown.push(way.dataset.shown);
  }
}).observe(document.querySelector("#exchanges"), { subtree: true, childList: true, attributes: true });
"""


def started() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.maas.orchestrator_process", connections["maas"].settings_dict["NAME"]],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(settings.BASE_DIR),
        env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR)},
    )


def ended(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


@pytest.fixture
def orchestrator(live_server: Any) -> Iterator[None]:
    process = started()
    assert process.stdout is not None
    assert "started" in process.stdout.readline()
    yield
    ended(process)


@pytest.fixture
def anna(window: Window) -> Window:
    person("anna", Role.VIEWER)
    window.sign_in("anna")
    window.open("/chat/")
    return window


def say(window: Window, text: str) -> None:
    window.page.fill("#say", text)
    window.page.keyboard.press("Enter")
    window.page.wait_for_selector(".exchange.settled:last-child:not(.moving)")


def fits(window: Window) -> bool:
    return bool(window.page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_fact__told_and_asked_in_a_new_conversation__is_answered_from_its_memory(
    anna: Window, orchestrator: None
) -> None:
    page = anna.page
    page.evaluate(WATCH)
    say(anna, FACT)
    assert page.evaluate("window.shown") == STATES
    assert f"“{FACT}”" in anna.text(".exchange:last-child .left")

    page.click("#new")
    say(anna, QUESTION)
    assert "cello" in anna.text(".exchange:last-child .answer")
    page.click(".found summary")
    memory = anna.text(".found li.used")
    assert FACT in memory
    assert "score" in memory
    assert page.locator(".found li.used progress").count() == 2

    page.click(".feedback button:has-text('4')")
    page.wait_for_selector(".given:has-text('You gave 4 of 5.')")
    assert page.locator(".found[open]").count() == 1
    assert page.evaluate("document.activeElement.textContent") == "4"
    page.reload()
    assert anna.text(".given") == "You gave 4 of 5."
    assert page.get_attribute(".marks button:has-text('4')", "aria-pressed") == "true"
    page.click(".thumb.down")
    page.wait_for_selector(".given:has-text('You gave 1 of 5.')")


def test_conversation__back_and_from_the_side__is_the_one_that_it_was(anna: Window, orchestrator: None) -> None:
    say(anna, FACT)
    address = anna.page.url
    assert address != anna.base + "/chat/"
    anna.page.click("#new")
    anna.page.wait_for_url(anna.base + "/chat/")
    anna.page.go_back()
    anna.page.wait_for_selector(f".exchange:has-text('{FACT}')")
    anna.open("/chat/")
    anna.page.click(f"#side a:has-text('{FACT}')")
    anna.page.wait_for_url(address)
    assert anna.title() == FACT


def test_message__over_several_lines_in_russian__is_sent_whole(anna: Window, orchestrator: None) -> None:
    anna.page.fill("#say", "Мою собаку зовут Бублик.")
    anna.page.keyboard.press("Shift+Enter")
    anna.page.keyboard.type("Ей три года.")
    anna.page.keyboard.press("Enter")
    anna.page.wait_for_selector(".exchange.settled:not(.moving)")
    assert anna.text(".said") == "Мою собаку зовут Бублик.\nЕй три года."
    assert anna.page.evaluate("document.activeElement.id") == "say"
    say(anna, "Как зовут мою собаку?")
    assert "Бублик" in anna.text(".exchange:last-child .answer")
    assert "Бублик" in anna.text("#chat-said")  # what a screen reader is told


def test_orchestrator__not_there__is_said_and_the_message_waits_for_it(anna: Window) -> None:
    anna.page.fill("#say", FACT)
    anna.page.keyboard.press("Enter")
    anna.page.wait_for_selector(".stalled")
    assert "manage.py orchestrate" in anna.text(".stalled")
    process = started()
    try:
        anna.page.wait_for_selector(".exchange.settled .answer")
        assert anna.page.locator(".stalled").count() == 0
    finally:
        ended(process)


def test_consent__ticked_and_unticked__counts_then_is_taken_back(anna: Window, orchestrator: None) -> None:
    def consents() -> list[bool]:
        with as_service() as cursor:
            cursor.execute("SELECT consent FROM pipeline_runs ORDER BY created_at")
            return [row[0] for row in cursor.fetchall()]

    assert not anna.page.is_checked("[name=consent]")
    anna.page.check("[name=consent]")
    anna.page.wait_for_selector("#consent-said:has-text('From now on')")
    say(anna, FACT)
    assert consents() == [True]
    anna.page.reload()
    assert "may be learnt from" in anna.text(".facts")
    anna.page.uncheck("[name=consent]")
    anna.page.wait_for_selector("#consent-said:has-text('Taken back for 1 earlier exchange.')")
    assert "may be learnt from" not in anna.text(".facts")
    assert consents() == [False]


def test_message__server_lost__stays_in_the_field_with_a_sentence(anna: Window) -> None:
    anna.page.route("**/chat/", lambda route: route.abort())
    anna.page.fill("#say", FACT)
    anna.page.keyboard.press("Enter")
    anna.page.wait_for_selector(".problem:has-text('was not sent')")
    assert anna.page.input_value("#say") == FACT
    assert anna.page.locator(".exchange").count() == 0
    anna.troubles.clear()  # the browser's own word on the request that this test has cut


def test_chat__phone_and_dark__fits(anna: Window, orchestrator: None) -> None:
    anna.page.set_viewport_size({"width": 390, "height": 844})
    anna.page.emulate_media(color_scheme="dark")
    anna.open("/chat/")
    assert fits(anna)
    say(anna, FACT)
    say(anna, QUESTION + " " + "o" * 120)
    anna.page.click(".found summary")
    assert fits(anna)
    assert anna.page.evaluate("document.documentElement.dataset.theme") == "dark"
    anna.page.click(".side summary")
    assert anna.page.is_visible("#side a")


def test_chat__without_scripts__sends_and_reads(browser: Any, live_server: Any, orchestrator: None) -> None:
    session = client_of(person("anna", Role.VIEWER)).cookies["sessionid"].value  # the sign-in page needs scripts
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    plain = Window(page=context.new_page(), base=live_server.url)
    plain.page.set_default_timeout(15_000)
    plain.open("/chat/")
    plain.page.fill("#say", FACT)
    plain.page.click("#send")
    plain.page.wait_for_selector(".exchange.settled .answer")  # the page reloads by itself
    plain.page.click(".marks button:has-text('4')")
    plain.page.wait_for_selector(".given:has-text('You gave 4 of 5.')")
    assert plain.page.locator(".exchange.settled .answer").count() == 1
    context.close()
