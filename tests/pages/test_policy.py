"""The policy's page: everybody reads it, a meta-user changes it after seeing what will change, and restores."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from manager.models import PolicyVersion
from manager.services.policy import EDITABLE, policy_change, policy_current
from selflearn_site.pages.selectors.policy import policy_news
from tests.access.people import client_of, person
from tests.manager.world import ALICE

PATH = "/policy/"
pytestmark = pytest.mark.django_db


def entered(**changes: Any) -> dict[str, Any]:
    policy = policy_current()
    values = {name: getattr(policy, name) for name in EDITABLE}
    kept = {name: value for name, value in values.items() if value is not False}  # a box left empty sends nothing
    return {**kept, "reason": "to be careful", "expected_version": policy.version, "do": "preview", **changes}


def test_policy__viewer__reads_every_value_and_gets_no_form(viewer: Client) -> None:
    text = viewer.get(PATH).content.decode()
    assert 'name="changes_per_day"' not in text
    assert "Changes a day" in text
    assert "A meta-user can change it." in text


def test_policy__meta_user__gets_a_field_with_help_unit_and_bounds_for_each_value(meta_user: Client) -> None:
    text = meta_user.get(PATH).content.decode()
    assert all(f'name="{name}"' in text for name in EDITABLE)
    assert "(changes in 24 hours, from 0 to 1 000)" in text
    assert "(κ, from 0 to 1)" in text


def test_policy__preview__says_what_will_change_and_changes_nothing(meta_user: Client) -> None:
    text = meta_user.post(PATH, entered(changes_per_day="2")).content.decode()
    assert "<h1>Change the policy so?</h1>" in text
    assert '<td data-label="now">5</td><td data-label="then"><b>2</b></td>' in text
    assert policy_current().changes_per_day == 5


def test_policy__confirmed__is_in_force_with_the_reason(meta_user: Client) -> None:
    answer = meta_user.post(PATH, entered(changes_per_day="2", asked_factors=["retrieval.top_k"], do="confirm"))
    assert answer.status_code == 302
    row = PolicyVersion.objects.get(version=2)
    assert (row.reason, sorted(row.changes)) == ("to be careful", ["asked_factors", "changes_per_day"])
    assert "Version 2 of the policy is in force." in meta_user.get(PATH).content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"changes_per_day": "5000"}, "less than or equal to 1000"),
        ({"screening_share": "0"}, "above 0, at most 1"),
        ({"reason": " "}, "This field is required"),
        ({"judge": "llm"}, "SELFLEARN_JUDGE_MODEL"),
    ],
)
def test_policy__wrong_value__is_said_at_its_field_and_nothing_changes(
    meta_user: Client, changes: dict[str, str], said: str
) -> None:
    answer = meta_user.post(PATH, entered(**changes, do="confirm"))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert policy_current().version == 1


def test_policy__changed_by_somebody_else_meanwhile__is_not_overwritten(meta_user: Client) -> None:
    form = entered(changes_per_day="2")
    policy_change(actor=ALICE, reason="before you", changes_per_day=3)
    assert "Somebody else has changed the policy" in meta_user.post(PATH, form).content.decode()
    answer = meta_user.post(PATH, {**form, "do": "confirm"})
    assert answer.status_code == 422
    assert policy_current().changes_per_day == 3


def test_policy__nothing_differs__says_so(meta_user: Client) -> None:
    answer = meta_user.post(PATH, entered(), follow=True)
    assert "Nothing differs from the version in force" in answer.content.decode()


def test_policy__posted_by_an_operator__is_refused(operator: Client) -> None:
    assert operator.post(PATH, entered(changes_per_day="2", do="confirm")).status_code == 403
    assert policy_current().changes_per_day == 5


def test_policy__posted_without_csrf_token__is_refused(db: None) -> None:
    from contracts.actor import Role

    client = client_of(person("eve", Role.META_USER), csrf=True)
    assert client.post(PATH, entered(changes_per_day="2", do="confirm")).status_code == 403


def test_policy_version__restored__holds_again(meta_user: Client) -> None:
    policy_change(actor=ALICE, reason="slower", changes_per_day=2)
    page = meta_user.get("/policy/versions/1/").content.decode()
    assert '<td data-label="now">2</td><td data-label="then"><b>5</b></td>' in page
    meta_user.post("/policy/versions/1/", {"reason": "as before", "expected_version": "2"})
    assert policy_current().changes_per_day == 5
    assert PolicyVersion.objects.get(version=3).restored_from == 1


def test_policy_version__restored_by_an_operator__is_refused(operator: Client) -> None:
    policy_change(actor=ALICE, reason="slower", changes_per_day=2)
    assert operator.post("/policy/versions/1/", {"reason": "mine"}).status_code == 403
    assert policy_current().changes_per_day == 2


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"most_autonomy": "manual"}, "Nothing starts and nothing changes without a person."),
        ({"changes_per_day": 0}, "Experiments run by themselves; every change waits for a person."),
        ({}, "Proved changes inside their range apply by themselves, at most 5 a day."),
    ],
)
def test_policy_news__level_and_limit__say_what_happens_by_itself(values: dict[str, Any], said: str) -> None:
    policy = policy_current()
    for name, value in values.items():
        setattr(policy, name, value)
    assert policy_news(policy) == said
