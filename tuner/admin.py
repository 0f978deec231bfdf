"""Parameters in the admin: versions and their history to read; freeze, unfreeze and activation as orders."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from contracts.actor import Role
from contracts.doors import LookOnly, actor_of, may
from contracts.parameters import FactorDefinition
from tuner import selectors, services
from tuner.domain.overrides import NAMES, Override, in_force, overridden, problems, stored
from tuner.factor_services import factor_change, factor_reset, settings_seed
from tuner.models import FactorSetting, ParameterActivation, ParameterVersion, PromptValue, TenantParameters, TunerState
from tuner.registry import FACTORS
from tuner.tenants import tenant_parameters_set


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


class FactorForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    reason = forms.CharField(
        label=_("Reason"),
        widget=UnfoldAdminTextareaWidget,
        max_length=2000,
        help_text=_("Why this holds from now on. The change log keeps it."),
    )

    class Meta:
        model = FactorSetting
        fields = NAMES

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.initial.pop("reason", None)  # that of the last change is no reason for the next one
        for name in ("manual", "frozen"):
            if name in self.fields:
                self.fields[name].widget.choices = (
                    ("unknown", _("as the registry has it")), ("true", _("yes")), ("false", _("no")),
                )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if set(NAMES) <= set(data):
            for name, text in problems(FACTORS[self.instance.key], stored(data)).items():
                self.add_error(name, text)
        return data


@admin.register(FactorSetting)
class FactorSettingAdmin(LookOnly, ModelAdmin):
    """Each factor of the registry, as it holds now. Empty is as the registry has it; a change needs a reason."""

    form = FactorForm
    list_display = ("title", "key", "kind", "possible", "automatic", "largest_step", "cooldown", "who", "frozen_now",
                    "changed_by", "changed_at")  # fmt: skip
    list_display_links = ("title", "key")
    search_fields = ("key",)
    list_fullwidth = True
    actions_detail = ("reset",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(key__in=FACTORS)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        settings_seed()  # a factor may have come with this release
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return may(request, Role.META_USER)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        return ("doc", "kind", "registry_default", "possible", "as_registered")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        own = ("reason",) if self.has_change_permission(request, obj) else ()
        return (
            (None, {"fields": ("doc", "kind", "registry_default", "possible", "as_registered")}),
            (_("Changed"), {"fields": (*NAMES, *own), "description": _("Empty: as the registry has it.")}),
        )

    def save_model(self, request: HttpRequest, obj: FactorSetting, form: Any, change: bool) -> None:  # noqa: ARG002
        changed = {name: form.cleaned_data[name] for name in form.changed_data if name in NAMES}
        if changed:
            factor_change(key=obj.key, values=changed, reason=form.cleaned_data["reason"], actor=actor_of(request))

    @action(
        description=_("As the registry has it"),
        permissions=["meta_user"],
        dialog=_dialog(_("As the registry has it"), _("Takes back every change of this factor's limits.")),
    )
    def reset(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        response: HttpResponse = self.carry_out(
            request,
            lambda: factor_reset(key=object_id, reason=form.cleaned_data["reason"], actor=actor_of(request)),
            done=_("Everything is as the registry has it."),
        )
        return response

    @display(description=_("factor"))
    def title(self, row: FactorSetting) -> str:
        return FACTORS[row.key].title

    @display(description=_("what it does"))
    def doc(self, row: FactorSetting) -> str:
        return f"{FACTORS[row.key].doc} {FACTORS[row.key].reason}"

    @display(description=_("type"))
    def kind(self, row: FactorSetting) -> str:
        return FACTORS[row.key].type

    @display(description=_("default"))
    def registry_default(self, row: FactorSetting) -> str:
        return str(FACTORS[row.key].default)

    @display(description=_("possible at all"))
    def possible(self, row: FactorSetting) -> str:
        factor = FACTORS[row.key]
        return ", ".join(factor.choices) if factor.choices else _span(factor.low, factor.high) or "–"

    @display(description=_("registry"))
    def as_registered(self, row: FactorSetting) -> str:
        factor = FACTORS[row.key]
        facts = [
            _("automatic %(range)s") % {"range": _span(factor.auto_low, factor.auto_high) or "–"},
            _("step %(step)s") % {"step": _step(factor) or "–"},
            _("cooldown %(n)s") % {"n": factor.cooldown_cycles},
        ]
        return "; ".join(str(fact) for fact in ([*facts, _("a person only")] if factor.manual else facts))

    @display(description=_("automatic"))
    def automatic(self, row: FactorSetting) -> str:
        factor = overridden(FACTORS[row.key], _override(row))
        return _span(factor.auto_low, factor.auto_high) or "–"

    @display(description=_("step"))
    def largest_step(self, row: FactorSetting) -> str:
        return _step(overridden(FACTORS[row.key], _override(row))) or "–"

    @display(description=_("cooldown"))
    def cooldown(self, row: FactorSetting) -> int:
        return overridden(FACTORS[row.key], _override(row)).cooldown_cycles

    @display(description=_("by a person only"), boolean=True)
    def who(self, row: FactorSetting) -> bool:
        return overridden(FACTORS[row.key], _override(row)).manual

    @display(description=_("frozen"), boolean=True)
    def frozen_now(self, row: FactorSetting) -> bool:
        return overridden(FACTORS[row.key], _override(row)).frozen


@admin.register(PromptValue)
class PromptValueAdmin(LookOnly, ModelAdmin):
    list_display = ("key", "value", "registered_by", "registered_at", "withdrawn_at")
    list_filter = ("key",)
    search_fields = ("value", "registered_by")


def _override(row: FactorSetting) -> Override:
    return in_force(stored({name: getattr(row, name) for name in NAMES}), timezone.now())


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:g} – {high:g}"


def _step(factor: FactorDefinition) -> str:
    if factor.step is None:
        return ""
    return f"{factor.step:.0%}" if factor.step_relative else f"{factor.step:g}"


@admin.register(TenantParameters)
class TenantParametersAdmin(LookOnly, ModelAdmin):
    """Set over the API (`PUT /parameters/tenants/{user}`); taken back here."""

    list_display = ("user_id", "version", "reason", "set_by", "set_at")
    list_filter = ("version",)
    search_fields = ("=user_id", "reason", "set_by")
    actions_detail = ("remove",)

    @action(
        description=_("Production again"),
        permissions=["meta_user"],
        dialog=_dialog(_("Production again"), _("This person's runs use the active version from now on.")),
    )
    def remove(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        response: HttpResponse = self.carry_out(
            request,
            lambda: tenant_parameters_set(
                user_id=uuid.UUID(object_id), version=None, reason=form.cleaned_data["reason"], actor=actor_of(request)
            ),
            done=_("Production holds for this person again."),
        )
        return response
