"""Experiments that people write: every error by its path, planned with the standing guards, and started by a person."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from contracts.actor import Actor, Role
from contracts.goal import Autonomy
from experiments.models import Experiment
from experiments.spec_text import spec_read, spec_write
from goals.models import Campaign
from hypotheses.domain.lifecycle import HypothesisStatus
from hypotheses.models import Hypothesis
from kernel.errors import Conflict, InvalidInput, NotAuthorised, NotFound
from manager.models import Approval, JournalEntry
from manager.services.importing import spec_import
from tests.manager.world import DATASET, Sizes, campaign_make, dataset_load, experiment_won
from tests.pages.world import cycle_measured

BOB = Actor(kind="person", name="bob", role=Role.OPERATOR)
EVE = Actor(kind="person", name="eve", role=Role.VIEWER)


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=2, golden=1))
    found = campaign_make(autonomy=Autonomy.SEMI_AUTO)
    cycle_measured(found, number=1, recall=0.41)
    return found


def written(**more: Any) -> dict[str, Any]:
    """The mission's example, on what the test's goal allows."""
    return {
        "type": "experiment_spec",
        "experiment_id": "top_k_3_vs_2",
        "variants": [
            {"name": "baseline", "params": {"retrieval.top_k": 3, "llm.temperature": 0.7}},
            {"name": "variant", "params": {"retrieval.top_k": 2, "llm.temperature": 0.7}},
        ],
        "assignment": {"mode": "by_example", "split": [0.5, 0.5]},
        "success_criteria": [
            {"metric": "retrieval_recall", "direction": "increase", "min_delta": 0.05, "p_value_threshold": 0.05},
            {"metric": "retrieval_precision", "direction": "no_large_drop", "max_delta": -0.03},
        ],
        **more,
    }


def arms(**values: Any) -> list[dict[str, Any]]:
    return [{"name": "baseline", "params": {}}, {"name": "variant", "params": values}]


def errors_of(data: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        spec_import(text=yaml.safe_dump(data), actor=BOB)
    return {item["path"]: item["message"] for item in caught.value.details["errors"]}


@pytest.mark.parametrize("dump", [json.dumps, yaml.safe_dump])
def test_import__missions_example__is_planned_with_a_hypothesis_and_waits_for_a_person(
    campaign: Campaign, dump: Any
) -> None:
    done = spec_import(text=dump(written()), actor=BOB, because="fewer memories distract less")

    found = Experiment.objects.get(slug="top_k_3_vs_2")
    assert (found.status, found.factor, found.from_value, found.to_value) == ("planned", "retrieval.top_k", 3, 2)
    assert (found.campaign, found.dataset, found.metric) == (campaign, DATASET, "retrieval_recall")
    hypothesis = Hypothesis.objects.get()
    assert "because fewer memories distract less" in hypothesis.description
    assert hypothesis.related_experiments == [found.slug]
    assert (done.approval.kind, done.approval.status) == ("start", "pending")
    assert "written by hand by person:bob" in done.approval.reasons[0]
    assert JournalEntry.objects.filter(campaign=campaign, kind="imported", experiment=found.slug).count() == 1


def test_import__spec__is_paired_and_gets_the_standing_guards_and_keeps_its_own_narrower_one(
    campaign: Campaign,
) -> None:
    done = spec_import(text=json.dumps(written()), actor=BOB)

    spec = spec_read(json.dumps(done.experiment.spec))
    margins = {item.metric: item.max_delta for item in spec.success_criteria if item.is_guard}
    assert spec.assignment.mode == "paired"
    assert spec.variants[1].params == {"retrieval.top_k": 2}
    assert margins["retrieval_precision"] == -0.03
    assert "token_cost" in margins
    assert any("paired" in note for note in done.notes)
    assert any(note.startswith("also held: token cost") or "cost" in note for note in done.notes)


def test_import__own_guard_wider_than_the_goals__is_held_as_the_goal_says(campaign: Campaign) -> None:
    criteria = [written()["success_criteria"][0],
                {"metric": "retrieval_precision", "direction": "no_large_drop", "max_delta": -0.5}]  # fmt: skip

    done = spec_import(text=json.dumps(written(success_criteria=criteria)), actor=BOB)

    spec = spec_read(json.dumps(done.experiment.spec))
    assert next(item.max_delta for item in spec.success_criteria if item.metric == "retrieval_precision") == -0.05


def test_import__step_that_leaves_the_automatic_range__says_that_applying_needs_a_person(campaign: Campaign) -> None:
    done = spec_import(text=json.dumps(written(variants=arms(**{"retrieval.top_k": 6}))), actor=BOB)

    assert any("outside the automatic range" in reason for reason in done.experiment.needs_approval)


def test_import__several_errors__names_each_with_its_path(campaign: Campaign) -> None:
    found = errors_of(
        written(
            variants=arms(**{"retrieval.top_k": 99, "no.such": 1}),
            success_criteria=[{"metric": "speed", "direction": "increase"},
                              {"metric": "hallucination_rate", "direction": "increase"}],
        )
    )  # fmt: skip

    assert found["variants.1.params.retrieval.top_k"].endswith("outside what is possible at all: 1 to 20")
    assert found["variants.1.params.no.such"] == "there is no impact factor 'no.such'"
    assert found["success_criteria.0.metric"] == "there is no metric 'speed'"
    assert "is better when lower" in found["success_criteria.1.direction"]


def test_import__shape_wrong__names_unknown_and_missing_fields(campaign: Campaign) -> None:
    data = written(colour="red", success_criteria=[{"metric": "mrr", "direction": "sideways"}])
    del data["experiment_id"]

    found = errors_of(data)

    assert set(found) == {"colour", "experiment_id", "success_criteria.0.direction"}


@pytest.mark.parametrize(
    ("more", "path", "words"),
    [
        ({"variants": arms(**{"retrieval.top_k": 3})}, "variants", "the arms are equal"),
        ({"variants": arms(**{"retrieval.top_k": 2, "retrieval.min_tag_overlap": 2})}, "variants", "exactly one"),
        ({"variants": arms(**{"retrieval.keyword_count": 7})}, "variants", "does not allow moving"),
        ({"variants": arms(**{"archivist.max_tags": 7})}, "variants", "acts when memory is written"),
        (
            {"variants": [{"name": "baseline", "params": {"top_k": 4}}, {"name": "variant", "params": {"top_k": 2}}]},
            "variants.0.params.top_k",
            "the baseline is what is in force, 3, not 4",
        ),
        ({"dataset": "elsewhere"}, "dataset", ""),
        ({"experiment_id": "a b/c"}, "experiment_id", "letters, digits"),
        ({"success_criteria": [{"metric": "mrr", "direction": "no_large_drop", "max_delta": -0.1}]},
         "success_criteria", "nothing is to improve"),
    ],
)  # fmt: skip
def test_import__what_cannot_be_run__is_refused_with_its_path(
    campaign: Campaign, more: dict[str, Any], path: str, words: str
) -> None:
    if path == "dataset":
        with pytest.raises(InvalidInput) as caught:
            spec_import(text=json.dumps(written(**more)), actor=BOB, campaign=campaign.number)
        assert caught.value.details["errors"][0]["path"] == "dataset"
    else:
        assert words in errors_of(written(**more))[path]
    assert not Experiment.objects.exists()


@pytest.mark.parametrize("text", ["- a\n- b", "{", "a: [", "x" * 100_001])
def test_import__no_spec_at_all__is_refused(campaign: Campaign, text: str) -> None:
    with pytest.raises(InvalidInput):
        spec_import(text=text, actor=BOB)


def test_import__step_that_failed_before__is_not_repeated(campaign: Campaign) -> None:
    spec_import(text=json.dumps(written()), actor=BOB)
    Hypothesis.objects.update(status=HypothesisStatus.REJECTED)
    Approval.objects.update(status="rejected")

    found = errors_of(written(experiment_id="again"))

    assert "was tested in this campaign before" in found["variants"]


def test_import__factor_that_waits_for_a_person__is_refused(campaign: Campaign) -> None:
    spec_import(text=json.dumps(written()), actor=BOB)

    assert "waits for a person already" in errors_of(written(experiment_id="other", variants=arms(top_k=4)))["variants"]


def test_import__name_taken__is_a_conflict(campaign: Campaign) -> None:
    experiment_won(campaign, slug="top_k_3_vs_2")

    with pytest.raises(Conflict):
        spec_import(text=json.dumps(written()), actor=BOB)


def test_import__below_operator__is_refused(campaign: Campaign) -> None:
    with pytest.raises(NotAuthorised):
        spec_import(text=json.dumps(written()), actor=EVE)


def test_import__no_open_campaign__says_so(campaign: Campaign) -> None:
    Campaign.objects.update(status="planned")

    with pytest.raises(NotFound, match="no campaign is open"):
        spec_import(text=json.dumps(written()), actor=BOB)


def test_import__campaign_that_measured_nothing__is_refused(campaign: Campaign) -> None:
    Campaign.objects.update(metrics_before=None)

    with pytest.raises(InvalidInput, match="has measured nothing yet"):
        spec_import(text=json.dumps(written()), actor=BOB)


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_export__of_any_experiment__reads_as_the_same_spec(campaign: Campaign, form: str) -> None:
    stored = experiment_won(campaign).spec

    assert spec_read(spec_write(stored, form=form)).to_mission_json() == stored


def test_command__file_with_errors__names_each_path(campaign: Campaign, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(written(variants=arms(**{"no.such": 1}))), encoding="utf-8")

    with pytest.raises(CommandError, match=r"variants\.1\.params\.no\.such: there is no impact factor"):
        call_command("import_experiment", str(path))


def test_command__good_file__plans_it(campaign: Campaign, tmp_path: Path) -> None:
    path, out = tmp_path / "spec.yaml", io.StringIO()
    path.write_text(yaml.safe_dump(written()), encoding="utf-8")

    call_command("import_experiment", str(path), "--json", stdout=out)

    assert json.loads(out.getvalue())["status"] == "planned"
