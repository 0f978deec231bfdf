"""Channels in the admin: made, changed, tested here; a webhook's secret is shown once. Deliveries to look at."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from contracts.actor import Role
from contracts.doors import LookOnly, actor_of, may
from kernel.errors import DomainError
from notifications.domain.events import CHOSEN, Severity
from notifications.domain.targets import Kind, problem
from notifications.models import Channel, Delivery, Notice
from notifications.services.channels import (
    CHANGEABLE,
    channel_change,
    channel_create,
    channel_secret_renew,
    channel_test,
)
from notifications.services.deliveries import delivery_resend
from notifications.wording import event_word


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    """The address is typed and never shown: a web address may hold a key."""

    address = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=1000,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("E-mail addresses with commas between, or a web address."),
    )
    events = forms.MultipleChoiceField(
        label=_("Events"), required=False, widget=forms.CheckboxSelectMultiple, help_text=_("None chosen: all.")
    )

    class Meta:
        model = Channel
        fields = ("name", "kind", *CHANGEABLE)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["events"].choices = [(event.value, event_word(event)) for event in CHOSEN]  # type: ignore[attr-defined]
        if self.instance.pk:
            self.initial["address"] = ""
            kept = _("Empty: it stays %(target)s.") % {"target": self.instance.target}
            self.fields["address"].help_text = kept

    def clean_address(self) -> str:
        given: str = self.cleaned_data["address"].strip()
        if not given and self.instance.pk:
            stays: str = Channel.objects.get(pk=self.instance.pk).address
            return stays
        kind = self.instance.kind if self.instance.pk else self.cleaned_data.get("kind")
        if kind in set(Kind) and (wrong := problem(Kind(kind), given)):
            raise forms.ValidationError(wrong)
        return given


@admin.register(Channel)
class ChannelAdmin(LookOnly, ModelAdmin):
    form = ChannelForm
    list_display = ("name", "kind", "target", "min_severity", "language", "shown_state", "created_by", "created_at")
    list_filter = ("kind", "enabled")
    search_fields = ("name", "created_by")
    actions_detail = ("test", "renew_secret")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return may(request, Role.META_USER)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return may(request, Role.META_USER)

    def get_fields(self, request: HttpRequest, obj: Channel | None = None) -> tuple[str, ...]:
        if obj is not None and not self.has_change_permission(request, obj):
            return ("name", "kind", "target", *(name for name in CHANGEABLE if name != "address"))
        return ("name", "kind", *CHANGEABLE) if obj else ("name", "kind", *(n for n in CHANGEABLE if n != "enabled"))

    def get_readonly_fields(self, request: HttpRequest, obj: Channel | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return ("name", "kind") if self.has_change_permission(request, obj) else ("name", "kind", "target", *CHANGEABLE)

    @display(description=_("state"), label={"on": "success", "off": "info"})
    def shown_state(self, channel: Channel) -> str:
        return "on" if channel.enabled else "off"

    @display(description=_("address"))
    def target(self, channel: Channel) -> str:
        return channel.target

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._refusals_said(
            request, lambda: super(ChannelAdmin, self).add_view(request, form_url, extra_context)
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._refusals_said(
            request, lambda: super(ChannelAdmin, self).change_view(request, object_id, form_url, extra_context)
        )

    def _refusals_said(self, request: HttpRequest, view: Any) -> HttpResponse:
        try:
            response: HttpResponse = view()
        except DomainError as error:
            self.message_user(request, error.message, "ERROR")
            response = self.response_post_save_change(request, None)
        return response

    def save_model(self, request: HttpRequest, obj: Channel, form: Any, change: bool) -> None:
        given = form.cleaned_data
        if change:
            changed = {name: given[name] for name in form.changed_data if name in CHANGEABLE}
            if changed:
                channel_change(channel_id=obj.pk, actor=actor_of(request), **changed)
            return
        created, secret = channel_create(
            name=given["name"],
            kind=Kind(given["kind"]),
            address=given["address"],
            events=given["events"],
            min_severity=Severity(given["min_severity"]),
            language=given["language"],
            actor=actor_of(request),
        )
        obj.pk = created.pk
        request._secret = secret  # type: ignore[attr-defined]  # for the answer to this request alone

    def response_add(self, request: HttpRequest, obj: Channel, post_url_continue: str | None = None) -> HttpResponse:
        secret: str = request._secret  # type: ignore[attr-defined]  # set in save_model
        if secret:
            return self._secret_shown(request, obj.name, secret)
        response: HttpResponse = super().response_add(request, obj, post_url_continue)
        return response

    def _secret_shown(self, request: HttpRequest, name: str, secret: str) -> HttpResponse:
        """The secret goes into this one answer: not into a message, which would be kept until it is shown."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("Signing secret"),
            "opts": self.opts,
            "name": name,
            "secret": secret,
        }
        response = TemplateResponse(request, "notifications/secret_shown.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @action(
        description=_("Send a test message"),
        permissions=["operator"],
        dialog={
            "title": _("Send a test message"),
            "description": _("The list of deliveries says what the receiver answers."),
            "form_class": BaseDialogForm,
            "form_submit_text": _("Send"),
        },
    )
    def test(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:  # noqa: ARG002
        response: HttpResponse = self.carry_out(
            request,
            lambda: channel_test(channel_id=int(object_id), actor=actor_of(request)),
            done=_("The test message is on its way; the deliveries say what came of it."),
        )
        return response

    @action(description=_("New signing secret…"), permissions=["meta_user"], url_path="renew-secret")
    def renew_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks first; the secret is in the answer to the click."""
        channel = Channel.objects.filter(pk=object_id).first()
        try:
            if request.method == "POST":
                found, secret = channel_secret_renew(channel_id=int(object_id), actor=actor_of(request))
                return self._secret_shown(request, found.name, secret)
            if channel is None or channel.kind != Kind.WEBHOOK:
                self.message_user(request, _("Only a signed webhook has a secret."), "ERROR")
                response: HttpResponse = self.response_post_save_change(request, None)
                return response
        except DomainError as error:
            self.message_user(request, error.message, "ERROR")
            refused: HttpResponse = self.response_post_save_change(request, None)
            return refused
        context = {
            **self.admin_site.each_context(request),
            "title": _("New signing secret"),
            "opts": self.opts,
            "name": channel.name,
        }
        return TemplateResponse(request, "notifications/secret_renew.html", context)


@admin.register(Delivery)
class DeliveryAdmin(LookOnly, ModelAdmin):
    list_display = ("created_at", "shown_status", "event", "channel", "tries", "reason", "ended_at")
    list_filter = ("status", "channel", "notice__event")
    search_fields = ("channel__name", "reason", "notice__subject")
    list_select_related = ("channel", "notice")
    date_hierarchy = "created_at"
    actions_detail = ("resend",)

    @display(
        description=_("status"),
        ordering="status",
        label={"waiting": "info", "sending": "info", "delivered": "success", "failed": "danger", "not_sent": "warning"},
    )
    def shown_status(self, delivery: Delivery) -> str:
        return delivery.status

    @display(description=_("event"))
    def event(self, delivery: Delivery) -> str:
        return event_word(delivery.notice.event)

    @action(
        description=_("Send again"),
        permissions=["operator"],
        dialog={
            "title": _("Send again"),
            "description": _("The receiver gets it with the id that it had."),
            "form_class": BaseDialogForm,
            "form_submit_text": _("Send again"),
        },
    )
    def resend(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:  # noqa: ARG002
        response: HttpResponse = self.carry_out(
            request,
            lambda: delivery_resend(delivery_id=uuid.UUID(object_id), actor=actor_of(request)),
            done=_("It is on its way again."),
        )
        return response


@admin.register(Notice)
class NoticeAdmin(LookOnly, ModelAdmin):
    list_display = ("at", "severity", "event", "subject", "spread_at")
    list_filter = ("event", "severity")
    search_fields = ("subject",)
    date_hierarchy = "at"
