"""A whole campaign on real PostgreSQL: what it leaves behind, and how it is told."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.template.exceptions import TemplateDoesNotExist
from django.template.loader import get_template

from audit.models import AuditEntry
from audit.services import chain_verify
from experiments.models import EvaluationPass, Experiment, ExperimentResult
from goals.models import Campaign
from manager.foreground import learn_json
from manager.models import JournalEntry
from sensor.models import SensorEvent
from tests.manager.story import recorded_ids, run_ids
from tuner.models import ParameterVersion
from tuner.selectors import active_version, version_values

pytestmark = pytest.mark.django_db


def told(*arguments: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def test_campaign__at_its_end__is_completed_with_its_reason(finished: Campaign) -> None:
    assert finished.status == "completed"
    assert finished.end_reason
    assert finished.cycles.filter(finished_at__isnull=True).count() == 0


def test_campaign__each_cycle__has_an_outcome_and_no_lease(finished: Campaign) -> None:
    for cycle in finished.cycles.all():
        assert cycle.outcome
        assert (cycle.state, cycle.lease_owner) == ("IDLE", "")


def test_campaign__each_experiment__has_a_verdict_and_a_decision_with_its_reason(finished: Campaign) -> None:
    experiments = list(finished.experiments.all())
    assert experiments
    for experiment in experiments:
        assert ExperimentResult.objects.get(experiment_id=experiment.slug).verdict
        assert experiment.decision
        assert experiment.decision_reason


def test_campaign__its_decisions__hold_an_applied_and_a_refused_one(finished: Campaign) -> None:
    decisions = set(finished.experiments.values_list("decision", flat=True))
    assert "applied" in decisions
    assert any(decision.startswith("refused:") for decision in decisions)


def test_campaign__applied_change__is_active_logged_and_told(finished: Campaign) -> None:
    experiment = finished.experiments.get(decision="applied")
    active = active_version()
    assert (active.experiment, version_values(active.version)[experiment.factor]) == (
        experiment.slug,
        experiment.to_value,
    )
    logged = AuditEntry.objects.get(action="parameters.activated", experiment=experiment.slug)
    assert (logged.parameter, (logged.after or {})["value"]) == (experiment.factor, experiment.to_value)
    assert JournalEntry.objects.filter(campaign=finished, kind="applied", experiment=experiment.slug).count() == 1


def test_campaign__applied_change__passed_the_golden_gate_and_was_confirmed(finished: Campaign) -> None:
    experiment = finished.experiments.get(decision="applied")
    assert ExperimentResult.objects.get(experiment_id=experiment.slug).golden["passed"] is True
    assert EvaluationPass.objects.filter(experiment=experiment.slug, split="golden", purpose="gate").count() == 1
    assert active_version().stable_since is not None


def test_campaign__refused_changes__never_became_a_version(finished: Campaign) -> None:
    for experiment in finished.experiments.filter(decision__startswith="refused"):
        assert not ParameterVersion.objects.filter(kind="production", experiment=experiment.slug).exists()


def test_campaign__before_and_after__show_the_gain_on_golden(finished: Campaign) -> None:
    before, after = finished.golden_before or {}, finished.golden_after or {}
    assert after["metrics"]["retrieval_recall"] > before["metrics"]["retrieval_recall"]
    assert finished.end_version == active_version().version != finished.start_version


def test_campaign__every_run__is_recorded_once(finished: Campaign) -> None:
    runs, recorded = run_ids(), recorded_ids()
    assert sorted(runs) == sorted(recorded)


def test_campaign__golden_questions__are_only_asked_by_gate_and_monitor(finished: Campaign) -> None:
    golden = EvaluationPass.objects.filter(split="golden")
    assert set(golden.values_list("purpose", flat=True)) == {"gate", "monitor"}
    assert not SensorEvent.objects.filter(split="golden", batch__contains="screen").exists()


def test_campaign__its_change_log__is_an_unbroken_chain(finished: Campaign) -> None:
    report = chain_verify()
    assert report.ok, report.reason


def test_report__as_markdown__names_every_experiment(finished: Campaign) -> None:
    text = told("report", finished.number)
    assert text.startswith(f"# Campaign {finished.number}: Retrieval recall")
    for experiment in Experiment.objects.filter(campaign=finished):
        assert f"### {experiment.slug}: " in text


def test_report__as_json__counts_what_the_registry_holds(finished: Campaign) -> None:
    content = json.loads(told("report", finished.number, format="json"))
    assert len(content["experiments"]) == finished.experiments.count()
    assert len(content["applied"]) == finished.experiments.filter(decision="applied").count()
    assert content["waiting"] == []


def test_report__as_html__is_a_whole_document(finished: Campaign) -> None:
    try:
        get_template("manager/report_document.html")
    except TemplateDoesNotExist:
        pytest.skip("the report's template is not there yet")
    text = told("report", finished.number, format="html")
    assert text.lstrip().lower().startswith("<!doctype html")
    assert "Raise recall" in text


def test_learn_json__finished_campaign__has_the_documented_shape(finished: Campaign) -> None:
    shape = learn_json(finished, [])
    assert set(shape) == {
        *("campaign", "goal", "cycles", "verdicts", "versions", "status", "approvals"),
        *("metrics_before", "metrics_after", "golden_before", "golden_after"),
    }
    assert shape["versions"] == [active_version().version]


def test_replay__all__is_identical(finished: Campaign) -> None:
    text = told("replay", all=True)
    count = finished.experiments.count()
    assert text.endswith(f"{count} of {count} identical\n")


def test_evaluate__active_version__has_the_documented_shape_and_the_campaigns_figures(finished: Campaign) -> None:
    shape = json.loads(told("evaluate", split="validation", dataset=finished.dataset, json=True))
    assert set(shape) == {"dataset", "split", "version", "n", "metrics", "by_category"}
    assert shape["version"] == active_version().version
    assert shape["metrics"]["retrieval_recall"] == (finished.metrics_after or {})["metrics"]["retrieval_recall"]
    assert set(shape["by_category"]) == {"factual", "temporal"}
