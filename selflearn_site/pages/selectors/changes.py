"""The change log in words: what, why and by whom, one line each. Pure but for the list of initiators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from audit.models import AuditEntry

_TONES = {
    "parameters.activated": "good",
    "parameters.rolled_back": "wait",
    "parameters.refused": "bad",
    "parameters.frozen": "wait",
    "approval.applied": "good",
    "approval.rejected": "bad",
    "approval.expired": "wait",
    "approval.void": "bad",
    "experiment.applied": "good",
    "experiment.rejected": "bad",
    "experiment.rolled_back": "wait",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One entry: a short name with its colour, a sentence, the reason."""

    entry: AuditEntry
    name: str
    tone: str
    what: str
    why: str


def change_of_entry(entry: AuditEntry) -> Change:
    name = entry.action.split(".", 1)[-1].replace("_", " ")
    why = entry.reason
    if entry.action == "parameters.refused" and isinstance(entry.after, Mapping):
        why = str(entry.after.get("message", "")) or why
    return Change(entry=entry, name=name, tone=_TONES.get(entry.action, ""), what=_what(entry), why=why)


def _what(entry: AuditEntry) -> str:
    before: Mapping[str, Any] = entry.before if isinstance(entry.before, Mapping) else {}
    after: Mapping[str, Any] = entry.after if isinstance(entry.after, Mapping) else {}
    if entry.subject_type == "parameters" and entry.parameter and "value" in after:
        return (
            f"{entry.parameter} {_value(before.get('value'))} → {_value(after['value'])} · "
            f"v{before.get('version')} → v{after.get('version')}"
        )
    if entry.subject_type == "parameters" and "version" in after and "version" in before:
        return f"v{before['version']} → v{after['version']}"
    if entry.subject_type == "approval" and "param" in after:
        return f"{_('approval of')} {after['param']} {_value(after.get('from'))} → {_value(after.get('to'))}"
    if entry.subject_type == "experiment" and "arms" in after:
        return f"{entry.subject_id}: " + _("versions prepared for its arms")
    if entry.subject_type == "goal" and "text" in after:
        return f"“{after['text']}”"
    if "number" in after:
        return f"{entry.subject_type} {after['number']}"
    subject = entry.experiment if entry.subject_type == "experiment" and entry.experiment else entry.subject_id
    text = f"{entry.subject_type} {subject}" if len(subject) < 80 else entry.subject_type
    if "status" in before and "status" in after:
        return f"{text}: {before['status']} → {after['status']}"
    return text


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return _("on") if value else _("off")
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def initiators() -> list[tuple[str, str]]:
    """(`kind:name`, name) of everyone in the log."""
    rows = AuditEntry.objects.order_by("actor_kind", "actor").values_list("actor_kind", "actor").distinct()
    return [(f"{kind}:{name}", name) for kind, name in rows]
