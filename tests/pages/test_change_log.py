"""The change log as a file, checked from its page, a factor's history, and the configuration at any moment."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from audit.services import entry_append
from contracts.actor import Actor, component
from selflearn_site.pages.headline import factor_history_news
from selflearn_site.pages.history_chart import history
from tests.tuner.factories import next_step
from tuner.selectors import factor_history
from tuner.services import change_apply, parameters_rollback

pytestmark = pytest.mark.django_db
MANAGER = component("manager")


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.getvalue().decode()


@pytest.fixture
def moved() -> None:
    """top_k 3 → 4 → back to 3."""
    change_apply(proposal=next_step("retrieval.top_k", 4, experiment="e1"), actor=MANAGER)
    parameters_rollback(actor=MANAGER, reason="recall fell")


def test_export__csv__has_every_column_of_what_is_filtered(viewer: Client, moved: None, alice: Actor) -> None:
    entry_append(actor=alice, action="note", subject_type="test", subject_id="1", reason="other")
    rows = list(csv.DictReader(io.StringIO(text_of(viewer, "/changes/export.csv?parameter=retrieval.top_k"))))
    assert [row["action"] for row in rows] == ["parameters.rolled_back", "parameters.activated"]
    assert json.loads(rows[0]["after"])["value"] == 3
    assert rows[0]["reason"] == "recall fell"


def test_export__words_that_a_spreadsheet_would_compute__stay_words(viewer: Client, alice: Actor) -> None:
    entry_append(actor=alice, action="note", subject_type="test", subject_id="1", reason='=HYPERLINK("http://x")')
    (row,) = csv.DictReader(io.StringIO(text_of(viewer, "/changes/export.csv?initiator=person:alice")))
    assert row["reason"] == '\'=HYPERLINK("http://x")'


def test_export__json_lines__hold_what_the_hash_covers(viewer: Client, moved: None) -> None:
    rows = [json.loads(line) for line in text_of(viewer, "/changes/export.jsonl?only=all").splitlines()]
    assert {row["id"] for row in rows} == set(AuditEntry.objects.values_list("id", flat=True))
    assert all(row["hash"] and row["prev_hash"] for row in rows)


def test_export__unknown_form__is_not_found(viewer: Client) -> None:
    assert viewer.get("/changes/export.xls").status_code == 404


def test_verify__sound_log__says_how_many_entries_and_the_last_fingerprint(viewer: Client, moved: None) -> None:
    text = viewer.post("/changes/verify/", follow=True).content.decode()
    last = AuditEntry.objects.first()
    assert last is not None
    assert f"All {AuditEntry.objects.count()} entries are as they were written" in text
    assert last.hash[:16] in text


def test_entry__made_in_a_request__carries_the_requests_id(meta_user: Client) -> None:
    meta_user.post("/parameters/freeze/", {"reason": "look"}, headers={"X-Request-ID": "req-4711"})
    assert AuditEntry.objects.get(action="parameters.frozen").request_id == "req-4711"


def test_history_page__factor_that_moved_and_was_rolled_back__shows_each_value_with_its_reason(
    viewer: Client, moved: None
) -> None:
    text = viewer.get("/parameters/history/?factor=top_k").content.decode()
    assert "Memories per query has had 2 values." in text
    assert "recall fell" in text
    figure = viewer.get("/parameters/history/points.json?factor=top_k").json()
    assert figure["data"][1]["y"] == [3, 4, 3]


def test_history_page__unknown_factor__is_not_found(viewer: Client) -> None:
    assert viewer.get("/parameters/history/?factor=nonsense").status_code == 404


def test_configuration__at_a_moment_of_another_version__shows_what_is_different_now(
    viewer: Client, moved: None
) -> None:
    (_seed, up, _down) = factor_history("retrieval.top_k")
    at = (up.at + (timezone.now() - up.at) / 1_000_000).isoformat()
    text = viewer.get("/parameters/history/", {"at": at}).content.decode()
    assert "version 2" in text
    assert "1 factor is different now" in text


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("yesterday", "is no date and time."),
        ("2026-13-45T00:00", "is no date and time."),
        ("1999-01-01T00:00", "No parameters were in force yet at that time."),
    ],
)
def test_configuration__moment_that_cannot_be__says_so(viewer: Client, at: str, said: str) -> None:
    assert said in viewer.get("/parameters/history/", {"at": at}).content.decode()


def test_history_chart__choices__lie_on_lines_of_their_own() -> None:
    (seed,) = factor_history("retrieval.strategy")
    points = [replace(seed, value=value) for value in ("tags", "hybrid", "tags")]
    figure = history(points, until=timezone.now() + timedelta(hours=1))
    assert figure["data"][0]["y"] == [0, 1, 0, 0]
    assert figure["layout"]["yaxis"]["ticktext"] == ["tags", "hybrid"]


def test_factor_history_news__one_value_ever__says_that_it_never_changed() -> None:
    assert factor_history_news(title="Memories", values=1) == "Memories has never changed."
