"""The translator against phrases written down with what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.metric import METRICS
from goals.translation import translate
from kernel.errors import InvalidInput
from tuner.registry import FACTORS

CORPUS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "corpus.yaml").read_text("utf-8"))


def _keys(patterns: list[str]) -> list[str]:
    return [
        key
        for key in FACTORS
        if any(key == pattern or (pattern.endswith("*") and key.startswith(pattern[:-1])) for pattern in patterns)
    ]


def _short(part: Any) -> dict[str, Any]:
    return {name: value for name, value in part.model_dump().items() if value is not None and value is not False}


@pytest.mark.parametrize("phrase", CORPUS, ids=[entry["text"][:60] for entry in CORPUS])
def test_translate__phrase_of_the_corpus__means_what_is_written_down(phrase: dict[str, Any]) -> None:
    if phrase.get("invalid"):
        with pytest.raises(InvalidInput):
            translate(phrase["text"], metrics=METRICS, factors=FACTORS)
        return
    read = translate(phrase["text"], metrics=METRICS, factors=FACTORS)

    forbidden = _keys(phrase.get("forbidden", []))
    only = _keys(phrase["only"]) if "only" in phrase else list(FACTORS)
    assert {
        "targets": [_short(target) for target in read.targets],
        "constraints": [_short(constraint) for constraint in read.constraints],
        "forbidden": list(read.forbidden_impacts),
        "allowed": list(read.allowed_impacts),
        "autonomy": read.autonomy,
        "budget": _short(read.budget),
        "unread": list(read.unread),
        "conflicts": len(read.conflicts),
    } == {
        "targets": phrase.get("targets", []),
        "constraints": phrase.get("constraints", []),
        "forbidden": forbidden,
        "allowed": [key for key in only if key not in forbidden],
        "autonomy": phrase.get("autonomy"),
        "budget": phrase.get("budget", {}),
        "unread": phrase.get("unread", []),
        "conflicts": phrase.get("conflicts", 0),
    }


def test_corpus__as_a_whole__is_large_and_in_both_languages() -> None:
    russian = sum(any("а" <= char <= "я" for char in entry["text"].lower()) for entry in CORPUS)
    assert len(CORPUS) >= 150
    assert min(russian, len(CORPUS) - russian) >= 70
    assert len({entry["text"] for entry in CORPUS}) == len(CORPUS)
