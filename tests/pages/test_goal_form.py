"""A goal adjusted by form: what is stored is what the form says, and the audit says what was edited."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEntry
from contracts.metric import METRICS
from goals.models import Campaign, LearningGoal
from goals.translation import translate
from selflearn_site.pages.goal_form import GoalForm, amount_read, amount_shown
from tests.manager.world import DATASET, Sizes, dataset_load
from tuner.registry import FACTORS

GOAL = "Raise recall to 60 % without losing precision, at most $5"
URL = "/goals/new/"


@pytest.fixture(autouse=True)
def dataset(db: None, tmp_path: Path) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))


def fields_of(text: str) -> dict[str, Any]:
    """What a browser would send of the form on this page."""
    boxes = re.findall(r"<input[^>]*>", text)
    sent: dict[str, Any] = {}
    for box in boxes:
        name, value = re.search(r'name="([^"]+)"', box), re.search(r'value="([^"]*)"', box)
        if name is None or ("checkbox" in box and "checked" not in box):
            continue
        said = html.unescape(value[1]) if value else ""
        sent.setdefault(name[1], []).append(said)
    for name, body in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', text, re.DOTALL):
        chosen = re.search(r'value="([^"]*)"\s+selected', body) or re.search(r'value="([^"]*)"', body)
        assert chosen is not None
        sent[name] = [chosen[1]]
    return {key: value for key, value in sent.items() if key != "csrfmiddlewaretoken"}


def adjusted(client: Client, do: str, *, text: str = GOAL, **changes: Any) -> HttpResponse:
    shown = client.post(URL, {"text": GOAL, "do": "translate"}).content.decode()
    sent = {**fields_of(shown), "text": text, "do": do, "dataset": DATASET, **changes}
    return client.post(reverse("pages:goal_new"), sent)  # type: ignore[return-value]  # the test client's own class


def test_goal__started_as_it_was_read__says_of_no_edit(meta_user: Client) -> None:
    assert adjusted(meta_user, "start").status_code == 302
    goal = LearningGoal.objects.get()
    assert (goal.budget["usd"], goal.targets[0]["value"], goal.forbidden_impacts) == (5, 0.6, [])
    assert AuditEntry.objects.get(action="goal.create").reason == ""


def test_goal__adjusted__is_stored_as_the_form_says_and_the_audit_tells(meta_user: Client) -> None:
    kept = [key for key in FACTORS if key != "llm.model"]
    changes: dict[str, Any] = {
        "targets-0-amount": "70 %",
        "tokens": "200000",
        "autonomy": "manual",
        "priority": "7",
        "allowed": kept,
    }
    assert adjusted(meta_user, "start", **changes).status_code == 302
    goal = LearningGoal.objects.get()
    assert (goal.targets[0]["value"], goal.budget["tokens"], goal.autonomy, goal.priority) == (
        0.7,
        200_000,
        "manual",
        7,
    )
    assert (goal.forbidden_impacts, goal.translation["targets"]) == (["llm.model"], goal.targets)
    entry = AuditEntry.objects.get(action="goal.create")
    assert entry.after is not None
    assert entry.reason == "edited by hand: targets, allowed_impacts, forbidden_impacts, autonomy, budget"
    assert entry.after["edited"]["targets"]["read"][0]["value"] == 0.6


def test_goal__row_added_and_row_emptied__are_another_target_first_and_no_limit(meta_user: Client) -> None:
    more = {
        "targets-0-place": "2", "targets-1-place": "1", "targets-1-metric": "token_cost",
        "targets-1-direction": "decrease", "targets-1-how": "share", "targets-1-amount": "20 %", "limits-0-metric": "",
    }  # fmt: skip
    assert adjusted(meta_user, "start", **more).status_code == 302
    goal = LearningGoal.objects.get()
    assert [(item["metric"], item["delta"], item["relative"]) for item in goal.targets] == [
        ("token_cost", 0.2, True),
        ("retrieval_recall", None, False),
    ]
    assert goal.constraints == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"targets-0-amount": "much"}, "This must be a share, such as 60 % or 0.6."),
        ({"targets-0-how": "far"}, "Empty it, or say how far."),
        ({"targets-0-how": "by", "targets-0-amount": "0"}, "A change is more than 0."),
        ({"limits-0-amount": "2 s"}, "This must be a share"),
        ({"allowed": []}, "Nothing could be learnt"),
        ({"usd": "-1"}, "A budget is more than 0."),
        ({"usd": "nan"}, "Enter a number."),
        ({"tokens": "0"}, "greater than or equal to 1"),
        ({"deadline": "2020-01-01 10:00"}, "The deadline has passed already."),
        ({"cycles": "lots"}, "Enter a whole number."),
        ({"targets-0-metric": "soul"}, "Select a valid choice"),
    ],
)
def test_goal__wrong_in_the_form__is_said_at_its_field_and_nothing_begins(
    meta_user: Client, changes: dict[str, Any], said: str
) -> None:
    answer = adjusted(meta_user, "start", **changes)
    assert answer.status_code == 422
    assert said in html.unescape(answer.content.decode())
    assert not LearningGoal.objects.exists()


def test_goal__adjusted_into_a_contradiction__is_shown_and_refused(meta_user: Client) -> None:
    against = {"limits-0-metric": "retrieval_recall", "limits-0-kind": "max", "limits-0-amount": "40 %"}
    assert "Target and constraint contradict" in adjusted(meta_user, "check", **against).content.decode()
    assert adjusted(meta_user, "start", **against).status_code == 422
    assert not Campaign.objects.exists()


def test_goal__sentence_changed_after_it_was_read__is_read_again_and_not_started(meta_user: Client) -> None:
    answer = adjusted(meta_user, "start", text="Raise recall to 80 %")
    assert answer.status_code == 422
    assert "recall ≥ .800" in answer.content.decode()
    assert not LearningGoal.objects.exists()


def test_goal__read_again__drops_what_was_adjusted(meta_user: Client) -> None:
    again = adjusted(meta_user, "translate", **{"targets-0-amount": "70 %"}).content.decode()
    assert "recall ≥ .600" in again
    assert fields_of(again)["targets-0-amount"] == ["60 %"]


def test_goal__signature_forged__is_read_anew(meta_user: Client) -> None:
    assert adjusted(meta_user, "start", understood="forged").status_code == 302
    assert LearningGoal.objects.get().targets[0]["value"] == 0.6


def test_goal__contradicts_a_running_one__leaves_nothing_behind(meta_user: Client) -> None:
    adjusted(meta_user, "start")
    answer = adjusted(meta_user, "start")
    assert (answer.status_code, LearningGoal.objects.count()) == (422, 1)
    assert "pursues the same targets" in answer.content.decode()


def test_goal__deadline__is_kept_in_utc(meta_user: Client) -> None:
    ahead = timezone.now() + timedelta(days=2)
    adjusted(meta_user, "start", deadline=f"{ahead:%Y-%m-%d %H:%M}")
    assert LearningGoal.objects.get().budget["deadline"].startswith(f"{ahead:%Y-%m-%dT%H:%M}")


@pytest.mark.parametrize(
    ("text", "unit", "share", "value"),
    [
        ("60 %", "share", False, 0.6), ("0,6", "share", False, 0.6), ("2.5 s", "ms", False, 2500),
        ("800 мс", "ms", False, 800), ("0,004 $", "USD", False, 0.004), ("20%", "USD", True, 0.2),
        ("4.5", "score", False, 4.5),
    ],
)  # fmt: skip
def test_amount__as_people_write_it__is_in_the_unit_of_its_metric(
    text: str, unit: str, share: bool, value: float
) -> None:
    assert amount_read(text, unit=unit, share=share) == pytest.approx(value)
    assert amount_read(amount_shown(value, unit=unit, share=share), unit=unit, share=share) == pytest.approx(value)


@pytest.mark.parametrize(("text", "unit"), [("60 %", "ms"), ("2 s", "share"), ("", "share"), ("1e9", "USD")])
def test_amount__of_another_unit__is_refused(text: str, unit: str) -> None:
    with pytest.raises(forms.ValidationError):
        amount_read(text, unit=unit)


def _first_choice(field: forms.Field) -> str:
    """What a browser sends of a select that nobody touched."""
    choices: Any = getattr(field, "choices", None)
    return str(next(iter(choices))[0]) if choices else ""


@pytest.mark.parametrize(
    "text", [GOAL, "вдвое дешевле, не трогая модель", "Recall +5 pp on temporal questions, latency max 2 s, 3 hours"]
)
def test_form__of_a_translation_left_alone__gives_it_back(text: str) -> None:
    read = translate(text, metrics=METRICS, factors=FACTORS)
    shown = GoalForm(understood=read)
    sent: dict[str, Any] = {}
    for part in (shown.targets, shown.limits):
        sent |= {f"{part.prefix}-TOTAL_FORMS": part.total_form_count(), f"{part.prefix}-INITIAL_FORMS": 0}
        for form in part.forms:
            for name, field in form.fields.items():
                first = _first_choice(field)
                sent[form.add_prefix(name)] = form.get_initial_for_field(field, name) or first
    sent |= {name: value for name, value in shown.means.initial.items() if value is not None}
    posted = GoalForm(posted=sent)
    assert posted.is_valid()
    assert posted.translation(read) == read
