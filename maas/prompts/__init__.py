"""Templates of the agents' prompts by role and version, kept for a short while after the first read."""

from __future__ import annotations

import time

from kernel.errors import NotFound
from maas.access import as_service

KEPT_SECONDS = 10.0
"""How long an edit in the admin may take to reach a running process."""

_kept: dict[tuple[str, str], tuple[float, str]] = {}


def template(role: str, version: str) -> str:
    """The template of one version. Raises `NotFound`: a run never uses another prompt than its parameters name."""
    key = (role, version)
    known = _kept.get(key)
    if known is not None and known[0] > time.monotonic():
        return known[1]
    with as_service() as cursor:
        cursor.execute("SELECT template FROM system_prompts WHERE role = %s AND version = %s", [role, version])
        row = cursor.fetchone()
    if row is None:
        raise NotFound(f"there is no prompt {version} for the {role}", details={"role": role, "version": version})
    _kept[key] = (time.monotonic() + KEPT_SECONDS, row[0])
    return str(row[0])


def forget() -> None:
    """Read every template anew; for whoever has just changed one in this process."""
    _kept.clear()
