"""Checks a whole folder of scenarios: each by itself, and the splits against each other."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emulator.domain.rules import scenario_gaps, scenario_problems
from emulator.domain.scenario import ALTERNATIVES, PHRASE, SLOT, Scenario
from emulator.duplicates import Said, near_pairs, unique
from emulator.generator import scenario_variant
from emulator.library import DATA, load_index, load_personas, load_scenario
from kernel.errors import InvalidInput

_VARIANTS = 5
_SMALL_TALK_WORDS = 6


@dataclass(frozen=True)
class ScenarioCheck:
    """One scenario: its size and what it lacks (empty: nothing)."""

    id: str
    family: str
    split: str
    language: str
    threads: int
    statements: int
    queries: int
    by_category: dict[str, int]
    gaps: tuple[str, ...]


@dataclass(frozen=True)
class ScenarioReport:
    """`problems` are of the folder as a whole: unreadable files, the index, leakage between splits."""

    scenarios: tuple[ScenarioCheck, ...]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.problems and not any(item.gaps for item in self.scenarios)

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, **asdict(self)}


def check_folder(folder: Path | None = None) -> ScenarioReport:
    """Check every `*.json` of `folder`; None means the bundled scenarios with their index and personas."""
    problems: list[str] = []
    scenarios: list[Scenario] = []
    where = folder or DATA / "scenarios"
    paths = sorted(where.glob("*.json"))
    if not paths:
        problems.append(f"{where}: no scenario files")
    for path in paths:
        try:
            scenarios.append(load_scenario(path))
        except InvalidInput as error:
            problems.append(error.message)
    if folder is None:
        problems += _index_problems(scenarios)
    problems += leaks(scenarios)
    return ScenarioReport(scenarios=tuple(_check(s) for s in scenarios), problems=tuple(problems))


def leaks(scenarios: list[Scenario]) -> list[str]:
    """Ids that come twice, families that two splits share, and texts that two splits have in common.

    Texts are compared as words in lower case, and as stems without order and numbers (`emulator.duplicates`), small
    talk (few words) aside; every alternative of a template and of a person's phrases counts, slots left out.
    """
    problems = [f"scenario id {name} comes {n} times" for name, n in Counter(s.id for s in scenarios).items() if n > 1]
    families: dict[str, set[str]] = {}
    texts: dict[str, tuple[str, str]] = {}
    for scenario in scenarios:
        families.setdefault(scenario.family, set()).add(scenario.split)
        for template in [*(turn.text for _, _, turn in scenario.turns()), *_phrases(scenario)]:
            for text in _said(template):
                split, other = texts.setdefault(text, (scenario.split, scenario.id))
                if split != scenario.split:
                    problems.append(f"{scenario.id} ({scenario.split}) and {other} ({split}) both say: {text}")
    said = [
        Said(scenario.split, f"{scenario.id}.{thread.id}.{position}", text)
        for scenario in scenarios
        for thread, position, turn in scenario.turns()
        for text in _wordings(turn.text)
    ]
    said += [
        Said(scenario.split, f"{scenario.id}.phrases", text)
        for scenario in scenarios
        for template in _phrases(scenario)
        for text in _wordings(template)
    ]
    problems += [str(pair) for pair in unique(near_pairs(said)) if pair.overlap < 1 or not _same(pair.one, pair.other)]
    problems += [f"family {name} is in splits {', '.join(sorted(s))}" for name, s in families.items() if len(s) > 1]
    return problems


def _check(scenario: Scenario) -> ScenarioCheck:
    gaps = [gap for gap in scenario_gaps(scenario) if "[[" not in gap]
    if scenario.split == "train" and not any(" slot " in gap or " no phrases " in gap for gap in gaps):
        for number in range(_VARIANTS):
            variant = scenario_variant(scenario, number=number).model_copy(update={"split": "validation"})
            gaps += [f"variant {number}: {p}" for p in scenario_problems(variant)]
    return ScenarioCheck(
        id=scenario.id,
        family=scenario.family,
        split=scenario.split,
        language=scenario.language,
        threads=len(scenario.threads),
        statements=sum(1 for _ in scenario.statements()),
        queries=sum(1 for _ in scenario.queries()),
        by_category=dict(Counter(query.category for _, _, query in scenario.queries())),
        gaps=tuple(dict.fromkeys(gaps)),
    )


def _index_problems(scenarios: list[Scenario]) -> list[str]:
    try:
        index, personas = load_index(), load_personas()
    except InvalidInput as error:
        return [error.message]
    listed = {name: split for split, names in index.items() for name in names}
    problems = [
        f"the index lists {name}, but there is no such file" for name in listed.keys() - {s.id for s in scenarios}
    ]
    for scenario in scenarios:
        if listed.get(scenario.id) != scenario.split:
            problems.append(f"{scenario.id} is {scenario.split}, the index says {listed.get(scenario.id)}")
        if scenario.persona not in personas:
            problems.append(f"{scenario.id}: there is no persona {scenario.persona}")
        elif personas[scenario.persona].language != scenario.language:
            problems.append(f"{scenario.id}: persona {scenario.persona} speaks another language")
    return problems


def _phrases(scenario: Scenario) -> list[str]:
    return [template for templates in scenario.phrases.values() for template in templates]


def _same(one: Said, other: Said) -> bool:
    """Whether the two are named as equal, word by word, already."""
    return bool(_said(one.text) & _said(other.text))


def _said(template: str) -> set[str]:
    """Each wording as its words in lower case; small talk is left out."""
    found = (re.findall(r"\w+", text.casefold()) for text in _wordings(template))
    return {" ".join(words) for words in found if len(words) > _SMALL_TALK_WORDS}


def _wordings(template: str) -> set[str]:
    """The ways to say it: the n-th alternative taken at every place, slots left out."""
    longest = max((len(m.group(1).split("|")) for m in ALTERNATIVES.finditer(template)), default=1)
    texts = set()
    for choice in range(longest):

        def one(match: re.Match[str], choice: int = choice) -> str:
            options = match.group(1).split("|")
            return options[choice % len(options)]

        texts.add(SLOT.sub(" ", PHRASE.sub(" ", ALTERNATIVES.sub(one, template))))
    return texts
