"""The Manager's rows in the admin: cycles, journal and reports to read; approvals to decide; the policy to change."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from contracts.actor import Role
from contracts.doors import LookOnly, actor_of, may
from kernel.errors import DomainError
from manager.domain.lifecycle import ApprovalStatus
from manager.models import (
    Approval,
    Cycle,
    JournalEntry,
    Policy,
    PolicyVersion,
    PruningProposal,
    Report,
    UpkeepCycle,
    UpkeepSchedule,
)
from manager.reports import markdown
from manager.services.approvals import approval_reject
from manager.services.decisions import approval_decide
from manager.services.policy import EDITABLE, policy_change, policy_current


class ApproveForm(BaseDialogForm):
    comment = forms.CharField(label=_("Comment"), widget=UnfoldAdminTextareaWidget, max_length=5000, required=False)


class RejectForm(BaseDialogForm):
    comment = forms.CharField(label=_("Reason"), widget=UnfoldAdminTextareaWidget, max_length=5000)


@admin.register(Approval)
class ApprovalAdmin(LookOnly, ModelAdmin):
    list_display = ("created_at", "shown_status", "kind", "factor", "step", "why", "golden", "campaign",
                    "experiment", "expires_at", "decided_by", "outcome")  # fmt: skip
    list_filter = ("status", "kind", "campaign")
    search_fields = ("experiment__slug", "experiment__factor", "decided_by", "comment")
    list_select_related = ("campaign", "experiment")
    date_hierarchy = "created_at"
    list_fullwidth = True
    actions_detail = ("approve", "reject")

    @display(
        description=_("status"),
        ordering="status",
        label={"pending": "warning", "approved": "info", "applied": "success", "rejected": "danger", "void": "danger"},
    )
    def shown_status(self, approval: Approval) -> str:
        return approval.status

    @display(description=_("factor"), ordering="experiment__factor")
    def factor(self, approval: Approval) -> str:
        return str(approval.proposal.get("param", approval.experiment.factor))

    @display(description=_("from → to"))
    def step(self, approval: Approval) -> str:
        return f"{approval.proposal.get('from')} → {approval.proposal.get('to')}"

    @display(description=_("why a person"))
    def why(self, approval: Approval) -> str:
        return "; ".join(map(str, approval.reasons))

    @display(description=_("evidence"))
    def golden(self, approval: Approval) -> str:
        shown = (approval.evidence.get(name, "") for name in ("reason", "golden"))
        return " ".join(str(item) for item in shown if item)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Buttons only where there is something to decide; who comes too late is told so by the service."""
        pending = Approval.objects.filter(pk=object_id, status=ApprovalStatus.PENDING).exists()
        found: list[Any] = super().get_actions_detail(request, object_id)
        return found if pending else []

    @action(
        description=_("Approve"),
        permissions=["meta_user"],
        icon="check",
        dialog={
            "title": _("Approve"),
            "description": _("The change is applied; the change log names you."),
            "form_class": ApproveForm,
            "form_submit_text": _("Approve"),
        },
    )
    def approve(self, request: HttpRequest, form: ApproveForm, object_id: str) -> HttpResponse:
        return self._decide(request, form, object_id, approval_decide, _("Approved."))

    @action(
        description=_("Reject"),
        permissions=["meta_user"],
        icon="close",
        dialog={
            "title": _("Reject"),
            "description": _("Say why: the change log keeps it."),
            "form_class": RejectForm,
            "form_submit_text": _("Reject"),
        },
    )
    def reject(self, request: HttpRequest, form: RejectForm, object_id: str) -> HttpResponse:
        return self._decide(request, form, object_id, approval_reject, _("Rejected."))

    def _decide(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str, service: Any, done: Any
    ) -> HttpResponse:
        comment = form.cleaned_data["comment"]
        response: HttpResponse = self.carry_out(
            request,
            lambda: service(approval_id=uuid.UUID(object_id), actor=actor_of(request), comment=comment),
            done=done,
        )
        return response


@admin.register(Cycle)
class CycleAdmin(LookOnly, ModelAdmin):
    list_display = ("campaign", "number", "type", "state", "outcome", "outcome_text", "error", "lease_owner",
                    "created_at", "finished_at")  # fmt: skip
    list_display_links = ("campaign", "number")
    list_filter = ("state", "type", "outcome", "campaign")
    search_fields = ("outcome_text", "error", "=campaign__number")
    list_select_related = ("campaign",)
    date_hierarchy = "created_at"
    list_fullwidth = True


@admin.register(JournalEntry)
class JournalEntryAdmin(LookOnly, ModelAdmin):
    list_display = ("at", "campaign", "cycle_number", "kind", "text", "reason", "experiment")
    list_display_links = ("at", "text")
    list_filter = ("kind", "campaign")
    search_fields = ("text", "reason", "experiment")
    list_select_related = ("campaign",)
    date_hierarchy = "at"
    ordering = ("-id",)
    list_fullwidth = True


@admin.register(Report)
class ReportAdmin(LookOnly, ModelAdmin):
    list_display = ("campaign", "headline", "updated_at")
    search_fields = ("=campaign__number", "campaign__goal__text")
    list_select_related = ("campaign",)

    @display(description=_("news"))
    def headline(self, report: Report) -> str:
        return markdown.headline(report.content)


class PolicyForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    reason = forms.CharField(label=_("Reason"), widget=UnfoldAdminTextareaWidget, max_length=2000)

    class Meta:
        model = Policy
        fields = EDITABLE


@admin.register(Policy)
class PolicyAdmin(LookOnly, ModelAdmin):
    """One row. A change goes through the service, with a reason, into the change log."""

    form = PolicyForm
    list_display = ("__str__", "most_autonomy", "changes_per_day", "golden_mode", "judge", "four_eyes", "updated_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return may(request, Role.META_USER)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*EDITABLE, *(["reason"] if self.has_change_permission(request, obj) else [])]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        policy_current()  # makes the row where nobody has needed it yet
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def save_model(self, request: HttpRequest, obj: Model, form: forms.ModelForm[Policy], change: bool) -> None:  # noqa: ARG002
        changed = {name: form.cleaned_data[name] for name in form.changed_data if name in EDITABLE}
        if not changed:
            return
        try:
            policy_change(actor=actor_of(request), reason=form.cleaned_data["reason"], **changed)
        except DomainError as error:
            self.message_user(request, error.message, "ERROR")


@admin.register(PolicyVersion)
class PolicyVersionAdmin(LookOnly, ModelAdmin):
    list_display = ("version", "at", "actor", "reason", "changed", "restored_from")
    search_fields = ("actor", "reason")
    date_hierarchy = "at"

    @display(description=_("what changed"))
    def changed(self, version: PolicyVersion) -> str:
        return ", ".join(version.changes)


@admin.register(UpkeepCycle)
class UpkeepCycleAdmin(LookOnly, ModelAdmin):
    list_display = ("created_at", "type", "state", "dataset", "version", "started_by", "finished_at", "error")
    list_filter = ("type", "state", "dataset")
    search_fields = ("started_by", "reason", "error")
    date_hierarchy = "created_at"


@admin.register(PruningProposal)
class PruningProposalAdmin(LookOnly, ModelAdmin):
    """To look at: it is decided on the page of memories."""

    list_display = ("created_at", "status", "__str__", "proposed_by", "decided_by", "applied_at", "ended_at")
    list_filter = ("status",)
    search_fields = ("=id", "proposed_by", "decided_by", "reason", "comment")
    date_hierarchy = "created_at"


@admin.register(UpkeepSchedule)
class UpkeepScheduleAdmin(LookOnly, ModelAdmin):
    """One row, to look at: it is changed over its service, with a reason."""

    list_display = ("__str__",)
