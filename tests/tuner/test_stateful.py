"""Whatever is proposed, activated, rolled back or frozen in whatever order: what must always hold."""

from __future__ import annotations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from audit.models import AuditEntry
from audit.selectors import chain_verify
from contracts.actor import Actor, Role, component
from contracts.parameters import ParameterContext
from kernel.errors import Conflict, RuleViolated
from tests.tuner.factories import change, next_step, proposal
from tuner import selectors, services
from tuner.domain.values import value_violation
from tuner.models import ParameterVersion
from tuner.registry import FACTORS

MANAGER = component("manager")
ALICE = Actor(kind="person", name="alice", role=Role.META_USER)
_MOVES = (
    ("retrieval.top_k", (-1, 1, 2, 30)),
    ("retrieval.min_score", (-0.1, 0.1, 0.3, 2.0)),
    ("context.max_tokens", (-500, 500, 3000)),
)


class Tuner(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.active = 1
        self.trail = [1]
        self.stable = {1}
        self.rolled_back: set[int] = set()
        self.frozen = False
        self.experiments = 0
        self.audited = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @rule(move=st.sampled_from([(key, by) for key, steps in _MOVES for by in steps]), approved=st.booleans())
    def propose(self, move: tuple[str, float], approved: bool) -> None:
        key, by = move
        current = selectors.version_values(self.active)[key]
        wish = next_step(key, current + by, approved_by="person:alice" if approved else None)
        violations = services.change_check(proposal=wish)
        self.audited += 1
        if violations:
            with pytest.raises(RuleViolated):
                services.change_apply(proposal=wish, actor=MANAGER)
            return
        assert not self.frozen
        self._became(services.change_apply(proposal=wish, actor=MANAGER).version)

    @precondition(lambda self: len(self.trail) > 1)
    @rule()
    def propose_on_an_old_base(self) -> None:
        base = min(set(self.trail) - {self.active}, default=None)
        if base is None:
            return
        value = selectors.version_values(base)["retrieval.top_k"]
        with pytest.raises(Conflict):
            services.change_apply(
                proposal=proposal(change("retrieval.top_k", value, value + 1), base_version=base), actor=MANAGER
            )
        self.audited += 1

    @rule(value=st.integers(1, 20))
    def prepare(self, value: int) -> None:
        self.experiments += 1
        slug = f"e{self.experiments}"
        arms = {"baseline": {}, "variant": {"top_k": value}}
        versions = services.experiment_prepare(experiment=slug, arms=arms, base_version=self.active, actor=MANAGER)
        assert selectors.effective_params(ParameterContext(experiment=slug, variant="variant")).version in set(
            versions.values()
        )
        self.audited += 1

    @rule(data=st.data())
    def activate_any(self, data: st.DataObject) -> None:
        rows = list(ParameterVersion.objects.order_by("version").values_list("version", "kind"))
        version, kind = data.draw(st.sampled_from(rows))
        self.audited += 1
        if self.frozen or kind == "experiment" or version == self.active:
            with pytest.raises(RuleViolated):
                services.version_activate(version=version, expected_active=self.active, actor=ALICE, reason="by hand")
            return
        changed = services.version_activate(
            version=version, expected_active=self.active, actor=ALICE, reason="by hand"
        ).changes
        self.audited += max(len(changed), 1) - 1
        self._became(version)

    @rule()
    def confirm(self) -> None:
        services.version_confirm_stable(version=self.active, actor=MANAGER, reason="good")
        self.audited += self.active not in self.stable
        self.stable.add(self.active)

    @rule()
    def roll_back(self) -> None:
        good = [v for v in self.trail if v in self.stable and v not in self.rolled_back and v != self.active]
        if not good:
            with pytest.raises(RuleViolated):
                services.parameters_rollback(actor=MANAGER, reason="worse")
            self.audited += 1
            return
        back = services.parameters_rollback(actor=MANAGER, reason="worse")
        assert back.version == good[-1]
        self.audited += max(len(back.changes), 1)
        if self.active != 1:
            self.rolled_back.add(self.active)
            self.stable.discard(self.active)
        self._became(back.version)

    @rule(frozen=st.booleans())
    def freeze(self, frozen: bool) -> None:
        act = services.parameters_freeze if frozen else services.parameters_unfreeze
        act(actor=ALICE, reason="look")
        self.audited += frozen != self.frozen
        self.frozen = frozen

    def _became(self, version: int) -> None:
        self.active = version
        self.trail.append(version)
        self.rolled_back.discard(version)

    @invariant()
    def one_version_is_active(self) -> None:
        assert [v.version for v in ParameterVersion.objects.filter(is_active=True)] == [self.active]

    @invariant()
    def what_is_effective_is_inside_the_hard_ranges(self) -> None:
        effective = selectors.effective_params(ParameterContext())
        assert effective.version == self.active
        assert all(value_violation(FACTORS[key], value) is None for key, value in effective.values.items())

    @invariant()
    def every_act_has_its_audit_row(self) -> None:
        assert AuditEntry.objects.count() == self.audited
        assert chain_verify().ok


@pytest.mark.django_db
def test_tuner__any_order_of_acts__keeps_its_invariants() -> None:
    run_state_machine_as_test(
        Tuner,
        settings=settings(
            max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
