"""Proposals, approvals, edits, freezes, activations and rollbacks from several connections at once, in any order.

Who wins a race is not foreseen. What must hold afterwards is read from the database: the change log, replayed, gives
the state that there is. `SELFLEARN_STATEFUL=long` runs six times as much.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from audit.models import AuditEntry
from audit.selectors import chain_verify
from contracts.actor import Actor, Role, component
from contracts.goal import Autonomy
from contracts.parameters import ParameterContext
from goals.models import Campaign
from kernel.errors import DomainError
from manager.domain.lifecycle import ApprovalStatus
from manager.models import Approval
from manager.services.approval_requests import approval_edit
from manager.services.approvals import approval_apply, approval_approve, approval_reject, approvals_expire
from tests.manager.world import Sizes, approval_made, campaign_make, dataset_load, experiment_won
from tests.tuner.factories import next_step
from tuner import selectors, services
from tuner.domain.overrides import NAMES
from tuner.domain.values import value_violation
from tuner.factor_services import factor_change, factor_thaw
from tuner.models import ActivationAction, FactorSetting, ParameterActivation, ParameterVersion, TunerState, VersionKind
from tuner.registry import FACTORS

LONG = os.environ.get("SELFLEARN_STATEFUL") == "long"
MANAGER = component("manager")
PEOPLE = [Actor(kind="person", name=name, role=Role.META_USER) for name in ("anna", "boris", "clara")]
WISHES: dict[str, tuple[Any, ...]] = {
    "retrieval.top_k": (4, 3, 2, 5, 0, 99),
    "retrieval.min_score": (0.1, 0.0, 0.2, 2.0),
    "context.max_tokens": (4400, 4000, 3600, 10**9),
    "prompts.responder": ("v2", "v1", "v9"),
}
"""Possible ones first, impossible ones last."""
_numbers = count(1)

Act = tuple[str, int, int]
ACTS = (
    "propose", "approve", "activate", "roll_back", "propose", "confirm", "finish", "edit", "propose", "approve",
    "reject", "expire", "freeze", "thaw", "freeze_factor", "thaw_factor", "propose", "thaw", "thaw_factor",
)  # fmt: skip
"""Some stand more than once: what lets changes through must outweigh what stops them."""


def act(name: str, one: int, other: int, person: Actor) -> None:
    """One act, on whatever `one` and `other` choose of what there is by now."""
    key = list(WISHES)[one % len(WISHES)]
    if name == "propose":
        now = selectors.version_values(selectors.active_version().version)[key]
        others = [value for value in WISHES[key] if value != now]
        wish = next_step(key, others[other % len(others)], approved_by=person.label if one >= 4 else None)
        services.change_apply(proposal=wish, actor=MANAGER)
    elif name in ("freeze", "thaw"):
        (services.parameters_freeze if name == "freeze" else services.parameters_unfreeze)(actor=person, reason="look")
    elif name == "freeze_factor":
        until = timezone.now() + timedelta(days=1) if other % 2 else None
        factor_change(key=key, values={"frozen": True, "frozen_until": until}, reason="repair", actor=person)
    elif name == "thaw_factor":
        factor_thaw(key=key, reason="repaired", actor=person)
    elif name == "activate":
        versions = ParameterVersion.objects.order_by("version").values_list("version", flat=True)
        active = selectors.active_version().version
        services.version_activate(
            version=versions[one % len(versions)], expected_active=active, actor=person, reason="by hand"
        )
    elif name == "confirm":
        services.version_confirm_stable(version=selectors.active_version().version, actor=MANAGER, reason="good")
    elif name == "roll_back":
        services.parameters_rollback(actor=MANAGER, reason="worse")
    else:
        _decide(name, one, other, person)


def _decide(name: str, one: int, other: int, person: Actor) -> None:
    status = ApprovalStatus.APPROVED if name == "finish" else ApprovalStatus.PENDING
    rows = list(Approval.objects.filter(status=status).order_by("created_at"))
    if not rows:
        return
    approval = rows[one % len(rows)]
    if name == "approve":
        seen = approval.content_hash if other % 2 else ""
        approval_approve(approval_id=approval.id, actor=person, seen=seen)
    elif name == "reject":
        approval_reject(approval_id=approval.id, actor=person, comment="no")
    elif name == "edit":
        evidence = approval.evidence | {"note": str(other)}
        approval_edit(
            approval_id=approval.id, evidence=evidence, reasons=approval.reasons, actor=person, reason="looked again"
        )
    elif name == "finish":  # as a recheck that golden agrees with
        approval_apply(approval_id=approval.id, actor=person, base=selectors.active_version().version)
    else:
        Approval.objects.filter(id=approval.id).update(expires_at=timezone.now() - timedelta(seconds=1))
        approvals_expire(actor=MANAGER)


class AtOnce(RuleBasedStateMachine):
    """Each rule is a burst: so many acts begin together, each in a thread and a connection of its own."""

    campaign: ClassVar[Campaign]
    pool: ClassVar[ThreadPoolExecutor]
    outcomes: ClassVar[Counter[tuple[str, bool]]] = Counter()

    @initialize()
    def begin(self) -> None:
        """Free and thawed, whatever the example before left behind."""
        services.parameters_unfreeze(actor=PEOPLE[0], reason="begin")
        for key in WISHES:
            factor_thaw(key=key, reason="begin", actor=PEOPLE[0])

    @rule(place=st.integers(0, 3))
    def request(self, place: int) -> None:
        """A change that won its experiment waits for a person."""
        key = list(WISHES)[place]
        value = selectors.version_values(selectors.active_version().version)[key]
        wish = next((item for item in WISHES[key][:-1] if item != value and inside(key, item)), None)
        if wish is not None:
            approval_made(experiment_won(self.campaign, slug=f"e{next(_numbers)}", factor=key, to_value=wish))

    @rule(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=4))
    def burst(self, acts: list[Act]) -> None:
        start = threading.Barrier(len(acts))

        def run(number: int) -> str:
            start.wait()
            try:
                act(*acts[number], person=PEOPLE[number % len(PEOPLE)])
            except DomainError as error:
                return error.code
            return "done"

        working = [self.pool.submit(run, number) for number in range(len(acts))]
        while not all(task.done() for task in working):
            effective = selectors.effective_params(ParameterContext())
            assert impossible(effective.values) == []
        for (name, *_), task in zip(acts, working, strict=True):
            self.outcomes[name, task.result() == "done"] += 1

    @invariant()
    def one_version_is_active_and_was_possible(self) -> None:
        assert ParameterVersion.objects.filter(is_active=True, kind=VersionKind.PRODUCTION).count() == 1
        assert ParameterVersion.objects.filter(is_active=True).count() == 1
        ever = ParameterVersion.objects.filter(version__in=ParameterActivation.objects.values("version"))
        assert [row.version for row in ever if impossible(row.stored_values)] == []

    @invariant()
    def every_change_has_its_row_and_the_log_is_sound(self) -> None:
        report = chain_verify()
        assert report.ok, report.reason
        log = list(AuditEntry.objects.order_by("id"))
        activations_are_in(log)
        freezes_are_kept_in(log)
        settings_are_in(log)
        approvals_are_in(log)


def inside(key: str, value: Any) -> bool:
    return value_violation(FACTORS[key], value) is None


def impossible(values: dict[str, Any]) -> list[str]:
    return [key for key, value in values.items() if not inside(key, value)]


def activations_are_in(log: list[AuditEntry]) -> None:
    """Each activation and rollback has one row for each factor that it changed, or one when it changed none."""
    values = {row.version: row.stored_values for row in ParameterVersion.objects.all()}
    wanted: Counter[tuple[str, int, int]] = Counter()
    for row in ParameterActivation.objects.exclude(action=ActivationAction.SEED):
        assert row.previous is not None
        one, other = values[row.previous], values[row.version]
        differ = sum(one.get(key, item.default) != other.get(key, item.default) for key, item in FACTORS.items())
        wanted[row.action, row.previous, row.version] += max(differ, 1)
    actions = {"parameters.activated": "activate", "parameters.rolled_back": "rollback"}
    assert wanted == Counter(
        (actions[row.action], (row.before or {})["version"], (row.after or {})["version"])
        for row in log
        if row.action in actions
    )


def freezes_are_kept_in(log: list[AuditEntry]) -> None:
    """While all or one was frozen, nothing became active that changed it, but by a rollback."""
    frozen = False
    factors: set[str | None] = set()
    for row in log:
        if row.action in ("parameters.frozen", "parameters.unfrozen"):
            frozen = row.action == "parameters.frozen"
        elif row.action == "factor.changed" and "frozen" in (row.after or {}):
            (factors.add if (row.after or {})["frozen"] else factors.discard)(row.parameter)
        elif row.action == "parameters.activated":
            assert not frozen, row.id
            assert row.parameter not in factors, row.id
    assert TunerState.objects.get().frozen == frozen


def settings_are_in(log: list[AuditEntry]) -> None:
    """What holds for each factor is what the log says was set last."""
    told: dict[str, dict[str, Any]] = {}
    for row in log:
        if row.action == "factor.changed":
            told.setdefault(row.subject_id, {}).update(row.after or {})
    for setting in FactorSetting.objects.all():
        for name in NAMES:
            stands, said = getattr(setting, name), told.get(setting.key, {}).get(name)
            assert (stands.isoformat() if name == "frozen_until" and stands else stands) == said, (setting.key, name)


def approvals_are_in(log: list[AuditEntry]) -> None:
    """Each request stands where the log says; each was applied once at most, and then as what was approved."""
    moves: dict[str, list[AuditEntry]] = {}
    for row in log:
        if row.subject_type == "approval" and "status" in (row.after or {}):
            moves.setdefault(row.subject_id, []).append(row)
    for approval in Approval.objects.all():
        told = moves.get(str(approval.id), [])
        assert approval.status == ((told[-1].after or {})["status"] if told else "pending")
        if approval.status == ApprovalStatus.APPLIED:
            assert approval.applied_version is not None
            version = ParameterVersion.objects.get(version=approval.applied_version)
            assert version.stored_values[approval.proposal["param"]] == approval.proposal["to"]


@pytest.fixture
def pool(transactional_db: None) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as found:
        yield found
        gate = threading.Barrier(4)

        def close() -> None:
            gate.wait()
            connections.close_all()

        for task in [found.submit(close) for _ in range(4)]:
            task.result()


def test_tuner__acts_at_once_from_several_connections__keeps_its_invariants(
    pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    dataset_load(tmp_path, sizes=Sizes(train=1, validation=1, golden=1))
    AtOnce.campaign, AtOnce.pool = campaign_make(autonomy=Autonomy.SEMI_AUTO), pool
    AtOnce.outcomes.clear()
    run_state_machine_as_test(
        AtOnce,
        settings=settings(
            max_examples=40 if LONG else 10,
            stateful_step_count=15 if LONG else 10,
            deadline=None,
            derandomize=not LONG,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate],  # a lost race does not come again, so there is nothing to shrink
        ),
    )
    done = {name for name, done in AtOnce.outcomes if done}
    assert {"propose", "approve", "thaw"} <= done, "the acts get in each other's way: nothing was tried"
