"""Pages of reports: of a campaign and of each cycle, and as files in the reader's language."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from manager.models import Approval


def test_report__campaign__leads_to_its_cycles_and_draws_effects_with_a_table(
    viewer: Client, approval: Approval
) -> None:
    number = approval.campaign.number
    text = viewer.get(f"/reports/{number}/").content.decode()
    assert f'href="/reports/{number}/cycles/2/"' in text
    assert f'data-chart="/reports/{number}/effects.json"' in text
    assert "What each experiment moved" in text


def test_campaign__its_cycles__lead_to_their_reports(viewer: Client, approval: Approval) -> None:
    number = approval.campaign.number
    assert f'href="/reports/{number}/cycles/1/"' in viewer.get(f"/campaigns/{number}/").content.decode()


def test_cycle_report__page__says_which_cycle_and_what_waits(viewer: Client, approval: Approval) -> None:
    number = approval.campaign.number
    text = viewer.get(f"/reports/{number}/cycles/1/").content.decode()
    assert f"<h1>Campaign {number}, cycle 1:" in text
    assert "a person must decide" in text
    assert viewer.get(f"/reports/{number}/cycles/9/").status_code == 404


@pytest.mark.parametrize("path", ["", "cycles/1/"])
@pytest.mark.parametrize(
    ("form", "kind"), [("md", "text/markdown"), ("html", "text/html"), ("json", "application/json")]
)
def test_report__each_format__is_a_file_of_its_kind(
    viewer: Client, approval: Approval, path: str, form: str, kind: str
) -> None:
    answer = viewer.get(f"/reports/{approval.campaign.number}/{path}?format={form}", headers={"accept-language": "ru"})
    assert answer["Content-Type"] == f"{kind}; charset=utf-8"
    assert answer["Content-Disposition"].endswith(f'.{form}"')
    text = answer.content.decode()
    assert json.loads(text)["campaign"] if form == "json" else "Кампания" in text


@pytest.mark.parametrize("path", ["effects.json", "cycles/1/effects.json"])
def test_effects__as_data__have_the_experiment(viewer: Client, approval: Approval, path: str) -> None:
    figure = viewer.get(f"/reports/{approval.campaign.number}/{path}").json()
    assert len(figure["data"][0]["x"]) == 1
