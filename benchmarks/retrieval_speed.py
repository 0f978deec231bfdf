"""How long a search takes among many memories of many users, with row-level security and without.

The rows are made by the server: sentences of invented words with a natural spread of frequencies (Zipf), random unit
vectors. What is timed is the whole search as the application does it: roles, statement, rows.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from django.db import connections

from maas.access import ALIAS, Statement, act_as_service, act_for
from maas.parameters import RunParameters
from maas.retrieval.search import search_statement
from maas.retrieval.strategies import STRATEGIES, Query

USERS, PER_USER = 10_000, 100
QUICK_USERS = 200
QUERIES, QUICK_QUERIES = 600, 60
BLOCKS, WARM_UP = 6, 5
WORDS, SENTENCE = 5000, 14
SENTENCES, VECTORS = 20_000, 2000
UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
_SYLLABLES = ("ka", "ro", "mi", "ten", "lu", "sor", "pa", "vel", "dri", "no", "gar", "esh", "bo", "tul", "fi", "zan")

_FILL = """
INSERT INTO lsm_storage (id, user_id, time_bucket, semantic_tags, summary_text, source_run_ids, simulated_at, language,
  speaker, embedding, embedding_model)
SELECT gen_random_uuid(), u.id, '2025-W01', s.tags, s.text, '{}',
  timestamptz '2025-01-01' + (n * interval '3 days') + random() * interval '1 day', 'en', 'user',
  v.vector, 'wordllama-256'
FROM generate_series(%(first)s, %(last)s) AS n
CROSS JOIN bench_users AS u
JOIN bench_sentences AS s ON s.number = (u.number::bigint * 15485863 + n * 32452843::bigint) %% %(sentences)s
JOIN bench_vectors AS v ON v.number = (u.number::bigint * 7919 + n * 104729) %% %(vectors)s
ORDER BY n
"""
_CHUNK = 5
"""Memories of each user inserted at once: users write in turns, so a person's memories lie far apart on the disk."""


def measure(*, quick: bool, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row per configuration: p50 and p95 in ms with RLS and without, and their ratio (of p50)."""
    users = _fill(QUICK_USERS if quick else USERS, say=say)
    words = _words()
    draw = random.Random(7)
    configurations = {name: RunParameters(retrieval_strategy=name) for name in STRATEGIES}
    configurations["hybrid, all factors"] = RunParameters(
        retrieval_strategy="hybrid",
        retrieval_person_boost=1.0,
        retrieval_date_boost=1.0,
        retrieval_neighbor_weight=0.6,
        retrieval_keyword_count=7,
    )
    say(f"{'strategy':<22}{'p50 ms':>8}{'p95 ms':>8}   without RLS{'p50 ms':>8}{'p95 ms':>8}{'ratio':>8}")
    rows = []
    for name, parameters in configurations.items():
        asked = [_asked(draw, users, words, parameters) for _ in range(QUICK_QUERIES if quick else QUERIES)]
        secured, bare = _measured(asked)
        p50, p95, bare_p50, bare_p95 = (_percentile(v, share) for v in (secured, bare) for share in (50, 95))
        ratio = p50 / bare_p50
        rows.append(
            {"strategy": name, "p50_ms": p50, "p95_ms": p95, "bare_p50_ms": bare_p50, "bare_p95_ms": bare_p95,
             "ratio": ratio}
        )  # fmt: skip
        say(f"{name:<22}{p50:>8.2f}{p95:>8.2f}{'':<14}{bare_p50:>8.2f}{bare_p95:>8.2f}{ratio:>8.2f}")
    return rows


def _asked(
    draw: random.Random, users: list[uuid.UUID], words: list[str], parameters: RunParameters
) -> tuple[uuid.UUID, Statement]:
    keywords = tuple(_drawn(draw, words) for _ in range(parameters.retrieval_keyword_count))
    query = Query(f"{' '.join(keywords)} user in May 2025", keywords)
    statement = search_statement(query=query, parameters=parameters, until=UNTIL)
    assert statement is not None
    return draw.choice(users), statement


def _of_user(statement: Statement, user: uuid.UUID) -> Statement:
    """The same query with the condition that row-level security adds."""
    secured = "FROM lsm_storage AS m\n  WHERE m.simulated_at"
    assert secured in statement.sql
    sql = statement.sql.replace(secured, "FROM lsm_storage AS m\n  WHERE m.user_id = %(user)s AND m.simulated_at")
    return Statement(sql, {**dict(statement.values), "user": user})


def _measured(asked: list[tuple[uuid.UUID, Statement]]) -> tuple[list[float], list[float]]:
    """Times in ms with row-level security and without, block by block in turns, so that noise meets both alike."""
    secured: list[float] = []
    bare: list[float] = []
    size = len(asked) // BLOCKS
    for block in (asked[start : start + size] for start in range(0, size * BLOCKS, size)):
        _timed([partial(act_for, user, statement) for user, statement in block[:WARM_UP]])
        secured += _timed([partial(act_for, user, statement) for user, statement in block])
        plain = [partial(act_as_service, _of_user(statement, user)) for user, statement in block]
        with _without_rls():
            _timed(plain[:WARM_UP])
            bare += _timed(plain)
    return secured, bare


def _timed(calls: Sequence[Callable[[], Any]]) -> list[float]:
    found = []
    for call in calls:
        started = time.perf_counter()
        call()
        found.append((time.perf_counter() - started) * 1000)
    return found


def _percentile(values: list[float], share: float) -> float:
    return float(np.percentile(values, share))


class _without_rls:  # noqa: N801  reads as a statement
    def __enter__(self) -> None:
        _as_owner("ALTER TABLE lsm_storage DISABLE ROW LEVEL SECURITY")

    def __exit__(self, *_: object) -> None:
        _as_owner("ALTER TABLE lsm_storage ENABLE ROW LEVEL SECURITY")


def _as_owner(*statements: str) -> None:
    connection = connections[ALIAS]
    with connection.owner(), connection.cursor() as cursor:  # type: ignore[attr-defined]  # our backend's
        for statement in statements:
            cursor.execute(statement)


def _words() -> list[str]:
    draw = random.Random(11)
    found: dict[str, None] = {}
    while len(found) < WORDS:
        found["".join(draw.choice(_SYLLABLES) for _ in range(draw.randint(2, 4)))] = None
    return list(found)


def _drawn(draw: random.Random, words: list[str]) -> str:
    """A word by Zipf's law: the tenth is a tenth as frequent as the first."""
    return words[int(WORDS ** draw.random()) - 1]


def _sentences() -> list[tuple[int, list[str], str]]:
    draw, words = random.Random(5), _words()
    found = []
    for number in range(SENTENCES):
        said = [_drawn(draw, words) for _ in range(SENTENCE)]
        found.append((number, list(dict.fromkeys(said))[:5], " ".join(said)))
    return found


def _fill(count: int, *, say: Callable[[str], None]) -> list[uuid.UUID]:
    started = time.perf_counter()
    users = [uuid.UUID(int=random.Random(number).getrandbits(128), version=4) for number in range(count)]
    vectors = np.random.default_rng(3).standard_normal((VECTORS, 256)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    connection = connections[ALIAS]
    with connection.owner(), connection.cursor() as cursor:  # type: ignore[attr-defined]  # our backend's
        cursor.execute("CREATE UNLOGGED TABLE bench_users (number int PRIMARY KEY, id uuid)")
        cursor.execute("CREATE UNLOGGED TABLE bench_sentences (number int PRIMARY KEY, tags text[], text text)")
        cursor.execute("CREATE UNLOGGED TABLE bench_vectors (number int PRIMARY KEY, vector vector(256))")
        cursor.executemany("INSERT INTO bench_users VALUES (%s, %s)", list(enumerate(users)))
        cursor.executemany("INSERT INTO bench_sentences VALUES (%s, %s, %s)", _sentences())
        cursor.executemany(
            "INSERT INTO bench_vectors VALUES (%s, %s)",
            [(number, str([round(float(value), 5) for value in row])) for number, row in enumerate(vectors)],
        )
        cursor.execute("DROP INDEX memories_by_tag")
        for first in range(1, PER_USER + 1, _CHUNK):
            values = {"sentences": SENTENCES, "vectors": VECTORS}
            cursor.execute(_FILL, {**values, "first": first, "last": first + _CHUNK - 1})
        cursor.execute("CREATE INDEX memories_by_tag ON lsm_storage USING gin (semantic_tags)")
        cursor.execute("VACUUM ANALYZE lsm_storage")
        cursor.execute("SELECT count(*) FROM lsm_storage")
        say(f"{cursor.fetchone()[0]:,} memories of {count:,} users, made in {time.perf_counter() - started:.0f} s")
    return users
