"""The change log in the admin: to read, to filter, never to touch."""

from __future__ import annotations

import json

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from audit.models import AuditEntry
from contracts.doors import LookOnly


@admin.register(AuditEntry)
class AuditEntryAdmin(LookOnly, ModelAdmin):
    list_display = ("id", "at", "who", "role", "action", "parameter", "was", "became", "reason", "experiment")
    list_filter = ("actor_kind", "role", "action", "subject_type")
    search_fields = ("actor", "action", "parameter", "subject_id", "reason", "experiment", "campaign", "request_id")
    date_hierarchy = "at"
    list_per_page = 50
    show_full_result_count = False
    list_fullwidth = True

    @display(description=_("who"), ordering="actor")
    def who(self, entry: AuditEntry) -> str:
        return f"{entry.actor_kind}:{entry.actor}"

    @display(description=_("before"))
    def was(self, entry: AuditEntry) -> str:
        return _short(entry.before)

    @display(description=_("after"))
    def became(self, entry: AuditEntry) -> str:
        return _short(entry.after)


def _short(value: object) -> str:
    """A parameter's value says enough; of anything else the beginning."""
    if isinstance(value, dict) and "value" in value:
        value = value["value"]
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"
