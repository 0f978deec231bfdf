"""Parameters in the admin: versions and their history to read; freeze, unfreeze and activation as orders."""

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
from tuner import selectors, services
from tuner.models import ParameterActivation, ParameterVersion, TunerState


class ReasonForm(BaseDialogForm):
    reason = forms.CharField(label=_("Reason"), widget=UnfoldAdminTextareaWidget, max_length=2000)


def _dialog(title: Any, description: Any) -> dict[str, Any]:
    return {"title": title, "description": description, "form_class": ReasonForm, "form_submit_text": title}


@admin.register(ParameterVersion)
class ParameterVersionAdmin(LookOnly, ModelAdmin):
    list_display = ("version", "is_active", "kind", "parent_version", "changed", "experiment", "variant", "reason",
                    "created_by", "created_at", "stable_since", "rolled_back_at")  # fmt: skip
    list_filter = ("kind", "is_active")
    search_fields = ("=version", "experiment", "reason", "created_by")
    date_hierarchy = "created_at"
    list_fullwidth = True
    actions_detail = ("activate",)

    @display(description=_("changed"))
    def changed(self, version: ParameterVersion) -> str:
        """Against its parent, as stored; one query for each row of a page."""
        if version.parent_version is None:
            return "–"
        parent = ParameterVersion.objects.filter(version=version.parent_version).first()
        before, after = (parent.stored_values if parent else {}), version.stored_values
        changed = [key for key in sorted(after) if before.get(key) != after[key]]
        return ", ".join(f"{key}: {before.get(key, '·')} → {after[key]}" for key in changed[:3]) or "–"

    @action(
        description=_("Activate"),
        permissions=["meta_user"],
        dialog=_dialog(_("Activate"), _("Runs use this version from now on.")),
    )
    def activate(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        def act() -> None:
            services.version_activate(
                version=ParameterVersion.objects.get(pk=object_id).version,
                expected_active=selectors.active_version().version,
                actor=actor_of(request),
                reason=form.cleaned_data["reason"],
            )

        response: HttpResponse = self.carry_out(request, act, done=_("Activated."))
        return response


@admin.register(ParameterActivation)
class ParameterActivationAdmin(LookOnly, ModelAdmin):
    list_display = ("id", "at", "action", "previous", "version", "actor", "reason", "experiment")
    list_filter = ("action",)
    search_fields = ("actor", "reason", "experiment", "=version")
    date_hierarchy = "at"


@admin.register(TunerState)
class TunerStateAdmin(LookOnly, ModelAdmin):
    list_display = ("frozen", "frozen_by", "reason", "at")
    list_display_links = ("frozen", "at")
    actions_detail = ("freeze", "unfreeze")

    @action(
        description=_("Freeze"),
        permissions=["operator"],
        dialog=_dialog(_("Freeze"), _("No parameter changes until somebody unfreezes; rollbacks still work.")),
    )
    def freeze(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:  # noqa: ARG002
        return self._set(request, form, services.parameters_freeze, _("Frozen."))

    @action(
        description=_("Unfreeze"),
        permissions=["meta_user"],
        dialog=_dialog(_("Unfreeze"), _("Changes go through again.")),
    )
    def unfreeze(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:  # noqa: ARG002
        return self._set(request, form, services.parameters_unfreeze, _("Unfrozen."))

    def _set(self, request: HttpRequest, form: ReasonForm, service: Any, done: Any) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        response: HttpResponse = self.carry_out(
            request, lambda: service(actor=actor_of(request), reason=reason), done=done
        )
        return response
