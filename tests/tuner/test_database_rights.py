"""What PostgreSQL itself refuses to the application, outside the Tuner's functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from tuner import selectors

_COPY = (
    "INSERT INTO experiment_parameters (version, retrieval, context, llm, archivist, prompts, content_hash, is_active,"
    " kind, reason, created_by, experiment, variant) SELECT version + 100, retrieval, context, llm, archivist, prompts,"
    " content_hash, {active}, '{kind}', reason, created_by, {slug}, {slug} FROM experiment_parameters WHERE version = 1"
)


def _run(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        _COPY.format(active="false", kind="production", slug="NULL"),
        "UPDATE experiment_parameters SET retrieval = '{}'",
        "UPDATE experiment_parameters SET is_active = true",
        "DELETE FROM experiment_parameters",
        "TRUNCATE experiment_parameters",
        "INSERT INTO parameter_activations (version, action, actor, reason) VALUES (1, 'activate', 'x', 'x')",
        "UPDATE parameter_activations SET reason = 'better'",
        "DELETE FROM parameter_activations",
        "UPDATE tuner_state SET frozen = false",
        "SELECT public.parameter_version_insert(1, 'production', '{}', '', NULL, NULL, '', '')",
        "SELECT public.tuner_lock()",
    ],
)
def test_parameters__written_by_the_application__are_refused(statement: str) -> None:
    with pytest.raises(DatabaseError, match="permission denied"):
        _run(statement)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE experiment_parameters SET retrieval = '{}'", "never changes"),
        ("UPDATE experiment_parameters SET content_hash = 'x'", "never changes"),
        ("UPDATE experiment_parameters SET is_active = false", "must be active"),
        ("DELETE FROM experiment_parameters", "never deleted"),
        ("UPDATE parameter_activations SET reason = 'better'", "append-only"),
    ],
)
def test_parameters__changed_by_the_owner__are_refused(
    as_owner: Callable[..., Any], statement: str, message: str
) -> None:
    with as_owner(), pytest.raises(DatabaseError, match=message):
        _run(statement)
    assert selectors.active_version().version == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("kind", "slug", "constraint"),
    [
        ("production", "NULL", "one_parameter_version_is_active"),
        ("experiment", "'e'", "experiment_version_is_never_active"),
    ],
)
def test_second_active_version__even_by_the_owner__is_refused(
    as_owner: Callable[..., Any], kind: str, slug: str, constraint: str
) -> None:
    with as_owner(), pytest.raises(IntegrityError, match=constraint):
        _run(_COPY.format(active="true", kind=kind, slug=slug))


@pytest.mark.django_db
def test_functions__called_by_the_application__cannot_be_hijacked_by_its_search_path() -> None:
    """Each runs with its owner's rights, so each finds its tables by a pinned path (stack.md, Roles, 4)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner"
            " WHERE prosecdef AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(proconfig, '{}'))"
            " AND r.rolname = %s",
            [connection.settings_dict["OWNER_ROLE"]],
        )
        assert cursor.fetchall() == []


@pytest.mark.django_db(transaction=True)
def test_seed__after_a_flush__is_there_again() -> None:
    assert selectors.active_version().version == 1
    assert not selectors.is_frozen()
