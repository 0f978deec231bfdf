"""Scenarios as the check of their files sees them, with the person of each and the emulations that played it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from emulator.check import ScenarioCheck
from emulator.domain.scenario import Persona
from emulator.library import DATA, load_personas, load_scenario
from emulator.models import EmulationDialogue
from experiments.golden_files import FOLDER
from experiments.scenario_report import bundled_report_kept
from kernel.errors import InvalidInput

LATEST = 3
"""So many emulations are named beside a scenario."""
SPLITS = ("train", "validation", "golden")


@dataclass(frozen=True, slots=True)
class PlayedIn:
    batch_id: uuid.UUID
    batch: str
    dialogues: int


@dataclass(frozen=True, slots=True)
class ScenarioRow:
    """`dialogues`: how often one of its dialogues was played, in all emulations; golden stories never are."""

    check: ScenarioCheck
    persona: str
    goal: str
    dialogues: int = 0
    latest: tuple[PlayedIn, ...] = ()

    @property
    def categories(self) -> list[tuple[str, int]]:
        return sorted(self.check.by_category.items())


@dataclass(frozen=True, slots=True)
class PersonaRow:
    """`missing`: nobody plays this person, or what else it lacks."""

    persona: Persona
    scenarios: tuple[str, ...]

    @property
    def lacks(self) -> str:
        return "" if self.scenarios else _("no scenario has this person")


@dataclass(frozen=True, slots=True)
class ScenariosView:
    groups: tuple[tuple[str, str, tuple[ScenarioRow, ...]], ...]
    """(split, language, its scenarios)"""
    personas: tuple[PersonaRow, ...]
    problems: tuple[str, ...]
    chosen: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> list[ScenarioRow]:
        return [row for _split, _language, rows in self.groups for row in rows]


def scenarios_view(*, split: str = "", language: str = "") -> ScenariosView:
    """All that is bundled, narrowed by split and language. One query, whatever was played."""
    report = bundled_report_kept()
    people, stories = _people()
    played = _played()
    groups: dict[tuple[str, str], list[ScenarioRow]] = defaultdict(list)
    for check in report.scenarios:
        if (split and check.split != split) or (language and check.language != language):
            continue
        persona, goal = stories.get(check.id, ("", ""))
        batches = played.get(check.id, ())
        groups[check.split, check.language].append(
            ScenarioRow(
                check=check,
                persona=people[persona].name if persona in people else persona,
                goal=goal,
                dialogues=sum(batch.dialogues for batch in batches),
                latest=tuple(batches[:LATEST]),
            )
        )
    order = sorted(groups, key=lambda key: (SPLITS.index(key[0]), key[1]))
    return ScenariosView(
        groups=tuple((*key, tuple(groups[key])) for key in order),
        personas=tuple(
            PersonaRow(person, tuple(name for name, (whose, _goal) in stories.items() if whose == person.id))
            for person in people.values()
            if not language or person.language == language
        ),
        problems=report.problems,
        chosen={"split": split, "language": language},
    )


def scenarios_news(rows: Sequence[ScenarioRow], problems: Sequence[str]) -> str:
    """The title: how many, and whether they are sound."""
    if not rows:
        return _("No scenario matches.")
    families = len({row.check.family for row in rows})
    text = ngettext("%(n)s scenario", "%(n)s scenarios", len(rows)) % {"n": len(rows)}
    text += ngettext(" of %(n)s family", " of %(n)s families", families) % {"n": families}
    lacking = sum(bool(row.check.gaps) for row in rows)
    if lacking:
        text += "; " + ngettext("%(n)s lacks something", "%(n)s lack something", lacking) % {"n": lacking}
    if problems:
        found = ngettext("%(n)s problem between files", "%(n)s problems between files", len(problems))
        text += "; " + found % {"n": len(problems)}
    return text + (_(": each is sound.") if not lacking and not problems else ".")


def _played() -> dict[str, list[PlayedIn]]:
    """Scenario → the emulations with dialogues of it, newest first."""
    found: dict[str, list[PlayedIn]] = defaultdict(list)
    rows = (
        EmulationDialogue.objects.order_by("-batch__created_at")
        .values_list("scenario", "batch_id", "batch__batch")
        .annotate(n=Count("id"))
    )
    for scenario, batch_id, name, count in rows:
        found[scenario].append(PlayedIn(batch_id, name, count))
    return found


def _people() -> tuple[dict[str, Persona], dict[str, tuple[str, str]]]:
    """People by id, and scenario → (whose it is, what they want). A file that cannot be read is the check's to name."""
    paths = [*sorted((DATA / "scenarios").glob("*.json")), *sorted(FOLDER.glob("*.json"))]
    stories: dict[str, tuple[str, str]] = {}
    for path in paths:
        try:
            stories |= _story(path, path.stat().st_mtime_ns)
        except InvalidInput:
            continue
    try:
        return load_personas(), stories
    except InvalidInput:
        return {}, stories


@lru_cache(maxsize=200)
def _story(path: Path, _changed: int) -> dict[str, tuple[str, str]]:
    story = load_scenario(path)
    return {story.id: (story.persona, story.goal)}
