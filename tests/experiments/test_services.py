"""The registry of experiments: lifecycle under races, one run per factor, results that stay."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from audit.selectors import entries
from contracts.actor import Actor, component
from contracts.evaluation import CriterionResult, Evaluation, Sample, Verdict
from contracts.recommendation import Recommendation
from experiments.domain.lifecycle import EXPERIMENT, ExperimentStatus
from experiments.models import Experiment, ExperimentResult
from experiments.selectors import experiment_by_slug, result_of
from experiments.services import experiment_bind_arms, experiment_transition, golden_record, result_record
from kernel.canonical import stable_hash
from kernel.errors import Conflict, IllegalTransition, NotFound
from tests.experiments.makers import experiment, spec

pytestmark = pytest.mark.django_db

MANAGER = component("manager")
S = ExperimentStatus
LIFE = (S.RUNNING, S.COMPLETED, S.ANALYZED, S.APPLIED, S.ROLLED_BACK)


def move(target: ExperimentStatus, slug: str = "e-1", **more: Any) -> Experiment:
    return experiment_transition(slug=slug, target=target, actor=MANAGER, **more)


def together(*works: Callable[[], object]) -> list[object]:
    """Each in a thread with connections of its own, started at one moment; gives results or errors."""
    start, found = threading.Barrier(len(works)), list[object]()

    def work(each: Callable[[], object]) -> None:
        start.wait()
        try:
            found.append(each())
        except Exception as error:
            found.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(each,)) for each in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


# --- registering ------------------------------------------------------------------------------------------------------


def test_register__new__is_planned_and_in_the_change_log() -> None:
    made = experiment(MANAGER, needs_approval=["too far"])

    assert (made.status, made.factor, made.from_value, made.to_value) == ("planned", "retrieval.top_k", 3, 2)
    assert made.needs_approval == ["too far"]
    entry = entries(experiment="e-1").get()
    assert (entry.action, entry.parameter) == ("experiment.planned", "retrieval.top_k")
    assert entry.after == {"param": "retrieval.top_k", "from": 3, "to": 2}


def test_register__same_slug_again__is_the_same_experiment() -> None:
    assert experiment(MANAGER).pk == experiment(MANAGER).pk
    assert entries(experiment="e-1").count() == 1


def test_experiment_by_slug__unknown__is_not_found() -> None:
    with pytest.raises(NotFound, match="'nothing'"):
        experiment_by_slug("nothing")


# --- the lifecycle ----------------------------------------------------------------------------------------------------


def test_transition__whole_life__is_stamped_and_audited_at_each_step() -> None:
    experiment(MANAGER)

    for target in LIFE:
        move(target, reason=f"to {target}")

    row = experiment_by_slug("e-1")
    stamps = [row.created_at, row.started_at, row.completed_at, row.analyzed_at, row.decided_at]
    assert row.status == "rolled_back"
    assert all(stamps)
    assert stamps == sorted(stamps, key=lambda stamp: stamp or row.created_at)
    told = entries(experiment="e-1").order_by("id").values_list("action", "before", "after", "reason")[1:]
    steps = zip((S.PLANNED, *LIFE), LIFE, strict=False)
    assert list(told) == [
        (f"experiment.{after}", {"status": str(before)}, {"status": str(after)}, f"to {after}")
        for before, after in steps
    ]


@pytest.mark.parametrize("source", list(S))
def test_transition__step_that_the_lifecycle_lacks__is_refused(source: ExperimentStatus) -> None:
    experiment(MANAGER)
    Experiment.objects.update(status=source)

    for target in S:
        if target != source and not EXPERIMENT.may(source, target):
            with pytest.raises(IllegalTransition):
                move(target)
    assert experiment_by_slug("e-1").status == source


def test_transition__already_there__does_nothing() -> None:
    experiment(MANAGER)
    first = move(S.RUNNING).started_at

    assert move(S.RUNNING).started_at == first
    assert entries(experiment="e-1").filter(action="experiment.running").count() == 1


def test_transition__fields__are_written_with_the_step() -> None:
    experiment(MANAGER)

    assert move(S.REJECTED, decision="refused", decision_reason="no").decision_reason == "no"
    assert experiment_by_slug("e-1").decision == "refused"


@pytest.mark.django_db(transaction=True)
def test_transition__two_at_once_to_different_ends__one_wins_and_one_row_is_audited() -> None:
    experiment(MANAGER)
    for target in (S.RUNNING, S.COMPLETED, S.ANALYZED):
        move(target)

    found = together(lambda: move(S.APPLIED), lambda: move(S.REJECTED))

    won = [item for item in found if isinstance(item, Experiment)]
    lost = [item for item in found if isinstance(item, Conflict | IllegalTransition)]
    assert (len(won), len(lost)) == (1, 1)
    assert experiment_by_slug("e-1").status == won[0].status
    assert entries(experiment="e-1").filter(action__in=["experiment.applied", "experiment.rejected"]).count() == 1


def test_transition__changed_between_look_and_write__is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = experiment(MANAGER)
    Experiment.objects.update(status=S.REJECTED)
    monkeypatch.setattr("experiments.services.experiment_by_slug", lambda _: seen)

    with pytest.raises(Conflict, match="no longer planned"):
        move(S.RUNNING)
    assert entries(experiment="e-1").count() == 1


def test_transition__second_experiment_on_a_factor__is_a_conflict_and_stays_planned() -> None:
    experiment(MANAGER, "e-1")
    experiment(MANAGER, "e-2")
    experiment(MANAGER, "e-3", factor="llm.temperature")
    move(S.RUNNING, "e-1")

    with pytest.raises(Conflict, match=r"another experiment on retrieval\.top_k is running"):
        move(S.RUNNING, "e-2")

    assert experiment_by_slug("e-2").status == S.PLANNED
    assert move(S.RUNNING, "e-3").status == S.RUNNING
    move(S.COMPLETED, "e-1")
    assert move(S.RUNNING, "e-2").status == S.RUNNING


@pytest.mark.django_db(transaction=True)
def test_transition__two_experiments_on_a_factor_start_at_once__one_runs() -> None:
    experiment(MANAGER, "e-1")
    experiment(MANAGER, "e-2")

    found = together(lambda: move(S.RUNNING, "e-1"), lambda: move(S.RUNNING, "e-2"))

    assert sum(isinstance(item, Conflict) for item in found) == 1
    assert Experiment.objects.filter(status=S.RUNNING).count() == 1


# --- arms -------------------------------------------------------------------------------------------------------------


def test_bind_arms__once_and_again__is_harmless_and_other_versions_are_a_conflict() -> None:
    experiment(MANAGER)

    for _ in range(2):
        experiment_bind_arms(slug="e-1", arm_versions={"baseline": 4, "variant": 5})
    with pytest.raises(Conflict, match="already runs other parameter versions"):
        experiment_bind_arms(slug="e-1", arm_versions={"baseline": 4, "variant": 6})

    assert experiment_by_slug("e-1").arm_versions == {"baseline": 4, "variant": 5}


def test_bind_arms__unknown_experiment__is_not_found() -> None:
    with pytest.raises(NotFound):
        experiment_bind_arms(slug="e-9", arm_versions={"baseline": 1})


# --- results ----------------------------------------------------------------------------------------------------------


def evaluation(verdict: Verdict = Verdict.WINNER) -> Evaluation:
    goal = CriterionResult(
        metric="retrieval_precision", direction="increase", estimate=0.1, low=0.05, high=None, p_value=0.001,
        p_two_sided=0.002, passes=True, method="t", reason="", n=60,
    )  # fmt: skip
    return Evaluation(
        experiment_id="e-1", variant="variant", verdict=verdict, criteria=(goal,), health=(), n=60, needs_n=None,
        notes=("one", "two"), engine_version="1.0.0",
        metrics={"baseline": {"retrieval_precision": 0.4}, "variant": {"retrieval_precision": 0.5}},
    )  # fmt: skip


def record(verdict: Verdict = Verdict.WINNER) -> ExperimentResult:
    return result_record(
        evaluation=evaluation(verdict),
        spec=spec(),
        samples=[Sample(example_id="a", variant="baseline", metrics={"retrieval_precision": 0.1})],
        recommendation=Recommendation(action="keep", experiment_id="e-1", reason="r"),
        judge_version="j",
        by_category={"metric": "retrieval_precision"},
    )


def test_result__recorded__holds_the_missions_columns_and_what_a_replay_needs() -> None:
    record()

    row = result_of("e-1")
    assert row is not None
    assert (row.verdict, row.p_values, row.notes) == ("winner", {"retrieval_precision": 0.002}, "one; two")
    assert (row.metrics_baseline, row.metrics_variant) == ({"retrieval_precision": 0.4}, {"retrieval_precision": 0.5})
    assert (row.engine_version, row.judge_version) == ("1.0.0", "j")
    assert row.samples_hash == stable_hash(row.samples)
    assert Evaluation.model_validate(row.evaluation) == evaluation()


def test_result__recorded_again__stays_as_it_was() -> None:
    first = record()

    assert record(Verdict.LOSER).pk == first.pk
    assert ExperimentResult.objects.get().verdict == "winner"


@pytest.mark.django_db(transaction=True)
def test_result__recorded_by_two_at_once__is_one() -> None:
    found = together(record, record)

    assert [type(item) for item in found] == [ExperimentResult, ExperimentResult]
    assert ExperimentResult.objects.count() == 1


def test_golden_record__once__is_kept_and_not_overwritten() -> None:
    record()

    for text in ("first", "second"):
        golden_record(slug="e-1", golden={"reason": text})

    assert ExperimentResult.objects.get().golden == {"reason": "first"}


def test_transition__by_a_person__names_them_in_the_change_log(alice: Actor) -> None:
    experiment(MANAGER)

    experiment_transition(slug="e-1", target=S.REJECTED, actor=alice, reason="not now")

    assert entries(initiator="alice").get().action == "experiment.rejected"
