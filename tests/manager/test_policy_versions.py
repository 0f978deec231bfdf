"""The policy in versions: each edit is kept, none is ever changed, and what is decided names the one it rests on."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from audit.models import AuditEntry
from contracts.actor import Actor
from contracts.goal import Autonomy
from experiments.selectors import experiment_by_slug
from goals.models import Campaign
from incidents.models import Incident
from kernel.errors import Conflict, InvalidInput, NotAuthorised, NotFound, RuleViolated
from manager.domain.policy_fields import POLICY_FIELDS, bounds_said, value_problem
from manager.engine.context import StepContext
from manager.engine.lease import NoLease
from manager.models import Cycle, JournalEntry, Policy, PolicyVersion
from manager.services import safety
from manager.services.approvals import approval_reject
from manager.services.campaigns import CampaignWish, campaign_plan
from manager.services.degradation import degradation_act
from manager.services.policy import (
    policy_change,
    policy_current,
    policy_edited,
    policy_preview,
    policy_restore,
    policy_values,
)
from tests.manager.world import ALICE, approval_made, experiment_won, goal
from tests.pages.conftest import approval, campaign
from tuner.domain.degradation import DegradationSignal
from tuner.registry import FACTORS
from tuner.selectors import active_version

__all__ = ["approval", "campaign"]
pytestmark = pytest.mark.django_db


def versions() -> list[int]:
    return list(PolicyVersion.objects.order_by("version").values_list("version", flat=True))


def test_policy_change__two_fields__is_a_version_with_who_when_why_and_what(alice: Actor) -> None:
    policy = policy_change(actor=alice, reason=" slower ", changes_per_day=2, four_eyes=True)
    row = PolicyVersion.objects.get(version=policy.version)
    assert versions() == [1, 2]
    assert (row.actor, row.reason, row.restored_from) == ("person:alice", "slower", None)
    assert row.changes == {"changes_per_day": [5, 2], "four_eyes": [False, True]}
    assert row.values == policy_values(policy)
    entry = AuditEntry.objects.get(action="policy.changed")
    assert (entry.subject_id, entry.after) == ("2", {"changes_per_day": 2, "four_eyes": True})


def test_policy_change__the_same_values__makes_no_version(alice: Actor) -> None:
    policy_change(actor=alice, reason="nothing", changes_per_day=5)
    assert versions() == [1]
    assert not AuditEntry.objects.filter(action="policy.changed").exists()


def test_policy_edited__another_version_is_in_force__is_a_conflict_and_changes_nothing(alice: Actor) -> None:
    policy_change(actor=alice, reason="first", changes_per_day=2)
    with pytest.raises(Conflict, match="version 2 of the policy is in force, not 1"):
        policy_edited({"changes_per_day": 9}, actor=alice, reason="late", expected_version=1)
    assert policy_current().changes_per_day == 2
    assert versions() == [1, 2]


def test_policy_restore__an_earlier_version__holds_again_as_a_new_one(alice: Actor) -> None:
    policy_change(actor=alice, reason="slower", changes_per_day=2)
    policy_change(actor=alice, reason="strict", golden_mode="strict")
    restored = policy_restore(version=1, actor=alice, reason="as before")
    assert (restored.version, restored.changes_per_day, restored.golden_mode) == (4, 5, "directional")
    row = PolicyVersion.objects.get(version=4)
    assert (row.restored_from, sorted(row.changes)) == (1, ["changes_per_day", "golden_mode"])
    assert AuditEntry.objects.get(action="policy.restored").before == {"changes_per_day": 2, "golden_mode": "strict"}


def test_policy_restore__version_that_knew_fewer_fields__leaves_the_others(alice: Actor) -> None:
    PolicyVersion.objects.create(version=7, values={"changes_per_day": 1, "gone": 3}, reason="old", actor="x")
    policy_change(actor=alice, reason="two eyes more", four_eyes=True)
    restored = policy_restore(version=7, actor=alice, reason="old limit")
    assert (restored.changes_per_day, restored.four_eyes) == (1, True)


def test_policy_restore__unknown_version_or_lower_role__is_refused(alice: Actor, bob: Actor) -> None:
    with pytest.raises(NotFound):
        policy_restore(version=99, actor=alice, reason="try")
    policy_change(actor=alice, reason="slower", changes_per_day=2)
    with pytest.raises(NotAuthorised):
        policy_restore(version=1, actor=bob, reason="try")
    assert policy_current().version == 2


@pytest.mark.parametrize(
    "statement",
    ["UPDATE policy_versions SET reason = 'x'", "DELETE FROM policy_versions"],
)
def test_policy_version__changed_in_the_database__is_refused(statement: str) -> None:
    policy_current()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert versions() == [1]


def test_policy_current__row_lost__begins_after_the_versions_that_are_there(alice: Actor) -> None:
    policy_change(actor=alice, reason="slower", changes_per_day=2)
    Policy.objects.all().delete()
    assert policy_current().version == 3
    assert versions() == [1, 2, 3]


def test_policy_preview__a_change__says_what_and_writes_nothing() -> None:
    (found,) = policy_preview({"changes_per_day": 1, "four_eyes": False})
    assert (found.field, found.before, found.after) == ("changes_per_day", 5, 1)
    assert policy_current().changes_per_day == 5


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"changes_per_day": 1_001}, "from 0 to 1000"),
        ({"changes_per_day": 2.5}, "whole number"),
        ({"changes_per_day": True}, "whole number"),
        ({"screening_share": 0}, "above 0, at most 1"),
        ({"judge_min_kappa": float("nan")}, "from 0 to 1"),
        ({"four_eyes": "yes"}, "true or false"),
        ({"most_autonomy": "wild"}, "one of full_auto, semi_auto, manual"),
        ({"asked_factors": ["retrieval.magic"]}, "no factor 'retrieval.magic'"),
        ({"asked_factors": ["retrieval.top_k", "retrieval.top_k"]}, "twice"),
        ({"asked_factors": "retrieval.top_k"}, "list of names"),
    ],
)
def test_policy_change__value_out_of_its_bounds__is_refused_by_name(
    alice: Actor, values: dict[str, Any], word: str
) -> None:
    with pytest.raises(InvalidInput, match=word) as refused:
        policy_change(actor=alice, reason="try", **values)
    assert refused.value.details["fields"] == list(values)
    assert versions() in ([], [1])


def test_policy_fields__every_default__is_possible_and_every_column_has_its_field() -> None:
    policy = policy_current()
    problems = [value_problem(name, value, factors=FACTORS) for name, value in policy_values(policy).items()]
    columns = {column.name for column in Policy._meta.concrete_fields} - {"id", "version", "updated_at"}
    assert set(problems) == {""}
    assert columns == set(POLICY_FIELDS)
    assert all(str(column.help_text) for column in Policy._meta.concrete_fields if column.name in POLICY_FIELDS)
    numbers = [field for field in POLICY_FIELDS.values() if field.kind in ("whole", "number")]
    assert all(field.unit and bounds_said(field) for field in numbers)


# --- what it changes -------------------------------------------------------------------------------------------------


def _context(campaign: Campaign) -> StepContext:
    cycle = Cycle.objects.filter(campaign=campaign).first()
    assert cycle is not None
    return StepContext(cycle=cycle, campaign=campaign, client=None, lease=NoLease(), parallel=1)  # type: ignore[arg-type]


def test_leeway__policy_lowered_while_a_campaign_runs__holds_at_once(campaign: Campaign, alice: Actor) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(autonomy=Autonomy.FULL_AUTO)
    campaign.refresh_from_db()
    context, levels = _context(campaign), []
    for most in ("full_auto", "manual"):
        policy_change(actor=alice, reason="careful", most_autonomy=most)
        levels.append(str(context.leeway.level))
    assert levels == ["full_auto", "manual"]


def test_campaign_plan__more_cycles_than_the_policy_allows__is_refused_with_both(campaign: Campaign) -> None:
    policy_change(actor=ALICE, reason="short", most_cycles=5)
    with pytest.raises(RuleViolated, match="the policy allows a campaign 5 cycles, not 6"):
        campaign_plan(translation=goal(), wish=CampaignWish(dataset=campaign.dataset, cycles=6), actor=ALICE)
    planned = campaign_plan(translation=goal(), wish=CampaignWish(dataset=campaign.dataset), actor=ALICE)
    assert planned.max_cycles == 5


def test_approval__asked_and_rejected__names_the_policy_of_each_moment(campaign: Campaign) -> None:
    asked = approval_made(experiment_won(campaign))
    policy_change(actor=ALICE, reason="strict", golden_mode="strict")
    approval_reject(approval_id=asked.id, actor=ALICE, comment="no")
    assert asked.policy_version == 1
    assert experiment_by_slug(asked.experiment.slug).policy_version == 2
    assert JournalEntry.objects.get(experiment=asked.experiment.slug).policy_version == 2


SIGNAL = DegradationSignal(
    rule="precision", metric="retrieval_precision", observed=0.1, limit=0.2, cycles=3, message="it fell"
)


def test_degradation__rollback_not_authorised_beforehand__calls_a_person_and_changes_nothing(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy_change(actor=ALICE, reason="I decide", rollback_preauthorised=False)
    ordered: list[object] = []
    monkeypatch.setattr(safety, "rollback_order", lambda **given: ordered.append(given))
    version = active_version()
    for _ in range(2):
        assert degradation_act(version=version, signals=[SIGNAL], where="here", campaign=campaign) is None
    incident = Incident.objects.get()
    assert ordered == []
    assert (incident.severity, incident.subject) == ("critical", f"version:{version.version}")
    assert "the policy lets no rollback happen without a person" in incident.detail
    assert JournalEntry.objects.filter(kind="waits", campaign=campaign).count() == 1


def test_degradation__rollback_authorised_beforehand__is_ordered(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered: list[dict[str, Any]] = []
    monkeypatch.setattr(safety, "rollback_order", lambda **given: ordered.append(given))
    degradation_act(version=active_version(), signals=[SIGNAL], where="here", campaign=campaign)
    assert [item["reason"] for item in ordered] == ["here: it fell"]
