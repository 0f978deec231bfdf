"""The documented production settings leave nothing to warn of, and every answer carries the headers."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from contracts.actor import Role
from tests.access.people import bearer, client_of, person

ROOT = Path(settings.BASE_DIR)
GIVEN = re.compile(r"\b([A-Z_]+)=")


def _check(*changes: str) -> subprocess.CompletedProcess[str]:
    """`check --deploy` in a process of its own, with the settings of `.ci/production` and these on top."""
    command = [".ci/production", "env", *changes, ".venv/bin/python", "manage.py", "check", "--deploy"]
    command += ["--fail-level", "WARNING"]
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def test_check__with_the_documented_settings__is_clean() -> None:
    found = _check()
    assert found.returncode == 0, found.stderr
    assert "no issues (0 silenced)" in found.stdout


def test_check__without_https__is_not() -> None:
    found = _check("SELFLEARN_HTTPS=0")
    assert found.returncode == 1
    assert {"security.W004", "security.W008", "security.W012", "security.W016"} <= set(
        re.findall(r"security\.W\d+", found.stderr)
    )


def test_settings__of_the_check__are_those_of_the_page() -> None:
    page = (ROOT / "docs" / "DEPLOY.md").read_text()
    named = set(GIVEN.findall((ROOT / ".ci" / "production").read_text()))
    assert len(named) >= 7
    assert {name for name in named if f"`{name}`" not in page} == set()


HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
}


@pytest.fixture
def https(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True


@pytest.mark.parametrize("path", ["/", "/admin/", "/admin/login/", "/api/v1/goals", "/api/v1/docs", "/api/nowhere"])
def test_headers__over_https__stand_on_every_answer(path: str, https: None, db: None) -> None:
    answer = client_of(person("alice", Role.META_USER)).get(path, secure=True)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "camera=()" in answer.headers["Permissions-Policy"]


def test_http__where_https_is_wanted__is_redirected_except_health(https: None, db: None) -> None:
    client = Client()
    moved = client.get("/api/v1/goals", headers=bearer(Role.VIEWER))
    assert (moved.status_code, moved.headers["Location"]) == (301, "https://testserver/api/v1/goals")
    assert client.get("/api/v1/health").status_code == 200


def test_cookies__over_https__are_kept_from_http_and_from_scripts(https: None, db: None) -> None:
    person("alice", Role.META_USER)
    client = Client()
    client.get("/admin/login/", secure=True)
    client.post("/admin/login/", {"username": "alice", "password": "correct horse battery"}, secure=True)
    session = client.cookies["sessionid"]
    assert (session["secure"], session["httponly"], session["samesite"]) == (True, True, "Lax")
    assert client.cookies["csrftoken"]["secure"] is True
