"""Many people talking at once, and what must hold of it afterwards, however often its workers were killed."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from contracts.maas import NewMemory, RunRequest
from maas.access import as_service
from maas.client import InProcessClient, memories_import
from tests.maas.conftest import START

COLOURS = ("red", "blue", "green", "black", "white", "yellow")
THINGS = ("cello", "bicycle", "kettle", "lantern")
SAID = (
    "I bought a {colour} {thing} in Kazan for {price} roubles.",
    "What colour is the {thing} that I bought?",
    "I sold the {colour} {thing} to my friend Petrova for {price} roubles.",
    "Hello! How are you?",
    "Who bought the {colour} {thing} from me?",
)


def _id(*parts: object) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, " ".join(map(str, parts)))


class Load:
    """The same people, runs and memories each time: what comes of it can be compared run by run."""

    def __init__(self, *, users: int, turns: int, evaluations: int):
        self.reader = _id("reader")
        self._memories = [
            NewMemory(
                memory_id=_id("memory", number),
                user_id=self.reader,
                text=f"Bought a {COLOURS[number % 6]} {THINGS[number % 4]} for {number * 7} roubles.",
                simulated_at=START + timedelta(days=number),
            )
            for number in range(12)
        ]
        talk = [self._turn(_id("user", user), user, number) for number in range(turns) for user in range(users)]
        asked = [self._evaluation(number) for number in range(evaluations)]
        placed = [(index / len(part), request) for part in (talk, asked) for index, request in enumerate(part)]
        self.requests = [request for _, request in sorted(placed, key=lambda pair: pair[0])]

    @staticmethod
    def _turn(user_id: uuid.UUID, user: int, number: int) -> RunRequest:
        text = SAID[number % len(SAID)]
        thing, colour = THINGS[number // len(SAID) % len(THINGS)], COLOURS[(user + number // 20) % len(COLOURS)]
        return RunRequest(
            run_id=_id("run", user, number),
            user_id=user_id,
            query=text.format(colour=colour, thing=thing, price=number * 3 + user),
            thread_id=_id("thread", user),
            simulated_at=START + timedelta(hours=number),
            seed=number,
        )

    def _evaluation(self, number: int) -> RunRequest:
        return RunRequest(
            run_id=_id("evaluation", number),
            user_id=self.reader,
            query=f"Where did I buy the {COLOURS[number % 6]} {THINGS[number % 4]}?",
            mode="evaluation",
            simulated_at=START + timedelta(days=100),
            seed=number,
        )

    def hand_in(self) -> None:
        memories_import(self._memories)
        client = InProcessClient()
        for request in self.requests:
            client.submit(request)

    def answer_undisturbed(self) -> None:
        client = InProcessClient()
        for request in self.requests:
            assert request.run_id is not None
            client.wait(request.run_id, user_id=request.user_id, timeout=20)


def forget_all() -> None:
    with as_service() as cursor:
        for table in ("raw_logs", "pipeline_runs", "lsm_storage"):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608  own names


def outcome() -> tuple[dict[Any, Any], dict[Any, Any]]:
    """What came of the load: runs by id (status, answer, memory), memories by id (run, text, tags, counters)."""
    with as_service() as cursor:
        cursor.execute("SELECT id, status, final_answer, memory_id, used_memory_ids FROM pipeline_runs")
        runs = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute(
            "SELECT id, user_id, source_run_ids, summary_text, semantic_tags, times_retrieved, times_used"
            " FROM lsm_storage"
        )
        return runs, {row[0]: row[1:] for row in cursor.fetchall()}


_MUST_BE_NONE = {
    "not at their end": "pipeline_runs WHERE finished_at IS NULL OR needs_archive OR claimed_by IS NOT NULL"
    " OR status NOT IN ('COMPLETED', 'FAILED')",
    "failed without a reason": "pipeline_runs WHERE status = 'FAILED' AND coalesce(error_message, '') = ''",
    "without exactly one query in the log": "pipeline_runs AS r WHERE 1 <> (SELECT count(*) FROM raw_logs AS l"
    " WHERE l.pipeline_run_id = r.id AND l.log_type = 'USER_QUERY')",
    "completed without exactly one response in the log": "pipeline_runs AS r WHERE status = 'COMPLETED' AND 1 <>"
    " (SELECT count(*) FROM raw_logs AS l WHERE l.pipeline_run_id = r.id AND l.log_type = 'SYSTEM_RESPONSE')",
    "remembered twice": "(SELECT unnest(source_run_ids) FROM lsm_storage GROUP BY 1 HAVING count(*) > 1) AS s",
    "whose memory is gone": "pipeline_runs AS r WHERE memory_id IS NOT NULL AND NOT EXISTS"
    " (SELECT FROM lsm_storage AS m WHERE m.id = r.memory_id AND r.id = ANY(m.source_run_ids))",
    "answered before an earlier one was done": "pipeline_runs AS a JOIN pipeline_runs AS b ON a.user_id = b.user_id"
    " AND (a.created_at, a.id) < (b.created_at, b.id) AND a.finished_at > b.answered_at"
    " WHERE a.mode = 'dialogue' AND b.mode = 'dialogue'",
    "not counted as often as retrieved": "(SELECT m.id FROM lsm_storage AS m LEFT JOIN pipeline_runs AS r"
    " ON r.mode = 'dialogue' AND r.status = 'COMPLETED' AND r.retrieval -> 'found' ? m.id::text"
    " GROUP BY m.id HAVING m.times_retrieved <> count(r.id)) AS m",
}


def wrongs() -> dict[str, int]:
    """How many runs or memories there are of each kind that must not be."""
    found = {}
    with as_service() as cursor:
        for name, rows in _MUST_BE_NONE.items():
            cursor.execute(f"SELECT count(*) FROM {rows}")  # noqa: S608  own names
            if count := cursor.fetchone()[0]:
                found[name] = count
    return found
