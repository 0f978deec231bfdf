"""A judge below the policy's agreement is out of the verdict, by name and with the reason; the replay is the same."""

from __future__ import annotations

import pytest

from contracts.actor import component
from experiments.models import ExperimentResult
from teacher.calibration.gate import agreements
from teacher.calibration.rule import AgreementRule, Standing, standing_of
from teacher.calibration.selectors import _cells, agreement_of, judged_cases, people_pairs
from teacher.judges import JUDGE_VERSION
from teacher.services import experiment_analyze, verdict_replay
from tests.experiments.makers import experiment
from tests.teacher.calibration.makers import ANNA, BEN, V, judge, judged_runs, label_all, recorded
from tests.teacher.events import BATCH, event, store
from tests.teacher.test_services import runs_of_both_arms

pytestmark = pytest.mark.django_db

TEACHER = component("teacher")
RULE = AgreementRule()


def labelled(*, wrong: int, version: str = JUDGE_VERSION, clean: int = 44, invented: int = 12) -> None:
    """Runs of another batch that this judge has judged and a person has labelled."""
    judged_runs(clean=clean, invented=invented, version=version, batch="labelled")
    label_all(judge_version=version, wrong=wrong)


def guarded() -> None:
    """An experiment that must not make more up."""
    made = experiment(TEACHER)
    criterion = {"metric": "hallucination_rate", "direction": "no_large_rise", "max_delta": 0.05}
    made.spec["success_criteria"].append(criterion)
    made.save()


def analyzed(rule: AgreementRule | None = RULE) -> ExperimentResult:
    guarded()
    runs_of_both_arms()
    return experiment_analyze(slug="e-1", batch=BATCH, rule=rule)


def guard(result: ExperimentResult) -> dict[str, object]:
    (found,) = [row for row in result.evaluation["criteria"] if row["metric"] == "hallucination_rate"]
    return dict(found)


def told(result: ExperimentResult) -> dict[str, tuple[bool, str]]:
    return {
        row["name"]: (row["ok"], row["detail"])
        for row in result.evaluation["health"]
        if row["name"].startswith("judge_agreement")
    }


# --- figures ----------------------------------------------------------------------------------------------------------


def test_agreements__every_case_as_the_judge__are_one() -> None:
    labelled(wrong=0)
    found = agreements(JUDGE_VERSION)
    assert {name: (row.n, row.kappa.value) for name, row in found.items()} == {
        "hallucination": (56, 1.0), "context": (56, 1.0), "relevance": (0, None),
    }  # fmt: skip
    assert standing_of(found["hallucination"], RULE) is Standing.COUNTS


def test_agreements__sample_of_rare_hallucinations__is_weighted_to_all_judged_runs() -> None:
    """20 of 200 clean cases are looked at and one turns out wrong: it stands for ten."""
    judged_runs(clean=200, invented=20)
    labels = label_all(size=40)
    missed = next(label for label in labels if label.hallucination == "no")
    type(missed).objects.filter(pk=missed.pk).update(ended_at=missed.labelled_at)
    type(missed).objects.create(
        content_hash=missed.content_hash, run_id=missed.run_id, labeller=missed.labeller, hallucination="yes",
        context="no", relevance="yes", seconds=1,
    )  # fmt: skip
    found = agreements(V)["hallucination"]
    assert found.tpr.value == pytest.approx(20 / 30)
    assert found.tnr.value == 1.0


def test_agreements__people_divided_or_cannot_tell__are_left_out() -> None:
    judged_runs(clean=6, invented=2)
    label_all(ANNA)
    label_all(BEN, draw=False, wrong=3)
    assert agreements(V)["hallucination"].n == 5
    (pair,) = people_pairs()["hallucination"]
    assert (pair.n, pair.agreed) == (8, 5)


def test_agreements__nothing_was_found__stands_for_no_case_of_the_context() -> None:
    """Half of the stratum found nothing: its weight for this question is that of the other half."""
    for number in range(20):
        row = recorded(number, **({} if number % 2 else {"memories_found": 0, "found_ids": [], "context": ""}))
        judge(row, hallucination=True, context=False)
    for number in range(20, 30):
        judge(recorded(number), hallucination=False, context=True)
    label_all()
    said = agreements(V)["context"]
    assert said.n == 20
    assert said.kappa.value == 1.0
    cells = _cells(V, "context", judged_cases(V))
    assert {(cell.mark, cell.weight, cell.n) for cell in cells} == {(False, 10.0, 10), (True, 10.0, 10)}


def test_agreements__other_version_on_the_same_cases__keeps_the_weights_of_the_draw() -> None:
    """The new version says yes to all: it finds every hallucination, and no clean answer."""
    rows = judged_runs(clean=90, invented=10)
    label_all(size=20)
    for row in rows:
        judge(row, hallucination=True, context=True, version="rules-2")
    found = agreement_of("rules-2", "hallucination", judged_cases("rules-2"))
    assert (found.n, found.tpr.value, found.tnr.value) == (20, 1.0, 0.0)
    assert found.kappa.value == pytest.approx(0.0, abs=1e-9)


def test_agreements__runs_were_deleted_since__keep_what_they_were_drawn_for() -> None:
    labelled(wrong=0)
    from sensor.services.removal import runs_forget

    runs_forget(run_ids=[case.case.run_id for case in judged_cases(JUDGE_VERSION)])
    assert agreements(JUDGE_VERSION)["hallucination"].n == 56


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_verdict__judge_is_agreed_with__counts() -> None:
    labelled(wrong=0)
    result = analyzed()
    assert result.verdict == "winner"
    assert told(result)["judge_agreement:hallucination_rate"] == (
        True, f"judge {JUDGE_VERSION} on hallucination: κ 1.00 of 56 labels reaches the 0.6 that the policy asks for",
    )  # fmt: skip


def test_verdict__judge_below_the_policy__its_metrics_are_missing_by_name() -> None:
    labelled(wrong=28)
    result = analyzed()
    assert result.verdict == "inconclusive"
    ok, why = told(result)["judge_agreement:hallucination_rate"]
    assert not ok
    assert "is below the 0.6 that the policy asks for" in why
    assert guard(result)["reason"] == f"does not count: {why}"
    assert guard(result)["n"] == 0
    assert result.metrics_variant["hallucination_rate"] is None
    assert result.metrics_variant["retrieval_precision"] is not None
    assert why in result.recommendation["reason"]
    assert result.recommendation["action"] == "keep"


def test_verdict__judge_below_the_policy__ids_still_make_a_loser() -> None:
    labelled(wrong=28)
    guarded()
    store(
        *(
            event("a x" if arm == "variant" or number % 7 == 0 else "a", "a", variant=arm, example_id=f"q{number}",
                  cluster=f"c{number}", judge_version=JUDGE_VERSION, hallucination_detected=False,
                  context_utilized=True, answer="I have no memory of that.")
            for number in range(80) for arm in ("baseline", "variant")
        )
    )  # fmt: skip
    assert experiment_analyze(slug="e-1", batch=BATCH, rule=RULE).verdict == "loser"


@pytest.mark.parametrize(("counts", "verdict"), [(True, "winner"), (False, "inconclusive")])
def test_verdict__nobody_has_labelled__is_told_and_counts_as_the_policy_says(counts: bool, verdict: str) -> None:
    result = analyzed(AgreementRule(uncalibrated_counts=counts))
    assert result.verdict == verdict
    assert told(result)["judge_agreement:hallucination_rate"] == (
        counts, f"judge {JUDGE_VERSION} on hallucination is not calibrated: 0 labels, the policy asks for 50",
    )  # fmt: skip


def test_verdict__disagreement_in_too_few_labels__is_not_believed_yet() -> None:
    labelled(wrong=10, clean=16, invented=4)
    assert analyzed().verdict == "winner"


def test_verdict__without_a_rule__asks_nobody() -> None:
    labelled(wrong=28)
    result = analyzed(None)
    assert (result.verdict, told(result)) == ("winner", {})


@pytest.mark.parametrize("wrong", [0, 28])
def test_replay__after_more_labels__is_the_same_to_the_byte(wrong: int) -> None:
    labelled(wrong=wrong)
    result = analyzed()
    label_all(BEN, draw=False, wrong=0 if wrong else 56)
    assert standing_of(agreements(JUDGE_VERSION)["hallucination"], RULE) is not Standing.COUNTS or wrong
    assert verdict_replay(slug=result.experiment_id).identical
