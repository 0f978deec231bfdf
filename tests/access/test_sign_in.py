"""Guessing passwords: five tries, then a wait that is said, and a way back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from contracts.actor import Actor, Role
from kernel.errors import NotAuthorised
from selflearn_site.access.models import SignInFailure
from selflearn_site.access.sign_in import ADDRESS_LIMIT, sign_in_locked, sign_in_unlock
from tests.access.people import PASSWORD, person

pytestmark = pytest.mark.django_db


def _sign_in(client: Client, name: str = "anna", password: str = PASSWORD, address: str = "127.0.0.1") -> Any:
    return client.post("/admin/login/", {"username": name, "password": password}, REMOTE_ADDR=address)


def _guess(client: Client, times: int = SignInFailure.MOST) -> None:
    for _ in range(times):
        _sign_in(client, password="wrong")


@pytest.fixture(autouse=True)
def anna() -> None:
    person("anna", Role.VIEWER)


def test_sign_in__after_five_wrong_passwords__refuses_the_right_one_and_says_so(client: Client) -> None:
    _guess(client)
    response = _sign_in(client, name="Anna")
    assert response.status_code == 200
    assert "15" in str(response.context["form"].non_field_errors())
    assert "_auth_user_id" not in client.session


def test_sign_in__after_four_wrong_passwords__works_and_forgets_them(client: Client) -> None:
    _guess(client, SignInFailure.MOST - 1)
    assert _sign_in(client).status_code == 302
    assert not SignInFailure.objects.exists()


def test_sign_in__locked_at_one_address__works_from_another(client: Client) -> None:
    _guess(client)
    assert _sign_in(client, address="127.0.0.2").status_code == 302


def test_sign_in__when_the_wait_is_over__works(client: Client) -> None:
    _guess(client)
    SignInFailure.objects.update(last_at=timezone.now() - SignInFailure.LOCKED - timedelta(seconds=1))
    assert _sign_in(client).status_code == 302


def test_address__that_tries_many_names__is_locked_for_all(client: Client) -> None:
    for number in range(ADDRESS_LIMIT):
        _sign_in(client, name=f"nobody{number}", password="wrong")
    assert sign_in_locked(name="anna", address="127.0.0.1")
    assert not sign_in_locked(name="anna", address="127.0.0.2")


def test_unlock__by_a_meta_user__lets_in_again_and_is_audited(client: Client, alice: Actor) -> None:
    _guess(client)
    sign_in_unlock(failure_id=SignInFailure.objects.get().pk, actor=alice, reason="it was her")
    assert _sign_in(client).status_code == 302
    assert AuditEntry.objects.get(action="sign_in.unlocked").subject_id == "anna"


def test_unlock__by_an_operator__is_refused(client: Client, bob: Actor) -> None:
    _guess(client)
    with pytest.raises(NotAuthorised):
        sign_in_unlock(failure_id=SignInFailure.objects.get().pk, actor=bob)


@pytest.mark.parametrize("path", ["/admin/login/", "/api/v1/goals", "/api/v1/docs", "/api/nowhere"])
def test_answer__of_every_door__carries_a_content_policy(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Request-ID"]
