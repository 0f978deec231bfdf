"""Effects planted in the data, through the whole product: found when they are there, refused when they do harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from experiments.models import EvaluationPass, Experiment, ExperimentResult
from hypotheses.models import Hypothesis
from tests.manager.planted import AFTER, BEFORE, FACTOR, planted_load, planted_run
from tuner.selectors import active_version, version_values

pytestmark = pytest.mark.django_db(transaction=True)


def criterion(experiment: Experiment, metric: str) -> dict[str, Any]:
    evaluation = ExperimentResult.objects.get(experiment_id=experiment.slug).evaluation
    found: dict[str, Any] = next(item for item in evaluation["criteria"] if item["metric"] == metric)
    return found


def step_of(experiment: Experiment) -> tuple[str, Any, Any]:
    return experiment.factor, experiment.from_value, experiment.to_value


def hypothesis_of(experiment: Experiment) -> Hypothesis:
    return Hypothesis.objects.get(experiments=experiment)


def active_value() -> Any:
    return version_values(active_version().version)[FACTOR]


def test_campaign__better_value_planted__finds_tests_applies_and_confirms_it(tmp_path: Path) -> None:
    planted_load(tmp_path, train=[("crowded_out", 12)], validation=[("crowded_out", 66)], golden=[("crowded_out", 10)])
    campaign, experiment = planted_run()
    assert step_of(experiment) == (FACTOR, BEFORE, AFTER)
    assert (experiment.decision, hypothesis_of(experiment).status) == ("applied", "confirmed")
    assert hypothesis_of(experiment).next_steps == [f"try {FACTOR} further in the same direction"]
    assert active_value() == AFTER
    assert active_version().stable_since is not None
    assert (campaign.golden_after or {})["metrics"]["retrieval_recall"] == 1.0


def test_campaign__value_that_raises_the_target_and_breaks_a_guard__is_refused_by_the_verdict(tmp_path: Path) -> None:
    planted_load(
        tmp_path,
        train=[("crowded", 12)],
        validation=[("crowded", 52), ("narrow", 14)],
        golden=[("crowded", 10)],
    )
    _, experiment = planted_run("retrieval_precision", keep="retrieval_recall")
    assert step_of(experiment) == (FACTOR, BEFORE, AFTER)
    assert criterion(experiment, "retrieval_precision")["passes"] is True
    assert criterion(experiment, "retrieval_recall")["passes"] is False
    assert experiment.decision == "refused:verdict"
    assert hypothesis_of(experiment).status != "confirmed"
    assert not EvaluationPass.objects.filter(purpose="gate").exists()
    assert active_value() == BEFORE


def test_campaign__effect_of_nothing_on_the_whole__is_not_confirmed(tmp_path: Path) -> None:
    """Train promises a gain that is not there: as many questions lose by the step as win."""
    planted_load(
        tmp_path,
        train=[("crowded_out", 12)],
        validation=[("crowded_out", 33), ("narrow", 33)],
        golden=[("crowded_out", 10)],
    )
    _, experiment = planted_run()
    assert step_of(experiment) == (FACTOR, BEFORE, AFTER)
    assert criterion(experiment, "retrieval_recall")["estimate"] == 0.0
    assert criterion(experiment, "retrieval_recall")["passes"] is False
    assert (experiment.decision, active_value()) == ("refused:verdict", BEFORE)
    assert any("another factor" in text for text in hypothesis_of(experiment).next_steps)
    assert hypothesis_of(experiment).status != "confirmed"


def test_campaign__value_that_helps_validation_and_hurts_golden__is_refused_by_the_gate(tmp_path: Path) -> None:
    planted_load(tmp_path, train=[("crowded_out", 12)], validation=[("crowded_out", 66)], golden=[("narrow", 10)])
    _, experiment = planted_run()
    assert step_of(experiment) == (FACTOR, BEFORE, AFTER)
    assert ExperimentResult.objects.get(experiment_id=experiment.slug).verdict == "winner"
    assert experiment.decision == "refused:golden"
    assert hypothesis_of(experiment).next_steps == ["it was not applied: try another factor"]
    assert "on the golden set" in experiment.decision_reason
    assert active_value() == BEFORE
