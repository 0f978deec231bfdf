"""Cases are offered blind and in one order, labelled once a person, revised and taken back without being forgotten."""

from __future__ import annotations

import uuid
from dataclasses import fields
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from audit.models import AuditEntry
from contracts.actor import Actor
from kernel.errors import Conflict, InvalidInput, NotAuthorised, NotFound
from sensor.models import SensorEvent
from teacher.calibration.frame import CaseContent, candidates, contents, sections
from teacher.calibration.labelling import case_get, case_label, case_next, label_undo, round_draw
from teacher.calibration.models import CalibrationCase, CalibrationRound, CaseLabel
from tests.teacher.calibration.makers import (
    ANNA,
    BEN,
    CLEAN,
    CONTEXT,
    INVENTED,
    V,
    judge,
    judged_runs,
    label_all,
    recorded,
)

pytestmark = pytest.mark.django_db


def offered(actor: Actor = ANNA) -> int:
    found = case_next(actor=actor)
    assert found is not None
    return found.case_id


# --- which cases there are --------------------------------------------------------------------------------------------


def test_candidates__golden_failed_and_unjudged_runs__are_left_out() -> None:
    kept = recorded(1)
    judge(kept, hallucination=False)
    judge(recorded(2, split="golden"), hallucination=False)
    judge(recorded(3, status="FAILED"), hallucination=False)
    judge(recorded(4), hallucination=False, repeat=1)
    judge(recorded(5), hallucination=None, context=None)
    recorded(6)
    assert [item.run_id for item in candidates(judge_version=V)] == [kept.pipeline_run_id]


def test_candidates__same_content_many_times__is_one_case() -> None:
    for _ in range(3):
        judge(recorded(1), hallucination=False)
    assert len(candidates(judge_version=V)) == 1


def real(consent: bool) -> SensorEvent:
    return recorded(
        9, client_kind="user", mode="dialogue", cycle_type="online", split=None, dataset=None, example_id=None,
        batch=None, variant=None, consent=consent, query="Write to vera@example.org?", key_facts=None,
    )  # fmt: skip


def test_candidates__exchange_of_a_real_person__only_with_consent_and_masked() -> None:
    agreed, refused = real(True), real(False)
    judge(agreed, hallucination=False)
    judge(refused, hallucination=False)
    assert [item.run_id for item in candidates(judge_version=V)] == [agreed.pipeline_run_id]
    _, content = contents(run_ids=[agreed.pipeline_run_id])[agreed.pipeline_run_id]
    assert "vera@" not in content.query


def test_candidates__question_asked_again_after_consent_was_withdrawn__is_gone() -> None:
    source = real(True)
    again = recorded(10, dataset="online", split="train", example_id=f"online-{source.pipeline_run_id}")
    judge(again, hallucination=False)
    assert len(candidates(judge_version=V)) == 1
    SensorEvent.objects.filter(pk=source.pk).update(consent=False)
    assert candidates(judge_version=V) == []
    assert contents(run_ids=[again.pipeline_run_id]) == {}


# --- rounds -----------------------------------------------------------------------------------------------------------


def test_draw__fifty_of_many__keeps_the_frame_and_says_who() -> None:
    judged_runs(clean=60, invented=8)
    made = round_draw(actor=ANNA, size=20)
    assert (made.judge_version, made.size, made.drawn_by) == (V, 20, "person:anna")
    assert made.frame == {"h+c-r0": 8, "h-c+r0": 60}
    assert CalibrationCase.objects.filter(round=made, stratum="h+c-r0").count() == 8
    assert AuditEntry.objects.get(action="calibration.drawn").after["cases"] == 20  # type: ignore[index]


def test_draw__same_seed__draws_the_same_cases() -> None:
    judged_runs(clean=40, invented=8)
    first, second = (round_draw(actor=ANNA, size=20, seed=5) for _ in range(2))
    hashes = [list(made.cases.values_list("content_hash", flat=True)) for made in (first, second)]
    assert hashes[0] == hashes[1]


def test_draw__nothing_is_judged__says_so(bob: Actor) -> None:
    with pytest.raises(NotFound, match="no run is judged yet"):
        round_draw(actor=bob)


def test_draw__golden_runs_alone_are_judged__says_so() -> None:
    judge(recorded(1, split="golden"), hallucination=False)
    with pytest.raises(NotFound, match="nothing that people may be shown"):
        round_draw(actor=ANNA)


@pytest.mark.parametrize("size", [0, 501])
def test_draw__size_out_of_range__is_refused(size: int) -> None:
    with pytest.raises(InvalidInput, match="1 to 500"):
        round_draw(actor=ANNA, size=size)


# --- the next case ----------------------------------------------------------------------------------------------------


def test_next__case__tells_texts_and_truth_and_nothing_of_judge_or_variant() -> None:
    judged_runs(clean=1, invented=0)
    round_draw(actor=ANNA)
    found = case_next(actor=ANNA)
    assert found is not None
    assert found.content.sections == (("Memories", ("[1] 2025-03-02 | Anna: I moved to Kazan.",)),)
    assert (found.content.query, found.content.answer, found.content.key_facts) == ("Where?", "Answer 0.", ("Kazan",))
    assert {field.name for field in fields(CaseContent)} == {
        "run_id", "query", "answer", "sections", "found", "should_retrieve", "key_facts", "forbidden",
    }  # fmt: skip


def test_next__two_people__see_the_same_order() -> None:
    judged_runs(clean=10, invented=4)
    round_draw(actor=ANNA)
    seen: dict[str, list[str]] = {}
    for actor in (ANNA, BEN):
        label_all(actor, draw=False)
        seen[actor.name] = list(
            CaseLabel.objects.filter(labeller=actor.label).order_by("id").values_list("content_hash", flat=True)
        )
    assert seen["anna"] == seen["ben"]
    assert len(seen["ben"]) == 14


def test_next__skipped_case__comes_last() -> None:
    judged_runs(clean=3, invented=0)
    round_draw(actor=ANNA)
    first = offered()
    second = case_next(actor=ANNA, skipped=frozenset({first}))
    assert second is not None
    assert second.position == 2
    last = case_next(actor=ANNA, skipped=frozenset(CalibrationCase.objects.values_list("pk", flat=True)))
    assert last is not None
    assert last.case_id == first


def test_next__run_is_no_longer_recorded__is_passed_by() -> None:
    judged_runs(clean=2, invented=0)
    round_draw(actor=ANNA)
    SensorEvent.objects.filter(pipeline_run_id=CalibrationCase.objects.get(pk=offered()).run_id).delete()
    found = case_next(actor=ANNA)
    assert found is not None
    assert found.position == 2


def test_next__in_a_later_round__what_was_labelled_counts_as_done() -> None:
    judged_runs(clean=6, invented=0)
    label_all(size=3)
    round_draw(actor=ANNA, size=6)
    found = case_next(actor=ANNA)
    assert found is not None
    assert (found.done, found.size) == (3, 6)


def test_next__no_round__is_none(bob: Actor) -> None:
    assert case_next(actor=bob) is None


# --- labels -----------------------------------------------------------------------------------------------------------


def drawn_case(**columns: Any) -> int:
    row = recorded(1, **columns)
    judge(row, hallucination=False)
    round_draw(actor=ANNA)
    return offered()


def test_label__revised__keeps_the_first_in_the_history() -> None:
    case = drawn_case()
    case_label(actor=ANNA, case_id=case, answers=CLEAN, seconds=4)
    case_label(actor=ANNA, case_id=case, answers=INVENTED, seconds=9.5)
    assert [(row.hallucination, row.ended_at is None) for row in CaseLabel.objects.all()] == [
        ("no", False),
        ("yes", True),
    ]


def test_label__of_two_people__both_stand() -> None:
    case = drawn_case()
    for actor in (ANNA, BEN):
        case_label(actor=actor, case_id=case, answers=CLEAN, seconds=4)
    assert CaseLabel.objects.filter(ended_at__isnull=True).count() == 2


def test_label__nothing_was_found__asks_for_claims_alone() -> None:
    case = drawn_case(memories_found=0, found_ids=[])
    label = case_label(actor=ANNA, case_id=case, answers={"hallucination": "no"}, seconds=1)
    assert (label.context, label.relevance) == ("", "")


@pytest.mark.parametrize("answers", [{}, {**CLEAN, "context": "maybe"}, {"hallucination": "no"}])
def test_label__answer_missing_or_unknown__is_refused(answers: dict[str, str]) -> None:
    case = drawn_case()
    with pytest.raises(InvalidInput, match="say yes, no or cannot tell"):
        case_label(actor=ANNA, case_id=case, answers=answers, seconds=1)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_label__impossible_time__is_refused(seconds: float) -> None:
    case = drawn_case()
    with pytest.raises(InvalidInput, match="time"):
        case_label(actor=ANNA, case_id=case, answers=CLEAN, seconds=seconds)


def test_label__content_changed_since_the_draw__is_refused() -> None:
    case = drawn_case()
    SensorEvent.objects.update(answer="Something else.")
    with pytest.raises(Conflict, match="changed since"):
        case_label(actor=ANNA, case_id=case, answers=CLEAN, seconds=1)


def test_label__by_a_viewer__is_refused(charlie: Actor) -> None:
    case = drawn_case()
    for act in (
        lambda: case_label(actor=charlie, case_id=case, answers=CLEAN, seconds=1),
        lambda: case_next(actor=charlie),
        lambda: case_get(actor=charlie, case_id=case),
        lambda: label_undo(actor=charlie),
        lambda: round_draw(actor=charlie),
    ):
        with pytest.raises(NotAuthorised):
            act()
    assert not CaseLabel.objects.exists()


def test_undo__latest_label__is_taken_back_and_offered_again() -> None:
    judged_runs(clean=3, invented=0)
    labels = label_all()
    case = label_undo(actor=ANNA)
    assert CalibrationCase.objects.get(pk=case).content_hash == labels[-1].content_hash
    assert offered() == case
    assert CaseLabel.objects.filter(ended_at__isnull=False).count() == 1


def test_undo__nothing_of_mine__is_refused() -> None:
    drawn_case()
    with pytest.raises(NotFound, match="no label of yours"):
        label_undo(actor=BEN)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM teacher_case_labels",
        "UPDATE teacher_case_labels SET hallucination = 'no'",
        "DELETE FROM teacher_calibration_cases",
        "UPDATE teacher_calibration_rounds SET seed = 1",
    ],
)
def test_database__label_round_or_case__is_not_rewritten(statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_sections__of_a_context__have_headings_and_leave_the_question_out() -> None:
    text = "## Memories\n[1] One.\n[2] Two.\n\n## Recent exchanges\nUser: Hi.\n## Question\nWhere?"
    assert sections(text) == (("Memories", ("[1] One.", "[2] Two.")), ("Recent exchanges", ("User: Hi.",)))
    assert sections("told without headings") == (("", ("told without headings",)),)
    assert sections(CONTEXT)[0][0] == "Memories"


def test_round__of_an_unknown_version__is_not_found() -> None:
    judged_runs(clean=1, invented=0)
    with pytest.raises(NotFound, match="llm-9"):
        round_draw(actor=ANNA, judge_version="llm-9")
    assert not CalibrationRound.objects.exists()
    with pytest.raises(NotFound):
        case_label(actor=ANNA, case_id=1, answers=CLEAN, seconds=1)
    assert contents(run_ids=[uuid.uuid4()]) == {}
