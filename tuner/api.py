# ruff: noqa: ARG001 - ninja calls every route with `request`
"""Parameters: what a run uses, the versions, activation, freeze."""

import uuid
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from ninja.pagination import paginate
from ninja.params import P, QueryEx
from pydantic import Field

from audit.services import chain_lock
from contracts.change import AppliedChange
from contracts.doors import actor_of
from contracts.etags import TAGGED, TAKES_IF_MATCH, tagged, unchanged
from contracts.parameters import EffectiveParameters, ParameterContext
from kernel.errors import InvalidInput, NotFound
from tuner import selectors, services
from tuner.models import ParameterVersion, TenantParameters
from tuner.tenants import tenant_parameters_set

router = Router(tags=["parameters"])


class VersionOut(Schema):
    version: int
    parent_version: int | None
    is_active: bool
    kind: str
    experiment: str | None
    variant: str | None
    reason: str
    created_by: str
    created_at: datetime
    stable_since: datetime | None
    rolled_back_at: datetime | None
    content_hash: str


class VersionDetail(VersionOut):
    values: dict[str, Any]
    """Flat, the registry's defaults included."""
    changes: list[dict[str, Any]]
    """Against the parent version: `param`, `from`, `to`."""


class DiffOut(Schema):
    """One factor that differs. `from` is its value in the first version, `to` in the second."""

    param: str
    from_value: Any = Field(alias="from")
    to_value: Any = Field(alias="to")


class ActivateIn(Schema, extra="forbid"):
    reason: str
    expected_active: int
    """The version that the caller believes is active; if another one is, nothing happens (409)."""


class ReasonIn(Schema, extra="forbid"):
    reason: str


class FreezeOut(Schema):
    frozen: bool


@router.get(
    "/parameters/effective",
    response=EffectiveParameters,
    summary="The parameters that a run uses",
    openapi_extra=TAGGED,
)
def effective(
    request: HttpRequest,
    response: HttpResponse,
    experiment_id: str | None = None,
    variant: str | None = None,
    version: int | None = None,
    user_id: uuid.UUID | None = None,
) -> EffectiveParameters:
    """Production, or an experiment's arm, or one version, or what holds for one person's runs.

    The ETag changes with the content; `If-None-Match` asks whether anything is new.
    """
    if (experiment_id is None) != (variant is None):
        raise InvalidInput("experiment_id and variant go together", details={"field": "variant"})
    found = selectors.effective_params(
        ParameterContext(experiment=experiment_id, variant=variant, version=version, user_id=user_id)
    )
    response["ETag"] = _tag(found)
    return found


@router.get("/parameters/versions", response=list[VersionOut], summary="Parameter versions, newest first")
@paginate(sort=("version", "created_at"))
def versions(
    request: HttpRequest, kind: str | None = None, experiment: str | None = None
) -> QuerySet[ParameterVersion]:
    wanted = {"kind": kind, "experiment": experiment}
    return ParameterVersion.objects.filter(**{name: value for name, value in wanted.items() if value})


@router.get("/parameters/versions/{int:version}", response=VersionDetail, summary="One version with its values")
def version_detail(request: HttpRequest, version: int) -> dict[str, Any]:
    row = selectors.version_get(version)
    changes = selectors.versions_diff(row.parent_version, version) if row.parent_version else ()
    return {
        **VersionOut.from_orm(row).dict(),
        "values": selectors.version_values(version),
        "changes": [change.to_mission_json() for change in changes],
    }


@router.get(
    "/parameters/versions/{int:version}/diff/{int:other}",
    response=list[DiffOut],
    summary="What differs between any two versions",
)
def version_diff(request: HttpRequest, version: int, other: int) -> list[dict[str, Any]]:
    """From `version` to `other`, the registry's defaults included; an experiment's arms too."""
    return [change.to_mission_json() for change in selectors.versions_diff(version, other)]


class ComparedChange(Schema):
    param: str
    before: Any = Field(alias="from")
    after: Any = Field(alias="to")


class ComparedOut(Schema):
    """Two versions and every factor that differs between them."""

    from_version: VersionOut = Field(alias="from")
    to_version: VersionOut = Field(alias="to")
    changes: list[ComparedChange]


@router.get("/parameters/diff", response=ComparedOut, summary="Any two versions beside each other", by_alias=True)
def diff(
    request: HttpRequest,
    before: QueryEx[int, P(alias="from", description="a version, of production or of an experiment's arm")],
    after: QueryEx[int, P(alias="to", description="the version that it is compared with")],
) -> dict[str, Any]:
    """The registry's defaults are included, so a version of before a factor existed has its default."""
    return {
        "from": VersionOut.from_orm(selectors.version_get(before)),
        "to": VersionOut.from_orm(selectors.version_get(after)),
        "changes": [change.to_mission_json() for change in selectors.versions_diff(before, after)],
    }


@router.post(
    "/parameters/versions/{int:version}/activate",
    response=AppliedChange,
    summary="Make a version the active one",
    openapi_extra=TAKES_IF_MATCH | {"x-etag": False},
)
def activate(request: HttpRequest, version: int, body: ActivateIn) -> AppliedChange:
    """`If-Match`: the ETag of `/parameters/effective`."""
    with unchanged(request, lambda: _tag(selectors.effective_params(ParameterContext()))):
        return services.version_activate(
            version=version, expected_active=body.expected_active, actor=actor_of(request), reason=_said(body.reason)
        )


@router.post("/parameters/freeze", response=FreezeOut, summary="Stop all changes at once, rollbacks excepted")
def freeze(request: HttpRequest, body: ReasonIn) -> dict[str, bool]:
    services.parameters_freeze(actor=actor_of(request), reason=_said(body.reason))
    return {"frozen": selectors.is_frozen()}


@router.post("/parameters/unfreeze", response=FreezeOut, summary="Let changes through again")
def unfreeze(request: HttpRequest, body: ReasonIn) -> dict[str, bool]:
    services.parameters_unfreeze(actor=actor_of(request), reason=_said(body.reason))
    return {"frozen": selectors.is_frozen()}


class TenantIn(Schema, extra="forbid"):
    version: int
    reason: str


class TenantOut(Schema):
    user_id: uuid.UUID
    version: int
    reason: str
    set_by: str
    set_at: datetime


@router.get("/parameters/tenants", response=list[TenantOut], summary="Whose runs use a version of their own")
@paginate(sort=("set_at",))
def tenants(request: HttpRequest) -> QuerySet[TenantParameters]:
    return TenantParameters.objects.all()


@router.get(
    "/parameters/tenants/{uuid:user_id}",
    response=TenantOut,
    summary="Which version this person's runs use",
    openapi_extra=TAGGED,
)
def tenant_get(request: HttpRequest, response: HttpResponse, user_id: uuid.UUID) -> TenantOut:
    """404: no version of their own; theirs is the production version."""
    return tagged(response, _tenant(user_id))


@router.put(
    "/parameters/tenants/{uuid:user_id}",
    response=TenantOut,
    summary="A version for one person's runs alone",
    openapi_extra=TAKES_IF_MATCH,
)
def tenant_put(request: HttpRequest, response: HttpResponse, user_id: uuid.UUID, body: TenantIn) -> TenantOut:
    """Needs the role meta-user. A production version that was not rolled back; an experiment's arm still wins."""
    with _tenant_as_seen(request, user_id):
        tenant_parameters_set(user_id=user_id, version=body.version, reason=body.reason, actor=actor_of(request))
    return tagged(response, _tenant(user_id))


@router.post(
    "/parameters/tenants/{uuid:user_id}/remove",
    response={204: None},
    summary="Production for this person again",
    openapi_extra=TAKES_IF_MATCH | {"x-etag": False},
)
def tenant_remove(request: HttpRequest, user_id: uuid.UUID, body: ReasonIn) -> Status[None]:
    with _tenant_as_seen(request, user_id):
        tenant_parameters_set(user_id=user_id, version=None, reason=body.reason, actor=actor_of(request))
    return Status(204, None)


def _tenant(user_id: uuid.UUID) -> TenantOut:
    found = TenantParameters.objects.filter(user_id=user_id).first()
    if found is None:
        raise NotFound("this person has no version of their own", details={"user_id": str(user_id)})
    return TenantOut.from_orm(found)


def _tenant_as_seen(request: HttpRequest, user_id: uuid.UUID) -> AbstractContextManager[None]:
    return unchanged(request, lambda: _tenant(user_id), inside=transaction.atomic, lock=chain_lock)


def _tag(found: EffectiveParameters) -> str:
    return f'"{found.version}-{found.content_hash[:16]}"'


def _said(reason: str) -> str:
    """The services take any reason, since components give none to some; a person says why."""
    if not reason.strip():
        raise InvalidInput("say why", details={"field": "reason"})
    return reason
