"""Which answers were right: they hold a key fact, are no abstention, and were not marked as made up."""

from __future__ import annotations

from typing import Any

import pytest

from teacher.rightness import answers_right
from tests.teacher.events import BATCH, event, store

pytestmark = pytest.mark.django_db

RIGHT: dict[str, Any] = {"answer": "You bought it in Kazan.", "key_facts": ["Kazan"]}


def test_answers_right__one_key_fact_of_several_is_stated__is_right() -> None:
    (row,) = store(event("a", "a", **RIGHT | {"key_facts": ["Tver", "kazan"]}))
    assert answers_right(batch=BATCH) == [row.pipeline_run_id]


@pytest.mark.parametrize(
    "columns",
    [
        {"answer": "You bought it in Tver."},
        {"answer": "I have no memory of Kazan."},
        {"answer": None, "status": "FAILED", "error_type": "TimeoutError"},
        {"hallucination_detected": True},
        {"key_facts": []},
        {"should_retrieve": False},
        {"batch": "another"},
    ],
)
def test_answers_right__anything_wrong_with_it__is_not_right(columns: dict[str, Any]) -> None:
    store(event("a", "a", **RIGHT | columns))
    assert answers_right(batch=BATCH) == []
