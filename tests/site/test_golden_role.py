"""The role that reads golden rows: taken, never inherited; and a warning where nobody needs it."""

from __future__ import annotations

from typing import Any

from django.db import connection

from selflearn_site.checks import golden_rows_need_their_role

MEMBER = """
SELECT pg_has_role('selflearn_app', 'selflearn_golden', 'SET'),
  pg_has_role('selflearn_app', 'selflearn_golden', 'USAGE'),
  (SELECT count(*) FROM pg_class WHERE relowner = 'selflearn_golden'::regrole),
  (SELECT rolcanlogin FROM pg_roles WHERE rolname = 'selflearn_golden')
"""


def test_golden_role__as_made_by_the_launcher__is_taken_not_inherited_and_owns_nothing(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MEMBER)
        assert cursor.fetchone() == (True, False, 0, False)


def test_check__rows_behind_the_role__says_nothing(db: None) -> None:
    assert golden_rows_need_their_role(databases=["default"]) == []


def test_check__no_database_named__does_not_connect() -> None:
    assert golden_rows_need_their_role(databases=None) == []


def test_check__role_that_reads_the_rows_anyway__is_warned_of(transactional_db: None, as_owner: Any) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("GRANT SELECT ON golden_examples TO selflearn_app")
    try:
        (warning,) = golden_rows_need_their_role(databases=["default"])
    finally:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("REVOKE SELECT ON golden_examples FROM selflearn_app")
    assert warning.id == "selflearn.W003"
    assert "selflearn_app reads golden rows" in warning.msg
