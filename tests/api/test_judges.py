"""Labelling by a program: blind, in its own name, and the figures afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.actor import Role
from teacher.calibration.models import CalibrationCase, CaseLabel
from tests.api.test_routes import Program
from tests.teacher.calibration.makers import CLEAN, INVENTED, V, judge, judged_runs, recorded

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(db: None) -> Program:
    return Program(Role.OPERATOR)


def first(program: Program) -> dict[str, Any]:
    return dict(program.get("judges/cases/next").json())


def test_judges__none__says_what_the_policy_asks(program: Program) -> None:
    assert program.get("judges").json() == {
        "judges": [], "min_kappa": 0.6, "min_labels": 50, "uncalibrated_counts": True,
    }  # fmt: skip


def test_next__nothing_drawn__is_null(program: Program) -> None:
    assert first(program) == {"case": None, "done": 0, "size": 0}


def test_rounds__drawn_with_a_seed__say_what_they_were_drawn_from(program: Program) -> None:
    judged_runs(clean=5, invented=2)
    made = program.post("judges/rounds", {"size": 4, "seed": 9})
    assert made.status_code == 201
    assert {name: made.json()[name] for name in ("judge_version", "seed", "size", "frame")} == {
        "judge_version": V, "seed": 9, "size": 4, "frame": {"h+c-r0": 2, "h-c+r0": 5},
    }  # fmt: skip


def test_label__by_a_program__moves_on_in_its_name(program: Program) -> None:
    judged_runs(clean=2, invented=0)
    program.post("judges/rounds", {})
    case = first(program)["case"]
    assert (case["query"], case["context"][0]["heading"], case["key_facts"]) == ("Where?", "Memories", ["Kazan"])
    saved = program.post("judges/labels", {"case": case["case"], "seconds": 3, **CLEAN})
    assert (saved.status_code, saved.json()["labeller"]) == (201, "token:program operator")
    after = first(program)
    assert (after["done"], after["size"], after["case"]["position"]) == (1, 2, 2)
    assert program.post("judges/labels/undo").json() == {"case": case["case"]}
    assert first(program)["done"] == 0


def test_next__case__holds_no_word_of_the_judge(program: Program) -> None:
    row = recorded(1, variant="secret-arm", experiment="secret-test")
    judge(row, hallucination=True, reasons=("secret reason",))
    program.post("judges/rounds", {})
    text = program.get("judges/cases/next").content.decode()
    assert "secret" not in text
    assert V not in text


def test_next__skipped_cases__come_last(program: Program) -> None:
    judged_runs(clean=3, invented=0)
    program.post("judges/rounds", {})
    one, two, three = CalibrationCase.objects.order_by("position").values_list("pk", flat=True)
    assert program.get(f"judges/cases/next?skip={one}&skip={two}").json()["case"]["case"] == three


def test_judges__after_labels__tell_agreement_and_standing(program: Program) -> None:
    judged_runs(clean=3, invented=1)
    program.post("judges/rounds", {})
    while (case := first(program)["case"]) is not None:
        drawn = CalibrationCase.objects.get(pk=case["case"])
        program.post("judges/labels", {"case": drawn.pk, **(INVENTED if drawn.stratum[1] == "+" else CLEAN)})
    (found,) = program.get("judges").json()["judges"]
    assert (found["judge_version"], found["judged"]) == (V, 4)
    row = next(row for row in found["questions"] if row["question"] == "hallucination")
    assert (row["metric"], row["labels"], row["agreed"]) == ("hallucination_rate", 4, 4)
    assert row["kappa"]["value"] == 1.0
    assert (row["standing"], row["counts"]) == ("not calibrated", True)
    assert row["reason"] == f"judge {V} on hallucination is not calibrated: 4 labels, the policy asks for 50"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("judges/labels", {"case": 1, **CLEAN}, 404),
        ("judges/labels", {"case": 1, "hallucination": "maybe"}, 422),
        ("judges/labels", {"case": 1, **CLEAN, "seconds": -1}, 422),
        ("judges/rounds", {"size": 0}, 422),
        ("judges/rounds", {"judge_version": "none"}, 404),
        ("judges/labels/undo", {}, 404),
    ],
)
def test_labels__wrong_input__is_an_error_in_shape(program: Program, path: str, body: Any, status: int) -> None:
    answer = program.post(path, body)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_labels__by_a_viewer__are_refused() -> None:
    judged_runs(clean=1, invented=0)
    program = Program(Role.VIEWER)
    for path, body in (("judges/rounds", {}), ("judges/labels", {"case": 1, **CLEAN}), ("judges/labels/undo", {})):
        assert program.post(path, body).status_code == 403
    assert program.get("judges/cases/next").status_code == 403
    assert program.get("judges").status_code == 200
    assert not CaseLabel.objects.exists()
