"""The pages of the Test Runner: scenarios, starting a session, its progress and its results."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from contracts.actor import Actor, Role
from maas.access import as_service
from maas.models import TestDialog, TestSession
from maas.test_runner.scripts import Row, scripts_load
from maas.test_runner.sessions import run_of, session_plan, session_play

BOB = Actor(kind="person", name="bob", role=Role.OPERATOR)
FACT, QUESTION = "I bought a red cello in Kazan.", "Where did I buy my cello?"


@pytest.fixture
def scripts(db: None) -> None:
    with as_service():
        TestDialog.objects.all().delete()
    rows = [Row("cello", 1, FACT, ""), Row("cello", 2, QUESTION, "Kazan"), Row("wrong", 1, "Hello!", "violin")]
    scripts_load(rows=rows, actor=BOB)


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def begun(at_most: int | None = None, *names: str) -> TestSession:
    session = session_plan(scenarios=names, actor=BOB)
    return session_play(session_id=session.pk, at_most=at_most) if at_most != 0 else session


def test_scenarios__never_played__are_shown_with_their_steps_and_the_engine(scripts: None, operator: Client) -> None:
    page = text(operator, "/tests/")
    assert "<h1>2 scenarios are ready to be played.</h1>" in page
    assert QUESTION in page
    assert "not played yet" in page
    assert "offline engine" in page
    assert "Run all" in page


def test_scenarios__none__say_how_to_get_one(operator: Client) -> None:
    with as_service():
        TestDialog.objects.all().delete()
    page = text(operator, "/tests/")
    assert "manage.py test_dialogs --load FILE" in page
    assert "Run all" not in page


def test_scenarios__played__show_what_failed_and_the_session(scripts: None, viewer: Client) -> None:
    session = begun()
    page = text(viewer, "/tests/")
    assert "In 1 of 2 scenarios an answer lacked what was expected." in page
    assert f'href="/tests/{session.pk}/"' in page
    assert ">3/3<" in page
    assert "Run all" not in page, "a viewer may not start"


def test_run__of_one_scenario__queues_it_and_leads_to_its_session(scripts: None, operator: Client) -> None:
    answer = operator.post("/tests/run/", {"scenario": "cello"})
    session = TestSession.objects.get()
    assert answer["Location"] == f"/tests/{session.pk}/"
    assert (session.scenarios, session.started_by) == (["cello"], "person:bob")
    assert [task.func() for task in OrmQ.objects.all()] == ["maas.tasks.session_play"]


def test_run__of_all__plays_all(scripts: None, operator: Client) -> None:
    operator.post("/tests/run/")
    assert TestSession.objects.get().scenarios == ["cello", "wrong"]


def test_run__by_a_viewer__is_refused(scripts: None, viewer: Client) -> None:
    assert viewer.post("/tests/run/").status_code == 403
    assert not TestSession.objects.exists()


def test_run__of_a_scenario_that_is_gone__says_so(scripts: None, operator: Client) -> None:
    answer = operator.post("/tests/run/", {"scenario": "gone", "next": "/tests/"}, follow=True)
    assert "there is no scenario" in answer.content.decode()


def test_session__under_way__shows_how_far_it_is_and_is_live(scripts: None, operator: Client) -> None:
    page = text(operator, f"/tests/{begun(1).pk}/")
    assert "<h1>1 of 3 steps are played.</h1>" in page
    assert 'data-live="1500"' in page
    assert '<progress value="1" max="3"' in page
    assert "waits" in page
    assert "Go on" not in page


def test_session__ended__shows_each_step_with_answer_result_and_run(scripts: None, viewer: Client) -> None:
    session = begun()
    page = text(viewer, f"/tests/{session.pk}/")
    assert "<h1>1 passed, 1 failed.</h1>" in page
    assert 'data-live="15000"' in page, "without it the page would never show the end"
    run = run_of(session.pk, 1)
    assert f'href="/admin/maas/pipelinerun/{run}/change/"' in page
    for word in (QUESTION, "passed", "failed", "no expectation", "violin", "offline engine"):
        assert word in page


def test_session__without_progress__can_be_gone_on_with(scripts: None, operator: Client) -> None:
    session = begun(0)
    with as_service():
        TestSession.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    page = text(operator, f"/tests/{session.pk}/")
    assert "is a worker running?" in page
    assert "Go on" in page
    operator.post(f"/tests/{session.pk}/resume/")
    assert OrmQ.objects.count() == 1


def test_session__stopped_on_its_page__says_what_stays(scripts: None, operator: Client) -> None:
    session = begun(1)
    answer = operator.post(f"/tests/{session.pk}/stop/", {"next": f"/tests/{session.pk}/"}, follow=True)
    page = answer.content.decode()
    assert "Stopped after 1 of 3 steps." in page
    assert "What was played stays." in page


def test_session__unknown_or_unknown_verb__is_not_found(scripts: None, operator: Client) -> None:
    assert operator.get(f"/tests/{uuid.uuid4()}/").status_code == 404
    assert operator.post(f"/tests/{begun(0).pk}/burn/").status_code == 404


def test_tests__in_the_navigation__are_marked(scripts: None, viewer: Client) -> None:
    assert '<a href="/tests/" aria-current="page">Test dialogues</a>' in text(viewer, "/tests/")
