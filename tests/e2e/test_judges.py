"""A person labels judged answers in a real browser, by keyboard alone, and sees how far the judge is agreed with."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.actor import Role
from teacher.calibration.models import CaseLabel
from tests.access.people import person
from tests.e2e.conftest import Window
from tests.teacher.calibration.makers import V, judged_runs

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def test_labelling__by_keyboard__saves_skips_takes_back_and_shows_the_agreement(
    live_server: Any, window: Window
) -> None:
    person("bob", Role.OPERATOR)
    judged_runs(clean=2, invented=1)
    window.sign_in("bob")
    window.open("/judges/")
    window.page.get_by_role("button", name="Draw 50 cases to label").click()
    window.page.wait_for_url("**/judges/label/")
    first = window.page.get_attribute("#label [name=case]", "value")
    for key in ("1", "1", "2", "Enter"):
        window.page.keyboard.press(key)
    window.page.locator("#progress", has_text="1 of 3").wait_for()
    label = CaseLabel.objects.get()
    assert (label.labeller, label.relevance, label.context, label.hallucination) == ("person:bob", "yes", "yes", "no")
    window.page.keyboard.press("u")
    window.page.locator("#progress", has_text="0 of 3").wait_for()
    assert window.page.get_attribute("#label [name=case]", "value") == first
    window.page.keyboard.press("s")
    window.page.wait_for_function("first => document.querySelector('#label [name=case]').value !== first", arg=first)
    for done in (1, 2, 3):
        for key in ("1", "3", "2", "Enter"):
            window.page.keyboard.press(key)
        if done < 3:
            window.page.locator("#progress", has_text=f"{done} of 3").wait_for()
    window.page.locator("h1", has_text="Every case of this round is labelled.").wait_for()
    assert CaseLabel.objects.filter(ended_at__isnull=True, context="unclear").count() == 3
    window.page.get_by_role("link", name="To the judges").click()
    window.page.locator("h1", has_text=f"Judge {V} is not calibrated yet.").wait_for()
    assert "3 cases labelled" in window.text()
