"""The page of scenarios: families by split and language, their people, what each lacks, where it was played."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from contracts.actor import Actor, Role
from emulator.check import ScenarioCheck
from emulator.library import load_index, load_personas
from manager.services.emulations import emulation_launch
from selflearn_site.pages.selectors.emulations import DEFAULTS, plan_from
from selflearn_site.pages.selectors.scenarios import PersonaRow, ScenarioRow, scenarios_news, scenarios_view
from tests.pages.test_queries import asked

BOB = Actor(kind="person", name="bob", role=Role.OPERATOR)


def text(client: Client, path: str) -> str:
    return re.sub(r"\s+", " ", client.get(path).content.decode())


def row(family: str, *gaps: str) -> ScenarioRow:
    check = ScenarioCheck(
        id=f"{family}-en", family=family, split="train", language="en", threads=1, statements=1, queries=1,
        by_category={}, gaps=gaps,
    )  # fmt: skip
    return ScenarioRow(check=check, persona="Nora", goal="")


def played(*names: str) -> Any:
    plan = plan_from({**DEFAULTS, "dialogues": "2"}, list(names))
    return emulation_launch(plan=plan, actor=BOB)


@pytest.mark.django_db
def test_scenarios_view__bundled__are_all_there_by_split_and_language() -> None:
    view = scenarios_view()
    shown = {(item.check.split, item.check.id) for item in view.rows}
    listed = {(split, name) for split, names in load_index().items() for name in names}
    assert listed <= shown
    assert [key[:2] for key in view.groups] == [
        (split, language) for split in ("train", "validation", "golden") for language in ("en", "ru")
    ]
    assert {item.persona.id for item in view.personas} == set(load_personas())


@pytest.mark.django_db
def test_scenarios_view__narrowed__keeps_what_fits() -> None:
    assert {(row.check.split, row.check.language) for row in scenarios_view(split="train", language="ru").rows} == {
        ("train", "ru")
    }
    assert scenarios_view(split="none such").rows == []


@pytest.mark.django_db
def test_scenarios_page__played__links_to_its_emulation_and_no_golden_story_does(viewer: Client) -> None:
    batch = played("career-change-en")
    page = text(viewer, "/scenarios/")
    assert f'href="/emulations/{batch.pk}/"' in page
    assert page.count("kept apart: never played") == len(scenarios_view(split="golden").rows)


@pytest.mark.django_db
def test_scenarios_page__nothing_matches__offers_everything(viewer: Client) -> None:
    page = text(viewer, "/scenarios/?split=none")
    assert "<h1>No scenario matches.</h1>" in page
    assert "Show everything" in page


@pytest.mark.django_db
def test_scenarios_page__more_played__asks_no_more_queries(viewer: Client) -> None:
    played("career-change-en")
    before = asked(viewer, "/scenarios/")
    played("bakery-start-en")
    played("allotment-year-en")
    assert asked(viewer, "/scenarios/") == before


@pytest.mark.parametrize(
    ("rows", "problems", "news"),
    [
        ([], [], "No scenario matches."),
        ([row("a")], [], "1 scenario of 1 family: each is sound."),
        ([row("a"), row("a", "too few questions"), row("b")], [], "3 scenarios of 2 families; 1 lacks something."),
        ([row("a")], ["x", "y"], "1 scenario of 1 family; 2 problems between files."),
    ],
)
def test_scenarios_news__says_how_many_and_whether_sound(
    rows: list[ScenarioRow], problems: list[str], news: str
) -> None:
    assert scenarios_news(rows, problems) == news


def test_persona_row__played_by_nobody__lacks_a_scenario() -> None:
    person = next(iter(load_personas().values()))
    assert PersonaRow(person, ()).lacks == "no scenario has this person"
    assert PersonaRow(person, ("x",)).lacks == ""
