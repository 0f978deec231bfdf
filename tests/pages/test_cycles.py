"""The page of upkeep: its sentence, what it says of each type, the buttons; the schedule by form and over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from audit.models import AuditEntry
from contracts.actor import Role
from experiments.models import Dataset
from manager.models import UpkeepCycle
from manager.services.upkeep import EDITABLE, schedule_row
from selflearn_site.pages.selectors.cycles import cycles_news, finding_text, why_not
from tests.access.people import bearer

pytestmark = pytest.mark.django_db
API = "/api/v1/cycles/schedule"


def cycle(**values: Any) -> UpkeepCycle:
    given = {"type": "micro", "dataset": "bundled", "version": 1, "started_by": "component:manager", "reason": "idle"}
    return UpkeepCycle.objects.create(**given | values)


def ended(**values: Any) -> UpkeepCycle:
    return cycle(**{"state": "completed", "slot": None, "finished_at": timezone.now()} | values)


@pytest.mark.parametrize(
    ("state", "news"),
    [
        ({"open_type": "deep", "paused": False, "enabled": True}, "Deep upkeep is running."),
        ({"open_type": "macro", "paused": True, "enabled": False}, "Macro upkeep waits for real users."),
        (
            {"open_type": None, "paused": False, "enabled": True, "failed": ["micro"]},
            "Micro upkeep failed last time.",
        ),
        ({"open_type": None, "paused": False, "enabled": True}, "Upkeep comes by itself when nobody asks."),
        ({"open_type": None, "paused": False, "enabled": False}, "Upkeep is switched off."),
    ],
)
def test_cycles_news__of_each_state__is_a_sentence(state: dict[str, Any], news: str) -> None:
    assert cycles_news(**state) == news


@pytest.mark.parametrize(
    ("name", "found", "words"),
    [
        ("golden", {"left_out": "no golden questions"}, "left out: no golden questions"),
        (
            "validation",
            {"n": 3, "metrics": {"retrieval_recall": 0.5, "latency_p95": 12.4, "error_rate": None}},
            "3 questions; recall 0.500; P95 latency 12 ms",
        ),
        ("safety", {"failed": 0}, "all hold"),
        ("safety", {"failed": 1}, "1 check failed"),
        ("degradation", {"broken": []}, "none is broken"),
        ("embedding", {"embedded": 2}, "2 memories have new vectors"),
        ("memory quality", {"low": 1}, "1 memory of low quality"),
        ("review", {"flagged": 4}, "4 memories put up for review"),
        ("standing A/A", {"test": "aa-1", "verdict": "inconclusive"}, "aa-1: inconclusive"),
    ],
)
def test_finding_text__of_each_part__says_it_in_words(name: str, found: dict[str, Any], words: str) -> None:
    assert finding_text(name, found) == words


def test_why_not__not_due__says_how_long_it_has_been_quiet() -> None:
    assert why_not("not yet", idle=timedelta(minutes=3)) == "Not due yet. Nobody has asked for 3 minutes."
    assert why_not(None, idle=timedelta()) == "Begins within a minute."


def test_page__a_cycle_runs__shows_progress_and_offers_to_stop_it(operator: Client, viewer: Client) -> None:
    ended(type="macro", findings={"safety": {"failed": 0}})
    running = cycle(type="deep", progress={"label": "embedding memories", "done": 3, "planned": 9})
    text = operator.get("/cycles/").content.decode()
    assert "<h1>Deep upkeep is running.</h1>" in text
    assert '<progress value="3" max="9"' in text
    assert f"/cycles/{running.pk}/stop/" in text
    assert "all hold" in text
    assert "/stop/" not in viewer.get("/cycles/").content.decode()


def test_run__by_an_operator__queues_one_cycle_and_refuses_a_second(operator: Client, viewer: Client) -> None:
    assert viewer.post("/cycles/run/", {"type": "micro"}).status_code == 403
    operator.post("/cycles/run/", {"type": "micro"})
    assert UpkeepCycle.objects.get().type == "micro"
    assert [task.func() for task in OrmQ.objects.all()] == ["manager.tasks.upkeep_work"]
    assert "has not ended" in operator.post("/cycles/run/", {"type": "deep"}, follow=True).content.decode()
    assert "no cycle of type" in operator.post("/cycles/run/", {"type": "moon"}, follow=True).content.decode()


def test_stop__by_an_operator__ends_it(operator: Client) -> None:
    running = cycle()
    operator.post(f"/cycles/{running.pk}/stop/", {"comment": "enough"})
    running.refresh_from_db()
    assert running.state == "stopped"


def form(**changes: Any) -> dict[str, Any]:
    row = schedule_row()
    values = {name: getattr(row, name) for name in EDITABLE} | {"reason": "quieter nights"} | changes
    return {name: value for name, value in values.items() if value is not False}


def test_schedule__by_the_form__changes_only_what_differs_with_its_reason(meta_user: Client, operator: Client) -> None:
    Dataset.objects.get_or_create(name="bundled", defaults={"source": "test"})
    assert operator.post("/cycles/schedule/", form(enabled=False)).status_code == 403
    meta_user.post("/cycles/schedule/", form(enabled=False, deep_cron="30 2 * * *"))
    row = schedule_row()
    assert (row.enabled, row.deep_cron, row.micro_idle_minutes) == (False, "30 2 * * *", 5)
    entry = AuditEntry.objects.get(action="upkeep_schedule.changed")
    assert (entry.reason, entry.after) == ("quieter nights", {"enabled": False, "deep_cron": "30 2 * * *"})
    wrong = meta_user.post("/cycles/schedule/", form(deep_cron="nightly"), follow=True).content.decode()
    assert "is no cron line" in wrong


def test_schedule__over_the_api__is_read_with_what_holds_up_and_patched(client: Client) -> None:
    found = client.get(API, headers=bearer(Role.VIEWER)).json()
    assert found["schedule"]["micro_idle_minutes"] == 5
    assert [item["type"] for item in found["types"]] == ["micro", "macro", "deep"]
    change = {"reason": "slow season", "enabled": False}
    sent = "application/json"
    assert client.patch(API, change, headers=bearer(Role.OPERATOR), content_type=sent).status_code == 403
    meta = bearer(Role.META_USER)
    patched = client.patch(API, change, headers=meta, content_type=sent).json()
    assert patched["schedule"]["enabled"] is False
    assert {item["holdup"] for item in patched["types"]} == {"off"}
    wrong = change | {"deep_cron": "nightly"}
    assert client.patch(API, wrong, headers=meta, content_type=sent).status_code == 422


def test_schedule__patience_by_the_form_and_the_api__holds(meta_user: Client, client: Client) -> None:
    Dataset.objects.get_or_create(name="bundled", defaults={"source": "test"})
    meta_user.post("/cycles/schedule/", form(patience_hours=0))
    assert schedule_row().patience_hours == 0
    body, headers = {"reason": "nights are short", "patience_hours": 12}, bearer(Role.META_USER)
    found = client.patch(API, body, content_type="application/json", headers=headers)
    assert (found.status_code, found.json()["schedule"]["patience_hours"]) == (200, 12)
    body["patience_hours"] = -1
    assert client.patch(API, body, content_type="application/json", headers=headers).status_code == 422
