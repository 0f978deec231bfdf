"""Reports over HTTP: campaign and cycle, in each form and language."""

from __future__ import annotations

import pytest
from django.test import Client

from contracts.actor import Role
from manager.models import Approval
from tests.access.people import bearer
from tests.pages.conftest import approval, campaign

__all__ = ["approval", "campaign"]


def test_cycle_report__as_data__has_headline_and_content(approval: Approval) -> None:
    number = approval.campaign.number
    answer = Client().get(f"/api/v1/reports/{number}/cycles/1", headers=bearer(Role.VIEWER))
    body = answer.json()
    assert (body["campaign"], body["cycle"], body["content"]["kind"]) == (number, 1, "cycle")
    assert "1 waiting for you" in body["headline"]


@pytest.mark.parametrize("path", ["", "/cycles/1"])
@pytest.mark.parametrize(("lang", "word"), [("ru", "Кампания"), ("en", "Campaign")])
@pytest.mark.parametrize("form", ["md", "html"])
def test_report__form_and_language__are_those_that_were_asked_for(
    approval: Approval, path: str, lang: str, word: str, form: str
) -> None:
    address = f"/api/v1/reports/{approval.campaign.number}{path}?format={form}&lang={lang}"
    answer = Client().get(address, headers=bearer(Role.VIEWER))
    assert answer.status_code == 200
    assert word in answer.content.decode()


@pytest.mark.parametrize(("path", "status"), [("/cycles/9", 404), ("?lang=fr", 422), ("?format=pdf", 422)])
def test_report__what_is_not_there__is_refused(approval: Approval, path: str, status: int) -> None:
    address = f"/api/v1/reports/{approval.campaign.number}{path}"
    assert Client().get(address, headers=bearer(Role.VIEWER)).status_code == status
