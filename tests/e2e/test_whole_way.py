"""The whole way of a meta-user, in one go, in English and in Russian: sign in, a goal from a sentence, a live campaign,
the experiment, approve, in force, roll back, the change log."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connections

from contracts.actor import Role
from goals.models import Campaign
from maas.client import get_client
from manager.foreground import campaign_follow
from manager.models import Approval
from tests.access.people import person
from tests.e2e.conftest import Window
from tests.manager.world import DATASET, dataset_load
from tuner.selectors import active_version

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Words:
    """What is typed and read in one language."""

    switch: str
    goal: str
    understood: str
    started: str
    cycle: str
    waits: str
    proved: str
    in_force: str
    since: str
    roll_back: str
    logged: str


ENGLISH = Words(
    switch="EN",
    goal="Raise recall of memories to 95 % without losing precision; change only retrieval.min_tag_overlap; "
    "ask me before each change",
    understood="recall ≥ .950",
    started="Campaign 1",
    cycle="cycle 1 of 1",
    waits="One change waits for you.",
    proved="proved; it waits for a decision.",
    in_force="version 2 is active",
    since="Version 1 has been active since",
    roll_back="Roll back",
    logged="answers got worse",
)
RUSSIAN = Words(
    switch="RU",
    goal="Поднять полноту поиска до 95 %, не потеряв точность; менять только retrieval.min_tag_overlap; "
    "спрашивай меня перед каждым изменением",
    understood="≥ 0,950",
    started="Кампания 1",
    cycle="цикл 1 из 1",
    waits="Вас ждёт 1 изменение.",
    proved="доказано; ждёт решения.",
    in_force="версия 2",
    since="Версия 1 активна с",
    roll_back="Откатить",
    logged="ответы стали хуже",
)


@pytest.fixture
def prepared(live_server: object, tmp_path: Path) -> None:
    """A data set to learn on, and the cast with accounts; nothing has been learnt."""
    person("alice", Role.META_USER)
    person("charlie", Role.VIEWER)
    dataset_load(tmp_path)


def worked_on(campaign: Campaign) -> threading.Thread:
    """A worker of its own for the campaign, while the browser looks on."""

    def work() -> None:
        try:
            campaign_follow(campaign_id=campaign.id, client=get_client())
        finally:
            connections.close_all()

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    return worker


@pytest.mark.parametrize("words", [ENGLISH, RUSSIAN], ids=["english", "russian"])
def test_meta_user__from_a_sentence_to_a_rollback(window: Window, prepared: None, words: Words) -> None:
    page = window.page
    window.sign_in("alice")
    if page.locator(f"button.lang:text-is('{words.switch}')").count():
        page.click("button.lang")
    window.open("/goals/new/")
    page.fill("#goal-text", words.goal)
    page.click("button[value=translate]")
    assert words.understood in window.text("[aria-live]")
    page.select_option("#dataset", DATASET)
    page.fill("#id_cycles", "1")
    page.click("button[value=start]")
    page.wait_for_selector(".messages .success")

    campaign = Campaign.objects.get()
    window.open("/")
    worker = worked_on(campaign)
    page.wait_for_selector(f"#campaign-now:has-text('{words.cycle}')")
    page.wait_for_selector("#campaign-now progress")
    page.wait_for_selector(f"h1:has-text('{words.waits}')", timeout=120_000)
    worker.join(timeout=60)
    assert not worker.is_alive()

    page.click(".request a[href*='/experiments/']")
    assert words.proved in window.title()
    page.click("button.yes")
    page.wait_for_selector(".messages .success")
    assert words.in_force in window.text(".messages")
    assert active_version().version == 2

    window.open("/parameters/")
    page.click(f"summary:has-text('{words.roll_back}')")
    page.fill("form[action$='rollback/'] [name=reason]", words.logged)
    page.click("form[action$='rollback/'] button.no")
    page.wait_for_selector(".messages .success")
    assert window.title().startswith(words.since)
    assert active_version().version == 1

    window.open("/changes/")
    said = window.text()
    assert words.logged in said
    assert "alice" in said


def test_viewer__forged_approval__is_refused_and_changes_nothing(window: Window, waiting: Approval) -> None:
    window.sign_in("charlie")
    status, said = window.page.evaluate(
        """async (path) => {
            const token = document.cookie.split('; ').map(c => c.split('=')).find(c => c[0].includes('csrf'));
            const field = document.querySelector('[name=csrfmiddlewaretoken]');
            const body = new URLSearchParams({csrfmiddlewaretoken: field ? field.value : (token || ['', ''])[1]});
            const answer = await fetch(path, {method: 'POST', body, redirect: 'manual'});
            return [answer.status, await answer.text()];
        }""",
        f"/approvals/{waiting.id}/approve/",
    )
    assert status == 403
    assert "Your role does not allow this." in said  # not: a token that does not fit
    waiting.refresh_from_db()
    assert (waiting.status, active_version().version) == ("pending", 1)
    window.troubles[:] = [one for one in window.troubles if "403" not in one]
