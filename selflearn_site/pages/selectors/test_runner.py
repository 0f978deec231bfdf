"""What the pages of the Test Runner show: scenarios with their last results, sessions, one session step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from maas.models import SessionStatus, TestSession
from maas.test_runner import selectors
from maas.test_runner.selectors import Scenario, StepResult
from selflearn_site.templatetags.engine import Engines

STALLED = timedelta(seconds=20)
"""Without a new result for so long, going on is offered: its worker may be gone, or none is running."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session with its steps by scenario. `stalled`: nothing has happened for a while."""

    session: Any
    groups: tuple[tuple[str, tuple[StepResult, ...]], ...]
    engines: Engines | None
    stalled: bool

    @property
    def live(self) -> bool:
        return self.session.status in (SessionStatus.PLANNED, SessionStatus.RUNNING)


def session_view(session: TestSession) -> SessionView:
    """`session` as `maas.test_runner.selectors.session_counted` gives it."""
    steps = selectors.steps_of(session)
    groups: dict[str, list[StepResult]] = {}
    for step in steps:
        groups.setdefault(step.scenario, []).append(step)
    names = selectors.models_of(steps)
    return SessionView(
        session=session,
        groups=tuple((name, tuple(items)) for name, items in groups.items()),
        engines=Engines.named(names) if names else None,
        stalled=_stalled(session),
    )


def _stalled(session: TestSession) -> bool:
    if session.status == SessionStatus.FAILED:
        return True
    if session.status not in (SessionStatus.PLANNED, SessionStatus.RUNNING):
        return False
    last = session.runs.order_by("-created_at").values_list("created_at", flat=True).first()
    return timezone.now() - (last or session.started_at or session.created_at) > STALLED


def scenarios_news(scenarios: Sequence[Scenario], running: int) -> str:
    """The headline: how the scenarios stand."""
    if running:
        return ngettext("A test session is running.", "%(n)s test sessions are running.", running) % {"n": running}
    if not scenarios:
        return _("There are no test dialogues.")
    failed = sum(scenario.failed > 0 for scenario in scenarios)
    played = sum(scenario.session is not None for scenario in scenarios)
    if not played:
        return ngettext(
            "%(n)s scenario is ready to be played.", "%(n)s scenarios are ready to be played.", len(scenarios)
        ) % {"n": len(scenarios)}
    if failed:
        return ngettext(
            "In %(failed)s of %(n)s scenario an answer lacked what was expected.",
            "In %(failed)s of %(n)s scenarios an answer lacked what was expected.",
            len(scenarios),
        ) % {"failed": failed, "n": len(scenarios)}
    return ngettext(
        "The scenario that was played answers as expected.", "The %(n)s scenarios that were played answer as expected.",
        played,
    ) % {"n": played}  # fmt: skip


def session_news(session: Any) -> str:
    """The headline of one session."""
    facts = {"done": session.done, "steps": session.steps, "failed": session.failed, "passed": session.passed}
    under_way = {
        SessionStatus.PLANNED: _("Waiting for a worker to begin."),
        SessionStatus.RUNNING: _("%(done)s of %(steps)s steps are played."),
        SessionStatus.STOPPED: _("Stopped after %(done)s of %(steps)s steps."),
        SessionStatus.FAILED: _("Broken off after %(done)s of %(steps)s steps."),
    }
    if session.status in under_way:
        return under_way[session.status] % facts
    if session.failed:
        return _("%(passed)s passed, %(failed)s failed.") % facts
    if not session.passed:
        return _("Every step was answered; nothing was expected.")
    return ngettext("The expectation held.", "All %(passed)s expectations held.", session.passed) % facts
