"""What a step works with, and what it gives back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from contracts.actor import Actor, component
from contracts.goal import Autonomy, Constraint, Target
from goals.models import Campaign
from kernel.errors import DomainError
from maas.client import MaasClient
from manager.domain.lifecycle import CycleState
from manager.domain.policy import Leeway
from manager.domain.scheduling import traffic
from manager.engine.lease import Lease
from manager.engine.spending import Meter
from manager.models import Cycle
from manager.services.policy import policy_current
from manager.services.upkeep import last_request, schedule_of, schedule_row

MANAGER: Actor = component("manager")
TEACHER: Actor = component("teacher")

Show = Callable[[Cycle, dict[str, Any]], None]
"""Called with the cycle and its progress: {"label", "done", "planned", "rate", "left_s"}."""


class Held(DomainError):
    """The step cannot begin yet: another campaign comes first. It is tried again; nothing has changed."""

    code = "HELD"


class Yielded(Held):
    """A real user asks: the step stands back where it is. What it has stored stays; it goes on after quiet."""

    code = "YIELDED"


class Courtesy:
    """Looks for real users at most once a second, by whichever thread comes first."""

    def __init__(self) -> None:
        self._last = 0.0

    def look(self, *, force: bool = False) -> None:
        """Raises `Yielded` while a real user's request is younger than the quiet time, where the schedule says so."""
        now = time.monotonic()
        if not force and now - self._last < 1.0:
            return
        self._last = now
        if traffic(schedule_of(schedule_row()), now=timezone.now(), last_request=last_request()):
            raise Yielded("a real user is asking")


@dataclass(slots=True)
class StepContext:
    cycle: Cycle
    campaign: Campaign
    client: MaasClient
    lease: Lease
    parallel: int
    show: Show | None = None
    courtesy: Courtesy | None = None
    """None in the foreground: a person waits for it, and it gives way to nobody."""
    meter: Meter | None = None
    """Counts what is paid; None where nobody pays (tests of one step)."""

    @property
    def targets(self) -> list[Target]:
        return [Target.model_validate(item) for item in self.campaign.goal.targets]

    @property
    def constraints(self) -> list[Constraint]:
        return [Constraint.model_validate(item) for item in self.campaign.goal.constraints]

    @property
    def allowed(self) -> list[str]:
        goal = self.campaign.goal
        return [key for key in goal.allowed_impacts if key not in goal.forbidden_impacts]

    @property
    def leeway(self) -> Leeway:
        """Asked anew each time: the policy holds at once."""
        return Leeway(Autonomy(self.campaign.autonomy), most=Autonomy(policy_current().most_autonomy))

    @property
    def name(self) -> str:
        """Short and unique: the campaign's and the cycle's number."""
        return f"c{self.campaign.number}-k{self.cycle.number}"

    def progress(self, label: str, done: int, planned: int, rate: float) -> None:
        """Renew the lease and tell whoever watches. Called after each piece of work, by any thread."""
        left = (planned - done) / rate if rate > 0 else None
        progress = {
            "label": label,
            "done": done,
            "planned": planned,
            "rate": round(rate, 1),
            "left_s": None if left is None else round(left, 1),
        }
        self.lease.beat(progress)
        if self.show is not None:
            self.show(self.cycle, progress)
        if self.courtesy is not None:
            self.courtesy.look()


@dataclass(frozen=True, slots=True)
class Note:
    """A journal entry to be. `key` makes it unique inside its campaign, so that a repeated step writes it once."""

    kind: str
    text: str
    reason: str = ""
    experiment: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What a step decided: the next state, what to remember, what to write down.

    `finish` ends the cycle with this outcome; `end_campaign` ends the campaign too, with this reason. `within` is
    run inside the transaction that commits the step: the writes that must happen together with it.
    """

    state: CycleState
    data: dict[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    finish: str = ""
    finish_text: str = ""
    end_campaign: str = ""
    within: Callable[[], None] | None = None
