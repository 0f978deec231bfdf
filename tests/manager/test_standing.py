"""Standing A/A through the live parts: apart from experiments, never applied, gone on with after a kill, watched."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from experiments.models import DiscoveryEntry, EvaluationPass, Experiment, ExperimentResult, StandingTest
from goals.models import Campaign
from incidents.models import Incident
from kernel.errors import InvalidInput, NotFound
from maas.access import as_service
from maas.client import get_client
from manager.domain.standing import TARGETS, target
from manager.services import standing
from manager.services.policy import policy_change
from manager.services.standing import standing_run, standing_share
from sensor.models import SensorEvent
from teacher.services import verdict_replay
from tests.manager.test_gate import looks
from tests.manager.world import ALICE, DATASET, Sizes, campaign_make, dataset_load
from tests.pages.conftest import meta_user
from tuner.selectors import active_version

__all__ = ["meta_user"]
pytestmark = pytest.mark.django_db
SLUG = f"standing-aa-{DATASET}-1"


@pytest.fixture
def campaign(db: None, tmp_path: Path) -> Campaign:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=100, golden=2))
    return campaign_make()


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's transaction holds all of a pass only when one thread runs it."""
    monkeypatch.setattr(standing, "parallel", lambda: 1)


def run() -> StandingTest:
    return standing_run(dataset=DATASET, client=get_client())


def made(verdicts: list[str], *, alike: int = 0) -> None:
    for number, verdict in enumerate(verdicts, start=StandingTest.objects.count() + 1):
        StandingTest.objects.create(
            slug=f"t{number}", dataset=DATASET, number=number, metric="token_cost", base_version=1, verdict=verdict,
            n=60, alike=alike,
        )  # fmt: skip


def test_standing_run__to_its_end__leaves_a_verdict_and_nothing_to_apply(campaign: Campaign) -> None:
    test = run()
    assert (test.number, test.metric, test.verdict, test.n) == (1, target(1)[0], "inconclusive", 100)
    assert (Experiment.objects.count(), DiscoveryEntry.objects.count(), looks()) == (0, 0, [])
    assert ExperimentResult.objects.get(experiment_id=SLUG).recommendation["action"] == "keep"
    assert active_version().version == 1


def test_standing_run__its_arms__ran_the_same_parameters_under_different_seeds(campaign: Campaign) -> None:
    run()
    with as_service() as cursor:
        cursor.execute("SELECT variant, seed FROM pipeline_runs WHERE experiment = %s", [SLUG])
        rows = cursor.fetchall()
    seeds = {arm: {seed for name, seed in rows if name == arm} for arm in ("baseline", "variant")}
    assert (len(seeds["baseline"]), len(seeds["variant"])) == (100, 100)
    assert not seeds["baseline"] & seeds["variant"]
    assert SensorEvent.objects.filter(experiment=SLUG, split="validation").count() == 200


def test_standing_run__again__is_another_test_of_the_next_target_over_the_same_versions(campaign: Campaign) -> None:
    first, second = run(), run()
    assert (second.number, second.metric) == (2, TARGETS[1][0])
    arms = list(EvaluationPass.objects.filter(batch__in=[first.slug, second.slug]).values_list("arms", flat=True))
    assert arms[0] == arms[1]


def test_standing_run__verdict__replays_to_the_same_bytes(campaign: Campaign) -> None:
    policy_change(actor=ALICE, reason="test", looks_per_experiment=2)
    test = run()
    assert (test.look_sizes, [row["n"] for row in test.looks]) == ([50, 100], [50])
    assert verdict_replay(slug=test.slug).identical


def test_standing_run__killed_before_its_verdict__is_gone_on_with(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(standing, "_finish", killed)
    with pytest.raises(KeyboardInterrupt):
        run()
    monkeypatch.undo()
    monkeypatch.setattr(standing, "parallel", lambda: 1)
    assert (run().number, StandingTest.objects.count()) == (1, 1)
    assert SensorEvent.objects.filter(experiment=SLUG).count() == 200


def test_standing_run__too_few_questions__says_how_many_it_needs(db: None, tmp_path: Path) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=49, golden=1))
    with pytest.raises(InvalidInput, match="49 validation questions; a verdict needs 50"):
        run()


def test_standing_run__unknown_data_set__is_not_found(db: None) -> None:
    with pytest.raises(NotFound):
        standing_run(dataset="nothing", client=get_client())


def test_standing_share__tests_without_any_difference__are_left_out(db: None) -> None:
    made(["inconclusive"] * 5, alike=60)
    made(["winner", "inconclusive", "loser", "inconclusive"])
    share = standing_share(dataset=DATASET)
    assert (share.tests, share.false, share.alike, share.share) == (4, 2, 5, 0.5)
    assert share.low == pytest.approx(0.0676, abs=5e-5)  # Clopper-Pearson, 2 of 4
    assert share.too_many


def test_standing_share__before_the_first__is_absent(db: None) -> None:
    share = standing_share(dataset=DATASET)
    assert (share.tests, share.share, share.too_many) == (0, None, False)


def test_standing_run__too_many_false_verdicts_so_far__opens_one_incident(campaign: Campaign) -> None:
    made(["winner"] * 3)
    run()
    run()
    incident = Incident.objects.get(kind="standing_aa")
    assert incident.severity == "critical"
    assert incident.subject == f"dataset:{DATASET}"


def test_standing_run__few_false_verdicts__opens_nothing(campaign: Campaign) -> None:
    made(["winner", *["inconclusive"] * 20])
    run()
    assert not Incident.objects.filter(kind="standing_aa").exists()


def test_command__json__tells_the_tests_and_the_share(campaign: Campaign) -> None:
    out = io.StringIO()
    call_command("standing_aa", "--experiments", "1", "--dataset", DATASET, "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert [row["slug"] for row in told["experiments"]] == [SLUG]
    assert told["share"]["limit"] == 0.065


def test_page__after_tests__shows_the_share_with_its_interval(db: None, meta_user: Client) -> None:
    made(["inconclusive"] * 19 + ["winner"])
    content = meta_user.get("/experiments/").content.decode()
    assert "1 of 20" in content
    assert "5.0 %" in content
