"""The Test Runner: sessions play scripted dialogues once, keep what came of them, and look for the expected word."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django_q.models import OrmQ

from contracts.actor import Actor
from contracts.maas import RunAnswer, RunRequest
from kernel.errors import IllegalTransition, InvalidInput, NotAuthorised, NotFound, Unavailable
from maas import tasks
from maas.access import as_service
from maas.client import InProcessClient
from maas.models import PipelineRun, TestDialog, TestRun, TestSession
from maas.test_runner import selectors
from maas.test_runner.scripts import Row, scripts_load
from maas.test_runner.sessions import run_of, session_plan, session_play, session_resume, session_start, session_stop
from maas.test_runner.validation import holds

FACT, QUESTION = "I bought a red cello in Kazan.", "Where did I buy my cello?"


@pytest.mark.parametrize(
    ("answer", "expected", "outcome"),
    [
        ("На даче под Калугой посажены яблони.", "Калуга", True),
        ("На даче посажены ТРИ ЯБЛОНИ.", "груша | яблоня", True),
        ("She walks her dogs daily.", "dog", True),
        ("The blue bicycles are gone.", "blue bicycle", True),
        ("The bicycle is blue.", "blue bicycle", False),
        ("It is a catalogue.", "cat", False),
        ("У меня ещё нет.", "еще", True),
        ("I do not remember that.", "not remember", True),
        ("", "cello", False),
        ("Anything at all", "", None),
        ("Anything at all", " | ", None),
    ],
)
def test_holds__answer_and_expected_word__are_compared_by_stems(
    answer: str, expected: str, outcome: bool | None
) -> None:
    assert holds(answer, expected) is outcome


class Told(InProcessClient):
    """The student itself, with something that happens around one query."""

    def __init__(self, query: str, *, before: Callable[[], Any] | None = None, after: Callable[[], Any] | None = None):
        self._query, self._before, self._after = query, before, after
        self.asked: list[str] = []

    def ask(self, request: RunRequest) -> RunAnswer:
        self.asked.append(request.query)
        if request.query == self._query and self._before:
            self._before()
        answer = super().ask(request)
        if request.query == self._query and self._after:
            self._after()
        return answer


class Killed(BaseException):
    """As of a process that ends in the middle."""


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


@pytest.fixture
def scripts(db: None, bob: Actor) -> None:
    _scripts(bob)


def _scripts(actor: Actor) -> None:
    with as_service():
        TestDialog.objects.all().delete()
    rows = [Row("cello", 1, FACT, ""), Row("cello", 2, QUESTION, "Kazan"), Row("cello", 3, "Hello!", "violin")]
    scripts_load(rows=[*rows, Row("stranger", 1, QUESTION, "Kazan"), Row("stranger", 2, "Thanks!", "")], actor=actor)


def played(bob: Actor, *names: str, **how: Any) -> TestSession:
    return session_play(session_id=session_plan(scenarios=names, actor=bob).pk, **how)


def runs_of(session: TestSession) -> list[PipelineRun]:
    ids = [run_of(session.pk, position) for position in range(session.steps)]
    with as_service():
        return list(PipelineRun.objects.filter(pk__in=ids).order_by("created_at"))


def test_session__played__keeps_status_answer_and_validation_of_each_step(scripts: None, bob: Actor) -> None:
    session = played(bob, "cello")
    assert session.status == "finished"
    results = list(TestRun.objects.filter(session=session).order_by("position"))
    assert [(row.status, row.validation) for row in results] == [
        ("COMPLETED", None), ("COMPLETED", True), ("COMPLETED", False),
    ]  # fmt: skip
    assert "Kazan" in results[1].answer
    assert results[1].model == "offline"
    assert results[1].latency_ms is not None
    assert [row.pipeline_run_id for row in results] == [run.pk for run in runs_of(session)]


def test_session__of_two_scenarios__gives_each_a_user_and_a_thread_of_its_own(scripts: None, bob: Actor) -> None:
    session = played(bob)
    runs = runs_of(session)
    users = {run.user_query: run.user_id for run in runs}
    assert users[FACT] == users["Hello!"] != users["Thanks!"]
    assert len({run.user_id for run in runs}) == len({run.thread_id for run in runs}) == 2
    stranger = [step for step in selectors.steps_of(session) if step.scenario == "stranger"]
    assert stranger[0].outcome == "failed", "a stranger was told what another user said"


def test_session__played_twice_over__begins_with_new_users(scripts: None, bob: Actor) -> None:
    first, second = played(bob, "stranger"), played(bob, "stranger")
    assert {run.user_id for run in runs_of(first)}.isdisjoint({run.user_id for run in runs_of(second)})


def test_session__played_again__asks_each_step_with_the_seed_it_had_before(scripts: None, bob: Actor) -> None:
    first, second = (runs_of(played(bob, "cello")) for _ in range(2))
    assert [run.seed for run in first] == [run.seed for run in second]
    assert len({run.seed for run in first}) == 3
    assert [run.final_answer for run in first] == [run.final_answer for run in second]


def test_runs__of_a_session__are_not_those_of_a_real_person(scripts: None, bob: Actor) -> None:
    runs = runs_of(played(bob, "cello"))
    assert {(run.client_kind, run.cycle_type, run.consent) for run in runs} == {("emulator", "micro", False)}


def test_step__that_fails__does_not_stop_the_scenario(scripts: None, bob: Actor) -> None:
    client = Told(QUESTION, before=raising(Unavailable("no answer within 120 s")))
    session = played(bob, "cello", client=client)
    steps = selectors.steps_of(session)
    assert session.status == "finished"
    assert [step.status for step in steps] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert (steps[1].outcome, steps[1].validation, steps[1].error) == ("failed", False, "no answer within 120 s")


def test_session__killed_between_answer_and_result__goes_on_and_plays_no_step_twice(scripts: None, bob: Actor) -> None:
    session = session_plan(scenarios=["cello"], actor=bob)
    with pytest.raises(Killed):
        session_play(session_id=session.pk, client=Told(QUESTION, after=raising(Killed())))
    assert TestRun.objects.filter(session=session).count() == 1
    assert len(runs_of(session)) == 2
    client = Told("")
    assert session_play(session_id=session.pk, client=client).status == "finished"
    assert client.asked == [QUESTION, "Hello!"]
    assert [run.user_query for run in runs_of(session)] == [FACT, QUESTION, "Hello!"]
    assert TestRun.objects.filter(session=session).count() == 3


def test_session__whose_runner_breaks__is_failed_with_the_reason_and_can_go_on(scripts: None, bob: Actor) -> None:
    session = session_plan(scenarios=["cello"], actor=bob)
    with pytest.raises(OSError, match="disk"):
        session_play(session_id=session.pk, client=Told(QUESTION, before=raising(OSError("disk is full"))))
    session.refresh_from_db()
    assert (session.status, session.error) == ("failed", "OSError: disk is full")
    assert session_play(session_id=session.pk).status == "finished"
    session.refresh_from_db()
    assert session.error == ""


def test_session__stopped_while_it_runs__records_the_step_at_hand_and_begins_no_other(
    scripts: None, bob: Actor
) -> None:
    session = session_plan(scenarios=["cello"], actor=bob)
    client = Told(FACT, before=lambda: session_stop(session_id=session.pk, actor=bob))
    assert session_play(session_id=session.pk, client=client).status == "stopped"
    assert client.asked == [FACT]
    assert [step.outcome for step in selectors.steps_of(session)] == ["unchecked", "waiting", "waiting"]
    with pytest.raises(IllegalTransition):
        session_resume(session_id=session.pk, actor=bob)


def test_session__finished__is_neither_played_again_nor_stopped(scripts: None, bob: Actor) -> None:
    session = played(bob, "cello")
    client = Told("")
    assert session_play(session_id=session.pk, client=client).status == "finished"
    assert client.asked == []
    with pytest.raises(IllegalTransition):
        session_stop(session_id=session.pk, actor=bob)


def test_session__whose_script_is_edited_meanwhile__plays_and_shows_what_it_began_with(
    scripts: None, bob: Actor
) -> None:
    session = session_plan(scenarios=["cello"], actor=bob)
    session_play(session_id=session.pk, at_most=1)
    scripts_load(rows=[Row("cello", 1, "I sold the cello.", "")], actor=bob)
    session = session_play(session_id=session.pk)
    assert [step.query for step in selectors.steps_of(session)] == [FACT, QUESTION, "Hello!"]
    assert TestRun.objects.filter(session=session).count() == 3


def test_session__for_a_viewer_or_of_nothing_known__is_refused(scripts: None, bob: Actor, charlie: Actor) -> None:
    with pytest.raises(NotAuthorised):
        session_start(actor=charlie)
    with pytest.raises(NotFound, match="'nope'"):
        session_start(scenarios=["cello", "nope"], actor=bob)
    with as_service():
        TestDialog.objects.all().delete()
    with pytest.raises(InvalidInput):
        session_start(actor=bob)
    assert not TestSession.objects.exists()


def test_session__started_in_the_background__is_queued_and_played_piece_by_piece(
    scripts: None, bob: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "STEPS_AT_ONCE", 2)
    session = session_start(scenarios=["cello"], actor=bob)
    queue = [(task.func(), task.args()) for task in OrmQ.objects.all()]
    assert queue == [("maas.tasks.session_play", (str(session.pk),))]
    assert tasks.session_play(str(session.pk)) == "running"
    assert OrmQ.objects.count() == 2, "the rest was not queued"
    assert tasks.session_play(str(session.pk)) == "finished"
    assert OrmQ.objects.count() == 2


def test_sessions__with_results__are_counted(scripts: None, bob: Actor) -> None:
    session = played(bob, "cello")
    counted = selectors.session_counted(session.pk)
    assert (counted.steps, counted.done, counted.passed, counted.failed, counted.unchecked) == (3, 3, 1, 1, 1)


def test_scenarios__played__show_their_last_result(scripts: None, bob: Actor) -> None:
    played(bob, "cello")
    newest = played(bob, "cello", client=Told(QUESTION, before=raising(Unavailable("away"))))
    cello, stranger = selectors.scenarios()
    assert (cello.session, cello.passed, cello.failed) == (newest.pk, 0, 2)
    assert (stranger.session, [step.last for step in stranger.steps]) == (None, ["waiting", "waiting"])


@pytest.mark.django_db(transaction=True)
def test_session__played_by_two_workers_at_once__has_each_run_and_each_result_once(bob: Actor) -> None:
    _scripts(bob)
    session = session_plan(actor=bob)
    begin = threading.Barrier(2)
    troubles: list[BaseException] = []

    def work() -> None:
        try:
            begin.wait(10)
            session_play(session_id=session.pk)
        except BaseException as error:
            troubles.append(error)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert troubles == []
    assert selectors.session_counted(session.pk).status == "finished"
    assert len(runs_of(session)) == TestRun.objects.filter(session=session).count() == 5


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["asking", "answered"])
def test_session__whose_process_is_killed__is_finished_by_another_with_each_step_once(bob: Actor, where: str) -> None:
    _scripts(bob)
    session = session_plan(scenarios=["cello"], actor=bob)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.maas.session_process", connections["maas"].settings_dict["NAME"],
         str(session.pk), QUESTION, where],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(settings.BASE_DIR),
        env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "hanging"
    finally:
        process.kill()
        process.communicate()
    before = selectors.session_counted(session.pk)
    assert (before.status, before.done) == ("running", 1)
    client = Told("")
    assert session_play(session_id=session.pk, client=client).status == "finished"
    assert FACT not in client.asked
    assert [run.user_query for run in runs_of(session)] == [FACT, QUESTION, "Hello!"]
    assert [step.outcome for step in selectors.steps_of(session)] == ["unchecked", "passed", "failed"]
