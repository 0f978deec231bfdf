"""Experiments written by hand on their page, what else a plan considered, and what is known of steps."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
import yaml
from django.test import Client

from contracts.parameters import ParameterChange
from experiments.models import Experiment
from experiments.spec_text import spec_read
from goals.models import Campaign
from manager.models import Approval, Cycle, JournalEntry
from selflearn_site.templatetags.pages import gain
from teacher.designer.screening import Difference
from teacher.knowledge import Occasion, observations_record
from tests.manager.test_importing import arms, written


def said(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    return re.sub(r"\s+", " ", html.unescape(answer.content.decode()))


def test_experiment_new__empty__shows_an_example_that_reads_as_a_spec(operator: Client) -> None:
    page = operator.get("/experiments/new/").content.decode()

    example = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert example is not None
    assert spec_read(html.unescape(example[1])).experiment_id == "top_k_3_vs_2"
    assert "No campaign is open" in page


def test_experiment_new__good_spec__is_planned_and_shown_with_its_waiting_start(
    operator: Client, campaign: Campaign
) -> None:
    answer = operator.post("/experiments/new/", {"spec": yaml.safe_dump(written()), "because": "it may"}, follow=True)

    text = said(answer)
    assert "It is planned, and waits for its start under Approvals." in text
    assert "because it may" in text
    assert "cycle None" not in text
    assert Approval.objects.get().status == "pending"


def test_experiment_new__errors__names_each_path_and_keeps_what_was_written(
    operator: Client, campaign: Campaign
) -> None:
    spec = yaml.safe_dump(written(variants=arms(**{"retrieval.top_k": 99, "no.such": 1})))

    text = said(operator.post("/experiments/new/", {"spec": spec}), 422)

    assert '<b class="num">variants.1.params.retrieval.top_k</b>' in text
    assert '<b class="num">variants.1.params.no.such</b>: there is no impact factor' in text
    assert "no.such: 1" in text
    assert not Experiment.objects.exists()


def test_experiment_new__posted_by_a_viewer__is_forbidden(viewer: Client, campaign: Campaign) -> None:
    assert viewer.post("/experiments/new/", {"spec": yaml.safe_dump(written())}).status_code == 403


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_experiment_spec__downloaded__can_be_read_again(viewer: Client, approval: Approval, form: str) -> None:
    answer = viewer.get(f"/experiments/{approval.experiment.slug}/spec.{form}")

    assert spec_read(answer.content.decode()).to_mission_json() == approval.experiment.spec
    assert f'.spec.{form}"' in answer["Content-Disposition"]


def test_experiment_spec__in_another_form__is_refused(viewer: Client, approval: Approval) -> None:
    assert viewer.get(f"/experiments/{approval.experiment.slug}/spec.xml").status_code == 422


def test_experiment_export__as_yaml__holds_what_the_json_holds(viewer: Client, approval: Approval) -> None:
    slug = approval.experiment.slug
    written_yaml = yaml.safe_load(viewer.get(f"/experiments/{slug}/export.yaml").content)

    assert written_yaml == viewer.get(f"/experiments/{slug}/export.json").json()


def test_experiment__of_a_plan__shows_what_else_was_considered_and_what_power_needs(
    viewer: Client, approval: Approval
) -> None:
    slug = approval.experiment.slug
    row = {"param": "retrieval.top_k", "from": 3, "to": 2, "rank": 2, "promise": 0.01, "gain": 0.03,
           "reason": "it promises less; it would come next"}  # fmt: skip
    Cycle.objects.filter(number=1).update(data={"plan": [row]})
    JournalEntry.objects.create(
        campaign=approval.campaign, kind="hypothesis", key="h", text="If …", experiment=slug, data={"needs_n": 502}
    )

    text = said(viewer.get(f"/experiments/{slug}/"))

    assert "80 % power needs 502 questions, 60 are there" in text
    assert "It promises less; it would come next." in text


def test_knowledge__nothing_seen__is_the_starting_knowledge(viewer: Client) -> None:
    text = said(viewer.get("/knowledge/"))

    assert "<h1>What is known is the starting knowledge: nothing has been seen yet.</h1>" in text
    assert "+.060" in text


def test_knowledge__seen_step__shows_belief_start_times_and_mean_gain(viewer: Client) -> None:
    change = ParameterChange(param="retrieval.top_k", from_value=3, to_value=2)
    seen = Difference(mean=-0.1, error=0.01, deviation=0.1, n=100, clusters=100, base=0.5)
    observations_record(
        occasion=Occasion("screening", "c1-k1-screening", "d", 1), seen=[(change, {"retrieval_precision": seen})]
    )

    text = said(viewer.get("/knowledge/?metric=retrieval_precision&seen=1"))

    assert text.count("<tr>") == 2  # the head and one row
    assert 'title="1 in screening, 0 in experiments">1</td>' in text
    assert "−.100" in text


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (0.0442, "retrieval_recall", "+.044"),
        (-0.0442, "hallucination_rate", "−.044"),
        (-0.0001, "retrieval_recall", ".000"),
        (0.119, "token_cost", "+11.9 %"),
        (0.0001, "token_cost", "0.0 %"),
        (None, "token_cost", "–"),
    ],
)
def test_gain__of_any_metric__has_a_sign_unless_it_is_zero(value: float | None, metric: str, text: str) -> None:
    assert gain(value, metric) == text
