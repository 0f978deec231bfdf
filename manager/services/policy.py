"""Policy: what the system may do by itself. One row, edited by the meta-user, each edit audited."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.services import entry_append
from contracts.actor import Actor, Role
from kernel.errors import InvalidInput
from manager.models import Policy
from teacher.calibration.rule import AgreementRule
from teacher.judges import judge_model

EDITABLE = (
    "golden_mode",
    "golden_budget",
    "golden_looks_per_campaign",
    "approval_days",
    "looks_per_experiment",
    "experiment_hours",
    "max_parallel_experiments",
    "changes_per_day",
    "screening_share",
    "screening_finalists",
    "screening_steps",
    "online_questions_per_cycle",
    "max_invalid_dialogues",
    "judge",
    "judge_sample_per_batch",
    "judge_usd_per_batch",
    "judge_min_kappa",
    "judge_min_labels",
    "judge_uncalibrated_counts",
    "four_eyes",
)


def policy_current() -> Policy:
    return Policy.objects.get_or_create(id=1)[0]


def agreement_rule() -> AgreementRule:
    """What the policy asks of a judge before its marks count in a verdict."""
    policy = policy_current()
    return AgreementRule(
        min_kappa=policy.judge_min_kappa,
        min_labels=policy.judge_min_labels,
        uncalibrated_counts=policy.judge_uncalibrated_counts,
    )


@transaction.atomic
def policy_change(*, actor: Actor, reason: str, **values: Any) -> Policy:
    """Change the policy. Raises `InvalidInput` for an unknown field, a wrong value, a change without a reason, or a
    model as judge where none is configured."""
    actor.require(Role.META_USER)
    unknown = sorted(set(values) - set(EDITABLE))
    if unknown:
        raise InvalidInput(f"the policy has no field {unknown[0]!r}", details={"known": list(EDITABLE)})
    if not reason.strip():
        raise InvalidInput("a change of policy needs a reason", details={"field": "reason"})
    policy = Policy.objects.select_for_update().get(id=policy_current().id)
    before = {name: getattr(policy, name) for name in values}
    for name, value in values.items():
        setattr(policy, name, value)
    try:
        policy.full_clean()
    except ValidationError as error:
        raise InvalidInput("; ".join(error.messages), details={"fields": sorted(error.message_dict)}) from error
    if values.get("judge") == "llm":
        judge_model()  # says what to do when there is none
    policy.save()
    entry_append(
        actor=actor,
        action="policy.changed",
        subject_type="policy",
        subject_id="1",
        before=before,
        after=values,
        reason=reason,
    )
    return policy
