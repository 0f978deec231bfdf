"""Recorded runs: the list that a person narrows, and how one run came to its answer."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from kernel.errors import NotFound
from maas.traces import Candidate, Trace, run_trace
from selflearn_site.pages.selectors.cases import memory_texts
from sensor.models import RunJudgement, SensorEvent, TelemetryEvent

NEWEST = 10_000
"""The list goes back so many runs; what lies before is found by its experiment, pass or id."""

SOURCES = {
    "real": (gettext_lazy("real people"), Q(client_kind="user")),
    "simulated": (gettext_lazy("simulated people"), Q(client_kind="emulator", mode="dialogue")),
    "evaluation": (gettext_lazy("evaluation"), Q(mode="evaluation")),
}
TROUBLES = {
    "failed": (gettext_lazy("failed"), Q(status="FAILED")),
    "hallucination": (gettext_lazy("hallucination"), Q(hallucination_detected=True)),
    "nothing": (gettext_lazy("nothing found"), Q(status="COMPLETED", memories_found=0)),
    "missed": (
        gettext_lazy("expected memory missed"),
        Q(expected_ids__len__gt=0) & ~Q(expected_ids__overlap=F("found_ids")),
    ),
    "isolation": (gettext_lazy("foreign memory"), Q(isolation_ok=False)),
    "thumb": (gettext_lazy("rated badly"), Q(feedback_score__lte=2)),
}
FILTERS = ("source", "trouble", "split", "version", "experiment", "batch", "q")


def runs_chosen(chosen: Mapping[str, str]) -> QuerySet[SensorEvent]:
    """Newest first. A filter that cannot be met (a version that is no number) narrows to nothing.

    Without an experiment, a pass or an id only the newest `NEWEST` runs are looked through, so that the list costs the
    same however much is recorded.
    """
    rows = SensorEvent.objects.order_by("-captured_at", "-id")
    text = chosen.get("q", "")
    if (run := _uuid(text)) is not None:
        return rows.filter(pipeline_run_id=run)
    if experiment := chosen.get("experiment"):
        rows = rows.filter(experiment=experiment)
    if batch := chosen.get("batch"):
        rows = rows.filter(batch=batch)
    if not (experiment or batch):
        rows = _newest(rows)
    if source := chosen.get("source"):
        rows = rows.filter(SOURCES[source][1]) if source in SOURCES else rows.none()
    if trouble := chosen.get("trouble"):
        rows = rows.filter(TROUBLES[trouble][1]) if trouble in TROUBLES else rows.none()
    if split := chosen.get("split"):
        rows = rows.filter(split=split)
    if version := chosen.get("version"):
        rows = rows.filter(parameter_version=int(version)) if version.isdecimal() else rows.none()
    if text:
        rows = rows.filter(Q(query__icontains=text) | Q(answer__icontains=text))
    return rows


def _newest(rows: QuerySet[SensorEvent]) -> QuerySet[SensorEvent]:
    oldest = rows.values_list("captured_at", flat=True)[NEWEST : NEWEST + 1].first()
    return rows if oldest is None else rows.filter(captured_at__gt=oldest)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def runs_news(*, shown: int, narrowed: bool, recorded: bool) -> str:
    """The title of the list."""
    if not recorded:
        return _("No run is recorded yet.")
    if narrowed:
        return ngettext("%(n)s run matches.", "%(n)s runs match.", shown) % {"n": f"{shown:,}"}
    return ngettext("%(n)s run, newest first.", "The newest %(n)s runs.", shown) % {"n": f"{shown:,}"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One stage of the waterfall, or a part of the one above. `start` and `width`: shares of the whole."""

    name: str
    ms: float
    start: float
    width: float
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Weighed:
    """A candidate, and whether it was expected and entered the context."""

    candidate: Candidate
    expected: bool
    used: bool

    @property
    def why(self) -> str:
        """Why it was kept or cut, in words."""
        if self.candidate.cut == "min_score":
            return _("cut: below min_score")
        if self.candidate.cut == "top_k":
            return _("cut: beyond top_k")
        return _("kept, the answer rests on it") if self.used else _("kept")


@dataclass(frozen=True, slots=True)
class RunView:
    event: SensorEvent
    trace: Trace | None
    weighed: tuple[Weighed, ...]
    missed: tuple[str, ...]
    bars: tuple[Bar, ...]
    judgements: tuple[RunJudgement, ...]

    @property
    def hits(self) -> int:
        return len(set(self.event.found_ids) & set(self.event.expected_ids or ()))


def run_view(run_id: uuid.UUID) -> RunView:
    """Raises `NotFound` for a run that was never recorded. The trace comes from the student while it still has it."""
    event = SensorEvent.objects.filter(pipeline_run_id=run_id).first()
    if event is None:
        raise NotFound("no such run is recorded", details={"run_id": str(run_id)})
    trace = run_trace(run_id=run_id)
    expected, used = set(event.expected_ids or ()), set(event.used_ids or ())
    weighed = tuple(
        Weighed(item, item.memory_id in expected, item.memory_id in used)
        for item in (trace.candidates if trace else ())
    )
    seen = {item.candidate.memory_id for item in weighed}
    texts = memory_texts(expected - seen)
    stages = {
        row.stage or "": float(row.latency_ms or 0)
        for row in TelemetryEvent.objects.filter(pipeline_id=run_id).exclude(stage="e2e")
    }
    return RunView(
        event=event,
        trace=trace,
        weighed=weighed,
        missed=tuple(texts.get(one, "") for one in event.expected_ids or () if one not in seen),
        bars=bars(trace.stage_ms if trace and trace.stage_ms else stages),
        judgements=tuple(RunJudgement.objects.filter(run_id=run_id).order_by("-recorded_at", "repeat")[:20]),
    )


_ORDER = ("analysis", "analyzer", "assembly", "assembler", "response", "responder", "archive", "archivist")
_INSIDE = {"keywords": "analysis", "search": "analysis"}
"""Parts of a stage, in their order; the stage's own time holds theirs."""


def bars(stage_ms: Mapping[str, float]) -> tuple[Bar, ...]:
    """Stages one after the other, as they run, with their parts below them. Pure."""
    whole = {name: ms for name, ms in stage_ms.items() if _INSIDE.get(name) not in stage_ms}
    total = sum(whole.values()) or 1.0
    found, start = [], 0.0
    for name in sorted(whole, key=lambda one: (_ORDER.index(one) if one in _ORDER else len(_ORDER), one)):
        found.append(Bar(name, whole[name], start / total, whole[name] / total))
        inner = start
        for part in (part for part, stage in _INSIDE.items() if stage == name and part in stage_ms):
            found.append(Bar(part, stage_ms[part], inner / total, stage_ms[part] / total, inside=True))
            inner += stage_ms[part]
        start += whole[name]
    return tuple(found)


def run_news(event: SensorEvent, hits: int) -> str:
    """The title of a run's page: what came of it."""
    if event.status == "FAILED":
        return _("Failed: %(reason)s") % {"reason": event.error_message or event.error_type or "–"}
    parts = []
    expected = len(event.expected_ids or ())
    if expected:
        parts.append(
            _("All that was expected was found")
            if hits == expected
            else _("%(hits)s of %(expected)s expected memories found") % {"hits": hits, "expected": expected}
        )
    elif event.memories_found:
        parts.append(
            ngettext("%(n)s memory found", "%(n)s memories found", event.memories_found) % {"n": event.memories_found}
        )
    else:
        parts.append(_("Nothing was found"))
    if event.hallucination_detected:
        parts.append(_("the answer makes something up"))
    elif event.context_utilized:
        parts.append(_("the answer rests on it"))
    elif event.hallucination_detected is False:
        parts.append(_("nothing is made up"))
    return "; ".join(parts) + "."
