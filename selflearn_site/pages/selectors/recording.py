"""How recording stands, in words: the headline, the tiles, what waits, and how the rows lie on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incidents.selectors import unresolved
from selflearn_site.templatetags.pages import clock, duration
from sensor.domain.report import LagReport
from sensor.standing import (
    LATE,
    LOOKED_AT_MOST,
    SETTLED,
    CursorState,
    RecordedCounts,
    Waiting,
    cursors,
    lag_since,
    recorded_counts,
    waiting,
)
from teacher.domain.wording import amount


@dataclass(frozen=True, slots=True)
class Tile:
    """`tone` colours the chip, which says what is decided about the number."""

    title: str
    value: str
    foot: str
    doc: str
    n: int | None = None
    chip: str = ""
    tone: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    counts: RecordedCounts
    hour: LagReport
    day: LagReport
    left: Waiting
    cursors: Sequence[CursorState]
    isolation_open: bool

    @property
    def stalled(self) -> list[CursorState]:
        return [item for item in self.cursors if item.state == "stalled"]


@dataclass(frozen=True, slots=True)
class CursorWords:
    title: str
    state: CursorState
    words: str


def standing() -> Standing:
    now, left = timezone.now(), waiting()
    return Standing(
        counts=recorded_counts(),
        hour=lag_since(now - timedelta(hours=1)),
        day=lag_since(now - timedelta(days=1)),
        left=left,
        cursors=cursors(left=left),
        isolation_open=unresolved(kind="isolation").exists(),
    )


def lag_text(seconds: float | None) -> str:
    """`12 ms`; from ten seconds on `3 min`."""
    if seconds is None:
        return "–"
    return amount("latency_ms", seconds * 1000) if seconds < 10 else duration(seconds)


def recording_news(found: Standing) -> str:
    """The headline: what is wrong first."""
    left = found.left
    if found.isolation_open:
        return _("A run was shown a memory of another user.")
    if left.is_long:
        said = ngettext("%(n)s run waits to be recorded.", "%(n)s runs wait to be recorded.", left.runs)
        return said % {"n": _at_least(left.runs)}
    heartbeat = next((item for item in found.stalled if item.name == LATE), None)
    if heartbeat is not None:
        return _("The Sensor has not looked for news since %(time)s.") % {"time": clock(heartbeat.moved_at)}
    if not found.counts.total:
        return _("Nothing has been recorded yet.")
    if found.day.p95_seconds is None:
        return _("Everything is recorded; no run ended in the last 24 hours.")
    return _("Everything is recorded, 95 %% of it within %(lag)s.") % {"lag": lag_text(found.day.p95_seconds)}


def recording_sentence(found: Standing) -> str:
    """How late, and what waits, plainly."""
    if found.hour.runs:
        facts = {
            "n": f"{found.hour.runs:,}",
            "p50": lag_text(found.hour.p50_seconds),
            "p95": lag_text(found.hour.p95_seconds),
        }
        late = ngettext(
            "The one run of the last hour was recorded %(p50)s after its end.",
            "Of the %(n)s runs of the last hour, half were recorded within %(p50)s of their end, 95 %% within %(p95)s.",
            found.hour.runs,
        )
        late %= facts
    else:
        late = _("No run ended in the last hour.")
    if not found.left.runs:
        return f"{late} {_('Nothing waits.')}"
    waits = ngettext(
        "%(n)s run waits, since %(time)s.", "%(n)s runs wait, the first since %(time)s.", found.left.runs
    ) % {"n": _at_least(found.left.runs), "time": clock(found.left.since)}
    return f"{late} {waits}"


def tiles(found: Standing) -> list[Tile]:
    counts = found.counts
    broken = counts.isolation_violations
    today = counts.failed_today / counts.today if counts.today else None
    lag = _("From the end of a run to its row in the record. Percentiles are within 0.5 %.")
    return [
        Tile(_("Lag of the newest run"), lag_text(found.day.newest_seconds), _("the run recorded last"), lag),
        Tile(
            _("Lag P95, last hour"), lag_text(found.hour.p95_seconds),
            _("P50 %(lag)s") % {"lag": lag_text(found.hour.p50_seconds)}, lag, n=found.hour.runs,
        ),
        Tile(
            _("Lag P95, last day"), lag_text(found.day.p95_seconds),
            _("P50 %(lag)s") % {"lag": lag_text(found.day.p50_seconds)}, lag, n=found.day.runs,
        ),
        Tile(
            _("Recorded runs"), f"{counts.total:,}", _("today %(n)s") % {"n": f"{counts.today:,}"},
            _("Ever recorded, those that retention took away included; today by UTC."),
        ),
        Tile(
            _("Failed"), _share(counts.failed_share), _("today %(share)s") % {"share": _share(today)},
            _("FAILED runs, of all recorded runs."),
        ),
        Tile(
            _("Isolation violations"), f"{broken:,}",
            _("must be 0"),
            _("Runs that were shown a memory of another user, of those of which it can be told."),
            chip="" if not counts.isolation_checked else _("broken") if broken else _("holds"),
            tone="bad" if broken else "good", link="pages:incidents" if broken else "",
        ),
    ]  # fmt: skip


def cursor_words(found: Standing) -> list[CursorWords]:
    return [CursorWords(_cursor_title(item), item, _cursor_sentence(item, found.left)) for item in found.cursors]


def _cursor_title(item: CursorState) -> str:
    return {SETTLED: _("Finished runs"), LATE: _("Feedback and consent")}.get(item.name, item.name)


def _cursor_sentence(item: CursorState, left: Waiting) -> str:
    moved = {"time": clock(item.moved_at), "n": _at_least(left.runs), "since": clock(left.since)}
    if item.state == "unread":
        return _("Nothing was read yet: the Sensor has not run on this database.")
    if item.state == "stalled" and item.name == SETTLED:
        return _("%(n)s wait, the first since %(since)s. Is the Sensor running?") % moved
    if item.state == "stalled":
        return (
            _("Not looked for since %(time)s. Is the Sensor running? A transaction that stays open holds it up, too.")
            % moved
        )
    if item.name == SETTLED:
        return _("They were last read at %(time)s, and are again with the next run.") % moved
    return _("Looked for every few seconds while the Sensor runs.")


def _at_least(number: int) -> str:
    return f"≥ {number:,}" if number >= LOOKED_AT_MOST else f"{number:,}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value * 100:.1f} %"


def news_of(found: Standing) -> dict[str, Any]:
    """What the page says above everything else."""
    return {
        "headline": recording_news(found),
        "sentence": recording_sentence(found),
        "tiles": tiles(found),
        "cursors": cursor_words(found),
    }
