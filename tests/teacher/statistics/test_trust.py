"""A metric whose judge is not agreed with enough: undecided with the reason, and all else decides as ever."""

from __future__ import annotations

from contracts.evaluation import Evaluation, HealthCheck, Sample, Verdict
from teacher.statistics import evaluate
from tests.teacher.statistics.factories import METRIC, increase, no_drop, no_rise, noisy, spec_of

WHY = "judge rules-1 on hallucination: κ 0.31 of 60 labels is below the 0.6 that the policy asks for"
DISTRUST = HealthCheck(name="judge_agreement:hallucination_rate", ok=False, blocks=False, detail=WHY)
TRUST = DISTRUST.model_copy(update={"ok": True})


def samples(shift: float, *, worse: float = 0.0, failed: int = 0, n: int = 120) -> list[Sample]:
    """Precision moves by `shift`; the judge sees `worse` more hallucinations in the variant; the first runs fail."""
    values = noisy(n, shift)
    return [
        Sample(
            example_id=f"e{row:04d}",
            variant=name,
            failed=row < failed,
            metrics={METRIC: None, "hallucination_rate": None}
            if row < failed
            else {METRIC: arm[row], "hallucination_rate": float(row < worse * n and name == "variant")},
        )
        for name, arm in zip(("baseline", "variant"), values, strict=True)
        for row in range(n)
    ]


def judged(over: list[Sample], *health: HealthCheck) -> Evaluation:
    return evaluate(spec_of(increase(), no_rise("hallucination_rate", 0.05)), over, health=health)


def test_evaluate__judge_counts__is_a_winner() -> None:
    assert judged(samples(0.2), TRUST).verdict is Verdict.WINNER


def test_evaluate__judge_does_not_count__guard_is_undecided_with_the_reason() -> None:
    found = judged(samples(0.2), DISTRUST)
    target, guard = found.criteria
    assert found.verdict is Verdict.INCONCLUSIVE
    assert target.passes
    assert (guard.passes, guard.failed_significantly, guard.n, guard.estimate) == (False, False, 0, None)
    assert guard.reason == f"does not count: {WHY}"
    assert any(WHY in note for note in found.notes)


def test_evaluate__judge_does_not_count__n_of_the_others_is_the_verdicts() -> None:
    found = judged(samples(0.2), DISTRUST)
    assert found.n == 120
    assert not any("below the floor" in note for note in found.notes)


def test_evaluate__ids_show_a_loss__is_a_loser_without_the_judge() -> None:
    assert judged(samples(-0.2), DISTRUST).verdict is Verdict.LOSER


def test_evaluate__distrusted_judge_sees_harm__makes_no_loser() -> None:
    assert judged(samples(0.2, worse=0.5), TRUST).verdict is Verdict.LOSER
    assert judged(samples(0.2, worse=0.5), DISTRUST).verdict is Verdict.INCONCLUSIVE


def test_evaluate__runs_failed__give_a_distrusted_metric_no_worst_value() -> None:
    found = judged(samples(0.2, failed=5), DISTRUST)
    assert found.metrics["baseline"]["hallucination_rate"] is None
    assert found.criteria[1].n == 0


def test_evaluate__every_criterion_rests_on_the_judge__there_is_no_verdict() -> None:
    found = evaluate(spec_of(no_rise("hallucination_rate", 0.05)), samples(0.2), health=[DISTRUST])
    assert (found.verdict, found.n) == (Verdict.INCONCLUSIVE, 0)


def test_evaluate__distrust_of_a_metric_without_criterion__changes_no_verdict() -> None:
    spec = spec_of(increase(), no_drop("retrieval_precision", -0.5))
    assert evaluate(spec, samples(0.2), health=[DISTRUST]).verdict is Verdict.WINNER
