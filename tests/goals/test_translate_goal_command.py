"""`manage.py translate_goal`."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command

from kernel.errors import InvalidInput


def _run(*arguments: str) -> str:
    out = StringIO()
    call_command("translate_goal", *arguments, stdout=out)
    return out.getvalue()


def test_translate_goal__json__has_the_documented_fields() -> None:
    data = json.loads(_run("Raise recall to 60 % without losing precision", "--json"))
    assert set(data) == {
        *("targets", "constraints", "allowed_impacts", "forbidden_impacts", "autonomy", "budget"),
        *("assumptions", "unread", "conflicts"),
    }
    assert data["targets"] == [
        {
            "metric": "retrieval_recall",
            "direction": "increase",
            "value": 0.6,
            "delta": None,
            "relative": False,
            "category": None,
        }
    ]


def test_translate_goal__readable__shows_all_four_parts() -> None:
    text = _run("Снизить стоимость на 20 %, стоимость не менять, F1 до 0.8, не трогать модель, 5 циклов, вручную")
    for part in ("Understood", "Assumed", "Not read", "Conflicts", "never changes: llm.model", "autonomy: manual"):
        assert part in text


def test_translate_goal__nothing_understood__raises_invalid_input() -> None:
    with pytest.raises(InvalidInput):
        _run("Make tea")
