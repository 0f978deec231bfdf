"""How the house itself does: its processes, its databases, its queue, and which software runs."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version as installed
from time import perf_counter
from typing import Literal

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_q.models import Failure, OrmQ, Schedule
from django_q.status import Stat

from llm.factory import DEFAULT_MODEL
from maas.orchestrator import LISTENER as ORCHESTRATOR
from selflearn_site.templatetags.pages import ago, clock
from sensor.listener import LISTENER as SENSOR
from sensor.standing import waiting
from sensor.storage import storage_state
from teacher.statistics import ENGINE_VERSION

log = structlog.get_logger(__name__)

State = Literal["ok", "absent", "down"]
_LISTENERS = (
    "SELECT application_name, count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = ANY (%s) GROUP BY 1"
)
_SERVER = (
    "SELECT current_setting('server_version'), pg_database_size(current_database()),"
    " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())"
)
FAILURES_SHOWN = 5
PACKAGES = ("Django", "django-ninja", "django-q2", "django-unfold", "psycopg", "openai", "scipy", "plotly", "pgvector")


@dataclass(frozen=True, slots=True)
class Part:
    """One part. `absent`: it does not run and others go on without it; `remedy` says what brings it back."""

    name: str
    state: State
    detail: str
    remedy: str = ""
    ms: float | None = None

    @property
    def tone(self) -> str:
        return {"ok": "good", "absent": "wait", "down": "bad"}[self.state]

    @property
    def word(self) -> str:
        return {"ok": _("works"), "absent": _("does not run"), "down": _("cannot be reached")}[self.state]


@dataclass(frozen=True, slots=True)
class Queue:
    """Background tasks: what waits and since when, what failed lately, and what comes by schedule."""

    waiting: int
    since: datetime | None
    failed_today: int
    failures: Sequence[Failure]
    schedules: Sequence[Schedule]


def parts() -> list[Part]:
    """Every part, asked now. One that cannot be asked is `down`; the others are told all the same."""
    listening = _listening()
    return [
        Part(_("web"), "ok", _("answers you")),
        _timed(_("worker"), _worker),
        _listener(
            _("orchestrator"), listening.get(ORCHESTRATOR), "manage.py orchestrate",
            _("Questions of real people wait; campaigns answer theirs themselves."),
        ),
        _listener(
            _("Sensor"), listening.get(SENSOR), "manage.py sense",
            _("Runs are recorded by campaigns only, or later by this process."),
        ),
        _timed(_("database of the self-learning"), lambda: _database("default")),
        _timed(_("database of the student"), lambda: _database("maas")),
        _timed(_("recorded rows"), _storage),
        Part(_("language model"), "ok", _model()),
    ]  # fmt: skip


def queue() -> Queue:
    oldest = OrmQ.objects.order_by("lock").first()
    day = timezone.now() - timedelta(days=1)
    return Queue(
        waiting=OrmQ.objects.count(),
        since=oldest.lock if oldest else None,
        failed_today=Failure.objects.filter(stopped__gte=day).count(),
        failures=list(Failure.objects.order_by("-stopped")[:FAILURES_SHOWN]),
        schedules=list(Schedule.objects.order_by("next_run")),
    )


def software() -> list[tuple[str, str]]:
    """What runs, by name and version."""
    return [
        ("Python", platform.python_version()),
        *((name, installed(name)) for name in PACKAGES),
        (_("engine of statistics"), ENGINE_VERSION),
    ]


def system_news(found: Sequence[Part], tasks: Queue) -> str:
    """The title: what is wrong first."""
    down = [part.name for part in found if part.state == "down"]
    if down:
        return _("Cannot be reached: %(names)s.") % {"names": ", ".join(down)}
    absent = [part.name for part in found if part.state == "absent"]
    if absent:
        return _("Not running: %(names)s.") % {"names": ", ".join(absent)}
    if tasks.failed_today:
        return ngettext(
            "Everything runs; %(n)s background task failed in the last 24 hours.",
            "Everything runs; %(n)s background tasks failed in the last 24 hours.",
            tasks.failed_today,
        ) % {"n": tasks.failed_today}
    return _("Everything runs.")


def _listening() -> dict[str, int]:
    """How many processes listen, by name; none when that cannot be asked: the database is `down` then, and told so."""
    try:
        with connections["maas"].cursor() as cursor:
            cursor.execute(_LISTENERS, [[ORCHESTRATOR, SENSOR]])
            return dict(cursor.fetchall())
    except (OperationalError, InterfaceError):
        return {}


def _listener(name: str, count: int | None, command: str, meanwhile: str) -> Part:
    if count:
        detail = ngettext("%(n)s process listens", "%(n)s processes listen", count) % {"n": count}
        return Part(name, "ok", detail)
    return Part(name, "absent", meanwhile, remedy=command)


def _timed(name: str, look: Callable[[], tuple[State, str, str]]) -> Part:
    began = perf_counter()
    try:
        state, detail, remedy = look()
    except (OperationalError, InterfaceError, OSError) as error:
        log.warning("part_down", part=str(name), error=str(error))
        return Part(name, "down", _("what it said stands in the log"))
    return Part(name, state, detail, remedy, round((perf_counter() - began) * 1000, 1))


def _worker() -> tuple[State, str, str]:
    clusters = Stat.get_all()
    if not clusters:
        return "absent", _("Campaigns, emulations and schedules wait."), "manage.py qcluster"
    workers = sum(len(cluster.workers) for cluster in clusters)
    return "ok", ngettext("%(n)s process works", "%(n)s processes work", workers) % {"n": workers}, ""


def _database(alias: str) -> tuple[State, str, str]:
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(_SERVER)
        release, size, sessions = cursor.fetchone()
    where = _("embedded") if settings.DATABASES[alias].get("EMBEDDED") else _("a server of your own")
    facts = {"where": where, "release": release, "size": f"{size / 1e6:,.0f}", "sessions": sessions}
    return "ok", _("PostgreSQL %(release)s, %(where)s; %(size)s MB, %(sessions)s connections") % facts, ""


def _storage() -> tuple[State, str, str]:
    concerns, left = storage_state().concerns, waiting()
    if concerns:
        return "absent", "; ".join(concerns), "manage.py sense"
    if left.is_long:
        return "absent", _("runs wait to be recorded since %(time)s") % {"time": clock(left.since)}, "manage.py sense"
    return "ok", _("months ahead are made, nothing waits"), ""


def _model() -> str:
    if settings.SELFLEARN_LLM == "offline":
        return _("the offline engine: no model, no network, no cost")
    where = settings.OPENAI_BASE_URL or "api.openai.com"
    return _("%(model)s at %(where)s") % {"model": settings.SELFLEARN_MODEL or DEFAULT_MODEL, "where": where}


def queue_sentence(tasks: Queue) -> str:
    if not tasks.waiting:
        return _("No task waits.")
    said = ngettext("%(n)s task waits", "%(n)s tasks wait", tasks.waiting) % {"n": tasks.waiting}
    return f"{said}, {_('the oldest since')} {ago(tasks.since)}."
