"""Scripted dialogues: what a file of them looks like, loading one, and those that come with the project.

A file is a JSON list of rows as in `test_dialogs`:
`[{"scenario": "moving", "step": 1, "query": "I moved to Riga.", "expected_keyword": ""}, …]`.
Steps of a scenario are numbered 1, 2, 3 … without gaps; `expected_keyword` may be left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connections, transaction

from contracts.actor import Actor, Role
from kernel.errors import InvalidInput
from maas.access import ALIAS, as_service
from maas.models import TestDialog
from maas.services import MAX_QUERY_LENGTH
from maas.test_runner.validation import alternatives

BUNDLED = Path(__file__).with_name("dialogues.json")
MAX_STEPS = 200
"""Of one scenario."""
_FIELDS = {"scenario", "step", "query", "expected_keyword"}


class Row(NamedTuple):
    scenario: str
    step: int
    query: str
    expected: str


class Loaded(NamedTuple):
    """What loading changed, in rows."""

    scenarios: int
    added: int
    changed: int
    removed: int


def rows_read(path: Path) -> list[Row]:
    """The rows of a file. Raises `InvalidInput` that names each row that is wrong, counted from 1."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", details={"field": "file"}) from error
    except ValueError as error:
        raise InvalidInput(f"{path} is no JSON: {error}", details={"field": "file"}) from error
    return rows_check(data)


def rows_check(data: Any) -> list[Row]:
    """The rows of parsed JSON. Raises `InvalidInput`; `details.problems` lists every problem."""
    if not isinstance(data, list) or not data:
        raise InvalidInput("a file of dialogues is a JSON list of rows, at least one", details={"field": "file"})
    rows, problems = [], []
    for number, item in enumerate(data, start=1):
        wrong = _wrong_with(item)
        problems += [f"row {number}: {each}" for each in wrong]
        if not wrong:
            expected = item.get("expected_keyword") or ""
            rows.append(Row(item["scenario"].strip(), item["step"], item["query"].strip(), expected.strip()))
    problems += _wrong_steps(rows) if not problems else []
    if problems:
        raise InvalidInput("; ".join(problems), details={"problems": problems})
    return sorted(rows)


def _wrong_with(item: Any) -> list[str]:
    if not isinstance(item, dict):
        return ["not an object with scenario, step and query"]
    wrong = [f"unknown field {name!r}" for name in sorted(set(item) - _FIELDS)]
    for name in ("scenario", "query"):
        value = item.get(name)
        if not isinstance(value, str) or not value.strip() or "\x00" in value:
            wrong.append(f"{name} is a text, not empty")
    if isinstance(item.get("query"), str) and len(item["query"]) > MAX_QUERY_LENGTH:
        wrong.append(f"query is longer than {MAX_QUERY_LENGTH} characters")
    step = item.get("step")
    if not isinstance(step, int) or isinstance(step, bool) or not 1 <= step <= MAX_STEPS:
        wrong.append(f"step is a whole number from 1 to {MAX_STEPS}")
    expected = item.get("expected_keyword")
    if expected is not None and (not isinstance(expected, str) or "\x00" in expected):
        wrong.append("expected_keyword is a text")
    elif expected and expected.strip() and not alternatives(expected):
        wrong.append("expected_keyword has no word in it")
    return wrong


def _wrong_steps(rows: Sequence[Row]) -> list[str]:
    steps: dict[str, list[int]] = {}
    for row in rows:
        steps.setdefault(row.scenario, []).append(row.step)
    return [
        f"scenario {name!r}: steps are {sorted(numbers)}; they must be 1 to {len(numbers)}, each once"
        for name, numbers in sorted(steps.items())
        if sorted(numbers) != list(range(1, len(numbers) + 1))
    ]


def scripts_load(*, rows: Sequence[Row], actor: Actor) -> Loaded:
    """Each scenario of `rows` becomes what `rows` say; others stay. Results keep what they were asked.

    Raises `NotAuthorised` below operator.
    """
    actor.require(Role.OPERATOR)
    names = {row.scenario for row in rows}
    with as_service():
        old = {(d.scenario, d.step): d for d in TestDialog.objects.select_for_update().filter(scenario__in=names)}
        gone = [dialog.pk for key, dialog in old.items() if key not in {(r.scenario, r.step) for r in rows}]
        TestDialog.objects.filter(pk__in=gone).delete()
        added = changed = 0
        for row in rows:
            before = old.get((row.scenario, row.step))
            if before is not None and (before.query, before.expected_keyword) == (row.query, row.expected):
                continue
            TestDialog.objects.update_or_create(
                scenario=row.scenario,
                step=row.step,
                defaults={"query": row.query, "expected_keyword": row.expected},
            )
            added, changed = added + (before is None), changed + (before is not None)
    return Loaded(len(names), added, changed, len(gone))


def scripts_seed(*, using: str = ALIAS, **_kwargs: Any) -> None:
    """`post_migrate`: bundled scenarios of which there is no step yet. One that was edited is left alone."""
    if using != ALIAS:
        return
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.test_dialogs') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return  # migrated back to before the first table
        cursor.execute("SELECT DISTINCT scenario FROM public.test_dialogs")
        known = {name for (name,) in cursor.fetchall()}
        cursor.executemany(
            "INSERT INTO public.test_dialogs (scenario, step, query, expected_keyword) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (scenario, step) DO NOTHING",
            [list(row) for row in rows_read(BUNDLED) if row.scenario not in known],
        )
