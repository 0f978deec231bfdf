"""The memories of all people as a list: who said what, how often it was found, used and helped, and which to review."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, overload

from maas.access import as_service
from maas.domain.reviewing import LOW_BELOW, LOW_FROM
from maas.maintenance import SCORE

MOST = 10_000
"""A list is counted up to so many: beyond that it says only that there are more."""

_JOINED = "lsm_storage AS m LEFT JOIN memory_reviews AS v ON v.memory_id = m.id"
_COLUMNS = f"""
SELECT id, m.user_id, summary_text, speaker, language, semantic_tags, simulated_at, embedding_model IS NOT NULL,
  times_retrieved, times_used, times_helpful, CASE WHEN times_retrieved > 0 THEN {SCORE} END,
  coalesce(v.reasons, '[]'), v.kept_at, set_aside_at
FROM {_JOINED}
"""  # noqa: S608  own constants
_NEWEST = " ORDER BY simulated_at DESC, id LIMIT %s OFFSET %s"
_REVIEW = f"times_retrieved >= %s AND {SCORE} < %s"


@dataclass(frozen=True, slots=True)
class MemoryFilter:
    """`person`: a user's id, or a part of a speaker's name. `words`: a part of the text, or a memory's id.

    `review`: of low score now. `flagged`: put up for review with a reason. `aside`: what is set aside; else what
    stands.
    """

    person: str = ""
    words: str = ""
    review: bool = False
    flagged: bool = False
    aside: bool = False

    @property
    def narrows(self) -> bool:
        return bool(self.person or self.words or self.review or self.flagged or self.aside)


class Kept(NamedTuple):
    """One memory. `score` is used/retrieved × helpful/used, 0 … 1; None before it was ever retrieved. `reasons`: why it
    is put up for review (`maas.domain.reviewing`). `kept_at`: when a person last said to keep it."""

    memory_id: uuid.UUID
    user_id: uuid.UUID
    text: str
    speaker: str | None
    language: str
    tags: list[str]
    said_at: datetime
    embedded: bool
    retrieved: int
    used: int
    helpful: int
    score: float | None
    reasons: list[dict[str, Any]]
    kept_at: datetime | None
    aside_at: datetime | None

    @property
    def review(self) -> bool:
        """Found often enough to judge, and hardly ever of use."""
        return self.score is not None and self.retrieved >= LOW_FROM and self.score < LOW_BELOW


class MemoryList(Sequence[Kept]):
    """What a filter keeps, newest first, as a paginator wants it: its length (at most `MOST`) and slices."""

    def __init__(self, chosen: MemoryFilter):
        self._where, self._values = _where(chosen)

    def __len__(self) -> int:
        with as_service() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM (SELECT 1 FROM {_JOINED}{self._where} LIMIT %s) AS found",  # noqa: S608  own text
                [*self._values, MOST],
            )
            return int(cursor.fetchone()[0])

    @overload
    def __getitem__(self, part: int) -> Kept: ...
    @overload
    def __getitem__(self, part: slice) -> list[Kept]: ...
    def __getitem__(self, part: int | slice) -> Kept | list[Kept]:
        if isinstance(part, int):
            return self._read(part, part + 1)[0]
        return self._read(part.start or 0, MOST if part.stop is None else part.stop)

    def _read(self, start: int, stop: int) -> list[Kept]:
        with as_service() as cursor:
            cursor.execute(_COLUMNS + self._where + _NEWEST, [*self._values, max(0, stop - start), start])
            return [Kept._make((*row[:12], _json(row[12]), *row[13:])) for row in cursor.fetchall()]


def _where(chosen: MemoryFilter) -> tuple[str, list[Any]]:
    parts = [f"set_aside_at IS {'NOT ' if chosen.aside else ''}NULL"]
    values: list[Any] = []
    if chosen.flagged:
        parts.append("v.flagged_at IS NOT NULL")
    if chosen.person:
        if (user := _uuid(chosen.person)) is not None:
            parts.append("m.user_id = %s")
            values.append(user)
        else:
            parts.append("speaker ILIKE %s")
            values.append(_part_of(chosen.person))
    if chosen.words:
        if (memory := _uuid(chosen.words)) is not None:
            parts.append("id = %s")
            values.append(memory)
        else:
            parts.append("summary_text ILIKE %s")
            values.append(_part_of(chosen.words))
    if chosen.review:
        parts.append(_REVIEW)
        values += [LOW_FROM, LOW_BELOW]
    return " WHERE " + " AND ".join(parts), values


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _part_of(text: str) -> str:
    """A pattern in which `%` and `_` stand for themselves."""
    plain = text.replace("\x00", "").replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{plain}%"


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
