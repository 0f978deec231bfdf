"""The scheduler's decision over a simulated week, and its rules one by one. No database, no clock."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from kernel.errors import InvalidInput
from manager.domain.scheduling import (
    CycleType,
    Decision,
    Facts,
    Open,
    Schedule,
    cron_check,
    decide,
    holdup,
    next_planned,
)

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
SCHEDULE = Schedule()
MINUTES: dict[CycleType, int] = {"micro": 2, "macro": 20, "deep": 90}
TICK = timedelta(seconds=10)
NOON = MONDAY + timedelta(hours=12)


def facts(idle: timedelta, *, now: datetime = MONDAY + timedelta(hours=12), **values: object) -> Facts:
    known: dict[str, object] = {"now": now, "since": MONDAY, "last_request": now - idle, "last": {}}
    return Facts(**(known | values))  # type: ignore[arg-type]


class Week:
    """Plays the scheduler against office hours of real users; work advances while it is not paused."""

    def __init__(self, seed: int):
        draw = random.Random(seed)
        office = [MONDAY + timedelta(days=day, hours=draw.uniform(8, 19)) for day in range(5) for _ in range(60)]
        sleepless = MONDAY + timedelta(days=5, hours=3, minutes=30)  # while the deep cycle runs
        self.requests = sorted([*office, sleepless])
        self.started: list[tuple[datetime, CycleType]] = []
        self.log: list[tuple[datetime, Decision]] = []
        self.worked_at: list[datetime] = []
        self.run()

    def run(self) -> None:
        now, asked, running = MONDAY, 0, None
        last: dict[CycleType, datetime] = {}
        left = timedelta()
        while now < MONDAY + timedelta(days=7):
            while asked < len(self.requests) and self.requests[asked] <= now:
                asked += 1
            request = self.requests[asked - 1] if asked else None
            found = decide(SCHEDULE, Facts(now, MONDAY, request, dict(last), running))
            if found.kind != "nothing":
                assert found.type is not None
                self.log.append((now, found))
            if found.kind == "start" and found.type is not None:
                assert running is None, "two upkeep cycles at once"
                running, left = Open(found.type, False), timedelta(minutes=MINUTES[found.type])
                last[found.type] = now
                self.started.append((now, found.type))
            elif running is not None and found.kind in ("pause", "resume"):
                running = Open(running.type, found.kind == "pause")
            if running is not None and not running.paused:
                self.worked_at.append(now)
                left -= TICK
                running = running if left > timedelta() else None
            now += TICK

    def of(self, kind: CycleType) -> list[datetime]:
        return [at for at, started in self.started if started == kind]


@pytest.fixture(scope="module", params=[1, 2])
def week(request: pytest.FixtureRequest) -> Week:
    return Week(request.param)


def test_week__each_night__has_one_deep_cycle_soon_after_its_time(week: Week) -> None:
    deep = week.of("deep")
    assert [at.date() for at in deep] == [(MONDAY + timedelta(days=day)).date() for day in range(7)]
    assert all(timedelta() <= at - at.replace(hour=3, minute=0, second=0) <= timedelta(minutes=30) for at in deep)


def test_week__micro_and_macro__begin_only_after_their_idleness_and_no_oftener(week: Week) -> None:
    kinds: dict[CycleType, timedelta] = {"micro": SCHEDULE.micro_idle, "macro": SCHEDULE.macro_idle}
    for kind, idle in kinds.items():
        begun = week.of(kind)
        assert len(begun) > 50
        for at in begun:
            before = [asked for asked in week.requests if asked <= at]
            assert at - (before[-1] if before else MONDAY) >= idle
        assert min(second - first for first, second in pairwise(begun)) >= idle


def test_week__no_work_is_done__within_the_quiet_time_after_a_request(week: Week) -> None:
    for asked in week.requests:
        first = asked + TICK  # the tick that notices it
        assert not [at for at in week.worked_at if first <= at < asked + SCHEDULE.quiet]


def test_week__the_deep_cycle_that_traffic_paused__goes_on_by_itself_and_ends(week: Week) -> None:
    night = MONDAY + timedelta(days=5)
    told = [(at - night, found.kind, found.type) for at, found in week.log if night < at < night + timedelta(hours=4)]
    deep = [(kind, at) for at, kind, cycle in told if cycle == "deep"]
    assert [kind for kind, _ in deep] == ["start", "pause", "resume"]
    assert deep[1][1] - timedelta(hours=3, minutes=30) <= TICK
    assert deep[2][1] - deep[1][1] <= SCHEDULE.quiet + TICK


def test_week__every_decision__has_its_reason(week: Week) -> None:
    assert all(found.reason for _, found in week.log)


def test_decide__everything_due__starts_the_heaviest() -> None:
    assert decide(SCHEDULE, facts(timedelta(hours=2))).type == "deep"


def test_decide__deep_planned_while_users_ask__waits_until_it_is_idle() -> None:
    found = decide(SCHEDULE, facts(timedelta(minutes=2)))
    assert (found.kind, found.type) == ("nothing", None)


def test_decide__installed_after_last_night__makes_up_for_no_night() -> None:
    now = MONDAY + timedelta(hours=12)
    found = decide(SCHEDULE, facts(timedelta(minutes=10), since=now - timedelta(hours=1)))
    assert found == Decision("start", "nobody has asked for 5 min", "micro")


def test_decide__switched_off__starts_nothing_but_lets_what_runs_give_way() -> None:
    off = Schedule(enabled=False)
    assert decide(off, facts(timedelta(hours=2))).kind == "nothing"
    assert decide(off, facts(timedelta(seconds=1), open=Open("deep", False))).kind == "pause"


def test_decide__not_yielding__goes_on_beside_traffic() -> None:
    found = decide(Schedule(yields=False), facts(timedelta(seconds=1), open=Open("deep", False)))
    assert found.kind == "nothing"


def test_next_planned__nobody_asks__is_when_it_is_then_started() -> None:
    now = MONDAY + timedelta(hours=12)
    known = facts(timedelta(minutes=3), now=now, last={"deep": MONDAY + timedelta(hours=3)})
    at = next_planned(SCHEDULE, known, "micro")
    assert at == now + timedelta(minutes=2)
    later = Facts(at, known.since, known.last_request, known.last)
    assert decide(SCHEDULE, later).type == "micro"


@pytest.mark.parametrize("line", ["every night", "61 3 * * *", "0 3 * *", "0 3 * * * *"])
def test_cron_check__no_cron_line__is_refused(line: str) -> None:
    with pytest.raises(InvalidInput, match="no cron line"):
        cron_check(line, field="deep_cron")


def test_cron_check__blanks_and_nothing__are_tidied() -> None:
    assert (cron_check(" 0  3 * * * ", field="x"), cron_check("", field="x")) == ("0 3 * * *", "")


@pytest.mark.parametrize(
    ("schedule", "changes", "kind", "why"),
    [
        (Schedule(enabled=False), {}, "micro", "off"),
        (Schedule(), {"last_request": NOON - timedelta(seconds=5)}, "micro", "traffic"),
        (Schedule(), {"open": Open("deep", paused=False)}, "micro", "running"),
        (Schedule(), {"open": Open("deep", paused=True)}, "deep", "paused"),
        (Schedule(deep_cron=""), {"last_request": NOON - timedelta(minutes=2)}, "deep", "by command"),
        (Schedule(deep_cron=""), {"last_request": NOON - timedelta(minutes=2)}, "micro", "not yet"),
        (Schedule(deep_cron=""), {"last_request": NOON - timedelta(minutes=7)}, "micro", None),
        (Schedule(deep_cron=""), {"last_request": NOON - timedelta(minutes=7)}, "macro", "not yet"),
    ],
)
def test_holdup__of_each_type__says_why_none_begins(
    schedule: Schedule, changes: dict[str, Any], kind: CycleType, why: str | None
) -> None:
    known = Facts(**{"now": NOON, "since": NOON - timedelta(days=9), "last_request": None, "last": {}} | changes)
    assert holdup(schedule, known, kind) == why
