"""Processes run as roles that own nothing, in tests too."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connections
from django.db.transaction import TransactionManagementError

from selflearn_site.database.connection import wrapper


@pytest.mark.parametrize(("alias", "role"), [("default", "selflearn_app"), ("maas", "maas_app")])
def test_connection__opened__acts_as_runtime_role_that_owns_nothing(db: None, alias: str, role: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_user, count(*) FROM pg_class WHERE relowner = current_user::regrole")
        assert cursor.fetchone() == (role, 0)


@pytest.mark.parametrize("alias", ["default", "maas"])
def test_runtime_role__creates_table__is_refused(db: None, alias: str) -> None:
    with connections[alias].cursor() as cursor, pytest.raises(ProgrammingError, match="permission denied"):
        cursor.execute("CREATE TABLE mine (id int)")


def test_runtime_role__rewrites_migration_history__is_refused(db: None) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_migrations")
        assert cursor.fetchone()[0] > 0
        with pytest.raises(ProgrammingError, match="permission denied"):
            cursor.execute("DELETE FROM django_migrations")


def test_maas_app__without_taking_a_role__reads_no_student_table(db: None) -> None:
    with connections["maas"].cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND has_table_privilege('maas_app', oid, 'SELECT') AND relrowsecurity"
        )
        assert cursor.fetchall() == []


def test_owner__inside_atomic__is_refused(db: None) -> None:
    with pytest.raises(TransactionManagementError, match="atomic"), wrapper("default").owner():
        pass


def test_owner__outside_atomic__acts_as_owner_and_returns(transactional_db: None) -> None:
    connection = wrapper("default")
    with connection.owner(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("sl_owner",)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("selflearn_app",)


def test_text_functions__russian__know_case_and_stems(db: None) -> None:
    with connections["maas"].cursor() as cursor:
        cursor.execute("SELECT lower('ПРИВЕТ'), to_tsvector('russian', 'кошками') @@ to_tsquery('russian', 'кошка')")
        assert cursor.fetchone() == ("привет", True)


def test_vector_extension__test_database__inherits_it(db: None) -> None:
    with connections["maas"].cursor() as cursor:
        cursor.execute("SELECT '[1,2]'::vector <-> '[1,4]'::vector")
        assert cursor.fetchone() == (2.0,)
