"""Upkeep cycles: of each type the last one, when it comes next, and why none begins now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from manager.domain.scheduling import TYPES, CycleType, Facts, Holdup, Schedule, holdup, next_planned
from manager.models import UpkeepCycle
from selflearn_site.pages import said as saying

TITLES: Mapping[CycleType, Any] = {
    "micro": gettext_lazy("Micro"),
    "macro": gettext_lazy("Macro"),
    "deep": gettext_lazy("Deep"),
}
DOES: Mapping[CycleType, Any] = {
    "micro": gettext_lazy("A few train questions: latency, cost, errors."),
    "macro": gettext_lazy("All validation and golden questions, degradation, merging of memories, safety checks."),
    "deep": gettext_lazy("New vectors, quality of memories, what to set aside, a standing A/A test."),
}
PARTS: Mapping[str, Any] = {
    "quick evaluation": gettext_lazy("quick evaluation"),
    "validation": gettext_lazy("validation"),
    "golden": gettext_lazy("golden"),
    "degradation": gettext_lazy("degradation rules"),
    "consolidation": gettext_lazy("merging of memories"),
    "safety": gettext_lazy("safety checks"),
    "embedding": gettext_lazy("new vectors"),
    "memory quality": gettext_lazy("memory quality"),
    "review": gettext_lazy("review of memories"),
    "standing A/A": gettext_lazy("standing A/A test"),
}


@dataclass(frozen=True, slots=True)
class Part:
    name: Any
    result: str


@dataclass(frozen=True, slots=True)
class Run:
    """One cycle with its results in words. `seconds` is None while it has not ended."""

    cycle: UpkeepCycle
    title: Any
    parts: list[Part]

    @property
    def seconds(self) -> float | None:
        ended = self.cycle.finished_at
        return None if ended is None else (ended - self.cycle.created_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Kind:
    """One type. `open`: it is this type that has not ended."""

    type: CycleType
    title: Any
    does: Any
    last: Run | None
    next_due: datetime | None
    why_not: str
    open: bool


def kinds(schedule: Schedule, facts: Facts) -> list[Kind]:
    """One query."""
    newest = UpkeepCycle.objects.order_by("type", "-created_at").distinct("type")
    last = {cycle.type: run_of(cycle) for cycle in newest}
    return [
        Kind(
            kind,
            TITLES[kind],
            DOES[kind],
            last.get(kind),
            next_planned(schedule, facts, kind),
            why_not(holdup(schedule, facts, kind), idle=facts.idle),
            facts.open is not None and facts.open.type == kind,
        )
        for kind in TYPES
    ]


def run_of(cycle: UpkeepCycle) -> Run:
    order = list(PARTS)  # that in which they are done; JSON keeps none
    names = sorted(cycle.findings, key=lambda name: order.index(name) if name in order else len(order))
    parts = [Part(PARTS.get(name, name), finding_text(name, cycle.findings[name])) for name in names]
    return Run(cycle, TITLES[cast("CycleType", cycle.type)], parts)


def why_not(reason: Holdup | None, *, idle: timedelta) -> str:
    """Why none begins now, for people."""
    if reason is None:
        return _("Begins within a minute.")
    minutes = int(idle.total_seconds() // 60)
    quiet = ngettext("Nobody has asked for %(n)s minute.", "Nobody has asked for %(n)s minutes.", minutes)
    return {
        "off": _("Upkeep is switched off."),
        "traffic": _("A real user is asking."),
        "running": _("A cycle is running."),
        "paused": _("The open cycle waits until real users are quiet."),
        "by command": _("Only by command."),
        "not yet": _("Not due yet.") + " " + quiet % {"n": minutes},
    }[reason]


def cycles_news(*, open_type: CycleType | None, paused: bool, enabled: bool, failed: Sequence[CycleType] = ()) -> str:
    """The title: what runs, else what went wrong last, else that all is quiet."""
    if open_type is not None:
        title = TITLES[open_type]
        text = _("%(type)s upkeep waits for real users.") if paused else _("%(type)s upkeep is running.")
        return text % {"type": title}
    if failed:
        return _("%(type)s upkeep failed last time.") % {"type": TITLES[failed[0]]}
    return _("Upkeep comes by itself when nobody asks.") if enabled else _("Upkeep is switched off.")


def finding_text(name: str, found: Mapping[str, Any]) -> str:
    """What one part found, in a few words; what it left out says why."""
    if left_out := found.get("left_out"):
        return _("left out: %(why)s") % {"why": saying.said(str(left_out))}
    if "metrics" in found:
        n = int(found.get("n") or 0)
        text = ngettext("%(n)s question", "%(n)s questions", n) % {"n": n}
        return "; ".join([text, *_metrics(found["metrics"])])
    if name == "degradation":
        broken = found.get("broken") or []
        return "; ".join(saying.said(str(item)) for item in broken) if broken else _("none is broken")
    if name == "standing A/A":
        return f"{found.get('test')}: {saying.term(str(found.get('verdict')))}"
    return _counted(name, found)


_COUNTS = {
    "safety": "failed",
    "embedding": "embedded",
    "consolidation": "merged",
    "memory quality": "low",
    "review": "flagged",
}
"""By part of a cycle: which of its figures is told."""


def _counted(name: str, found: Mapping[str, Any]) -> str:
    n = int(found.get(_COUNTS.get(name, "")) or 0)
    if name == "safety" and not n:
        return _("all hold")
    texts = {
        "safety": ngettext("%(n)s check failed", "%(n)s checks failed", n),
        "embedding": ngettext("%(n)s memory has a new vector", "%(n)s memories have new vectors", n),
        "consolidation": ngettext("%(n)s memory merged", "%(n)s memories merged", n),
        "memory quality": ngettext("%(n)s memory of low quality", "%(n)s memories of low quality", n),
        "review": ngettext("%(n)s memory put up for review", "%(n)s memories put up for review", n),
    }
    return texts.get(name, "") % {"n": n} if name in texts else ""


def _metrics(metrics: Mapping[str, float | None]) -> list[str]:
    shown = {
        "retrieval_recall": _("recall %(value)s"),
        "retrieval_precision": _("precision %(value)s"),
        "error_rate": _("errors %(value)s"),
        "latency_p95": _("P95 latency %(value)s ms"),
    }
    result = []
    for name, text in shown.items():
        value = metrics.get(name)
        if value is not None:
            result.append(text % {"value": f"{value:.0f}" if name == "latency_p95" else f"{value:.3f}"})
    return result
