"""`manage.py test_dialogs`: what it prints and how it ends."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from contracts.actor import Actor
from maas.models import TestDialog, TestSession
from maas.test_runner.scripts import Row, scripts_load
from maas.test_runner.sessions import session_plan, session_play, session_stop

FACT, QUESTION = "I bought a red cello in Kazan.", "Where did I buy my cello?"


@pytest.fixture(autouse=True)
def scripts(db: None, bob: Actor) -> None:
    rows = [Row("cello", 1, FACT, ""), Row("cello", 2, QUESTION, "Kazan"), Row("wrong", 1, "Hello!", "violin")]
    scripts_load(rows=rows, actor=bob)


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and output."""
    out = StringIO()
    try:
        call_command("test_dialogs", *arguments, stdout=out, stderr=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_command__all_hold__ends_with_0_and_names_the_model() -> None:
    code, text = run("cello")
    assert code == 0, text
    assert "ok   2. Where did I buy my cello?" in text
    assert "1 passed, 0 failed, 1 with nothing expected, of 2 steps. Answered by: offline." in text


def test_command__a_word_is_missing__ends_with_1_and_says_which() -> None:
    code, text = run("cello", "wrong")
    assert code == 1
    assert "FAIL 1. Hello!" in text
    assert "expected: violin" in text


def test_command__json__is_one_document() -> None:
    code, text = run("wrong", "--json")
    found = json.loads(text)
    assert code == 1
    assert (found["status"], found["failed"], found["results"][0]["outcome"]) == ("finished", 1, "failed")


def test_command__list__shows_scripts_and_plays_nothing() -> None:
    code, text = run("--list", "cello")
    assert code == 0
    assert "2. Where did I buy my cello?  [Kazan]" in text
    assert not TestSession.objects.exists()


@pytest.mark.parametrize("arguments", [("nope",), ("--list", "nope"), ("cello", "--load", "x.json")])
def test_command__used_wrongly__ends_with_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2
    assert not TestSession.objects.exists()


def test_command__load__takes_a_good_file_and_names_each_bad_row(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"scenario": "filed", "step": 1, "query": "Where?", "expected_keyword": "Riga|Рига"}]
    path = tmp_path / "dialogues.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert run("--load", str(path)) == (0, "Scenarios: 1. Steps added: 1, changed: 0, removed: 0.\n")
    assert TestDialog.objects.get(scenario="filed").expected_keyword == "Riga|Рига"
    path.write_text(json.dumps([*rows, {"scenario": "filed", "step": 2}, {"step": 1, "query": "q"}]), encoding="utf-8")
    code, text = run("--load", str(path))
    assert code == 2
    assert text.splitlines() == ["row 2: query is a text, not empty", "row 3: scenario is a text, not empty"]


def test_command__resume__plays_the_rest_and_counts_all(bob: Actor) -> None:
    session = session_plan(scenarios=["cello"], actor=bob)
    session_play(session_id=session.pk, at_most=1)
    code, text = run("--resume", str(session.pk))
    assert code == 0
    assert f"1. {FACT}" not in text
    assert "1 passed, 0 failed, 1 with nothing expected, of 2 steps" in text


def test_command__resume_of_a_stopped_session__ends_with_1(bob: Actor) -> None:
    session = session_plan(scenarios=["cello"], actor=bob)
    session_stop(session_id=session.pk, actor=bob)
    assert run("--resume", str(session.pk))[0] == 1
