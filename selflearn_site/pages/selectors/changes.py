"""The change log in words: what, why and by whom, one line each."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from audit.models import AuditEntry
from experiments.models import Experiment, ExperimentResult
from goals.models import Campaign
from hypotheses.models import Hypothesis
from selflearn_site.pages.said import term

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


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STEPS = (
    "experiment.planned", "experiment.running", "experiment.completed", "experiment.analyzed", "experiment.applied",
    "approval.applied", "parameters.prepared", "hypothesis.register", "hypothesis.running", "hypothesis.confirmed",
    "hypothesis.rejected", "hypothesis.inconclusive",
)  # fmt: skip
"""Steps on the way to a decision, and echoes of one: shown when everything is asked for."""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry: a short name with its colour, a sentence, the reason. `link`: its experiment has a page."""

    entry: AuditEntry
    name: str
    tone: str
    what: str
    why: str
    link: str

    @property
    def by(self) -> str:
        return f"{self.entry.actor_kind}:{self.entry.actor}"


def changes_read(entries: Sequence[AuditEntry]) -> list[Change]:
    """Entries in words. Four queries name what the log knows by id only."""
    slugs = {entry.experiment for entry in entries if entry.experiment}
    rows = Experiment.objects.filter(slug__in=slugs).values_list("slug", "factor", "from_value", "to_value")
    pages = {slug: f"{factor} {_value(old)} → {_value(new)}" for slug, factor, old, new in rows}
    verdicts = ExperimentResult.objects.filter(experiment_id__in=slugs, verdict="inconclusive")
    unproved = set(verdicts.values_list("experiment_id", flat=True))
    campaigns = Campaign.objects.filter(id__in=[e.subject_id for e in entries if e.subject_type == "campaign"])
    names = {
        str(pk): _("campaign %(number)s") % {"number": number} for pk, number in campaigns.values_list("id", "number")
    }
    guesses = Hypothesis.objects.filter(id__in=[e.subject_id for e in entries if e.subject_type == "hypothesis"])
    names |= {str(pk): name for pk, name in guesses.values_list("id", "name")}
    return [change_of_entry(entry, names={**names, **pages}, pages=pages, unproved=unproved) for entry in entries]


def change_of_entry(
    entry: AuditEntry, *, names: Mapping[str, str], pages: Container[str], unproved: Container[str]
) -> Change:
    name, tone = _name(entry.action), _TONES.get(entry.action, "")
    if entry.action == "experiment.rejected" and entry.experiment in unproved:
        name, tone = _("not proved"), ""
    why = entry.reason
    if entry.action == "parameters.refused" and isinstance(entry.after, Mapping):
        why = str(entry.after.get("message", "")) or why
    return Change(
        entry=entry,
        name=name,
        tone=tone,
        what=_what(entry, names),
        why=why,
        link=entry.experiment if entry.experiment and entry.experiment in pages else "",
    )


def _name(action: str) -> str:
    known = {
        "goal.create": _("goal set"),
        "campaign.create": _("planned"),
        "campaign.running": _("started"),
        "parameters.activated": _("in force"),
        "parameters.confirmed_stable": _("proved stable"),
        "experiment.rejected": _("refused"),
    }
    return known.get(action) or term(action.split(".", 1)[-1].replace("_", " "))


def _what(entry: AuditEntry, names: Mapping[str, str]) -> str:
    before: Mapping[str, Any] = entry.before if isinstance(entry.before, Mapping) else {}
    after: Mapping[str, Any] = entry.after if isinstance(entry.after, Mapping) else {}
    if entry.subject_type == "parameters":
        return _parameters(entry, before, after)
    if entry.subject_type == "approval" and "param" in after:
        return f"{after['param']} {_value(after.get('from'))} → {_value(after.get('to'))}"
    if entry.subject_type == "goal" and "text" in after:
        return f"“{after['text']}”"
    known = names.get(entry.subject_id)
    text = known or f"{term(entry.subject_type.replace('_', ' '))} {_called(entry.subject_id)}"
    moved = not known and "status" in before and "status" in after
    return f"{text}: {term(before['status'])} → {term(after['status'])}" if moved else text


def _called(subject: str) -> str:
    """A name as it is; of an id that nobody remembers its first eight digits."""
    return subject[:8] if _UUID.fullmatch(subject) else subject[:80]


def _parameters(entry: AuditEntry, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    versions = f"v{before.get('version')} → v{after.get('version')}"
    if entry.parameter and "value" in after:
        return f"{entry.parameter} {_value(before.get('value'))} → {_value(after['value'])} · {versions}"
    if "version" in after and "version" in before:
        return versions
    return entry.parameter or _("version %(version)s") % {"version": entry.subject_id}


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return _("on") if value else _("off")
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def initiators() -> list[tuple[str, str]]:
    """(`kind:name`, name) of everyone in the log."""
    rows = AuditEntry.objects.order_by("actor_kind", "actor").values_list("actor_kind", "actor").distinct()
    return [(f"{kind}:{name}", name) for kind, name in rows]
