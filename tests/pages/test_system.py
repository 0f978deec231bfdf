"""The page of the house itself: what is absent or broken comes first, and nothing broken hides the rest."""

from __future__ import annotations

import psycopg
import pytest
from django.db import OperationalError, connections
from django.test import Client
from django.utils import timezone
from django_q.models import Task

from maas.orchestrator import LISTENER
from selflearn_site.pages.selectors import system
from selflearn_site.pages.selectors.system import Part, Queue, _listening, parts, system_news
from sensor.listener import LISTENER as SENSOR

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("states", "failed", "news"),
    [
        (("ok", "ok"), 0, "Everything runs."),
        (("ok", "absent"), 2, "Not running: b."),
        (("down", "absent"), 0, "Cannot be reached: a."),
        (("ok", "ok"), 1, "Everything runs; 1 background task failed in the last 24 hours."),
    ],
)
def test_system_news__worst_comes_first(states: tuple[system.State, ...], failed: int, news: str) -> None:
    found = [Part(name, state, "") for name, state in zip("ab", states, strict=True)]
    tasks = Queue(waiting=0, since=None, failed_today=failed, failures=(), schedules=())
    assert system_news(found, tasks) == news


def test_parts__nobody_listens__say_what_starts_them() -> None:
    found = {part.name: part for part in parts()}
    assert (found["orchestrator"].state, found["orchestrator"].remedy) == ("absent", "manage.py orchestrate")
    assert found["database of the student"].state == "ok"


def test_parts__an_orchestrator_listens__is_seen_by_its_name() -> None:
    with psycopg.connect(**connections["maas"].get_connection_params(), autocommit=True) as listening:
        listening.execute("SELECT set_config('application_name', %s, false)", [LISTENER])
        found = {part.name: part for part in parts()}
    assert (found["orchestrator"].state, found["orchestrator"].detail) == ("ok", "1 process listens")


def test_parts__one_cannot_be_asked__is_down_and_the_others_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OperationalError("gone, password=hidden-word")

    monkeypatch.setattr(system, "_worker", broken)
    found = {part.name: part for part in parts()}
    assert (found["worker"].state, found["web"].state) == ("down", "ok")
    assert "hidden-word" not in found["worker"].detail


def test_system_page__task_that_failed__is_named_with_its_reason(meta_user: Client) -> None:
    now = timezone.now()
    Task.objects.create(id="t1", name="campaign 7", func="f", started=now, stopped=now, success=False, result="no disk")
    text = meta_user.get("/system/").content.decode()
    assert "campaign 7" in text
    assert "no disk" in text


def test_listening__a_sensor_of_another_database__is_not_counted(db: None) -> None:
    wanted = {**connections["default"].get_connection_params(), "application_name": SENSOR}
    with psycopg.connect(**wanted):
        assert SENSOR not in _listening()
