"""ETag, If-None-Match and If-Match: who acts on what is another by now is told so, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.etags import tag_matches
from selflearn_site.api.assembly import api
from tests.admin.world import ANNA, World
from tests.api.test_routes import Program
from tuner.selectors import active_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(db: None) -> Program:
    return Program()


def _stale(response: Any, tag: str) -> None:
    assert response.status_code == 412
    error = response.json()["error"]
    assert (error["code"], error["details"]) == ("STALE", {"etag": tag})
    assert response.headers["ETag"] == tag


@pytest.mark.parametrize("thing", ["goals/{goal}", "approvals/{approval}", "incidents/{incident}"])
def test_thing__asked_again_with_its_etag__is_304_without_a_body(program: Program, world: World, thing: str) -> None:
    path = thing.format(goal=world.goal.pk, approval=world.approval.pk, incident=world.incident.pk)
    first = program.get(path)
    tag = first.headers["ETag"]
    for asked in (tag, f'"other", W/{tag}', "*"):
        again = program.get(path, **{"If-None-Match": asked})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert program.get(path, **{"If-None-Match": '"other"'}).content == first.content


def test_goal__changed_since_it_was_seen__is_412_and_stays(program: Program, world: World) -> None:
    path = f"goals/{world.goal.pk}"
    seen = program.get(path).headers["ETag"]
    started = program.post(f"{path}/start", {}, **{"If-Match": seen})
    assert started.status_code == 200, started.content
    assert started.headers["ETag"] == program.get(path).headers["ETag"] != seen
    _stale(program.post(f"{path}/stop", {}, **{"If-Match": seen}), started.headers["ETag"])
    world.campaign.refresh_from_db()
    assert world.campaign.status == "running"
    assert program.post(f"{path}/stop", {}, **{"If-Match": started.headers["ETag"]}).status_code == 200


def test_approval__decided_since_it_was_seen__is_412(program: Program, world: World) -> None:
    path = f"approvals/{world.approval.pk}"
    seen = program.get(path).headers["ETag"]
    rejected = program.post(f"{path}/reject", {"comment": "no"}, **{"If-Match": seen})
    assert rejected.status_code == 200
    _stale(program.post(f"{path}/approve", {}, **{"If-Match": seen}), rejected.headers["ETag"])


def test_approval__with_a_weak_or_foreign_tag__is_412_and_stays_pending(program: Program, world: World) -> None:
    path = f"approvals/{world.approval.pk}"
    seen = program.get(path).headers["ETag"]
    for tag in ('"other"', f"W/{seen}", "nonsense"):
        _stale(program.post(f"{path}/approve", {}, **{"If-Match": tag}), seen)
    assert program.get(path).json()["status"] == "pending"
    assert program.post(f"{path}/approve", {}, **{"If-Match": "*"}).status_code == 200


def test_incident__changed_since_it_was_seen__is_412(program: Program, world: World) -> None:
    path = f"incidents/{world.incident.pk}"
    seen = program.get(path).headers["ETag"]
    done = program.post(f"{path}/acknowledge", {"note": "mine"}, **{"If-Match": seen})
    assert done.status_code == 200
    _stale(program.post(f"{path}/resolve", {"note": "over"}, **{"If-Match": seen}), done.headers["ETag"])
    assert program.get(path).json()["status"] == "acknowledged"


def test_incident__unknown__is_404(program: Program) -> None:
    assert program.get("incidents/404").status_code == 404


def test_tenant__changed_since_it_was_seen__keeps_the_first_change(program: Program, world: World) -> None:
    path = f"parameters/tenants/{ANNA}"
    program.post(f"approvals/{world.approval.pk}/approve")
    first = program.put(path, {"version": 1, "reason": "a case"})
    assert first.status_code == 200, first.content
    seen = program.get(path).headers["ETag"]
    second = program.put(path, {"version": active_version().version, "reason": "another"}, **{"If-Match": seen})
    assert second.status_code == 200
    now = second.headers["ETag"]
    _stale(program.put(path, {"version": 1, "reason": "lost"}, **{"If-Match": seen}), now)
    _stale(program.post(f"{path}/remove", {"reason": "over"}, **{"If-Match": seen}), now)
    assert program.get(path).headers["ETag"] == now
    assert program.post(f"{path}/remove", {"reason": "over"}, **{"If-Match": now}).status_code == 204
    assert program.get(path).status_code == 404


def test_activate__of_parameters_that_changed_since__is_412(program: Program, world: World) -> None:
    seen = program.get("parameters/effective").headers["ETag"]
    program.post(f"approvals/{world.approval.pk}/approve")
    now = active_version().version
    body = {"reason": "back", "expected_active": now}
    refused = program.post("parameters/versions/1/activate", body, **{"If-Match": seen})
    _stale(refused, program.get("parameters/effective").headers["ETag"])
    assert active_version().version == now


def test_document__of_a_route_that_takes_if_match__names_header_and_412() -> None:
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    takes = {
        f"{method} {path}"
        for path, methods in paths.items()
        for method, spec in methods.items()
        if "If-Match" in {item["name"] for item in spec.get("parameters", ())}
    }
    gives_412 = {
        f"{method} {path}"
        for path, methods in paths.items()
        for method, spec in methods.items()
        if "412" in spec["responses"]
    }
    assert takes == gives_412
    assert "post /approvals/{approval_id}/approve" in takes
    assert "304" in paths["/goals/{goal_id}"]["get"]["responses"]


@pytest.mark.parametrize(
    ("header", "weak", "matches"),
    [('"a"', False, True), ('"b", "a"', False, True), ('W/"a"', False, False), ('W/"a"', True, True),
     ("*", False, True), ("a", False, False), ("", False, False), ('"b"', True, False)],
)  # fmt: skip
def test_tag__in_a_header__matches_as_the_rfc_has_it(header: str, weak: bool, matches: bool) -> None:
    assert tag_matches(header, '"a"', weak=weak) is matches
