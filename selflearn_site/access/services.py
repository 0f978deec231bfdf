"""Tokens: made, used, revoked. The plain token leaves this module once, in the return value of `token_create`."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from audit.services import entry_append
from contracts.actor import Actor, Role
from kernel.errors import Conflict, InvalidInput, NotFound
from selflearn_site.access.models import ApiToken
from selflearn_site.access.scopes import scopes_check

PREFIX = "slt_"
SHOWN = 10
"""How many characters of a token may be shown later; 6 of them random, 30 bytes stay secret."""

_NAME = re.compile(r"[\w][\w .@-]{0,79}")
_USE_NOTED_EVERY = timedelta(minutes=1)
"""Last use is kept to the minute, so that a busy client does not write with every call."""


@transaction.atomic
def token_create(
    *,
    name: str,
    role: Role,
    actor: Actor,
    expires_at: datetime | None = None,
    scopes: Sequence[str] | None = None,
) -> tuple[ApiToken, str]:
    """A new token, and its plain text, which is kept nowhere. `scopes` None: whatever the role may do.

    Raises `NotAuthorised` below meta-user, `InvalidInput` for a bad name, an unknown scope or a time of expiry that is
    past, `Conflict` for a name that was ever given.
    """
    actor.require(Role.META_USER)
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise InvalidInput("a token's name has 1 to 80 letters, digits, spaces or . @ _ -", details={"field": "name"})
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidInput("the time of expiry is past", details={"field": "expires_at"})
    chosen = None if scopes is None else scopes_check(scopes)
    plain = PREFIX + secrets.token_urlsafe(36)
    try:
        with transaction.atomic():
            token = ApiToken.objects.create(
                name=name,
                role=role.value,
                scopes=chosen,
                digest=_digest(plain),
                prefix=plain[:SHOWN],
                created_by=actor.label,
                expires_at=expires_at,
            )
    except IntegrityError as error:
        raise Conflict(f"there is, or was, a token named {name}", details={"field": "name"}) from error
    token.refresh_from_db()
    entry_append(
        actor=actor,
        action="token.created",
        subject_type="api_token",
        subject_id=str(token.pk),
        after={
            "name": name,
            "role": role.value,
            "scopes": chosen,
            "expires_at": expires_at.isoformat() if expires_at else None,
        },
    )
    return token, plain


@transaction.atomic
def token_revoke(*, token_id: int, actor: Actor, reason: str = "") -> ApiToken:
    """End a token for good. Revoked twice is revoked once. Raises `NotFound`, `NotAuthorised` below meta-user."""
    actor.require(Role.META_USER)
    revoked = ApiToken.objects.filter(pk=token_id, revoked_at__isnull=True).update(revoked_at=timezone.now())
    token = ApiToken.objects.filter(pk=token_id).first()
    if token is None:
        raise NotFound(f"there is no token {token_id}", details={"token": token_id})
    if revoked:
        entry_append(
            actor=actor,
            action="token.revoked",
            subject_type="api_token",
            subject_id=str(token.pk),
            after={"name": token.name},
            reason=reason,
        )
    return token


def token_actor(plain: str) -> Actor | None:
    """Who a token speaks for; None when it is unknown, expired or revoked. Notes its use."""
    now = timezone.now()
    live = Q(revoked_at__isnull=True) & (Q(expires_at__isnull=True) | Q(expires_at__gt=now))
    token = ApiToken.objects.filter(live, digest=_digest(plain)).first()
    if token is None:
        return None
    if token.last_used_at is None or now - token.last_used_at >= _USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    scopes = None if token.scopes is None else tuple(token.scopes)
    return Actor(kind="token", name=token.name, role=Role(token.role), scopes=scopes)


def _digest(plain: str) -> str:
    """A token is random and long: a plain SHA-256 cannot be guessed backwards, and finds its row by index."""
    return hashlib.sha256(plain.encode()).hexdigest()
