"""What people read: slugs, reports in Markdown, and dialogues made of a loaded data set's questions."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.parameters import ParameterValue
from experiments.domain.examples import ExampleValue
from kernel.errors import InvalidInput
from manager.engine.emulating import QUESTIONS_PER_DIALOGUE, dialogue_scripts
from manager.engine.planning import experiment_slug
from manager.reports.markdown import headline, render


@pytest.mark.parametrize(
    ("param", "value", "slug"),
    [
        ("retrieval.recency_weight", 0.4, "c1-k3-retrieval-recency-weight-0p4"),
        ("retrieval.top_k", 4, "c1-k3-retrieval-top-k-4"),
        ("retrieval.strategy", "hybrid", "c1-k3-retrieval-strategy-hybrid"),
        ("context.include_metadata", False, "c1-k3-context-include-metadata-false"),
    ],
)
def test_experiment_slug__any_value__is_readable_and_a_slug(param: str, value: ParameterValue, slug: str) -> None:
    assert experiment_slug("c1-k3", param, value) == slug


def test_experiment_slug__long_value__fits_its_column() -> None:
    slug = experiment_slug("c1-k3", "llm.model", "a model / with a (very) long name " * 9)
    assert re.fullmatch(r"[a-z0-9-]{1,110}", slug)


def item(**fields: Any) -> dict[str, Any]:
    row = {"slug": "c7-k1-top-k-4", "cycle": 1, "factor": "retrieval.top_k", "from": 3, "to": 4, "verdict": "winner"}
    row |= {"decision": "applied", "reason": "applied as version 2", "told": "Recall +.1. Applied as version 2"}
    return {**row, "hypothesis": "If top_k rises, recall rises.", **fields}


def report(**fields: Any) -> dict[str, Any]:
    table = {"n": 60, "rows": [{"title": "Recall", "before_text": ".100", "after_text": ".400", "n": 60}]}
    made: dict[str, Any] = {
        **{"campaign": 7, "goal": "Raise recall", "dataset": "made-up", "autonomy": "semi_auto", "seed": 3},
        **{"cycles": 2, "max_cycles": 4, "start_version": 1, "end_version": 2, "status": "completed"},
        **{"end_reason": "all 4 cycles are spent", "tokens": 1234, "cost_usd": 0.5, "next": []},
        "targets": [{"title": "Recall", "text": ".100 → .400, target .600", "met": False}],
        **{"validation": table, "golden": {**table, "n": 20}},
        **{"experiments": [item()], "applied": [item()], "waiting": [], "refused": [], "rolled_back": []},
    }
    return {**made, **fields}


def test_headline__targets_and_decisions__is_one_sentence() -> None:
    assert headline(report()) == "Recall .100 → .400; 1 applied"


def test_headline__nothing_happened__says_so() -> None:
    assert headline(report(applied=[], experiments=[])) == "Recall .100 → .400; no change"


def test_render__made_up_report__holds_each_part() -> None:
    waits = {"proposal": {"param": "retrieval.top_k", "from": 5, "to": 6}, "reasons": ["above 5 asks"]}
    text = render(report(waiting=[{**waits, "reason": "Recall +.2", "golden": "golden agrees"}], next=["try more"]))
    for part in (
        "# Campaign 7: Recall .100 → .400; 1 applied, 1 waiting for you",
        "Goal: “Raise recall” · data set made-up · autonomy semi auto · 2 of 4 cycles · version 1 → 2 · seed 3",
        "Ended: all 4 cycles are spent",
        "- Recall: .100 → .400, target .600",
        "| Recall | .100 | .400 | 60 |",
        "- **retrieval.top_k 3 → 4** (cycle 1): Recall +.1. Applied as version 2",
        "- **retrieval.top_k 5 → 6**: Recall +.2. Why you: above 5 asks. golden agrees",
        "Nothing was refused.",
        "- try more",
        "If top_k rises, recall rises.",
        "Tokens that were paid for: 1,234; cost $0.5000",
    ):
        assert part in text


def test_render__change_was_rolled_back__is_told_apart_from_applied() -> None:
    back = item(decision="rolled_back", told="version 2 was rolled back: recall fell")
    text = render(report(applied=[], rolled_back=[back], experiments=[back]))
    assert "Nothing was applied." in text
    assert "## Rolled back\n\n- **retrieval.top_k 3 → 4** (cycle 1): version 2 was rolled back: recall fell" in text
    assert "1 rolled back" in headline(report(applied=[], rolled_back=[back]))


PEOPLE = [uuid.UUID(int=number) for number in (1, 2)]


def questions(count: int) -> list[ExampleValue]:
    return [
        ExampleValue(
            external_id=f"talk/q{number}",
            user_id=PEOPLE[number % 2],
            query=f"What about number {number}?",
            asked_at=datetime(2025, 5, 1, tzinfo=UTC) + timedelta(hours=number),
            expected_memory_ids=(uuid.UUID(int=100 + number),),
            should_retrieve=True,
            category="factual",
            difficulty="easy",
            cluster=f"c{number}",
        )
        for number in range(count)
    ]


def scripts(count: int, *, dialogues: int = 99, seed: int = 1) -> list[Any]:
    return dialogue_scripts(questions(count), dataset="made-up", batch="b", dialogues=dialogues, seed=seed)


def test_dialogue_scripts__all_wanted__ask_every_question_once_by_its_own_person() -> None:
    made = scripts(24)
    asked = [turn.text for script in made for turn in script.turns]
    assert sorted(asked) == sorted(value.query for value in questions(24))
    by_person = {value.query: value.user_id for value in questions(24)}
    assert all(by_person[turn.text] == script.user_id for script in made for turn in script.turns)
    assert max(len(script.turns) for script in made) == QUESTIONS_PER_DIALOGUE


def test_dialogue_scripts__fewer_wanted__are_a_sample_that_the_seed_draws() -> None:
    first, again, other = scripts(60, dialogues=3), scripts(60, dialogues=3), scripts(60, dialogues=3, seed=2)
    assert len(first) == 3
    assert first == again
    assert [script.turns for script in first] != [script.turns for script in other]


def test_dialogue_scripts__truth__names_the_memories_that_exist() -> None:
    turn = scripts(1)[0].turns[0]
    assert turn.query.expected_memory_ids == (uuid.UUID(int=100),)
    assert turn.query.id == "talk.q0"


def test_dialogue_scripts__no_train_questions__says_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="no train questions; load it with --train"):
        scripts(0)
