"""Policy: what the system may do by itself. Each edit by the meta-user is a version of its own, and is audited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from audit.services import chain_lock, entry_append
from contracts.actor import Actor, Role
from kernel.errors import Conflict, InvalidInput, NotFound
from manager.domain.policy_fields import POLICY_FIELDS, Difference, differences, value_problem
from manager.models import Policy, PolicyVersion
from teacher.calibration.rule import AgreementRule
from teacher.judges import judge_model
from tuner.registry import FACTORS

EDITABLE = tuple(POLICY_FIELDS)
FIRST = "as the installation began"


def policy_current() -> Policy:
    """The policy in force. Makes the first version where there is none yet."""
    policy = Policy.objects.filter(id=1).first()
    return policy if policy is not None else _begin()


def policy_values(policy: Policy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in EDITABLE}


def policy_version_get(version: int) -> PolicyVersion:
    found = PolicyVersion.objects.filter(version=version).first()
    if found is None:
        raise NotFound(f"there is no version {version} of the policy", details={"version": version})
    return found


def agreement_rule() -> AgreementRule:
    """What the policy asks of a judge before its marks count in a verdict."""
    policy = policy_current()
    return AgreementRule(
        min_kappa=policy.judge_min_kappa,
        min_labels=policy.judge_min_labels,
        uncalibrated_counts=policy.judge_uncalibrated_counts,
    )


def policy_preview(values: Mapping[str, Any]) -> list[Difference]:
    """What would change; writes nothing. Raises `InvalidInput` as `policy_change` does."""
    policy = policy_current()
    _checked(policy, values)
    return differences(policy_values(policy), values)


def policy_change(*, actor: Actor, reason: str, **values: Any) -> Policy:
    """`policy_edited` of the version in force."""
    return policy_edited(values, actor=actor, reason=reason)


def policy_edited(
    values: Mapping[str, Any], *, actor: Actor, reason: str, expected_version: int | None = None
) -> Policy:
    """Change the policy: a new version with who, when, why and what. The same values again change nothing.

    `expected_version`: the version that the caller has seen; `Conflict` when another one is in force. Raises
    `InvalidInput` for an unknown field, a value out of its bounds, a change without a reason, or a model as judge where
    none is configured; `NotAuthorised` below meta-user.
    """
    return _change(actor=actor, reason=reason, expected_version=expected_version, values=values, restored_from=None)


def policy_restore(*, version: int, actor: Actor, reason: str, expected_version: int | None = None) -> Policy:
    """Make the values of an earlier version hold again, as a new version. Fields that it did not know stay as they are.

    Raises what `policy_change` raises (an earlier value may be impossible today), `NotFound` for an unknown version.
    """
    values = {name: value for name, value in policy_version_get(version).values.items() if name in POLICY_FIELDS}
    return _change(actor=actor, reason=reason, expected_version=expected_version, values=values, restored_from=version)


@transaction.atomic
def _change(
    *, actor: Actor, reason: str, expected_version: int | None, values: Mapping[str, Any], restored_from: int | None
) -> Policy:
    """1. Role and reason. 2. The version that the caller saw is in force, and every value is possible. 3. UPDATE …
    WHERE the version is still what was seen: it hits one row, or somebody else was first (`Conflict`). 4. The version's
    row and the audit row, in the same transaction."""
    actor.require(Role.META_USER)
    if not reason.strip():
        raise InvalidInput("a change of policy needs a reason", details={"field": "reason"})
    chain_lock()  # before the row, as every writer of both
    policy = policy_current()
    seen = policy.version
    if expected_version not in (None, seen):
        raise Conflict(
            f"version {seen} of the policy is in force, not {expected_version}: look at it and decide again",
            details={"version": seen},
        )
    _checked(policy, values)
    changed = differences(policy_values(policy), values)
    if not changed:
        return policy
    if any(item.field == "judge" and item.after == "llm" for item in changed):
        judge_model()  # says what to do when there is none
    after = {item.field: item.after for item in changed}
    moved = Policy.objects.filter(id=1, version=seen).update(version=seen + 1, updated_at=timezone.now(), **after)
    if moved != 1:
        raise Conflict("somebody else changed the policy meanwhile", details={"version": seen})
    policy.refresh_from_db()
    PolicyVersion.objects.create(
        version=policy.version,
        values=policy_values(policy),
        changes={item.field: [item.before, item.after] for item in changed},
        reason=reason.strip(),
        actor=actor.label,
        restored_from=restored_from,
    )
    entry_append(
        actor=actor,
        action="policy.restored" if restored_from else "policy.changed",
        subject_type="policy",
        subject_id=str(policy.version),
        before={item.field: item.before for item in changed},
        after=after,
        reason=reason,
    )
    return policy


def _checked(policy: Policy, values: Mapping[str, Any]) -> None:
    """Raises `InvalidInput` unless the policy may have these values."""
    unknown = sorted(set(values) - set(EDITABLE))
    if unknown:
        raise InvalidInput(f"the policy has no field {unknown[0]!r}", details={"known": list(EDITABLE)})
    problems = {name: why for name, value in values.items() if (why := value_problem(name, value, factors=FACTORS))}
    if problems:
        raise InvalidInput("; ".join(problems.values()), details={"fields": sorted(problems)})
    wanted = Policy(id=1, version=policy.version, **{**policy_values(policy), **values})
    try:
        wanted.full_clean(validate_unique=False)
    except ValidationError as error:
        raise InvalidInput("; ".join(error.messages), details={"fields": sorted(error.message_dict)}) from error


@transaction.atomic
def _begin() -> Policy:
    """The first row. Its number goes on after versions that are there already."""
    last = PolicyVersion.objects.aggregate(last=Max("version"))["last"] or 0
    policy, created = Policy.objects.get_or_create(id=1, defaults={"version": last + 1})
    if created:
        PolicyVersion.objects.create(
            version=policy.version, values=policy_values(policy), reason=FIRST, actor="component:manager"
        )
    return policy
