"""COPY in PostgreSQL's text format. Written out here, since psycopg looks up how to write each value of each row."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

from django.db.backends.utils import CursorWrapper

ROWS_AT_ONCE = 100
"""Sent together: the server stores some while the next are written out."""


def rows_copy(cursor: CursorWrapper, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append `rows`, which have the same columns, to a table named with its schema. Raises `TypeError` for other values
    than None, bool, numbers, text, UUIDs, times with a zone, and lists or tuples of these."""
    if not rows:
        return
    names = list(rows[0])
    with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
        for chunk in _chunks(rows, names):
            copy.write(chunk)


def _chunks(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Iterator[str]:
    values_of = itemgetter(*names)
    before: Sequence[Any] = [_NOTHING] * len(names)
    texts: list[str] = [""] * len(names)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        lines = []
        for row in rows[start : start + ROWS_AT_ONCE]:
            values = values_of(row)
            # The stages of a run share most of their values; what was just written is not written out again.
            texts = [
                text if value is old else WRITTEN[type(value)](value)
                for value, old, text in zip(values, before, texts, strict=True)
            ]
            before = values
            lines.append("\t".join(texts))
        yield "\n".join(lines) + "\n"


def _text(value: str) -> str:
    for special, escaped in _ESCAPES:
        if special in value:
            value = value.replace(special, escaped)
    return value


def array(values: Sequence[Any]) -> str:
    """An array as PostgreSQL reads it, also as a parameter with a cast: for many values quicker than psycopg's."""
    return "{" + ",".join([_ELEMENTS[type(each)](each) for each in values]) + "}"


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


class _Written(dict[type, Callable[[Any], str]]):
    def __missing__(self, kind: type) -> Callable[[Any], str]:
        raise TypeError(f"{kind.__name__} is not written to a table")


_NOTHING = object()
_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"))  # the backslash first: it escapes the others
_SCALARS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "t" if value else "f",
    int: str,
    float: repr,
    Decimal: str,
    uuid.UUID: str,
    datetime: datetime.isoformat,
}
_ELEMENTS = _Written({**_SCALARS, type(None): lambda _: "NULL", str: _quoted})
WRITTEN = _Written(
    {
        **_SCALARS,
        type(None): lambda _: "\\N",
        str: _text,
        list: lambda values: _text(array(values)),
        tuple: lambda values: _text(array(values)),
    }
)
