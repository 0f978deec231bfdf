"""One user's memories and no others: every strategy, many threads, connections that are used again and again."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import DataError, connections, transaction

from contracts.maas import NewMemory
from kernel.errors import NotFound
from maas.access import Statement, act_for, acting_for
from maas.client import memories_import
from maas.parameters import RunParameters
from maas.retrieval.search import search, search_statement
from maas.retrieval.strategies import STRATEGIES, Query
from selflearn_site.database.connection import wrapper
from tests.maas.conftest import START

pytestmark = pytest.mark.django_db(transaction=True)
ASKED = Query(text="Where did the cello lessons in Kazan begin?", keywords=("cello", "lessons", "Kazan"))
SAME_WORDS = (
    "The cello lessons in Kazan began in May.",
    "Petrova sold the red bicycle in Perm.",
    "The dentist in Omsk works on Mondays.",
    "Lessons in Kazan cost seven roubles.",
)
THREADS, LOOKS = 8, 12
Owners = dict[uuid.UUID, uuid.UUID]
each_strategy = pytest.mark.parametrize("strategy", sorted(STRATEGIES))


@pytest.fixture
def owners() -> Owners:
    """Whose each memory is: ten people who remember the same, word for word."""
    memories = [
        NewMemory(
            memory_id=uuid.uuid4(), user_id=user, text=text, simulated_at=START + timedelta(days=day), speaker="Petrova"
        )
        for user in (uuid.UUID(int=number + 1) for number in range(10))
        for day, text in enumerate(SAME_WORDS)
    ]
    memories_import(memories)
    return {memory.memory_id: memory.user_id for memory in memories}


@pytest.fixture
def pooled() -> Iterator[None]:
    """Connections of psycopg's pool, fewer than there are threads, each given back after every use."""
    settings = connections["maas"].settings_dict
    connections["maas"].close()
    settings["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 3, "timeout": 30}
    yield
    connections["maas"].close()
    wrapper("maas").close_pool()
    del settings["OPTIONS"]["pool"]


def parameters(strategy: str) -> RunParameters:
    """Every factor is on that reads other memories than those that match."""
    return RunParameters(
        retrieval_strategy=strategy,
        retrieval_neighbor_weight=0.5,
        retrieval_person_boost=1.0,
        retrieval_date_boost=1.0,
        retrieval_top_k=20,
    )


def found_by(user: uuid.UUID, strategy: str) -> list[uuid.UUID]:
    result = search(user_id=user, query=ASKED, parameters=parameters(strategy), until=None)
    return [item.memory_id for item in result.found]


def strangers(owners: Owners, user: uuid.UUID, strategy: str) -> list[uuid.UUID]:
    """Whose memories `user` sees that are not theirs. Finding nothing counts too, as it would prove nothing."""
    found = found_by(user, strategy)
    seen = [owners[memory_id] for memory_id in found] or [uuid.UUID(int=0)]
    (everything,) = act_for(user, Statement("SELECT user_id FROM lsm_storage", []))
    assert len(everything.rows) == len(SAME_WORDS)
    return [owner for owner in (*seen, *(row[0] for row in everything.rows)) if owner != user]


def looked_in_threads(owners: Owners, strategy: str, *, give_back: bool) -> list[uuid.UUID]:
    users = sorted(set(owners.values()))

    def look(thread: int) -> list[uuid.UUID]:
        chance, wrong = random.Random(thread), []
        with closing(connections["maas"]):
            for _ in range(LOOKS):
                wrong += strangers(owners, chance.choice(users), strategy)
                if give_back:
                    connections["maas"].close()
        return wrong

    with ThreadPoolExecutor(THREADS) as pool:
        return [owner for wrong in pool.map(look, range(THREADS)) for owner in wrong]


@each_strategy
def test_statement__of_each_strategy__names_no_user(strategy: str) -> None:
    statement = search_statement(query=ASKED, parameters=parameters(strategy), until=None)
    assert statement is not None
    assert "user_id" not in statement.sql


@each_strategy
def test_search__in_many_threads__finds_own_memories_only(strategy: str, owners: Owners) -> None:
    assert looked_in_threads(owners, strategy, give_back=False) == []


@each_strategy
def test_search__over_a_pool__finds_own_memories_only(strategy: str, owners: Owners, pooled: None) -> None:
    assert looked_in_threads(owners, strategy, give_back=True) == []
    assert wrapper("maas").pool.get_stats()["requests_num"] >= THREADS * LOOKS


@each_strategy
def test_search__one_connection_for_all__finds_own_memories_only(strategy: str, owners: Owners) -> None:
    first, second, *_ = sorted(set(owners.values()))
    for user in (first, second, first, second):
        assert strangers(owners, user, strategy) == []


@each_strategy
def test_search__after_an_error_in_anothers_transaction__finds_own_memories_only(strategy: str, owners: Owners) -> None:
    first, second, *_ = sorted(set(owners.values()))
    with pytest.raises(DataError):
        act_for(first, Statement("SELECT count(*) FROM lsm_storage", []), Statement("SELECT 1 / %s", [0]))
    assert strangers(owners, second, strategy) == []
    with pytest.raises(DataError), acting_for(first) as cursor:
        cursor.execute("SELECT 1 / 0")
    assert strangers(owners, second, strategy) == []


@each_strategy
def test_search__after_a_rolled_back_savepoint__finds_own_memories_only(strategy: str, owners: Owners) -> None:
    first, second, *_ = sorted(set(owners.values()))
    with acting_for(first):
        with pytest.raises(NotFound), acting_for(second):
            found_by(second, strategy)
            raise NotFound("so that the savepoint is rolled back")
        assert strangers(owners, first, strategy) == []
        assert strangers(owners, second, strategy) == []
        assert strangers(owners, first, strategy) == []


@each_strategy
def test_search__inside_anothers_transaction__finds_own_memories_only(strategy: str, owners: Owners) -> None:
    first, second, *_ = sorted(set(owners.values()))
    with transaction.atomic(using="maas"), acting_for(first):
        assert strangers(owners, second, strategy) == []


def test_pool__connection_given_back_in_a_transaction__has_no_user(owners: Owners, pooled: None) -> None:
    who = "SELECT pg_backend_pid(), current_user, current_setting('maas.user_id', true)"
    connection = wrapper("maas")
    connection.settings_dict["OPTIONS"]["pool"]["max_size"] = 1
    connection.ensure_connection()
    raw = connection.connection
    assert raw is not None
    user = str(next(iter(owners.values())))
    raw.execute("BEGIN")
    raw.execute("SELECT set_config('role', 'maas_request', true), set_config('maas.user_id', %s, true)", [user])
    session, *taken = raw.execute(who).fetchone()
    assert taken == ["maas_request", user]
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute(who)
        assert cursor.fetchone() == (session, "maas_app", "")
