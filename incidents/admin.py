"""Incidents in the admin: what is wrong, what was done; acknowledge and resolve with a note."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from contracts.doors import LookOnly, actor_of
from incidents.models import Incident, SafetyResult, SafetyRun
from incidents.services import incident_acknowledge, incident_resolve


class NoteForm(BaseDialogForm):
    note = forms.CharField(label=_("Note"), widget=UnfoldAdminTextareaWidget, required=False)


def _dialog(title: object) -> dict[str, object]:
    return {"title": title, "description": "", "form_class": NoteForm, "form_submit_text": title}


@admin.register(Incident)
class IncidentAdmin(LookOnly, ModelAdmin):
    list_display = ("id", "opened_at", "shown_severity", "shown_status", "kind", "title", "subject", "resolved_at")
    list_display_links = ("id", "title")
    list_filter = ("status", "severity", "kind")
    search_fields = ("title", "detail", "subject", "kind")
    date_hierarchy = "opened_at"
    actions_detail = ("acknowledge", "resolve")

    @display(
        description=_("severity"),
        ordering="severity",
        label={"info": "info", "warning": "warning", "critical": "danger"},
    )
    def shown_severity(self, incident: Incident) -> str:
        return incident.severity

    @display(
        description=_("status"),
        ordering="status",
        label={"open": "danger", "acknowledged": "warning", "resolved": "success"},
    )
    def shown_status(self, incident: Incident) -> str:
        return incident.status

    @action(description=_("Acknowledge"), permissions=["operator"], dialog=_dialog(_("Acknowledge")))
    def acknowledge(self, request: HttpRequest, form: NoteForm, object_id: str) -> HttpResponse:
        return self._act(request, form, object_id, incident_acknowledge, _("Acknowledged."))

    @action(description=_("Resolve"), permissions=["operator"], dialog=_dialog(_("Resolve")))
    def resolve(self, request: HttpRequest, form: NoteForm, object_id: str) -> HttpResponse:
        return self._act(request, form, object_id, incident_resolve, _("Resolved."))

    def _act(self, request: HttpRequest, form: NoteForm, object_id: str, service: Any, done: Any) -> HttpResponse:
        note = form.cleaned_data["note"]
        response: HttpResponse = self.carry_out(
            request,
            lambda: service(incident_id=int(object_id), note=note, actor=actor_of(request)),
            done=done,
        )
        return response


@admin.register(SafetyResult)
class SafetyResultAdmin(LookOnly, ModelAdmin):
    list_display = ("checked_at", "name", "ok", "detail", "actor")
    list_filter = ("ok", "name")
    date_hierarchy = "checked_at"


@admin.register(SafetyRun)
class SafetyRunAdmin(LookOnly, ModelAdmin):
    list_display = ("started_at", "state", "started_by", "done", "planned", "finished_at", "error")
    list_filter = ("state",)
    date_hierarchy = "started_at"
