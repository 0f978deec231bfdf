"""The list of recorded runs, and the way of one query."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from contracts.dialogue import GroundTruth
from contracts.maas import NewMemory, RunRequest
from maas.client import get_client, memories_import
from selflearn_site.pages.selectors.runs import FILTERS, bars, run_news, runs_chosen
from sensor.services import ground_truth_record, runs_capture
from tests.teacher.events import START, event, store

pytestmark = pytest.mark.django_db
QUESTION = "Where did I buy the red cello?"
TEXTS = ("Bought a red cello in Kazan.", "The red cello needs new strings.", "Clara sails to Lisbon.")


def chosen(**values: str) -> list[str]:
    return list(runs_chosen({name: values.get(name, "") for name in FILTERS}).values_list("query", flat=True))


@pytest.fixture
def asked(db: None) -> uuid.UUID:
    """A recorded run with truth: its first memory was expected."""
    user, memories = uuid.uuid4(), [uuid.uuid4() for _ in TEXTS]
    memories_import(
        [
            NewMemory(memory_id=key, user_id=user, text=text, simulated_at=START)
            for key, text in zip(memories, TEXTS, strict=True)
        ]
    )
    run = get_client().ask(RunRequest(user_id=user, query=QUESTION)).run_id
    truth = GroundTruth(
        run_id=run, example_id="e1", batch="b1", dataset="d", split="validation", cluster="c", should_retrieve=True,
        expected_memory_ids=(memories[0],), key_facts=("Kazan",), category="factual", difficulty="easy",
    )  # fmt: skip
    ground_truth_record([truth])
    runs_capture(run_ids=[run])
    return run


def test_run_page__recorded_run__shows_search_context_answer_and_times(viewer: Client, asked: uuid.UUID) -> None:
    text = viewer.get(f"/runs/{asked}/").content.decode()
    assert "All that was expected was found" in text
    assert "Bought a red cello in Kazan." in text
    assert "3 memories considered" in text or "2 memories considered" in text
    assert '<svg class="waterfall"' in text
    assert '<pre class="context">' in text


def test_run_page__student_has_forgotten_the_run__still_shows_what_was_recorded(viewer: Client) -> None:
    (row,) = store(event("a", "a", answer="In Kazan.", context="## Memories", example_id="e1"))
    text = viewer.get(f"/runs/{row.pipeline_run_id}/").content.decode()
    assert "The student no longer has this run" in text
    assert "In Kazan." in text


def test_run_page__never_recorded__is_not_found(viewer: Client) -> None:
    assert viewer.get(f"/runs/{uuid.uuid4()}/").status_code == 404


def test_runs_page__nothing_recorded__says_what_will_be_here(viewer: Client) -> None:
    assert "No run is recorded yet." in viewer.get("/runs/").content.decode()


def test_runs_page__recorded__lists_them_and_says_how_many(viewer: Client, asked: uuid.UUID) -> None:
    text = viewer.get("/runs/").content.decode()
    assert f'href="/runs/{asked}/"' in text
    assert "1 run, newest first." in text


@pytest.mark.parametrize(
    ("narrowed", "kept"),
    [
        ({"source": "real"}, {"real"}),
        ({"source": "evaluation"}, {"missed", "failed", "made up"}),
        ({"trouble": "failed"}, {"failed"}),
        ({"trouble": "hallucination"}, {"made up"}),
        ({"trouble": "missed"}, {"missed"}),
        ({"version": "7"}, {"real"}),
        ({"version": "seven"}, set()),
        ({"source": "martians"}, set()),
        ({"trouble": "none such"}, set()),
        ({"experiment": "x"}, {"failed"}),
        ({"q": "MADE"}, {"made up"}),
        ({"q": str(uuid.UUID(int=5))}, {"real"}),
        ({"q": str(uuid.UUID(int=6))}, set()),
    ],
)
def test_runs_chosen__narrowed__keeps_what_fits(narrowed: dict[str, str], kept: set[str]) -> None:
    store(
        event("", None, query="real", client_kind="user", mode="dialogue", parameter_version=7,
              pipeline_run_id=uuid.UUID(int=5), memories_found=1),
        event("a", "b", query="missed"),
        event("a", "a", query="failed", status="FAILED", experiment="x"),
        event("a", "a", query="made up", hallucination_detected=True),
    )  # fmt: skip
    assert set(chosen(**narrowed)) == kept


@pytest.mark.parametrize(
    ("columns", "news"),
    [
        ({"status": "FAILED", "error_message": "no model"}, "Failed: no model"),
        ({"expected_ids": [uuid.UUID(int=1)]}, "0 of 1 expected memories found."),
        ({"expected_ids": None, "memories_found": 0}, "Nothing was found."),
        ({"expected_ids": None, "memories_found": 2, "hallucination_detected": True},
         "2 memories found; the answer makes something up."),
        ({"expected_ids": None, "memories_found": 1, "context_utilized": True},
         "1 memory found; the answer rests on it."),
    ],
)  # fmt: skip
def test_run_news__says_what_came_of_it(columns: dict[str, Any], news: str) -> None:
    assert run_news(event("", None, **columns), hits=0) == news


def test_bars__parts_of_a_stage__lie_inside_it_and_count_once() -> None:
    found = bars({"analysis": 4.0, "keywords": 1.0, "search": 2.0, "response": 4.0})
    assert [(bar.name, bar.start, bar.width, bar.inside) for bar in found] == [
        ("analysis", 0.0, 0.5, False), ("keywords", 0.0, 0.125, True), ("search", 0.125, 0.25, True),
        ("response", 0.5, 0.5, False),
    ]  # fmt: skip


def test_bars__stages__follow_each_other_and_fill_the_whole() -> None:
    found = bars({"response": 6.0, "analysis": 3.0, "archive": 1.0})
    assert [(bar.name, bar.start, bar.width) for bar in found] == [
        ("analysis", 0.0, 0.3), ("response", 0.3, 0.6), ("archive", 0.9, 0.1)
    ]  # fmt: skip
