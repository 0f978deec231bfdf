"""Where on the site to read more. The addresses are the site's; a test opens each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.conf import settings

_PATHS: dict[str, Callable[[str], str]] = {
    "incident": lambda key: f"/incidents/#incident-{key}",
    "approval": lambda key: f"/approvals/#approval-{key}",
    "campaign": lambda key: f"/campaigns/{key}/",
    "experiment": lambda key: f"/experiments/{key}/",
    "version": lambda _key: "/parameters/",
    "channel": lambda _key: "/notifications/",
}


def path_of(subject: str) -> str:
    """`incident:5` as a path of the site; the home page for what has none."""
    kind, _colon, key = subject.partition(":")
    return _PATHS[kind](quote(key, safe="")) if kind in _PATHS and key else "/"


def link_of(subject: str) -> str:
    """The whole address, under SELFLEARN_SITE_URL."""
    base: Any = settings.SELFLEARN_SITE_URL
    return f"{base}{path_of(subject)}"
