"""A factor that is frozen until a time, what was seen when it was changed, and the same over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from contracts.actor import Actor, Role
from contracts.change import GuardCode
from kernel.errors import Conflict, InvalidInput
from tests.access.people import bearer
from tests.tuner.factories import next_step
from tuner import services
from tuner.domain.overrides import Override, in_force, problems
from tuner.factor_services import factor_change, factor_freeze, factor_reset, factor_thaw
from tuner.factors import factor_now, factor_state, factors_now, offered
from tuner.models import FactorSetting
from tuner.registry import FACTORS

KEY = "retrieval.top_k"
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
JSON: dict[str, Any] = {"content_type": "application/json"}


def soon() -> datetime:
    return timezone.now() + timedelta(hours=1)


def run_out(key: str = KEY) -> None:
    FactorSetting.objects.filter(key=key).update(frozen_until=timezone.now() - timedelta(seconds=1))


def frozen_codes() -> list[str]:
    return [item.code for item in services.change_check(proposal=next_step(KEY, 4))]


# --- the rule ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "frozen"), [(-1, True), (0, None), (1, None)])
def test_freeze__around_its_end__holds_before_it_only(minutes: int, frozen: bool | None) -> None:
    override = Override(step=2, frozen=True, frozen_until=NOON)
    then = in_force(override, NOON + timedelta(minutes=minutes))
    assert (then.frozen, then.step) == (frozen, 2)


def test_freeze__without_an_end__holds_for_good() -> None:
    assert in_force(Override(frozen=True), NOON).frozen is True


def test_end__of_what_is_not_frozen__is_a_problem() -> None:
    assert set(problems(FACTORS[KEY], Override(frozen_until=NOON))) == {"frozen_until"}
    assert problems(FACTORS[KEY], Override(frozen=True, frozen_until=NOON)) == {}


# --- the services -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_factor_freeze__until_then__is_refused_with_when_and_offered_to_nobody(alice: Actor) -> None:
    until = soon()
    factor_freeze(key="top_k", until=until, reason="repair", actor=alice)
    (violation,) = services.change_check(proposal=next_step(KEY, 4, approved_by="person:alice"))
    assert violation.code is GuardCode.FROZEN
    assert violation.limit == f"frozen until {until:%Y-%m-%d %H:%M} UTC"
    assert KEY not in offered(factors_now())
    entry = AuditEntry.objects.get(action="factor.changed")
    assert entry.after == {"frozen": True, "frozen_until": until.isoformat()}


@pytest.mark.django_db
def test_factor_freeze__run_out__lets_changes_through_and_can_be_renewed(alice: Actor) -> None:
    factor_freeze(key=KEY, until=soon(), reason="repair", actor=alice)
    run_out()
    assert frozen_codes() == []
    assert factor_state(KEY).changed == ()
    factor_freeze(key=KEY, until=None, reason="again", actor=alice)
    assert (frozen_codes(), factor_now(KEY).frozen_until) == ([GuardCode.FROZEN], None)


@pytest.mark.django_db
def test_factor_thaw__before_its_end__takes_the_end_away_too(alice: Actor) -> None:
    factor_freeze(key=KEY, until=soon(), reason="repair", actor=alice)
    factor_thaw(key=KEY, reason="repaired", actor=alice)
    row = FactorSetting.objects.get(key=KEY)
    assert (row.frozen, row.frozen_until, frozen_codes()) == (None, None, [])


@pytest.mark.django_db
def test_factor_reset__frozen_with_limits__is_as_registered_in_one_entry(alice: Actor) -> None:
    factor_change(key=KEY, values={"auto_high": 4}, reason="less", actor=alice)
    factor_freeze(key=KEY, until=soon(), reason="repair", actor=alice)
    factor_reset(key=KEY, reason="all is well", actor=alice)
    assert factor_now(KEY) == FACTORS[KEY]
    last = AuditEntry.objects.filter(action="factor.changed").latest("id")
    assert last.after == {"auto_high": None, "frozen": None, "frozen_until": None}


@pytest.mark.django_db
@pytest.mark.parametrize("values", [{"frozen": True, "frozen_until": NOON.replace(year=2020)}, {"frozen_until": NOON}])
def test_factor_freeze__end_that_is_past_or_of_no_freeze__is_refused(values: dict[str, Any], alice: Actor) -> None:
    with pytest.raises(InvalidInput) as caught:
        factor_change(key=KEY, values=values, reason="r", actor=alice)
    assert set(caught.value.details["fields"]) == {"frozen_until"}
    assert not factor_now(KEY).frozen


@pytest.mark.django_db
def test_factor_change__looked_at_before_another_change__conflicts(alice: Actor) -> None:
    seen = factor_state(KEY).tag
    factor_change(key=KEY, values={"auto_high": 4}, reason="less", actor=alice, expected=seen)
    with pytest.raises(Conflict, match="changed since you looked"):
        factor_thaw(key=KEY, reason="late", actor=alice, expected=seen)
    factor_thaw(key=KEY, reason="looked again", actor=alice, expected=factor_state(KEY).tag)


@pytest.mark.django_db
def test_factor_settings__end_without_a_freeze__is_refused_by_the_database(alice: Actor) -> None:
    factor_change(key=KEY, values={"auto_high": 4}, reason="less", actor=alice)
    with pytest.raises(IntegrityError, match="only_a_freeze_has_an_end"), transaction.atomic():
        FactorSetting.objects.filter(key=KEY).update(frozen_until=NOON)


# --- over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture
def program(db: None) -> Client:
    return Client(headers=bearer(Role.META_USER))


def patch(client: Client, key: str = KEY, **body: Any) -> Any:
    return client.patch(f"/api/v1/parameters/factors/{key}", body, **JSON)


def test_api__factors__are_all_with_their_limits(program: Client) -> None:
    found = program.get("/api/v1/parameters/factors?limit=100").json()["items"]
    assert [item["key"] for item in found] == list(FACTORS)
    top_k = next(item for item in found if item["key"] == KEY)
    assert (top_k["type"], top_k["default"], top_k["possible"], top_k["auto_high"], top_k["step"]) == (
        "int", 3, [1, 20], 5, 1,
    )  # fmt: skip
    assert (top_k["cooldown_cycles"], top_k["frozen"], top_k["frozen_until"]) == (2, False, None)
    assert top_k["aliases"] == ["top_k", "retrieval_top_k"]
    assert (top_k["changed"], top_k["doc"]) == ([], FACTORS[KEY].doc)


def test_api__patched_frozen_and_reset__says_each_time_what_holds(program: Client) -> None:
    until = soon().replace(microsecond=0)
    answer = patch(program, "top_k", auto_high=4, frozen=True, frozen_until=until.isoformat(), reason="repair")
    body = answer.json()
    assert (answer.status_code, body["auto_high"], body["frozen"], body["changed_reason"]) == (200, 4, True, "repair")
    assert datetime.fromisoformat(body["frozen_until"]) == until
    assert set(body["changed"]) == {"auto_high", "frozen", "frozen_until"}
    thawed = patch(program, frozen=None, reason="repaired").json()
    assert (thawed["frozen"], thawed["auto_high"]) == (False, 4), "what is left out stays"
    reset = program.post(f"/api/v1/parameters/factors/{KEY}/reset", {"reason": "undo"}, **JSON).json()
    assert (reset["changed"], reset["auto_high"]) == ([], 5)
    assert AuditEntry.objects.filter(action="factor.changed", actor_kind="token").count() == 3


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"auto_high": 30, "reason": "r"}, 422, "outside what is possible at all"),
        ({"auto_high": 6, "reason": "r"}, 422, "a person always decides"),
        ({"frozen": True, "frozen_until": "2020-01-01T00:00:00Z", "reason": "r"}, 422, "lies ahead"),
        ({"auto_high": 4, "reason": " "}, 422, "needs a reason"),
        ({"frozen": True, "frozen_until": "2090-01-01T00:00:00", "reason": "r"}, 422, ""),
        ({"high": 30, "reason": "r"}, 422, ""),
        ({"auto_high": 4}, 422, ""),
    ],
)
def test_api__patched_wrongly__is_told_in_the_one_shape_and_changes_nothing(
    program: Client, body: dict[str, Any], status: int, said: str
) -> None:
    answer = patch(program, **body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "details"}
    assert said in error["message"]
    assert factors_now() == dict(FACTORS)


def test_api__changed_since_it_was_seen__is_412_with_the_tag_that_it_has_now(program: Client) -> None:
    address = f"/api/v1/parameters/factors/{KEY}"
    seen = program.get(address).headers["ETag"]
    assert program.get(address, headers={"If-None-Match": seen}).status_code == 304
    first = program.patch(address, {"auto_high": 4, "reason": "less"}, headers={"If-Match": seen}, **JSON)
    assert (first.status_code, first.headers["ETag"] != seen) == (200, True)
    late = program.post(f"{address}/reset", {"reason": "late"}, headers={"If-Match": seen}, **JSON)
    assert (late.status_code, late.json()["error"]["details"]["etag"]) == (412, first.headers["ETag"])
    assert factor_now(KEY).auto_high == 4


def test_api__unknown_factor__is_404(program: Client) -> None:
    assert program.get("/api/v1/parameters/factors/no.such").status_code == 404
    assert patch(program, "no.such", frozen=True, reason="r").status_code == 404


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_api__below_meta_user__reads_and_changes_nothing(db: None, role: Role) -> None:
    client = Client(headers=bearer(role))
    assert client.get(f"/api/v1/parameters/factors/{KEY}").status_code == 200
    assert patch(client, frozen=True, reason="r").status_code == 403
    assert client.post(f"/api/v1/parameters/factors/{KEY}/reset", {"reason": "r"}, **JSON).status_code == 403
    assert factors_now() == dict(FACTORS)
