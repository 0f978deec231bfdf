"""Scenario files: errors that name the place, rules that find what is wrong, and the bundled content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from emulator.check import check_folder, leaks
from emulator.domain.rules import scenario_gaps, scenario_problems
from emulator.domain.scenario import Turn
from emulator.library import bundled_scenarios, load_personas, load_scenario
from kernel.errors import InvalidInput
from tests.emulator.makers import query, scenario


def with_turns(*turns: dict[str, Any], **changes: Any) -> Any:
    return scenario(threads=[{"id": "t01", "day": 0, "turns": list(turns)}], **changes)


CAT = {"text": "My cat is called Tiger.", "event": {"id": "cat", "kind": "fact"}}


def test_load_scenario__wrong_field__names_file_and_path(tmp_path: Path) -> None:
    data = scenario().model_dump(mode="json")
    data["threads"][0]["turns"][1]["query"]["kind"] = "rude"
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_scenario(path)
    assert "bad.json" in caught.value.message
    assert "threads.0.turns.1.query.kind" in caught.value.message


def test_load_scenario__not_json__names_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{\n "id": tiny\n}', encoding="utf-8")
    with pytest.raises(InvalidInput, match="line 2, column 8"):
        load_scenario(path)


def test_load_scenario__no_such_file__says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.json: cannot be read"):
        load_scenario(tmp_path / "none.json")


def test_turn__states_and_asks__is_refused() -> None:
    with pytest.raises(ValueError, match="states something or asks something"):
        Turn.model_validate(CAT | {"query": query()})


@pytest.mark.parametrize(
    ("turns", "problem"),
    [
        ([{"text": "Who purrs?", "query": query()}, CAT], "expects cat, which was not said before"),
        ([CAT, CAT], "event id cat comes twice"),
        ([CAT, {"text": "?", "query": query(key_facts=["Rex"])}], "key fact “Rex”"),
        ([CAT, {"text": "?", "query": query(forbidden=["tiger"])}], "forbids “tiger”"),
        ([CAT, {"text": "?", "query": query(category="negative")}], "is negative"),
        ([CAT, {"text": "?", "query": query(expects=[], key_facts=[])}], "expects nothing, but is not negative"),
        ([CAT, {"text": "?", "query": query(category="multi-hop")}], "fewer than two"),
        ([{"text": "No.", "event": {"id": "x", "kind": "cancel", "supersedes": "cat"}}], "refers to cat"),
        ([{"text": "My cat is {cat}.", "event": {"id": "cat", "kind": "fact"}}], "slot cat has no values"),
        (
            [
                CAT,
                {"text": "Tiger is Leo now.", "event": {"id": "leo", "kind": "update", "supersedes": "cat"}},
                {"text": "?", "query": query()},
            ],
            "expects cat, which leo has made stale",
        ),
    ],
)
def test_scenario_problems__one_mistake__is_named(turns: list[dict[str, Any]], problem: str) -> None:
    assert any(problem in found for found in scenario_problems(with_turns(*turns)))


def test_scenario_problems__template_in_validation__is_named() -> None:
    fixed = with_turns({"text": "My cat is [[big|small]]."}, split="validation")
    assert any("fixed" in found for found in scenario_problems(fixed))


def test_scenario_gaps__tiny_scenario__lists_each_minimum() -> None:
    gaps = " ".join(scenario_gaps(scenario()))
    for word in ("constraint", "changed goal", "cancelled decision", "refined fact", "said again", "threads", "days"):
        assert word in gaps


def test_leaks__same_family_and_text_in_two_splits__are_named() -> None:
    text = "My grandmother keeps eleven striped cats in a lighthouse."
    train = with_turns({"text": text})
    other = with_turns({"text": text.upper()}, id="other", split="validation")
    found = leaks([train, other])
    assert any("both say" in item for item in found)
    assert any("family tiny is in splits" in item for item in found)


def test_check_folder__bundled__is_sound() -> None:
    report = check_folder()
    assert report.problems == ()
    assert [item for item in report.scenarios if item.gaps] == []


def test_bundled_scenarios__validation__holds_enough_questions_in_both_languages() -> None:
    validation = bundled_scenarios("validation")
    assert sum(1 for item in validation for _ in item.queries()) >= 200
    assert {item.language for item in validation} == {"ru", "en"}


def test_bundled_scenarios__any_text__names_no_impact_factor() -> None:
    words = ("top_k", "keyword", "retriev", "recency", "tag overlap", "token", "prompt", "archivist", "temperature 0")
    for item in (*bundled_scenarios("train"), *bundled_scenarios("validation")):
        for _, _, turn in item.turns():
            assert not [word for word in words if word in turn.text.casefold()]


def test_bundled_scenarios__golden__is_refused() -> None:
    with pytest.raises(InvalidInput):
        bundled_scenarios("golden")


def test_load_personas__bundled__are_twelve_or_more_that_differ() -> None:
    personas = load_personas()
    assert len(personas) >= 12
    assert len({(p.knowledge, p.style, p.patience) for p in personas.values()}) == len(personas)


def test_check_scenarios__bad_folder__exits_with_one_and_names_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.json").write_text("[]", encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        call_command("check_scenarios", str(tmp_path), "--json")
    assert caught.value.code == 1
    assert "bad.json" in json.loads(capsys.readouterr().out)["problems"][0]
