# ruff: noqa: ARG001 - ninja calls every route with `request`
"""What the system may do by itself: the policy, its versions, and how it is changed."""

from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Field, Router, Schema
from ninja.pagination import paginate

from contracts.doors import actor_of
from manager.domain.policy_fields import POLICY_FIELDS, bounds_said
from manager.models import Policy, PolicyVersion
from manager.services.policy import (
    policy_current,
    policy_edited,
    policy_preview,
    policy_restore,
    policy_values,
    policy_version_get,
)

router = Router(tags=["policy"])


class FieldOut(Schema):
    """What a form needs to know of one field."""

    name: str
    group: str
    kind: Literal["whole", "number", "yes", "one", "some"]
    """`whole` number, `number`, `yes` or no, `one` of `choices`, `some`: a list of factors."""
    unit: str
    bounds: str
    choices: list[str]
    title: str
    help: str


class PolicyOut(Schema):
    version: int
    updated_at: datetime
    values: dict[str, Any]
    fields: list[FieldOut]


class DifferenceOut(Schema):
    field: str
    before: Any
    after: Any


class PolicyIn(Schema, extra="forbid"):
    changes: dict[str, Any] = Field(
        description="Field → new value; fields that are left out stay.", examples=[{"changes_per_day": 3}]
    )
    reason: str = Field(min_length=1, max_length=2000, examples=["Slower while the new judge is labelled"])
    expected_version: int | None = Field(
        None, description="The version that the caller has seen; if another one is in force, nothing happens (409)."
    )


class PreviewIn(Schema, extra="forbid"):
    changes: dict[str, Any] = Field(examples=[{"golden_mode": "strict"}])


class RestoreIn(Schema, extra="forbid"):
    reason: str = Field(min_length=1, max_length=2000, examples=["Back to what worked"])
    expected_version: int | None = None


class PolicyVersionOut(Schema):
    version: int
    at: datetime
    actor: str
    reason: str
    changes: dict[str, list[Any]]
    """Field → its value before and after."""
    restored_from: int | None


class PolicyVersionDetail(PolicyVersionOut):
    values: dict[str, Any]


@router.get("/policy", response=PolicyOut, summary="What the system may do by itself")
def policy(request: HttpRequest) -> dict[str, Any]:
    """The version in force, each field with its help, unit and bounds."""
    return _out(policy_current())


@router.patch("/policy", response=PolicyOut, summary="Change the policy: a new version")
def policy_edit(request: HttpRequest, body: PolicyIn) -> dict[str, Any]:
    """Role meta-user. The same values again make no version."""
    return _out(
        policy_edited(body.changes, actor=actor_of(request), reason=body.reason, expected_version=body.expected_version)
    )


@router.post("/policy/preview", response=list[DifferenceOut], summary="What a change would change; writes nothing")
def policy_look(request: HttpRequest, body: PreviewIn) -> list[dict[str, Any]]:
    return [{"field": item.field, "before": item.before, "after": item.after} for item in policy_preview(body.changes)]


@router.get("/policy/versions", response=list[PolicyVersionOut], summary="Versions of the policy, newest first")
@paginate
def policy_versions(request: HttpRequest) -> QuerySet[PolicyVersion]:
    return PolicyVersion.objects.all()


@router.get("/policy/versions/{int:version}", response=PolicyVersionDetail, summary="One version with its values")
def policy_version(request: HttpRequest, version: int) -> PolicyVersion:
    return policy_version_get(version)


@router.post("/policy/versions/{int:version}/restore", response=PolicyOut, summary="Make a version hold again")
def policy_back(request: HttpRequest, version: int, body: RestoreIn) -> dict[str, Any]:
    """Role meta-user. A new version with the values of that one; nothing is erased."""
    return _out(
        policy_restore(
            version=version, actor=actor_of(request), reason=body.reason, expected_version=body.expected_version
        )
    )


def _out(policy: Policy) -> dict[str, Any]:
    described = {field.name: field for field in Policy._meta.concrete_fields}
    return {
        "version": policy.version,
        "updated_at": policy.updated_at,
        "values": policy_values(policy),
        "fields": [
            {
                "name": field.name,
                "group": field.group,
                "kind": field.kind,
                "unit": field.unit,
                "bounds": bounds_said(field),
                "choices": list(field.choices),
                "title": str(described[field.name].verbose_name),
                "help": str(described[field.name].help_text),
            }
            for field in POLICY_FIELDS.values()
        ],
    }
