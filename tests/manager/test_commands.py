"""The commands as people call them: what they say, how they end, and what they leave alone."""

from __future__ import annotations

import io
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections

from audit.models import AuditEntry
from contracts.goal import Autonomy
from emulator.models import EmulationBatch
from experiments.models import Dataset
from goals.models import Campaign, LearningGoal
from kernel.errors import InvalidInput, NotFound
from manager.models import Approval
from selflearn_site import cli
from tests.manager.world import DATASET, Sizes, campaign_make, dataset_load, experiment_won
from tests.site.servers import manage
from tuner.selectors import active_version


def told(*arguments: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    """Exit code and standard error of `manage.py …`, in this process. The connections stay open for the test."""
    monkeypatch.setattr("django.core.management.base.connections.close_all", lambda: None)
    stderr = io.StringIO()
    return cli.main(["manage.py", *arguments], stderr=stderr), stderr.getvalue()


def stored() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (LearningGoal, Campaign, AuditEntry, EmulationBatch, Dataset))


# --- learn -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "   ", "please do something nice"])
def test_learn__goal_that_says_nothing__is_bad_usage_and_stores_nothing(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    before = stored()
    code, message = ended(monkeypatch, "learn", "--goal", text)
    assert code == cli.BAD_USAGE
    assert message.startswith("error: ")
    assert message.endswith("[INVALID_INPUT]\n")
    assert stored() == before


@pytest.mark.django_db
def test_learn__goal_that_contradicts_itself__stores_nothing_not_even_the_bundled_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = stored()
    code, message = ended(monkeypatch, "learn", "--goal", "Снизить стоимость на 20 %, стоимость не менять")
    assert code == 1
    assert message.startswith("error: the goal contradicts itself: ")
    assert stored() == before


@pytest.mark.django_db
def test_learn__unknown_data_set__fails_with_the_known_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    before = stored()
    code, message = ended(monkeypatch, "learn", "--goal", "Raise recall to 60 %", "--dataset", "nowhere")
    assert (code, message) == (1, f"error: there is no data set 'nowhere'; known: {DATASET} [NOT_FOUND]\n")
    assert stored() == before


@pytest.mark.django_db
@pytest.mark.parametrize("option", [["--cycles", "few"], ["--autonomy", "none"], []])
def test_learn__bad_options__are_bad_usage(monkeypatch: pytest.MonkeyPatch, option: list[str]) -> None:
    goal = ["--goal", "Raise recall to 60 %"] if option else []
    with pytest.raises(SystemExit) as end:
        ended(monkeypatch, "learn", *goal, *option)
    assert end.value.code == cli.BAD_USAGE


@pytest.mark.django_db
@pytest.mark.parametrize("option", ["--cycles", "--dialogues"])
@pytest.mark.parametrize("size", ["0", "-3", "9999999999999"])
def test_learn__size_that_no_campaign_has__is_bad_usage_and_stores_nothing(
    monkeypatch: pytest.MonkeyPatch, option: str, size: str
) -> None:
    before = stored()
    code, message = ended(monkeypatch, "learn", "--goal", "Raise recall to 60 %", option, size)
    assert code == cli.BAD_USAGE
    assert f"not {size}" in message
    assert stored() == before


@pytest.mark.django_db(databases=["default", "maas"])
def test_learn__database_of_the_student_unreachable__stores_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    before = stored()

    def away() -> None:
        raise OperationalError("cannot connect to PostgreSQL at elsewhere")

    monkeypatch.setattr(connections["maas"], "ensure_connection", away)
    code, message = ended(monkeypatch, "learn", "--goal", "Raise recall to 60 %", "--dataset", DATASET)
    assert (code, message) == (1, "error: cannot connect to PostgreSQL at elsewhere\n")
    assert stored() == before


@pytest.mark.django_db(transaction=True)
def test_learn__interrupted__says_that_the_campaign_can_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))

    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("manager.management.commands.learn.campaign_follow", interrupt)
    code, _ = ended(monkeypatch, "learn", "--goal", "Raise recall to 60 %", "--dataset", DATASET)
    assert code == cli.INTERRUPTED
    assert "the same command goes on with it" in " ".join(capsys.readouterr().out.split())
    assert Campaign.objects.get().status == "running"


@pytest.mark.processes
def test_learn__database_unreachable__says_where_in_one_line() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"postgresql://anna:hidden-word@127.0.0.1:{closed.getsockname()[1]}/history"
        environment = {"DATABASE_URL": url, "MAAS_DATABASE_URL": url, "SECRET_KEY": "x" * 40}
        result = manage("learn", "--goal", "Raise recall to 60 %", environment=environment)
    assert (result.returncode, result.stdout) == (1, "")
    assert "cannot connect to PostgreSQL at 127.0.0.1:" in result.stderr
    assert "Traceback" not in result.stderr
    assert "hidden-word" not in result.stderr


@pytest.mark.django_db(transaction=True)
def test_learn__data_set_too_small_to_decide__ends_with_a_report_and_changes_nothing(tmp_path: Path) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=6, validation=6, golden=4))
    text = told(
        "learn",
        goal="Raise recall to 99 %",
        dataset=DATASET,
        cycles=1,
        dialogues=2,
        seed=3,
        autonomy="full_auto",
        json=True,
    )
    shape = json.loads(text)
    assert (shape["status"], shape["versions"], shape["campaign"]) == ("completed", [], 1)
    assert active_version().version == 1
    assert Campaign.objects.get().report.content["end_reason"]


@pytest.mark.django_db(transaction=True)
def test_learn__paused_from_elsewhere__tells_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))

    def paused(*, campaign_id: Any, **_: Any) -> list[Any]:
        Campaign.objects.filter(id=campaign_id).update(status="paused")
        return []

    monkeypatch.setattr("manager.management.commands.learn.campaign_follow", paused)
    shape = json.loads(told("learn", goal="Raise recall to 99 %", dataset=DATASET, json=True))
    assert (shape["status"], shape["cycles"]) == ("paused", 0)


# --- report ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_report__unknown_campaign__says_so() -> None:
    with pytest.raises(NotFound, match="there is no campaign 99"):
        told("report", 99)


@pytest.mark.django_db
def test_report__campaign_that_only_began__is_rendered(tmp_path: Path) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    campaign = campaign_make(autonomy=Autonomy.SEMI_AUTO)
    text = told("report", campaign.number)
    assert "Status: running" in text
    assert "Nothing was applied." in text
    assert Approval.objects.count() == 0


# --- evaluate --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_evaluate__split_without_questions__is_bad_usage(tmp_path: Path) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=0))
    with pytest.raises(InvalidInput, match="has no golden questions"):
        told("evaluate", split="golden", dataset=DATASET)


@pytest.mark.django_db
def test_evaluate__unknown_version__says_so(tmp_path: Path) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    with pytest.raises(NotFound, match="parameter version 99"):
        told("evaluate", split="golden", dataset=DATASET, parameter_version=99)


# --- replay ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_replay__untouched_verdicts__are_identical(tmp_path: Path) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    campaign = campaign_make()
    experiment_won(campaign, slug="one")
    experiment_won(campaign, slug="two", factor="retrieval.top_k", to_value=4, gained=3)
    assert told("replay", all=True) == "one: identical\ntwo: identical\n2 of 2 identical\n"


@pytest.mark.django_db(transaction=True)
def test_replay__one_sample_altered_behind_its_back__names_experiment_and_row(tmp_path: Path, as_owner: Any) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    campaign = campaign_make()
    for slug, factor, value in (("one", "retrieval.min_tag_overlap", 2), ("two", "retrieval.top_k", 4)):
        experiment_won(campaign, slug=slug, factor=factor, to_value=value)
    with as_owner(), connections["default"].cursor() as cursor:
        cursor.execute(
            "UPDATE experiment_results SET samples = jsonb_set(samples, '{0,metrics,retrieval_recall}', '1')"
            " WHERE experiment_id = 'two'"
        )
    out = io.StringIO()
    with pytest.raises(CommandError, match="cannot be reproduced"):
        call_command("replay", all=True, stdout=out)
    first, second, last = out.getvalue().splitlines()
    assert (first, last) == ("one: identical", "1 of 2 identical")
    assert second == (
        "two: the stored samples are not the ones that the verdict was made from: "
        "row 1 (example e000, arm baseline): retrieval_recall is 1, was 0.0"
    )


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", [[], ["one", "--all"]])
def test_replay__names_or_all__one_of_them_is_wanted(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        ended(monkeypatch, "replay", *arguments)
    assert end.value.code == cli.BAD_USAGE
