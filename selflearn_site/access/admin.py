"""API tokens in the admin: made here, shown once, revoked here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
)

from contracts.actor import Role
from contracts.doors import LookOnly, actor_of, may
from kernel.errors import DomainError
from selflearn_site.access.models import ApiToken, SignInFailure
from selflearn_site.access.scopes import scopes_known
from selflearn_site.access.services import token_create, token_revoke
from selflearn_site.access.sign_in import sign_in_unlock


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    days = forms.IntegerField(
        label=_("Valid for days"), required=False, min_value=1, max_value=3650, initial=90,
        widget=UnfoldAdminIntegerFieldWidget, help_text=_("Empty: until revoked."),
    )  # fmt: skip

    chosen_scopes = forms.MultipleChoiceField(
        label=_("Scopes"), required=False, choices=lambda: [(scope, scope) for scope in scopes_known()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Which groups of routes it may reach; write includes read. None chosen: whatever its role may do."),
    )  # fmt: skip

    class Meta:
        model = ApiToken
        fields = ("name", "role")


class RevokeForm(BaseDialogForm):
    reason = forms.CharField(label=_("Reason"), widget=UnfoldAdminTextareaWidget, max_length=2000, required=False)


@admin.register(ApiToken)
class ApiTokenAdmin(LookOnly, ModelAdmin):
    form = TokenForm
    list_display = ("name", "shown_state", "role", "shown_scopes", "start", "created_by", "created_at", "expires_at",
                    "last_used_at", "revoked_at")  # fmt: skip
    list_filter = ("role",)
    search_fields = ("name", "prefix", "created_by")
    date_hierarchy = "created_at"
    actions_detail = ("revoke",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, Role.META_USER)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return may(request, Role.META_USER)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return may(request, Role.META_USER)

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:  # noqa: ARG002
        if obj is None:
            return ("name", "role", "chosen_scopes", "days")
        return (
            "name",
            "role",
            "shown_scopes",
            "prefix",
            "created_by",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        )

    @display(description=_("state"), label={"active": "success", "expired": "warning", "revoked": "danger"})
    def shown_state(self, token: ApiToken) -> str:
        return token.state

    @display(description=_("scopes"))
    def shown_scopes(self, token: ApiToken) -> str:
        return ", ".join(token.scopes) if token.scopes else str(_("whatever its role may do"))

    @display(description=_("token"), ordering="prefix")
    def start(self, token: ApiToken) -> str:
        return f"{token.prefix}…"

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            response: HttpResponse = super().add_view(request, form_url, extra_context)
        except DomainError as error:  # a bad name, found by the service
            self.message_user(request, error.message, "ERROR")
            response = self.response_post_save_change(request, None)
        return response

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:  # noqa: ARG002
        days = form.cleaned_data["days"]
        created, plain = token_create(
            name=form.cleaned_data["name"],
            role=Role(form.cleaned_data["role"]),
            actor=actor_of(request),
            scopes=form.cleaned_data["chosen_scopes"] or None,
            expires_at=timezone.now() + timedelta(days=days) if days else None,
        )
        obj.pk, obj.prefix = created.pk, created.prefix
        request._plain_token = plain  # type: ignore[attr-defined]  # for the answer to this request alone

    def response_add(self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None) -> HttpResponse:  # noqa: ARG002
        """The token itself goes into this one answer: not into a message, which would be kept until it is shown."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("API token"),
            "opts": self.opts,
            "name": obj.name,
            "plain": request._plain_token,  # type: ignore[attr-defined]  # set in save_model
        }
        response = TemplateResponse(request, "access/token_created.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @action(
        description=_("Revoke"),
        permissions=["meta_user"],
        dialog={
            "title": _("Revoke"),
            "description": _("Programs with this token are refused from now on. It cannot be undone."),
            "form_class": RevokeForm,
            "form_submit_text": _("Revoke"),
        },
    )
    def revoke(self, request: HttpRequest, form: RevokeForm, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        response: HttpResponse = self.carry_out(
            request,
            lambda: token_revoke(token_id=int(object_id), actor=actor_of(request), reason=reason),
            done=_("Revoked."),
        )
        return response


@admin.register(SignInFailure)
class SignInFailureAdmin(LookOnly, ModelAdmin):
    """Who is locked out of signing in, and the way back in."""

    list_display = ("name", "address", "failures", "last_at", "shown_state")
    search_fields = ("name", "address")
    actions_detail = ("unlock",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, Role.META_USER)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return may(request, Role.META_USER)

    @display(description=_("state"), label={"locked": "danger", "counting": "info"})
    def shown_state(self, failure: SignInFailure) -> str:
        return "locked" if failure.is_locked else "counting"

    @action(
        description=_("Unlock"),
        permissions=["meta_user"],
        dialog={
            "title": _("Unlock"),
            "description": _("This name may try again from this address at once."),
            "form_class": RevokeForm,
            "form_submit_text": _("Unlock"),
        },
    )
    def unlock(self, request: HttpRequest, form: RevokeForm, object_id: str) -> HttpResponse:
        reason = form.cleaned_data["reason"]
        response: HttpResponse = self.carry_out(
            request,
            lambda: sign_in_unlock(failure_id=int(object_id), actor=actor_of(request), reason=reason),
            done=_("Unlocked."),
        )
        return response
