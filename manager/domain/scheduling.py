"""When upkeep runs: a pure function of what is known now. It starts one cycle at a time, the heaviest that is due, and
gives way to real users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from croniter import croniter

from kernel.errors import InvalidInput

CycleType = Literal["micro", "macro", "deep"]
TYPES: tuple[CycleType, ...] = ("micro", "macro", "deep")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Idle times after which cycles come, and again every so long while nobody asks; cron lines beside them, in the
    time zone of `Facts.now`, empty for none. `quiet`: without a request for so long, work that was paused goes on.
    `patience`: a campaign that has stood back for longer goes on for one step; zero: never."""

    enabled: bool = True
    micro_idle: timedelta = timedelta(minutes=5)
    macro_idle: timedelta = timedelta(hours=1)
    macro_cron: str = ""
    deep_cron: str = "0 3 * * *"
    yields: bool = True
    quiet: timedelta = timedelta(seconds=60)
    patience: timedelta = timedelta(hours=6)

    def idle_of(self, kind: CycleType) -> timedelta:
        """How long nobody must have asked before a cycle begins. A scheduled one needs the short idleness too."""
        return self.macro_idle if kind == "macro" else self.micro_idle

    def cron_of(self, kind: CycleType) -> str:
        return {"micro": "", "macro": self.macro_cron, "deep": self.deep_cron}[kind]


@dataclass(frozen=True, slots=True)
class Open:
    """The upkeep cycle that has not ended."""

    type: CycleType
    paused: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """`last_request`: None when no real user ever asked, then it has been idle since `since`. `last`: when a cycle of
    each type was last started. `since`: when the installation began; no schedule is made up for before that."""

    now: datetime
    since: datetime
    last_request: datetime | None
    last: Mapping[CycleType, datetime]
    open: Open | None = None

    @property
    def idle(self) -> timedelta:
        return max(self.now - (self.last_request or self.since), timedelta())


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` is for people; `type` is what is started, paused or resumed."""

    kind: Literal["start", "pause", "resume", "nothing"]
    reason: str
    type: CycleType | None = None


def traffic(schedule: Schedule, *, now: datetime, last_request: datetime | None) -> bool:
    """Whether background work has to stand back for a real user."""
    return schedule.yields and last_request is not None and now - last_request < schedule.quiet


def patience_spent(schedule: Schedule, *, now: datetime, since: datetime) -> bool:
    """Whether a campaign that has stood back since then goes on for one step all the same."""
    return bool(schedule.patience) and now - since > schedule.patience


def decide(schedule: Schedule, facts: Facts) -> Decision:
    """What to do now. Asked again with nothing changed it gives the same answer."""
    busy = traffic(schedule, now=facts.now, last_request=facts.last_request)
    if facts.open is not None:
        return _of_open(facts.open, busy)
    if not schedule.enabled:
        return Decision("nothing", "upkeep is switched off")
    if busy:
        return Decision("nothing", "a real user is asking")
    for kind in reversed(TYPES):
        if reason := _due(schedule, facts, kind):
            return Decision("start", reason, kind)
    return Decision("nothing", "nothing is due")


def _of_open(cycle: Open, busy: bool) -> Decision:
    if busy and not cycle.paused:
        return Decision("pause", "a real user is asking", cycle.type)
    if cycle.paused and not busy:
        return Decision("resume", "nobody is asking any more", cycle.type)
    return Decision("nothing", f"a {cycle.type} cycle is {'paused by traffic' if cycle.paused else 'running'}")


def _due(schedule: Schedule, facts: Facts, kind: CycleType) -> str:
    """Why a cycle of this type is due; empty when it is not."""
    if (cron := schedule.cron_of(kind)) and facts.idle >= schedule.micro_idle:
        planned = last_planned(cron, facts.now)
        if facts.since < planned and facts.last.get(kind, facts.since) < planned:
            return f"planned for {planned:%Y-%m-%d %H:%M}"
    if kind == "deep":
        return ""
    idle = schedule.idle_of(kind)
    heavier = [facts.last[item] for item in TYPES[TYPES.index(kind) :] if item in facts.last]
    if facts.idle >= idle and all(facts.now - at >= idle for at in heavier):
        return f"nobody has asked for {_words(idle)}"
    return ""


def last_planned(cron: str, now: datetime) -> datetime:
    """The latest moment, `now` included, that a cron line names."""
    planned: datetime = croniter(cron, now + timedelta(seconds=1)).get_prev(datetime)
    return planned


def next_planned(schedule: Schedule, facts: Facts, kind: CycleType) -> datetime | None:
    """When a cycle of this type begins at the earliest, if nobody asks until then; None: only by command."""
    if not schedule.enabled:
        return None
    times = []
    if cron := schedule.cron_of(kind):
        times.append(croniter(cron, facts.now).get_next(datetime))
    if kind != "deep":
        idle = schedule.idle_of(kind)
        heavier = [facts.last[item] for item in TYPES[TYPES.index(kind) :] if item in facts.last]
        times.append(max([facts.last_request or facts.since, *heavier]) + idle)
    return max(min(times), facts.now) if times else None


Holdup = Literal["off", "traffic", "running", "paused", "by command", "not yet"]


def holdup(schedule: Schedule, facts: Facts, kind: CycleType) -> Holdup | None:
    """Why no cycle of this type begins now; None: it does, at the next tick. A lighter one waits for a heavier one."""
    if facts.open is not None:
        return "paused" if facts.open.paused else "running"
    if not schedule.enabled:
        return "off"
    if traffic(schedule, now=facts.now, last_request=facts.last_request):
        return "traffic"
    if decide(schedule, facts).type == kind:
        return None
    return "by command" if next_planned(schedule, facts, kind) is None else "not yet"


def cron_check(line: str, *, field: str) -> str:
    """The line as it is kept. Raises `InvalidInput` unless it has five fields that make sense, or is empty."""
    line = " ".join(line.split())
    if line and (len(line.split()) != 5 or not croniter.is_valid(line)):
        raise InvalidInput(f"{line!r} is no cron line; one is '0 3 * * *': minute hour day month weekday",
                           details={"field": field})  # fmt: skip
    return line


def _words(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h" if minutes and minutes % 60 == 0 else f"{minutes} min"
