"""Guessing passwords is slow: after five wrong ones for a name from one address, that pair waits a quarter of an hour.

By name and address together, so that nobody can lock a person out from elsewhere; and by address alone, so that one
machine cannot try a password on many names. The count is in the database: all web processes share it.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm

from audit.services import entry_append
from contracts.actor import Actor, Role
from kernel.errors import NotFound
from selflearn_site.access.models import SignInFailure
from selflearn_site.access.rate import rate_take

ADDRESS_LIMIT = 50
"""Wrong passwords from one address within `LOCKED`, whatever the names."""
_FAILED = """
INSERT INTO sign_in_failures AS f (name, address, failures, last_at) VALUES (%(name)s, %(address)s, 1, %(now)s)
ON CONFLICT (name, address) DO UPDATE SET
  failures = CASE WHEN f.last_at < %(since)s THEN 1 ELSE f.failures + 1 END, last_at = %(now)s
"""
_ADDRESS_SPENT = """
SELECT count >= %s FROM api_rate_windows
WHERE subject = %s AND began_at > clock_timestamp() - %s * interval '1 second'
"""


class GuardedBackend(ModelBackend):
    """Django's own, which does not even look at a password while its name is locked at this address."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        name = (username or kwargs.get("username") or "")[:150].lower()
        if request is None or not name or password is None:  # no door: a command or a test
            return super().authenticate(request, username=username, password=password, **kwargs)
        address = address_of(request)
        if sign_in_locked(name=name, address=address):
            raise PermissionDenied
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is None:
            _failed(name=name, address=address)
        else:
            SignInFailure.objects.filter(name=name, address=address).delete()
        return user


class SignInForm(AuthenticationForm):  # type: ignore[misc]  # unfold is not typed
    """Says that a name is locked, and until when, instead of that the password was wrong."""

    def get_invalid_login_error(self) -> Any:
        name = str(self.cleaned_data.get("username", ""))[:150].lower()
        if self.request is not None and sign_in_locked(name=name, address=address_of(self.request)):
            minutes = int(SignInFailure.LOCKED.total_seconds() // 60)
            message = _("Too many wrong passwords. Wait %(minutes)d minutes, or ask a meta-user to unlock you.")
            return ValidationError(message % {"minutes": minutes}, code="locked")
        return super().get_invalid_login_error()


def address_of(request: HttpRequest) -> str:
    """Behind a proxy the server (uvicorn `--proxy-headers`) has put the client's own here."""
    return str(request.META.get("REMOTE_ADDR") or "")[:45]


def sign_in_locked(*, name: str, address: str) -> bool:
    row = SignInFailure.objects.filter(name=name, address=address).first()
    if row is not None and row.is_locked:
        return True
    with connection.cursor() as cursor:
        cursor.execute(_ADDRESS_SPENT, [ADDRESS_LIMIT, f"sign-in:{address}", SignInFailure.LOCKED.total_seconds()])
        found = cursor.fetchone()
    return bool(found and found[0])


@transaction.atomic
def sign_in_unlock(*, failure_id: int, actor: Actor, reason: str = "") -> None:
    """Forget the failures of one name at one address, and those of the address. Raises `NotFound`, `NotAuthorised`
    below meta-user."""
    actor.require(Role.META_USER)
    row = SignInFailure.objects.select_for_update().filter(pk=failure_id).first()
    if row is None:
        raise NotFound(f"there is no lock {failure_id}", details={"lock": failure_id})
    entry_append(
        actor=actor,
        action="sign_in.unlocked",
        subject_type="sign_in",
        subject_id=row.name,
        before={"failures": row.failures, "address": row.address},
        reason=reason,
    )
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM api_rate_windows WHERE subject = %s", [f"sign-in:{row.address}"])
    row.delete()


def _failed(*, name: str, address: str) -> None:
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_FAILED, {"name": name, "address": address, "now": now, "since": now - SignInFailure.LOCKED})
    rate_take(subject=f"sign-in:{address}", limit=ADDRESS_LIMIT, window=int(SignInFailure.LOCKED.total_seconds()))
