"""What a token may reach: `goals:read`, `goals:write`, … Narrower than its role, never wider.

A group is the first part of an address, with near ones together. `write` includes `read`; `all` is every group. A token
without scopes may do whatever its role may. Checked where the token is read (`api/auth.py`), so no route can forget.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kernel.errors import InvalidInput, NotAuthorised

PREFIX = "/api/v1/"
ALL = "all"
_TOGETHER = {
    "campaigns": "goals",
    "hypotheses": "experiments", "datasets": "experiments", "knowledge": "experiments",
    "factors": "parameters", "prompts": "parameters",
    "metrics": "reports", "teacher": "reports", "analytics": "reports",
    "notifications": "incidents",
    "safety": "policy",
    "prunings": "memories",
}  # fmt: skip
_OPEN = frozenset({"health", "me", "openapi.json", "docs"})
"""Told to every caller."""
_READS = frozenset({"goals/translate", "experiments/validate"})
"""POSTs that change nothing."""
_SCOPE = re.compile(r"[a-z][a-z-]{0,30}:(read|write)")


def scope_of(method: str, path: str) -> str | None:
    """What a call needs; None: nothing. `path` as of the request, with or without `/api/v1`."""
    place = path.removeprefix(PREFIX).strip("/")
    segment = place.split("/", 1)[0]
    if segment in _OPEN:
        return None
    reads = method in ("GET", "HEAD", "OPTIONS") or place in _READS
    return f"{_TOGETHER.get(segment, segment)}:{'read' if reads else 'write'}"


def groups() -> tuple[str, ...]:
    """Every group that the API has, by name."""
    from selflearn_site.api.assembly import api

    paths = api.get_openapi_schema(path_prefix="")["paths"]
    scopes = (scope_of("GET", path) for path in paths)
    return tuple(sorted({scope.split(":")[0] for scope in scopes if scope}))


def scopes_known() -> tuple[str, ...]:
    return tuple(f"{group}:{right}" for group in (ALL, *groups()) for right in ("read", "write"))


def scopes_check(scopes: Sequence[str]) -> list[str]:
    """Each once, sorted. Raises `InvalidInput` for none at all and for what is no scope."""
    known = scopes_known()
    wrong = sorted({scope for scope in scopes if not _SCOPE.fullmatch(scope) or scope not in known})
    if wrong:
        raise InvalidInput(f"there is no scope {wrong[0]!r}", details={"field": "scopes", "known": list(known)})
    if not scopes:
        raise InvalidInput("name at least one scope, or leave scopes out", details={"field": "scopes"})
    return sorted(set(scopes))


def scope_allows(scopes: Sequence[str] | None, needed: str | None) -> bool:
    if scopes is None or needed is None:
        return True
    group, right = needed.split(":")
    rights = ("read", "write") if right == "read" else ("write",)
    return any(f"{place}:{one}" in scopes for place in (group, ALL) for one in rights)


def scope_require(scopes: Sequence[str] | None, needed: str | None) -> None:
    """Raises `NotAuthorised`, naming the scope that is missing."""
    if not scope_allows(scopes, needed):
        raise NotAuthorised(
            f"this needs the scope {needed}, which the token does not have",
            details={"needs_scope": needed, "has_scopes": list(scopes or ())},
        )
