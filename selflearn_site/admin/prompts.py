"""Prompts: new versions are added and offered or withdrawn; a version's text never changes, since runs name it.

Here and not in `maas/`: each act enters the change log, of which the student knows nothing.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from audit.services import entry_append
from contracts.actor import Actor, Role
from contracts.doors import LookOnly, actor_of, may
from kernel.errors import NotFound
from maas import prompts
from maas.access import as_service
from maas.admin import OverUsers
from maas.models import SystemPrompt
from maas.prompts.keeping import VERSION
from manager.services.prompts import prompt_add
from tuner.factor_services import prompt_value_offer
from tuner.models import PromptValue


@transaction.atomic
def prompt_offer(*, prompt_id: int, offered: bool, actor: Actor) -> SystemPrompt:
    """Offer a version to experiments, or withdraw it; runs that name it go on. Twice is once. Raises `NotFound`."""
    actor.require(Role.META_USER)
    with as_service():
        changed = SystemPrompt.objects.filter(pk=prompt_id, is_active=not offered).update(is_active=offered)
        prompt = SystemPrompt.objects.filter(pk=prompt_id).first()
    if prompt is None:
        raise NotFound(f"there is no prompt {prompt_id}", details={"prompt": prompt_id})
    if changed:
        prompts.forget()
        what = "prompt.offered" if offered else "prompt.withdrawn"
        _audit(prompt, what, actor, {"is_active": offered})
        key = f"prompts.{prompt.role}"
        if PromptValue.objects.filter(key=key, value=prompt.version).exists():
            prompt_value_offer(key=key, value=prompt.version, offered=offered, reason=what, actor=actor)
    return prompt


def _audit(prompt: SystemPrompt, what: str, actor: Actor, after: dict[str, Any]) -> None:
    entry_append(
        actor=actor,
        action=what,
        subject_type="prompt",
        subject_id=f"{prompt.role}:{prompt.version}",
        after=after,
    )


class PromptForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    class Meta:
        model = SystemPrompt
        fields = ("role", "version", "description", "template")
        widgets = {"template": UnfoldAdminTextareaWidget(attrs={"rows": 20})}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        role, version = data.get("role"), data.get("version")
        known = set(SystemPrompt.objects.values_list("role", flat=True))
        if role and role not in known:
            self.add_error("role", f"known agents: {', '.join(sorted(known))}")
        if version and not VERSION.fullmatch(version):
            self.add_error("version", "letters, digits, dot, _ or -")
        return data


def _dialog(title: Any) -> dict[str, Any]:
    """Empty but for its button: an order is posted, never a link."""
    return {"title": title, "description": "", "form_class": BaseDialogForm, "form_submit_text": title}


@admin.register(SystemPrompt)
class SystemPromptAdmin(OverUsers, LookOnly, ModelAdmin):
    form = PromptForm
    list_display = ("role", "version", "is_active", "description", "created_at")
    list_display_links = ("role", "version")
    list_filter = ("role", "is_active")
    search_fields = ("role", "version", "description", "template")
    ordering = ("role", "version")
    actions_detail = ("offer", "withdraw")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return may(request, Role.META_USER)

    def save_model(self, request: HttpRequest, obj: SystemPrompt, form: Any, change: bool) -> None:  # noqa: ARG002
        fields = {name: form.cleaned_data[name] for name in ("role", "version", "template", "description")}
        obj.pk = prompt_add(**fields, actor=actor_of(request))

    @action(description=_("Offer"), permissions=["meta_user"], dialog=_dialog(_("Offer")))
    def offer(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:  # noqa: ARG002
        return self._set(request, object_id, offered=True)

    @action(description=_("Withdraw"), permissions=["meta_user"], dialog=_dialog(_("Withdraw")))
    def withdraw(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:  # noqa: ARG002
        return self._set(request, object_id, offered=False)

    def _set(self, request: HttpRequest, object_id: str, *, offered: bool) -> HttpResponse:
        response: HttpResponse = self.carry_out(
            request,
            lambda: prompt_offer(prompt_id=int(object_id), offered=offered, actor=actor_of(request)),
            done=_("Done."),
        )
        return response
