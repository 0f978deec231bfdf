"""Tokens: shown once, kept as a hash, ended by time or by hand."""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from contracts.actor import Actor, Role
from kernel.errors import Conflict, InvalidInput, NotAuthorised, NotFound
from selflearn_site.access.models import ApiToken
from selflearn_site.access.services import token_actor, token_create, token_revoke

pytestmark = pytest.mark.django_db


def test_token__created__speaks_for_its_name_and_role(alice: Actor) -> None:
    _, plain = token_create(name="front end", role=Role.OPERATOR, actor=alice)
    assert token_actor(plain) == Actor(kind="token", name="front end", role=Role.OPERATOR)


def test_token__created__is_stored_as_a_hash_only(alice: Actor) -> None:
    token, plain = token_create(name="front end", role=Role.VIEWER, actor=alice)
    stored = ApiToken.objects.values().get()
    assert plain not in map(str, stored.values())
    assert stored["digest"] == hashlib.sha256(plain.encode()).hexdigest()
    assert plain.startswith(token.prefix)
    assert len(plain) > len(token.prefix) + 30


def test_token__created_and_revoked__is_audited_without_the_token(alice: Actor) -> None:
    token, plain = token_create(name="front end", role=Role.VIEWER, actor=alice)
    token_revoke(token_id=token.pk, actor=alice, reason="lost")
    entries = list(AuditEntry.objects.order_by("id"))
    assert [entry.action for entry in entries] == ["token.created", "token.revoked"]
    told = json.dumps([[entry.before, entry.after, entry.reason] for entry in entries])
    assert plain not in told
    assert token.digest not in told


def test_token__revoked__speaks_for_nobody(alice: Actor) -> None:
    token, plain = token_create(name="front end", role=Role.VIEWER, actor=alice)
    token_revoke(token_id=token.pk, actor=alice)
    assert token_actor(plain) is None


def test_token__revoked_twice__is_audited_once(alice: Actor) -> None:
    token, _ = token_create(name="front end", role=Role.VIEWER, actor=alice)
    token_revoke(token_id=token.pk, actor=alice)
    token_revoke(token_id=token.pk, actor=alice)
    assert AuditEntry.objects.filter(action="token.revoked").count() == 1


def test_token__past_its_expiry__speaks_for_nobody(alice: Actor) -> None:
    token, plain = token_create(name="t", role=Role.VIEWER, actor=alice, expires_at=timezone.now() + timedelta(days=1))
    long_ago = timezone.now() - timedelta(days=2)
    ApiToken.objects.filter(pk=token.pk).update(created_at=long_ago, expires_at=long_ago + timedelta(days=1))
    assert token_actor(plain) is None
    assert ApiToken.objects.get().state == "expired"


def test_token__used__notes_when(alice: Actor) -> None:
    _, plain = token_create(name="t", role=Role.VIEWER, actor=alice)
    assert ApiToken.objects.get().last_used_at is None
    token_actor(plain)
    assert ApiToken.objects.get().last_used_at is not None


def test_token_create__below_meta_user__is_refused(bob: Actor) -> None:
    with pytest.raises(NotAuthorised):
        token_create(name="t", role=Role.VIEWER, actor=bob)
    assert not ApiToken.objects.exists()


def test_token_create__with_a_name_that_was_given__is_a_conflict(alice: Actor) -> None:
    token, _ = token_create(name="t", role=Role.VIEWER, actor=alice)
    token_revoke(token_id=token.pk, actor=alice)
    with pytest.raises(Conflict):
        token_create(name="t", role=Role.VIEWER, actor=alice)


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\nb", "a\x00"])
def test_token_create__with_a_bad_name__names_the_field(name: str, alice: Actor) -> None:
    with pytest.raises(InvalidInput) as caught:
        token_create(name=name, role=Role.VIEWER, actor=alice)
    assert caught.value.details == {"field": "name"}


def test_token_create__expiring_in_the_past__is_refused(alice: Actor) -> None:
    with pytest.raises(InvalidInput):
        token_create(name="t", role=Role.VIEWER, actor=alice, expires_at=timezone.now())


def test_token_revoke__of_an_unknown_one__is_not_found(alice: Actor) -> None:
    with pytest.raises(NotFound):
        token_revoke(token_id=404, actor=alice)


def test_create_token__with_json__prints_a_token_that_works() -> None:
    out = StringIO()
    call_command("create_token", "ci", "--role", "operator", "--days", "7", "--json", stdout=out)
    told = json.loads(out.getvalue())
    actor = token_actor(told["token"])
    assert actor is not None
    assert (actor.role, told["role"]) == (Role.OPERATOR, "operator")
    assert told["expires_at"]


def test_create_token__with_an_unknown_role__is_bad_usage() -> None:
    with pytest.raises(CommandError):
        call_command("create_token", "ci", "--role", "emperor")


def test_logs__of_a_call_with_a_token__never_hold_it(
    alice: Actor, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    _, plain = token_create(name="t", role=Role.VIEWER, actor=alice)
    with caplog.at_level(logging.DEBUG):
        client.get("/api/v1/goals", headers={"Authorization": f"Bearer {plain}"})
        client.get("/api/v1/goals", headers={"Authorization": f"Bearer {plain}wrong"})
    assert plain not in caplog.text
