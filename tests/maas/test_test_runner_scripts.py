"""Scripted dialogues: loading a file, saying what is wrong with it, and those that come with the project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.actor import Actor
from kernel.errors import InvalidInput, NotAuthorised
from llm.text import detect_language
from maas.access import as_service
from maas.models import TestDialog, TestRun
from maas.test_runner.scripts import BUNDLED, Row, rows_check, rows_read, scripts_load, scripts_seed

ROW: dict[str, Any] = {"scenario": "s", "step": 1, "query": "Where?"}


def problems(data: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        rows_check(data)
    return list(caught.value.details.get("problems", []))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"step": 1, "query": "q"}, "row 1: scenario is a text, not empty"),
        (ROW | {"query": "  "}, "row 1: query is a text, not empty"),
        (ROW | {"step": "1"}, "row 1: step is a whole number from 1 to 200"),
        (ROW | {"step": True}, "row 1: step is a whole number from 1 to 200"),
        (ROW | {"expected_keyword": "?!"}, "row 1: expected_keyword has no word in it"),
        (ROW | {"expected_keyword": 5}, "row 1: expected_keyword is a text"),
        (ROW | {"keyword": "x"}, "row 1: unknown field 'keyword'"),
        ("text", "row 1: not an object with scenario, step and query"),
    ],
)
def test_row__that_is_wrong__is_named_with_its_number(row: Any, said: str) -> None:
    assert problems([row]) == [said]


def test_rows__with_several_faults__name_each_of_them() -> None:
    found = problems([ROW, {"scenario": "", "step": 0, "query": "q"}])
    assert found == ["row 2: scenario is a text, not empty", "row 2: step is a whole number from 1 to 200"]


def test_steps__with_a_gap_or_twice__are_refused() -> None:
    assert problems([ROW, ROW | {"step": 3}]) == ["scenario 's': steps are [1, 3]; they must be 1 to 2, each once"]
    assert problems([ROW, ROW]) == ["scenario 's': steps are [1, 1]; they must be 1 to 2, each once"]


@pytest.mark.parametrize("text", ["{", "[]", '{"scenario": "s"}'])
def test_file__that_is_no_list_of_rows__is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dialogues.json"
    path.write_text(text)
    with pytest.raises(InvalidInput):
        rows_read(path)


def test_file__that_is_not_there__is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        rows_read(tmp_path / "none.json")


def test_load__of_a_scenario_again__makes_it_what_the_file_says_and_keeps_results(db: None, bob: Actor) -> None:
    old = [Row("mine", 1, "One", ""), Row("mine", 2, "Two", "two"), Row("mine", 3, "Three", "")]
    assert tuple(scripts_load(rows=old, actor=bob)) == (1, 3, 0, 0)
    with as_service():
        TestRun.objects.create(dialog=TestDialog.objects.get(scenario="mine", step=3), status="COMPLETED")
    assert tuple(scripts_load(rows=[old[0], Row("mine", 2, "Two", "zwei")], actor=bob)) == (1, 0, 1, 1)
    kept = list(TestDialog.objects.filter(scenario="mine").order_by("step").values_list("query", "expected_keyword"))
    assert kept == [("One", ""), ("Two", "zwei")]
    assert TestRun.objects.get().dialog is None


def test_load__by_a_viewer__is_refused(db: None, charlie: Actor) -> None:
    with pytest.raises(NotAuthorised):
        scripts_load(rows=[Row("mine", 1, "One", "")], actor=charlie)


def test_bundled__scripts__are_sound_and_half_of_them_russian() -> None:
    rows = rows_read(BUNDLED)
    scenarios = {name: [row for row in rows if row.scenario == name] for name in {row.scenario for row in rows}}
    russian = [name for name, steps in scenarios.items() if detect_language(steps[1].query) == "ru"]
    assert len(scenarios) >= 6
    assert 2 * len(russian) == len(scenarios)
    assert all(4 <= len(steps) <= 8 for steps in scenarios.values())
    assert all(any(row.expected for row in steps) for steps in scenarios.values())


def test_seed__again__adds_what_is_missing_and_leaves_an_edited_scenario_alone(db: None) -> None:
    first, second, *_others = sorted({row.scenario for row in json_rows()})
    with as_service():
        TestDialog.objects.filter(scenario=first).delete()
        TestDialog.objects.filter(scenario=second).exclude(step=1).delete()
        TestDialog.objects.filter(scenario=second).update(query="Edited.")
        scripts_seed()
        scripts_seed()
    assert TestDialog.objects.filter(scenario=first).count() == sum(row.scenario == first for row in json_rows())
    assert list(TestDialog.objects.filter(scenario=second).values_list("query", flat=True)) == ["Edited."]


def json_rows() -> list[Row]:
    return rows_check(json.loads(BUNDLED.read_text(encoding="utf-8")))
