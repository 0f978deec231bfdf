"""The change log as a file: CSV for people, JSON lines for programs. Streamed row by row, never whole in memory."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any, Literal

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from audit.models import AuditEntry

COLUMNS = (
    "id", "at", "actor_kind", "actor", "role", "action", "subject_type", "subject_id", "parameter", "before", "after",
    "reason", "experiment", "campaign", "request_id", "prev_hash", "hash",
)  # fmt: skip
ROWS_MOST = 100_000
"""One file holds so many rows; a longer period is exported in parts."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """What the csv module takes for a file: gives each line back."""

    def write(self, text: str) -> str:
        return text


def csv_lines(rows: QuerySet[AuditEntry]) -> Iterator[str]:
    """The header and a line an entry; at most `ROWS_MOST`."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for entry in rows[:ROWS_MOST].iterator(chunk_size=500):
        yield writer.writerow([_cell(getattr(entry, name)) for name in COLUMNS])


def json_lines(rows: QuerySet[AuditEntry]) -> Iterator[str]:
    """One JSON object a line, with everything that the hash covers."""
    for entry in rows[:ROWS_MOST].iterator(chunk_size=500):
        row = {name: getattr(entry, name) for name in COLUMNS}
        yield json.dumps(row, ensure_ascii=False, cls=DjangoJSONEncoder) + "\n"


def export_response(rows: QuerySet[AuditEntry], form: Literal["csv", "jsonl"]) -> StreamingHttpResponse:
    lines = csv_lines(rows) if form == "csv" else json_lines(rows)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson; charset=utf-8"
    answer = StreamingHttpResponse(lines, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="change-log.{form}"'
    return answer


def _cell(value: Any) -> str:
    """As text. What a spreadsheet would compute becomes text by an apostrophe: reasons are people's words."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, cls=DjangoJSONEncoder)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
