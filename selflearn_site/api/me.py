"""`GET /me`: who the caller is here, and what they may do."""

from datetime import datetime
from typing import Literal

from django.http import HttpRequest
from ninja import Field, Router, Schema

from contracts.actor import Actor, Role
from contracts.doors import actor_of
from selflearn_site.access.models import ApiToken
from selflearn_site.access.scopes import groups, scope_allows

router = Router(tags=["me"])
Right = Literal["none", "read", "write"]


class MeOut(Schema):
    kind: Literal["person", "token", "component"]
    name: str
    label: str = Field(description="how the change log names the caller", examples=["token:crm"])
    role: Role
    includes: list[Role] = Field(description="roles whose acts are allowed too")
    scopes: list[str] | None = Field(description="of a token; null: whatever the role may do")
    rights: dict[str, Right] = Field(
        description="by group of routes, as the scopes allow; what is written needs a role besides"
    )
    created_at: datetime | None = Field(description="of a token")
    expires_at: datetime | None = Field(description="of a token; null: never")
    last_used_at: datetime | None = Field(description="of a token, to the minute")


@router.get("/me", response=MeOut, operation_id="me", summary="Who the caller is, and what they may do")
def me(request: HttpRequest) -> MeOut:
    actor = actor_of(request)
    token = ApiToken.objects.filter(name=actor.name).first() if actor.kind == "token" else None
    return MeOut(
        kind=actor.kind,
        name=actor.name,
        label=actor.label,
        role=actor.role,
        includes=[role for role in Role if actor.may(role)],
        scopes=None if actor.scopes is None else list(actor.scopes),
        rights={group: _right(actor, group) for group in groups()},
        created_at=token.created_at if token else None,
        expires_at=token.expires_at if token else None,
        last_used_at=token.last_used_at if token else None,
    )


def _right(actor: Actor, group: str) -> Right:
    if scope_allows(actor.scopes, f"{group}:write"):
        return "write"
    return "read" if scope_allows(actor.scopes, f"{group}:read") else "none"
