"""Upkeep: micro, macro and deep cycles, when they come, what they found; run one now, stop it, change the schedule."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contracts.doors import actor_of
from kernel.errors import InvalidInput
from manager.domain.scheduling import TYPES
from manager.models import UpkeepCycle, UpkeepSchedule
from manager.services.upkeep import (
    EDITABLE,
    facts,
    schedule_change,
    schedule_of,
    schedule_row,
    upkeep_begin,
    upkeep_enqueue,
    upkeep_stop,
)
from selflearn_site.pages.page import LIVE_FAST, LIVE_SLOW, action, back, page, show
from selflearn_site.pages.selectors.campaigns import dataset_names
from selflearn_site.pages.selectors.cycles import TITLES, cycles_news, kinds, run_of
from selflearn_site.pages.selectors.lists import paged

_PAGE = "pages:cycles"


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    reason = forms.CharField(
        label=gettext_lazy("Why do you change it? It is kept in the change log."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    class Meta:
        model = UpkeepSchedule
        fields = EDITABLE
        labels = {
            "enabled": gettext_lazy("Upkeep comes by itself"),
            "micro_idle_minutes": gettext_lazy("Minutes without a request before a micro cycle"),
            "macro_idle_minutes": gettext_lazy("Minutes without a request before a macro cycle"),
            "macro_cron": gettext_lazy("Macro cycles at these times too (cron; empty: none)"),
            "deep_cron": gettext_lazy("Deep cycles at these times (cron; empty: by command only)"),
            "yields": gettext_lazy("Gives way to real users"),
            "quiet_seconds": gettext_lazy("Seconds without a request before it goes on"),
            "patience_hours": gettext_lazy("Hours a campaign gives way before it goes on for one step (0: never)"),
            "micro_questions": gettext_lazy("Questions of a micro cycle"),
            "dataset": gettext_lazy("Whose questions are asked"),
        }
        help_texts = dict.fromkeys(EDITABLE, "")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["dataset"] = forms.ChoiceField(
            label=self.fields["dataset"].label, choices=[(name, name) for name in self._names()]
        )
        for name in ("micro_idle_minutes", "macro_idle_minutes", "quiet_seconds", "micro_questions"):
            self.fields[name].widget.attrs["min"] = 1

    def _names(self) -> list[str]:
        return sorted({*dataset_names(), self.instance.dataset})


@page
def cycles(request: HttpRequest) -> HttpResponse:
    row, known = schedule_row(), facts()
    found = kinds(schedule_of(row), known)
    opened = UpkeepCycle.objects.filter(finished_at__isnull=True).first()
    rows = paged(request, UpkeepCycle.objects.order_by("-created_at"))
    failed = [item.type for item in found if item.last is not None and item.last.cycle.state == "failed"]
    context = {
        "headline": cycles_news(
            open_type=known.open.type if known.open else None,
            paused=bool(known.open and known.open.paused),
            enabled=row.enabled,
            failed=failed,
        ),
        "kinds": found,
        "opened": opened and run_of(opened),
        "rows": rows,
        "runs": [run_of(cycle) for cycle in rows.object_list],
        "last_request": known.last_request,
        "form": ScheduleForm(instance=row),
        "schedule": row,
    }
    return show(request, "pages/cycles.html", context, live=LIVE_FAST if opened else LIVE_SLOW)


@action
def cycle_run(request: HttpRequest) -> HttpResponse:
    kind = request.POST.get("type", "")
    if kind not in TYPES:
        raise InvalidInput(f"there is no cycle of type {kind!r}", details={"field": "type"})
    cycle = upkeep_begin(kind=kind, actor=actor_of(request), reason="asked for by hand")
    upkeep_enqueue(cycle.id)
    messages.success(
        request,
        _("%(type)s upkeep is queued; a worker begins it when no real user is asking.") % {"type": TITLES[kind]},
    )
    return back(request, _PAGE)


@action
def cycle_stop(request: HttpRequest, cycle_id: uuid.UUID) -> HttpResponse:
    cycle = upkeep_stop(cycle_id=cycle_id, actor=actor_of(request), reason=request.POST.get("comment", "").strip())
    text = _("It stops after the question at hand.") if cycle.finished_at is None else _("It is stopped.")
    messages.success(request, text)
    return back(request, _PAGE)


@action
def cycle_schedule(request: HttpRequest) -> HttpResponse:
    """Only what differs is changed, so that two people may change different things at once."""
    row = schedule_row()
    before = {name: getattr(row, name) for name in EDITABLE}
    form = ScheduleForm(request.POST, instance=row)
    if not form.is_valid():
        field, errors = next(iter(form.errors.items()))
        raise InvalidInput(f"{form.fields[field].label}: {errors[0]}", details={"field": field})
    changed = {name: form.cleaned_data[name] for name in EDITABLE if form.cleaned_data[name] != before[name]}
    if not changed:
        messages.info(request, _("Nothing was changed."))
        return back(request, _PAGE)
    schedule_change(actor=actor_of(request), reason=form.cleaned_data["reason"], **changed)
    messages.success(request, _("The schedule is changed."))
    return back(request, _PAGE)
