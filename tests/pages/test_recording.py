"""How recording stands, for people: the news, what waits, how rows are kept, and who may take them away."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from contracts.actor import Actor
from incidents.selectors import unresolved
from incidents.services import incident_resolve
from sensor.models import CaptureCursor, SensorEvent
from sensor.services import catch_up
from sensor.standing import QUIET
from tests.sensor import factories
from tests.sensor.old import kept, month_ago, recorded
from tests.sensor.test_dashboard import record

PAGE, APPLY = "/telemetry/", "/telemetry/retention/"


def text_of(client: Client, path: str = PAGE) -> str:
    return client.get(path).content.decode()


def test_news__runs_recorded__say_how_late_and_that_nothing_waits(viewer: Client) -> None:
    for minutes in (1, 3, 5):
        record(at=timezone.now() - timedelta(minutes=minutes))
    text = text_of(viewer)
    assert "<h1>Everything is recorded, 95 % of it within 5 min.</h1>" in text
    assert "Of the 3 runs of the last hour, half were recorded within 3 min of their end, 95 % within 5 min." in text
    assert "Nothing waits." in text


def test_news__run_that_waits_for_long__says_so_and_names_the_cursor(viewer: Client) -> None:
    catch_up()
    ended = timezone.now() - 2 * QUIET
    factories.run(created_at=ended, finished_at=ended)
    CaptureCursor.objects.update(position=ended - QUIET)
    text = text_of(viewer)
    assert "<h1>1 run waits to be recorded.</h1>" in text
    assert "stands still" in text
    assert "Is the Sensor running?" in text


def test_news__sensor_that_stopped__says_since_when(viewer: Client) -> None:
    catch_up()
    CaptureCursor.objects.update(moved_at=timezone.now() - 2 * QUIET)
    assert "<h1>The Sensor has not looked for news since " in text_of(viewer)


def test_news__memory_of_somebody_else__comes_first_until_the_incident_is_resolved(viewer: Client, bob: Actor) -> None:
    record(at=timezone.now(), found=(factories.memory(user_id=factories.BORIS),))
    text = text_of(viewer)
    assert "<h1>A run was shown a memory of another user.</h1>" in text
    assert '<a href="/incidents/"><span class="chip bad">broken</span></a>' in text
    incident_resolve(incident_id=unresolved(kind="isolation").get().pk, note="the index was mended", actor=bob)
    text = text_of(viewer)
    assert "<h1>A run was shown" not in text
    assert '<span class="chip bad">broken</span>' in text


def test_tiles__failed_runs__are_told_as_a_share(viewer: Client) -> None:
    record(at=timezone.now())
    record(at=timezone.now(), status="FAILED", error_type="ModelDown", error_message="it broke")
    assert '<span class="value">50.0 %</span>' in text_of(viewer)


def test_storage__months_policy_and_ahead__are_said(viewer: Client) -> None:
    kept(6, None, automatic=True)
    text = text_of(viewer)
    assert f">{month_ago(0):%Y-%m}</th>" in text
    assert f"{month_ago(-1):%Y-%m}, {month_ago(-2):%Y-%m}" in text
    assert "Runs of production are kept for the current month and 6 full months before it." in text
    assert "Runs of experiments and batches, on which decisions rest, are kept for ever." in text
    assert "The Sensor removes what is older by itself." in text


def test_dry_run__old_rows__shows_what_would_go_and_changes_nothing(viewer: Client) -> None:
    recorded(7)
    kept(3)
    text = text_of(viewer, PAGE + "?plan=1")
    assert f"6 rows would go, out of {month_ago(7):%Y-%m}." in text
    assert "A meta-user can remove them." in text
    assert 'id="apply"' not in text
    assert SensorEvent.objects.count() == 1


def test_dry_run__kept_for_ever__says_that_nothing_would_go(meta_user: Client) -> None:
    recorded(100)
    text = text_of(meta_user, PAGE + "?plan=1")
    assert "Nothing would go: nothing is older than it is kept." in text
    assert 'id="apply"' not in text


def test_retention__applied_by_a_meta_user__takes_old_rows_and_says_why_in_the_log(meta_user: Client) -> None:
    recorded(7)
    young = recorded(1)
    kept(3)
    assert 'id="apply"' in text_of(meta_user, PAGE + "?plan=1")
    answer = meta_user.post(APPLY, {"reason": "the law says so"}, follow=True)
    assert "6 rows are removed. Sums and percentiles of that time stay." in answer.content.decode()
    assert SensorEvent.objects.get().pipeline_run_id == young
    entry = AuditEntry.objects.get(action="retention.applied")
    assert (entry.reason, entry.actor) == ("the law says so", "alice")


def test_retention__without_a_reason__is_refused_and_takes_nothing(meta_user: Client) -> None:
    recorded(7)
    kept(3)
    answer = meta_user.post(APPLY, {"reason": " ", "next": PAGE + "?plan=1"}, follow=True)
    assert "Say why these rows may go" in answer.content.decode()
    assert SensorEvent.objects.count() == 1


def test_retention__by_others_or_by_a_link__is_refused(viewer: Client, operator: Client, meta_user: Client) -> None:
    recorded(7)
    kept(3)
    refused = [client.post(APPLY, {"reason": "because"}).status_code for client in (viewer, operator)]
    assert (refused, meta_user.get(APPLY).status_code) == ([403, 403], 405)
    assert SensorEvent.objects.count() == 1
