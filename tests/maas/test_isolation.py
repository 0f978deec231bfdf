"""One user's rows and no others, through the connection that the application itself uses."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DataError, ProgrammingError, connections, transaction

from maas.access import Statement, act_for, acting_for, as_service
from maas.client import get_client, memories_count
from tests.maas.conftest import Remember, request_of

RLS_TABLES = ("pipeline_runs", "raw_logs", "lsm_storage")
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("table", RLS_TABLES)
def test_table__read_without_a_role__is_an_error(table: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(using="maas"),
        connections["maas"].cursor() as cursor,
    ):
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  own names


def test_role__after_a_released_savepoint__is_given_back(anna: uuid.UUID) -> None:
    with acting_for(anna) as cursor:
        cursor.execute("SELECT current_user, current_setting('maas.user_id')")
        assert cursor.fetchone() == ("maas_request", str(anna))
    with connections["maas"].cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('maas.user_id', true)")
        assert cursor.fetchone() == ("maas_app", "")


def test_role__nested_for_another_user__returns_to_the_first(anna: uuid.UUID, boris: uuid.UUID) -> None:
    with acting_for(anna) as cursor:
        with acting_for(boris):
            pass
        cursor.execute("SELECT current_setting('maas.user_id')")
        assert cursor.fetchone()[0] == str(anna)


def test_select__without_where__sees_one_user(anna: uuid.UUID, boris: uuid.UUID, remember: Remember) -> None:
    for user in (anna, boris):
        remember(user, "Learning to play the cello in Kazan.")
        get_client().ask(request_of(user, "Which instrument is being learnt?"))
    for table in RLS_TABLES:
        with acting_for(anna) as cursor:
            cursor.execute(f"SELECT DISTINCT user_id FROM {table}")  # noqa: S608  own names
            assert cursor.fetchall() == [(anna,)], table


def test_insert__of_another_users_row__is_refused(anna: uuid.UUID, boris: uuid.UUID) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), acting_for(anna) as cursor:
        cursor.execute("INSERT INTO pipeline_runs (id, user_id, user_query, status) VALUES (%s, %s, 'x', 'NEW')",
                       [uuid.uuid4(), boris])  # fmt: skip


def test_request_role__without_a_user__sees_nothing(anna: uuid.UUID, remember: Remember) -> None:
    remember(anna, "Learning to play the cello.")
    with acting_for(anna) as cursor:
        cursor.execute("SELECT set_config('maas.user_id', '', true)")
        cursor.execute("SELECT count(*) FROM lsm_storage")
        assert cursor.fetchone()[0] == 0


def test_service_role__sees_all_users(anna: uuid.UUID, boris: uuid.UUID, remember: Remember) -> None:
    remember(anna, "Learning to play the cello.")
    remember(boris, "Learning to play the oboe.")
    with as_service() as cursor:
        cursor.execute("SELECT count(DISTINCT user_id) FROM lsm_storage")
        assert cursor.fetchone()[0] == 2


@pytest.mark.django_db(transaction=True)
def test_threads__many_users_at_once__never_see_a_wrong_row(remember: Remember) -> None:
    users = [uuid.uuid4() for _ in range(6)]
    for number, user in enumerate(users):
        for copy in range(number + 1):
            remember(user, f"Cello lesson {copy} in Kazan.")

    def look(index: int) -> bool:
        user = users[index % len(users)]
        try:
            return memories_count(user_id=user) == index % len(users) + 1
        finally:
            if index >= 140:
                connections.close_all()

    with ThreadPoolExecutor(4, initializer=lambda: None) as pool:
        results = list(pool.map(look, range(160)))
        for _ in range(4):
            pool.submit(connections.close_all)
    assert all(results)


def test_answer__asked_for_by_another_user__is_not_found(
    anna: uuid.UUID, boris: uuid.UUID, use_parameters: Callable[..., None]
) -> None:
    from kernel.errors import NotFound

    answer = get_client().ask(request_of(anna, "I moved to Kazan in May."))
    with pytest.raises(NotFound):
        get_client().wait(answer.run_id, user_id=boris, timeout=0.1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("durable", [True, False])
def test_act_for__sent_together__leaves_no_setting_behind(durable: bool, anna: uuid.UUID) -> None:
    settings_now = "SELECT current_user, current_setting('maas.user_id', true), current_setting('synchronous_commit')"
    with connections["maas"].cursor() as cursor:
        cursor.execute(settings_now)
        before = cursor.fetchone()
        seen = act_for(anna, Statement(settings_now, []), durable=durable)[0].rows[0]
        assert seen[:2] == ("maas_request", str(anna))
        cursor.execute(settings_now)
        assert cursor.fetchone() == ("maas_app", "", before[2])


@pytest.mark.django_db(transaction=True)
def test_act_for__second_statement_fails__undoes_the_first(anna: uuid.UUID) -> None:
    run_id = get_client().submit(request_of(anna, "Hello there."))
    with pytest.raises(DataError):
        act_for(
            anna,
            Statement("UPDATE pipeline_runs SET retry_count = 5 WHERE id = %s", [run_id]),
            Statement("SELECT 1 / %s", [0]),
        )
    assert act_for(anna, Statement("SELECT retry_count FROM pipeline_runs", []))[0].rows == [(0,)]


@pytest.mark.django_db(transaction=True)
def test_act_for__text_with_sql_in_it__stays_text(anna: uuid.UUID) -> None:
    text = "%s '; SET ROLE maas_service; SELECT $$1$$; -- \\ %(a)s"
    assert act_for(anna, Statement("SELECT %s::text", [text]))[0].rows == [(text,)]


@pytest.mark.django_db(transaction=True)
def test_act_for__many_users_in_threads__never_sees_a_wrong_row(remember: Remember) -> None:
    users = [uuid.uuid4() for _ in range(4)]
    for user in users:
        remember(user, "Cello lesson in Kazan.")

    def look(user: uuid.UUID) -> set[uuid.UUID]:
        seen = set()
        for _ in range(60):
            (outcome,) = act_for(user, Statement("SELECT user_id FROM lsm_storage", []))
            seen |= {row[0] for row in outcome.rows}
        connections.close_all()
        return seen

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(look, users)) == [{user} for user in users]
