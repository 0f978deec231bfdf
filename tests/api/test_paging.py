"""Lists page by page: every list route, either order, whole and without repeats while rows come and go."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from contracts.paging import cursor_read, cursor_write
from goals.models import LearningGoal
from incidents.models import Incident
from kernel.errors import InvalidInput
from maas.access import as_service
from maas.models import TestDialog
from selflearn_site.api.assembly import api
from tests.admin.world import ANNA, SESSION, THREAD, World
from tests.api.test_routes import Program

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(db: None) -> Program:
    return Program()


def _goals(count: int) -> None:
    LearningGoal.objects.bulk_create(
        LearningGoal(text=f"Goal {number}", language="en", translation={}, priority=100 + number % 3, created_by="p")
        for number in range(count)
    )


def _lists() -> list[tuple[str, str | None]]:
    """Each list route with each order that it documents, and with its own."""
    found: list[tuple[str, str | None]] = []
    for path, methods in api.get_openapi_schema(path_prefix="")["paths"].items():
        parameters = {item["name"]: item["schema"] for item in methods.get("get", {}).get("parameters", ())}
        if "limit" in parameters:
            assert "cursor" in parameters, path
            sorts = parameters.get("sort", {"anyOf": [{"enum": []}]})["anyOf"][0]["enum"]
            found += [(path, sort) for sort in (None, *sorts)]
    return found


def _walked(program: Program, path: str, *, limit: int, **asked: Any) -> list[Any]:
    items: list[Any] = []
    cursor: str | None = ""
    for _ in range(100):
        query = {"limit": limit, **asked, **({"cursor": cursor} if cursor else {})}
        response = program.get(f"{path}?{urlencode(query)}")
        assert response.status_code == 200, (path, query, response.content)
        body = response.json()
        items += body["items"]
        cursor = body["next"]
        if cursor is None:
            return items
    raise AssertionError(f"{path} never ends")


def test_list_routes__all_of_them__take_a_cursor_and_have_a_cap() -> None:
    lists = {path for path, _ in _lists()}
    assert len(lists) >= 20
    for path, methods in api.get_openapi_schema(path_prefix="")["paths"].items():
        if path in lists:
            (limit,) = (item for item in methods["get"]["parameters"] if item["name"] == "limit")
            assert limit["schema"]["maximum"] == 200, path


def test_list_routes__walked_one_by_one__give_what_one_page_gives(program: Program, world: World) -> None:
    _goals(5)
    with as_service():
        TestDialog.objects.create(scenario="another", step=1, query="Hello?")
    place = {"batch_id": world.batch.pk, "thread_id": THREAD, "session_id": SESSION}
    lengths = {}
    for path, sort in _lists():
        asked = {"user_id": ANNA} if path.startswith("/maas/") else {}
        address = path.format(**place).lstrip("/")
        order = {"sort": sort} if sort else {}
        whole = program.get(f"{address}?{urlencode({'limit': 200, **asked, **order})}").json()
        assert whole["next"] is None
        walked = _walked(program, address, limit=1, **asked, **order)
        if path == "/maas/conversations/{thread_id}":  # a page is oldest first, the next page is before it
            walked.reverse()
        if path != "/maas/conversations/{thread_id}" or all(item["settled"] for item in walked):
            assert _named(walked) == _named(whole["items"]), (path, sort)
        lengths[path] = len(walked)
    assert lengths["/goals"] == 6
    assert lengths["/tests/scenarios"] >= 2
    assert sum(bool(length) for length in lengths.values()) >= 18, lengths


def _named(items: list[Any]) -> list[str]:
    """Without what moves by itself while one looks."""
    return [json.dumps({k: v for k, v in item.items() if k != "idle_seconds"}, sort_keys=True) for item in items]


def test_goals__sorted_by_priority__walk_in_that_order_either_way(program: Program) -> None:
    _goals(7)
    rising = _walked(program, "goals", limit=2, sort="priority")
    falling = _walked(program, "goals", limit=2, sort="-priority")
    assert [item["priority"] for item in rising] == [100, 100, 100, 101, 101, 102, 102]
    assert falling == rising[::-1]


def test_cursor__while_rows_come_and_go__neither_repeats_nor_leaves_out(program: Program) -> None:
    _goals(6)
    first = program.get("goals?limit=3&sort=-id").json()
    seen = [item["id"] for item in first["items"]]
    _goals(4)
    LearningGoal.objects.filter(pk=seen[-1]).delete()
    rest = program.get(f"goals?limit=200&sort=-id&cursor={first['next']}").json()
    assert [item["text"] for item in rest["items"]] == ["Goal 2", "Goal 1", "Goal 0"]
    assert rest["next"] is None


def test_cursor__of_a_nullable_column__reaches_rows_without_a_value(program: Program, world: World) -> None:
    for number in range(3):
        Incident.objects.create(
            kind="test", severity="info", title=f"Incident {number}", subject=str(number), actor="p"
        )
    Incident.objects.filter(title="Incident 1").update(status="resolved", resolved_at=timezone.now())
    for sort in ("resolved_at", "-resolved_at"):
        walked = _walked(program, "incidents", limit=1, sort=sort)
        assert len({item["id"] for item in walked}) == len(walked) == 4
        nulls = [item["resolved_at"] is None for item in walked]
        assert nulls == sorted(nulls, reverse=sort.startswith("-"))


@pytest.mark.parametrize(
    "cursor",
    ["nonsense", "!", "x" * 5000, "é", cursor_write("/elsewhere?", [1, 2]), cursor_write("/api/v1/goals?", ["x", 1]),
     cursor_write("/api/v1/goals?", [1]), cursor_write("/api/v1/goals?", [None, 1]),
     cursor_write("/api/v1/goals?", [float("inf"), 1])],
)  # fmt: skip
def test_cursor__that_is_none_of_this_list__is_422_and_names_the_field(program: Program, cursor: str) -> None:
    response = program.get("goals?" + urlencode({"cursor": cursor}))
    assert response.status_code == 422
    assert response.json()["error"]["details"] == {"field": "cursor"}


def test_cursor__given_with_other_filters__is_422(program: Program) -> None:
    _goals(3)
    cursor = program.get("goals?limit=1").json()["next"]
    assert program.get(f"goals?limit=2&cursor={cursor}").status_code == 200
    assert program.get(f"goals?limit=1&status=active&cursor={cursor}").status_code == 422
    assert program.get(f"goals?limit=1&sort=id&cursor={cursor}").status_code == 422


def test_cursor__beside_an_offset__is_422(program: Program) -> None:
    _goals(3)
    cursor = program.get("goals?limit=1").json()["next"]
    response = program.get(f"goals?limit=1&offset=1&cursor={cursor}")
    assert response.status_code == 422
    assert response.json()["error"]["details"] == {"field": "offset"}


def test_sort__that_is_not_offered__is_422(program: Program) -> None:
    response = program.get("goals?sort=text")
    assert response.status_code == 422
    assert "sort" in response.json()["error"]["message"]


def test_offset__as_before__skips_rows(program: Program) -> None:
    _goals(3)
    every = [item["id"] for item in program.get("goals").json()["items"]]
    assert [item["id"] for item in program.get("goals?limit=1&offset=1").json()["items"]] == [every[1]]


def test_cursor__written_and_read__is_the_same_values() -> None:
    values = ["ä", 1, None, 2.5]
    assert cursor_read("p", cursor_write("p", values)) == values
    with pytest.raises(InvalidInput):
        cursor_read("q", cursor_write("p", values))
