"""Reports of campaigns and cycles: built from numbers, said in the reader's language when they are read."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils.translation import override

from experiments.domain.lifecycle import ExperimentStatus
from experiments.services import experiment_transition
from goals.models import Campaign
from kernel.errors import NotFound
from manager.models import Approval, Cycle
from manager.reports.content import content
from manager.reports.cycle import cycle_content, cycle_of
from manager.reports.html import render as html
from manager.reports.markdown import headline, render
from manager.reports.words import amount_said, count_said, target_said
from selflearn_site.pages.report_chart import effects
from tests.manager.world import ALICE, experiment_won
from tests.pages.conftest import approval, campaign

__all__ = ["approval", "campaign"]
pytestmark = pytest.mark.django_db
TARGET = {"metric": "retrieval_recall", "start": 0.41, "current": 0.52, "target": 0.6, "gap": 0.08, "met": False}


def told(campaign: Campaign, number: int, language: str = "en") -> str:
    with override(language):
        return render(cycle_content(campaign, cycle_of(campaign, number)))


def test_cycle_content__second_cycle__compares_with_the_first_and_names_the_gap(campaign: Campaign) -> None:
    found = cycle_content(campaign, cycle_of(campaign, 2))
    recall = next(row for row in found["validation"]["rows"] if row["metric"] == "retrieval_recall")
    (target,) = found["targets"]
    assert (recall["before"], recall["after"], recall["n"]) == (0.41, 0.52, 54)
    assert (target["start"], target["current"], round(target["gap"], 3)) == (0.41, 0.52, 0.43)
    assert found["experiments"] == []


def test_cycle_content__experiments__are_those_of_this_cycle(approval: Approval) -> None:
    first, second = (cycle_content(approval.campaign, cycle_of(approval.campaign, number)) for number in (1, 2))
    assert [item["slug"] for item in first["experiments"]] == ["made-by-hand"]
    assert [item["experiment"] for item in first["waiting"]] == ["made-by-hand"]
    assert (second["experiments"], second["waiting"]) == ([], [])


def test_cycle_content__decided_after_the_cycle__stands_in_its_report(campaign: Campaign) -> None:
    experiment = experiment_won(campaign)
    experiment_transition(
        slug=experiment.slug, target=ExperimentStatus.REJECTED, actor=ALICE, decision="refused:person",
        decision_reason="rejected by person:alice: not now",
    )  # fmt: skip
    text = told(campaign, 1)
    assert "- **retrieval.min_tag_overlap 1 → 2** (cycle 1):" in text
    assert "not now" in text


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"tokens": 100, "usd": 0.25}, {"tokens": 1350, "usd": 0.5}, "Tokens that were paid for: 1,250; cost $0.2500"),
        (None, {"tokens": 1350, "usd": 0.5}, "What this cycle cost was not written down"),
    ],
)
def test_cycle_report__what_was_spent__is_the_difference_to_the_cycle_before(
    campaign: Campaign, first: dict[str, Any] | None, second: dict[str, Any], said: str
) -> None:
    for number, spent in ((1, first), (2, second)):
        cycle = cycle_of(campaign, number)
        data = cycle.data | ({"spent": spent} if spent is not None else {})
        Cycle.objects.filter(pk=cycle.pk).update(data=data)
    assert said in told(campaign, 2)


def test_cycle_of__number_that_is_not_there__is_not_found(campaign: Campaign) -> None:
    with pytest.raises(NotFound, match="has no cycle 9"):
        cycle_of(campaign, 9)


def test_report__read_in_russian__says_every_heading_number_and_reason_in_russian(approval: Approval) -> None:
    with override("ru"):
        text = render(content(approval.campaign))
    for part in (
        "Полнота поиска (recall) 0,410 → 0,520",
        "1 ждёт вас",
        "цель 0,950: не хватает 0,430",
        "## Ждёт вас",
        "Ничего не применено.",
        "Почему вы:",
        "Оплачено токенов: 0",
        "| метрика | до | после | n |",
    ):
        assert part in text, part
    for part in ("## Waits", "Verdict", "Nothing", "Goal:", "golden gate", "passes", "Tokens"):
        assert part not in text, part


def test_report__read_in_two_languages__is_the_same_data(approval: Approval) -> None:
    with override("ru"):
        russian = content(approval.campaign)
    with override("en"):
        english = content(approval.campaign)
    assert russian == english


def test_report__as_a_document__has_a_print_style_drawings_and_no_script(approval: Approval) -> None:
    with override("ru"):
        text = html(content(approval.campaign))
    assert '<html lang="ru">' in text
    assert "@media print" in text
    assert '<svg class="interval' in text
    assert "<script" not in text


@pytest.mark.parametrize(
    ("language", "item", "said"),
    [
        ("en", TARGET, ".410 → .520, target .600: a gap of .080"),
        ("ru", TARGET, "0,410 → 0,520, цель 0,600: не хватает 0,080"),
        ("en", {**TARGET, "current": 0.61, "gap": -0.01, "met": True}, ".410 → .610, target .600: met"),
        ("en", {"text": ".1 → .2, target .3", "met": False}, ".1 → .2, target .3"),
    ],
)
def test_target_said__each_language__has_where_it_is_and_what_is_missing(
    language: str, item: dict[str, Any], said: str
) -> None:
    with override(language):
        assert target_said(item) == said


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1 ждёт вас"), (2, "2 ждут вас"), (5, "5 ждут вас"), (21, "21 ждёт вас")]
)
def test_headline__number_in_russian__takes_its_form(number: int, said: str) -> None:
    report: dict[str, Any] = {"targets": [], "applied": [], "refused": [], "waiting": [{}] * number}
    with override("ru"):
        assert headline(report) == said


@pytest.mark.parametrize(("language", "said"), [("en", "1.000"), ("ru", "1,000")])
def test_amount_said__whole_share__has_the_decimal_sign_of_the_language(language: str, said: str) -> None:
    with override(language):
        assert amount_said("context_utilization", 1.0) == said


@pytest.mark.parametrize(("language", "said"), [("en", "1,234,567"), ("ru", "1\xa0234\xa0567")])
def test_count_said__big_number__is_grouped_as_the_language_does(language: str, said: str) -> None:
    with override(language):
        assert count_said(1_234_567) == said


def test_effects__winner_on_a_metric_that_should_rise__points_to_the_right_with_its_interval(
    approval: Approval,
) -> None:
    (trace,) = effects(content(approval.campaign))["data"]
    assert trace["x"][0] > 0
    assert trace["error_x"]["array"][0] > 0
    assert trace["marker"]["color"] == ["--good"]
    assert trace["y"] == ["retrieval.min_tag_overlap 1 → 2 "]


def test_effects__metric_that_should_fall__turns_the_sign_so_that_better_is_right() -> None:
    row = {"metric": "hallucination_rate", "estimate": -0.1, "low": -0.15, "high": -0.05, "n": 50}
    item = {"factor": "f", "from": 1, "to": 2, "verdict": "winner", "criteria": [row]}
    (trace,) = effects({"experiments": [item, {**item, "criteria": []}]})["data"]
    assert (trace["x"], trace["error_x"]["arrayminus"], trace["error_x"]["array"]) == ([10.0], [5.0], [5.0])


# --- the doors -------------------------------------------------------------------------------------------------------


def test_command__one_cycle_in_russian__is_that_cycles_report(approval: Approval) -> None:
    out = StringIO()
    call_command("report", str(approval.campaign.number), "--cycle", "1", "--lang", "ru", stdout=out)
    assert out.getvalue().startswith(f"# Кампания {approval.campaign.number}, цикл 1:")


def test_command__as_json__is_the_data_of_the_cycle(campaign: Campaign) -> None:
    out = StringIO()
    call_command("report", str(campaign.number), "--cycle", "2", "--json", stdout=out)
    assert json.loads(out.getvalue())["cycle"] == 2
