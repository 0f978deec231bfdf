"""The SQL functions that alone write parameters (migration 0002), as Python functions with the domain's errors."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, connection

from kernel.canonical import canonical_json
from kernel.errors import Conflict, DomainError, NotFound, RuleViolated
from tuner.domain.content import content_hash, grouped

_ERRORS: Mapping[str, tuple[type[DomainError], str | None]] = {
    "SL404": (NotFound, None),
    "SL409": (Conflict, None),
    "SL422": (RuleViolated, None),
    "SL423": (RuleViolated, "FROZEN"),
}


@contextmanager
def _domain_errors() -> Iterator[None]:
    """Turn the functions' SQLSTATEs into errors of the domain, with the sentence that PostgreSQL gave."""
    try:
        yield
    except DatabaseError as error:
        cause = error.__cause__
        known = _ERRORS.get(getattr(cause, "sqlstate", None) or "")
        if known is None:
            raise
        kind, code = known
        message = getattr(getattr(cause, "diag", None), "message_primary", None) or str(error)
        raise kind(message, code=code) from error


def _rows(sql: str, *args: str | int | bool | list[int] | None) -> list[tuple[Any, ...]]:
    with _domain_errors(), connection.cursor() as cursor:
        cursor.execute(sql, args)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _packed(values: Mapping[str, Any]) -> tuple[str, str]:
    groups = grouped(values)
    return canonical_json(groups), content_hash(groups)


def seed(values: Mapping[str, Any]) -> bool:
    """Version 1 and the tuner's state, unless they exist; True when it wrote them."""
    groups, digest = _packed(values)
    return bool(_rows("SELECT public.seed_parameters(%s::jsonb, %s)", groups, digest)[0][0])


def version_create(*, parent: int, values: Mapping[str, Any], experiment: str | None, reason: str, actor: str) -> int:
    groups, digest = _packed(values)
    sql = "SELECT public.create_parameter_version(%s::int, %s::jsonb, %s, %s, %s, %s)"
    return int(_rows(sql, parent, groups, digest, experiment, reason, actor)[0][0])


def experiment_prepare(
    *, experiment: str, base: int, arms: Mapping[str, Mapping[str, Any]], actor: str
) -> dict[str, int]:
    packed = {}
    for arm, values in arms.items():
        groups = grouped(values)
        packed[arm] = {"groups": groups, "content_hash": content_hash(groups)}
    sql = "SELECT arm_name, arm_version FROM public.prepare_experiment(%s, %s::int, %s::jsonb, %s)"
    return dict(_rows(sql, experiment, base, json.dumps(packed), actor))


def version_activate(*, version: int, expected_active: int, experiment: str | None, reason: str, actor: str) -> int:
    """Returns the version that was active before."""
    sql = "SELECT public.activate_parameter_version(%s::int, %s::int, %s, %s, %s)"
    return int(_rows(sql, version, expected_active, experiment, reason, actor)[0][0])


def rollback(*, expected_active: int | None, skip: list[int], reason: str, actor: str) -> tuple[int, int]:
    """To the stable version that was active last and is not in `skip`. Returns what was left and what is active now."""
    sql = "SELECT left_version, active_version FROM public.rollback_parameters(%s::int, %s, %s, %s::int[])"
    left, active = _rows(sql, expected_active, reason, actor, skip)[0]
    return int(left), int(active)


def confirm_stable(version: int) -> bool:
    return bool(_rows("SELECT public.confirm_stable_version(%s::int)", version)[0][0])


def set_freeze(*, frozen: bool, reason: str, actor: str) -> bool:
    return bool(_rows("SELECT public.set_freeze(%s, %s, %s)", frozen, reason, actor)[0][0])


def tenant_set(*, user: uuid.UUID, version: int | None, reason: str, actor: str) -> int | None:
    """Returns the version that held for this person alone before; None when there was none."""
    sql = "SELECT public.set_tenant_parameters(%s::uuid, %s::int, %s, %s)"
    before = _rows(sql, str(user), version, reason, actor)[0][0]
    return None if before is None else int(before)
