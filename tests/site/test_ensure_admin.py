"""A fresh installation gets one administrator; an old one is left alone."""

from __future__ import annotations

import json
from io import StringIO

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command


def _run() -> dict[str, object]:
    out = StringIO()
    call_command("ensure_admin", "--json", stdout=out)
    answer: dict[str, object] = json.loads(out.getvalue())
    return answer


def test_ensure_admin__nobody_there__makes_one_who_can_log_in(db: None) -> None:
    answer = _run()
    user = authenticate(username=answer["name"], password=answer["password"])
    assert isinstance(user, User)
    assert user.is_superuser


def test_ensure_admin__repeated__changes_nothing(db: None) -> None:
    _run()
    assert _run() == {"created": False, "name": None, "password": None}
    assert User.objects.count() == 1


def test_ensure_admin__name_taken_by_somebody_else__takes_another(db: None) -> None:
    User.objects.create_user("admin")
    assert _run()["name"] == "admin2"
