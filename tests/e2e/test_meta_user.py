"""What a meta-user does in the browser, from signing in to undoing."""

from __future__ import annotations

import pytest

from goals.models import Campaign
from manager.models import Approval
from manager.services.approvals import approval_reject
from tests.e2e.conftest import Window
from tests.manager.world import ALICE, DATASET
from tests.pages.world import cycle_measured
from tuner.selectors import active_version

pytestmark = pytest.mark.e2e


def test_approve__from_home__is_in_force_logged_and_can_be_rolled_back(window: Window, waiting: Approval) -> None:
    window.sign_in("alice")
    assert window.title() == "Recall is rising; precision holds. One change waits for you."
    window.page.click("button.yes")
    window.page.wait_for_selector(".messages .success")
    assert "version 2 is active" in window.text(".messages")
    assert active_version().version == 2

    window.open("/changes/")
    assert "retrieval.min_tag_overlap 1 → 2 · v1 → v2" in window.text()
    assert "alice" in window.text()

    window.open("/parameters/")
    window.page.click("summary:has-text('Roll back')")
    window.page.fill("form[action$='rollback/'] [name=reason]", "answers got worse")
    window.page.click("form[action$='rollback/'] button.no")
    window.page.wait_for_selector(".messages .success")
    assert window.title().startswith("Version 1 has been active since")
    window.open("/changes/")
    assert "answers got worse" in window.text()


def test_reject__with_reason__is_kept(window: Window, waiting: Approval) -> None:
    window.sign_in("alice")
    window.open("/approvals/")
    window.page.click("summary:has-text('Reject')")
    window.page.wait_for_selector("textarea:focus")
    window.page.keyboard.type("too risky before the release")
    window.page.click("form[action$='reject/'] button.no")
    window.page.wait_for_selector(".messages .success")
    assert window.title() == "Nothing waits for you."
    assert "“too risky before the release”" in window.text()
    assert active_version().version == 1


def test_goal__sentence__is_translated_and_begun(window: Window, waiting: Approval) -> None:
    Campaign.objects.filter(status="running").update(status="paused")
    window.sign_in("alice")
    window.open("/goals/new/")
    window.page.fill("#goal-text", "Raise recall of memories to 60 % without losing precision")
    window.page.click("button[value=translate]")
    assert "recall ≥ .600" in window.text("[aria-live]")
    window.page.select_option("#dataset", DATASET)
    window.page.fill("#id_cycles", "2")
    window.page.click("button[value=start]")
    window.page.wait_for_selector(".messages .success")
    assert Campaign.objects.filter(status="running", max_cycles=2).exists()


def test_experiment__evidence__opens_and_replays(window: Window, waiting: Approval) -> None:
    window.sign_in("alice")
    window.page.click(".request a:has-text('Evidence')")
    assert "proved; it waits for a decision." in window.title()
    window.page.click("button:has-text('Replay')")
    window.page.wait_for_selector(".messages .success")
    assert "the verdict is the same" in window.text(".messages")


def test_home__something_changes__shows_it_without_a_reload(window: Window, waiting: Approval) -> None:
    window.sign_in("alice")
    window.page.wait_for_selector(".chart .main-svg")
    window.page.evaluate("window.untouched = true")
    approval_reject(approval_id=waiting.id, actor=ALICE, comment="by somebody else")
    window.page.wait_for_selector("h1:has-text('Nothing waits for you.')")
    assert window.page.evaluate("window.untouched") is True
    assert window.page.locator(".chart .main-svg").count() > 0


def test_home__first_measurement__draws_the_chart_without_a_reload(window: Window, waiting: Approval) -> None:
    campaign = waiting.campaign
    campaign.cycles.all().delete()
    window.sign_in("alice")
    assert window.page.locator(".chart").count() == 0
    cycle_measured(campaign, number=1, recall=0.41)
    window.page.wait_for_selector(".chart .main-svg")


def test_pages__phone_and_dark__fit_and_open_the_menu(window: Window, waiting: Approval) -> None:
    window.sign_in("alice")
    window.page.set_viewport_size({"width": 390, "height": 844})
    window.page.emulate_media(color_scheme="dark")
    slug = waiting.experiment.slug
    for path in ("/", "/goals/", "/goals/new/", f"/experiments/{slug}/", "/experiments/", "/parameters/", "/changes/"):
        window.open(path)
        assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert window.page.evaluate("document.documentElement.dataset.theme") == "dark"
    window.page.click("[data-do=menu]")
    window.page.click("#sidebar a:has-text('Approvals')")
    assert window.title() == "One change waits for you."


def test_viewer__sees_and_has_no_buttons(window: Window, waiting: Approval) -> None:
    window.sign_in("charlie")
    assert window.page.locator("button.yes").count() == 0
    assert "Evidence" in window.text(".request")
