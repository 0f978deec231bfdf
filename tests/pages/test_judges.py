"""Judges on the page: how they stand, blind labelling one case at a time, and where people differ."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from contracts.actor import Actor, Role, component
from incidents.services import incident_open
from sensor.models import SensorEvent
from teacher.calibration.labelling import case_next, round_draw
from teacher.calibration.models import CalibrationRound, CaseLabel
from teacher.calibration.rule import AgreementRule
from teacher.judges import JUDGE_VERSION
from teacher.services import experiment_analyze
from tests.experiments.makers import experiment
from tests.teacher.calibration.makers import CLEAN, INVENTED, V, judge, judged_runs, label_all, recorded
from tests.teacher.events import BATCH
from tests.teacher.test_services import runs_of_both_arms

BOB = Actor(kind="person", name="bob", role=Role.OPERATOR)
EVE = Actor(kind="person", name="eve", role=Role.OPERATOR)
LABEL = "/judges/label/"


def said(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    return re.sub(r"\s+", " ", answer.content.decode())


def offered(actor: Actor = BOB) -> int:
    found = case_next(actor=actor)
    assert found is not None
    return found.case_id


def test_judges__nothing_judged__says_what_will_stand_here(viewer: Client) -> None:
    page = said(viewer.get("/judges/"))
    assert "<h1>No answer has been judged yet.</h1>" in page
    assert "people can label the same answers" in page


def test_judges__judged_and_not_labelled__is_not_calibrated_and_counts_meanwhile(viewer: Client) -> None:
    judged_runs(clean=3, invented=1)
    page = said(viewer.get("/judges/"))
    assert f"<h1>Judge {V} is not calibrated yet.</h1>" in page
    assert "4 runs judged since" in page
    assert "it is not calibrated, and counts meanwhile" in page
    assert "Draw 50 cases" not in page  # a viewer labels nothing


def test_judges__fifty_labels_agree__counts_with_interval_and_rates(operator: Client) -> None:
    judged_runs(clean=40, invented=12)
    label_all(BOB)
    page = said(operator.get("/judges/"))
    assert f"<h1>People agree with judge {V}: its marks count.</h1>" in page
    assert "<b>1.00</b>" in page
    assert "0 differences" in page
    assert page.count('class="course"') == 2
    assert "relevance of what was found" not in page  # this judge says nothing of it


def test_judges__people_disagree__does_not_count(viewer: Client) -> None:
    judged_runs(clean=40, invented=12)
    label_all(BOB, wrong=26)
    page = said(viewer.get("/judges/"))
    assert f"<h1>People agree too little with judge {V}.</h1>" in page
    assert '<span class="chip bad">does not count</span>' in page
    assert "52 differences" in page  # on 26 cases, on both questions


def test_judges__judge_and_people_say_yes_to_all__why_there_is_no_kappa_is_told(viewer: Client) -> None:
    judged_runs(clean=6, invented=0)
    label_all(BOB)
    assert "people and judge say the same of every case: κ is not defined" in said(viewer.get("/judges/"))


def test_judges__two_people__are_compared_with_each_other(viewer: Client) -> None:
    judged_runs(clean=8, invented=4)
    label_all(BOB)
    label_all(EVE, draw=False, wrong=3)
    page = said(viewer.get("/judges/"))
    assert "People among themselves" in page
    assert "bob, eve" in page
    assert "75%" in page


def test_judges__agreement_fell__incident_stands_on_the_page(viewer: Client) -> None:
    judged_runs(clean=1, invented=0)
    incident_open(kind="judge_drift", severity="warning", title="People agree less with judge rules-1", subject="x",
                  detail="agreement 60% in the latest 50 labels", actor=BOB)  # fmt: skip
    assert "agreement 60% in the latest 50 labels" in said(viewer.get("/judges/"))


# --- labelling --------------------------------------------------------------------------------------------------------


def test_label__nothing_drawn__offers_to_draw(operator: Client) -> None:
    judged_runs(clean=2, invented=1)
    page = said(operator.get(LABEL))
    assert "<h1>No cases are drawn yet.</h1>" in page
    assert f"Draw 50 cases of {V}" in page
    answer = operator.post("/judges/draw/", {"judge": V})
    assert (answer.status_code, answer["Location"]) == (302, LABEL)
    assert CalibrationRound.objects.get().size == 3


def test_label__case__is_shown_blind(operator: Client) -> None:
    row = recorded(1, forbidden=["Perm"], variant="secret-arm", parameter_version=7331, experiment="secret-test")
    judge(row, hallucination=True, context=False, reasons=("secret reason",))
    round_draw(actor=BOB)
    page = said(operator.get(LABEL))
    for text in ("Where?", "Answer 1.", "I moved to Kazan.", "should say", "must not say", "Perm", "0 of 1"):
        assert text in page
    for hidden in ("secret", "7331", V, "h+c", "hallucination_detected"):
        assert hidden not in page


def test_label__saved__is_kept_with_its_time_and_leads_to_the_next(operator: Client) -> None:
    judged_runs(clean=2, invented=0)
    round_draw(actor=BOB)
    answer = operator.post(LABEL, {"case": offered(), "seen": "2026-01-01T00:00:00+00:00", **CLEAN})
    assert (answer.status_code, answer["Location"]) == (302, LABEL)
    label = CaseLabel.objects.get()
    assert (label.labeller, label.hallucination, label.seconds) == ("person:bob", "no", 3600.0)
    assert "1 of 2" in said(operator.get(LABEL))


@pytest.mark.parametrize("seen", ["", "soon", "2026-13-01T00:00:00Z", "2999-01-01T00:00:00Z", "2026-01-01"])
def test_label__moment_is_missing_or_nonsense__counts_no_time(operator: Client, seen: str) -> None:
    judged_runs(clean=1, invented=0)
    round_draw(actor=BOB)
    operator.post(LABEL, {"case": offered(), "seen": seen, **CLEAN})
    assert CaseLabel.objects.get().seconds == 0


def test_label__answer_left_out__keeps_the_others_and_says_which(operator: Client) -> None:
    judged_runs(clean=1, invented=0)
    round_draw(actor=BOB)
    page = said(operator.post(LABEL, {"case": offered(), "context": "no", "hallucination": "yes"}), 422)
    assert "Say yes, no or cannot tell on relevance." in page
    assert 'name="context" value="no" required checked' in page


def test_label__nothing_was_found__asks_one_question(operator: Client) -> None:
    judge(recorded(1, memories_found=0, found_ids=[], context=""), hallucination=False)
    round_draw(actor=BOB)
    page = said(operator.get(LABEL))
    assert page.count("<fieldset>") == 1
    assert "nothing was found" in page


def test_label__skipped__comes_after_the_others(operator: Client) -> None:
    judged_runs(clean=2, invented=0)
    round_draw(actor=BOB)
    first = offered()
    operator.post("/judges/label/skip/", {"case": first})
    assert f'name="case" value="{first}"' not in said(operator.get(LABEL))


def test_label__undone__is_offered_again(operator: Client) -> None:
    judged_runs(clean=2, invented=0)
    label_all(BOB)
    assert "<h1>Every case of this round is labelled.</h1>" in said(operator.get(LABEL))
    answer = operator.post("/judges/label/undo/")
    page = said(operator.get(answer["Location"]))
    assert "Your last label is taken back." in page
    assert "1 of 2" in page


def test_label__wrong_number__is_a_sentence(operator: Client) -> None:
    assert "named by its number" in said(operator.get(LABEL, {"case": "x"}), 422)
    assert "there is no case 99" in said(operator.get(LABEL, {"case": "99"}), 404).lower()


def test_label__viewer__is_refused(viewer: Client) -> None:
    judged_runs(clean=1, invented=0)
    round_draw(actor=BOB)
    assert viewer.get(LABEL).status_code == 403
    for path in (LABEL, "/judges/draw/", "/judges/label/skip/", "/judges/label/undo/"):
        assert viewer.post(path, {"case": "1"}).status_code == 403
    assert not CaseLabel.objects.exists()


# --- differences ------------------------------------------------------------------------------------------------------


def test_differences__viewer__sees_texts_reason_and_who_said_what(viewer: Client) -> None:
    judged_runs(clean=0, invented=1)
    round_draw(actor=BOB)
    label_all(BOB, draw=False, wrong=1)
    page = said(viewer.get("/judges/differences/", {"judge": V}))
    assert f"<h1>People and judge {V} differ 2 times.</h1>" in page
    for text in ("Answer 0.", "<p>It says so</p>", "bob no", "I moved to Kazan."):
        assert text in page


def test_differences__who_has_not_labelled_the_case__stays_blind(operator: Client) -> None:
    judged_runs(clean=0, invented=1)
    round_draw(actor=EVE)
    label_all(EVE, draw=False, wrong=1)
    page = said(operator.get("/judges/differences/", {"judge": V}))
    assert "Answer 0." not in page
    assert "It says so" not in page
    assert "Only cases that you have labelled yourself" in page


def test_differences__run_is_gone__says_so(viewer: Client) -> None:
    judged_runs(clean=0, invented=1)
    round_draw(actor=BOB)
    label_all(BOB, draw=False, wrong=1)
    SensorEvent.objects.all().delete()
    assert "no longer recorded" in said(viewer.get("/judges/differences/", {"judge": V}))


def test_differences__none__says_where_they_appear(viewer: Client) -> None:
    page = said(viewer.get("/judges/differences/", {"judge": "rules-9"}))
    assert "nowhere differ" in page
    assert "appear here as cases are labelled" in page


def test_label__of_both_kinds__answers_are_what_was_clicked(operator: Client) -> None:
    judged_runs(clean=1, invented=0)
    round_draw(actor=BOB)
    operator.post(LABEL, {"case": offered(), **INVENTED})
    label = CaseLabel.objects.get()
    assert {name: getattr(label, name) for name in INVENTED} == INVENTED


# --- on the page of an experiment -------------------------------------------------------------------------------------


def experiment_page(client: Client, rule: AgreementRule) -> str:
    made = experiment(component("teacher"))
    made.spec["success_criteria"].append(
        {"metric": "hallucination_rate", "direction": "no_large_rise", "max_delta": 0.05}
    )
    made.save()
    runs_of_both_arms()
    experiment_analyze(slug=made.slug, batch=BATCH, rule=rule)
    return said(client.get(f"/experiments/{made.slug}/"))


def test_experiment__judge_is_not_calibrated__says_so(viewer: Client) -> None:
    page = experiment_page(viewer, AgreementRule())
    assert "judge not calibrated" in page
    assert f"Judge {JUDGE_VERSION} on hallucination is not calibrated: 0 labels, the policy asks for 50." in page
    assert "judge agreement" not in page  # no check mark where nothing was checked


def test_experiment__judge_does_not_count__names_the_metric_and_the_reason(viewer: Client) -> None:
    judged_runs(clean=44, invented=12, version=JUDGE_VERSION, batch="labelled")
    label_all(EVE, judge_version=JUDGE_VERSION, wrong=28)
    page = experiment_page(viewer, AgreementRule())
    assert "judge does not count" in page
    assert f"does not count: judge {JUDGE_VERSION} on hallucination: κ" in page
    assert '<span class="chip ">inconclusive</span>' in page


def test_judges__new_judge__judges_the_labelled_cases_by_a_click(operator: Client) -> None:
    judged_runs(clean=3, invented=1)
    label_all(BOB)
    assert "Judge the labelled cases" in said(operator.get("/judges/"))
    assert operator.post("/judges/rejudge/").status_code == 302
    page = said(operator.get("/judges/"))
    assert "4 labelled cases were judged now." in page
    assert f'<section class="card" id="{JUDGE_VERSION}">' in page


def test_judges__viewer__lets_nothing_be_judged(viewer: Client) -> None:
    assert viewer.post("/judges/rejudge/").status_code == 403
