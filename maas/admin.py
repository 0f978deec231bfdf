"""The student's tables in the admin. They belong to their users: the page takes the service role while it is made.

`system_prompts` is registered by the site, since a new prompt is audited and the student knows no change log.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from contracts.actor import Role
from contracts.doors import LookOnly, may
from maas.access import as_service
from maas.models import Memory, MemoryMerge, MemoryReview, PipelineRun, RawLog, TestDialog, TestRun, TestSession
from maas.test_runner.validation import alternatives


class OverUsers:
    """Holds the service role around a page. The page is rendered inside: templates read rows too, and would do so
    after the role is gone."""

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with as_service():
            return _rendered(super().changelist_view(request, *args, **kwargs))  # type: ignore[misc]  # ModelAdmin's

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with as_service():
            return _rendered(super().changeform_view(request, *args, **kwargs))  # type: ignore[misc]  # ModelAdmin's

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with as_service():
            return _rendered(super().history_view(request, *args, **kwargs))  # type: ignore[misc]  # ModelAdmin's

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with as_service():
            return _rendered(super().delete_view(request, *args, **kwargs))  # type: ignore[misc]  # ModelAdmin's


def _rendered(response: HttpResponse) -> HttpResponse:
    if hasattr(response, "render") and not getattr(response, "is_rendered", True):
        response.render()
    return response


@admin.register(PipelineRun)
class PipelineRunAdmin(OverUsers, LookOnly, ModelAdmin):
    list_display = ("created_at", "shown_status", "user_query", "answer", "answered_by", "mode", "client_kind",
                    "experiment", "variant", "parameter_version", "latency_ms", "retry_count",
                    "feedback_score")  # fmt: skip
    list_display_links = ("created_at", "user_query")
    list_filter = ("status", "mode", "client_kind", "cycle_type", "error_type")
    search_fields = ("=id", "=user_id", "user_query", "final_answer", "experiment")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    show_full_result_count = False
    list_fullwidth = True

    @display(
        description=_("status"), ordering="status", label={"COMPLETED": "success", "FAILED": "danger", "NEW": "info"}
    )
    def shown_status(self, run: PipelineRun) -> str:
        return run.status

    @display(description=_("answer"))
    def answer(self, run: PipelineRun) -> str:
        return (run.final_answer or run.error_message or "")[:120]

    @display(description=_("answered by"), ordering="model")
    def answered_by(self, run: PipelineRun) -> str:
        """The offline engine says what it is wherever its answers appear."""
        return str(_("offline engine, no language model")) if run.model == "offline" else run.model or ""


@admin.register(RawLog)
class RawLogAdmin(OverUsers, LookOnly, ModelAdmin):
    list_display = ("created_at", "log_type", "pipeline_run_id", "user_id", "processed", "processed_at")
    list_filter = ("log_type", "processed")
    search_fields = ("=pipeline_run__id", "=user_id")
    date_hierarchy = "created_at"
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(Memory)
class MemoryAdmin(OverUsers, LookOnly, ModelAdmin):
    list_display = ("simulated_at", "summary_text", "semantic_tags", "time_bucket", "language", "speaker",
                    "times_retrieved", "times_used", "times_helpful", "user_id")  # fmt: skip
    list_display_links = ("simulated_at", "summary_text")
    list_filter = ("language",)
    search_fields = ("=id", "=user_id", "summary_text", "time_bucket", "speaker")
    date_hierarchy = "simulated_at"
    exclude = ("tsv", "embedding")
    ordering = ("-simulated_at", "id")
    show_full_result_count = False
    list_fullwidth = True


@admin.register(MemoryReview)
class MemoryReviewAdmin(OverUsers, LookOnly, ModelAdmin):
    list_display = ("memory_id", "user_id", "score", "low_since", "flagged_at", "kept_at", "kept_by")
    search_fields = ("=memory__id", "=user_id", "kept_by")
    ordering = ("-flagged_at", "memory")
    show_full_result_count = False


@admin.register(MemoryMerge)
class MemoryMergeAdmin(OverUsers, LookOnly, ModelAdmin):
    list_display = ("created_at", "user_id", "kept", "dropped", "questions", "refused", "undone_at")
    search_fields = ("=id", "=user_id", "=kept", "=dropped")
    ordering = ("-created_at",)
    show_full_result_count = False


class TestDialogForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    class Meta:
        model = TestDialog
        fields = ("scenario", "step", "query", "expected_keyword")
        widgets = {"scenario": UnfoldAdminTextInputWidget, "expected_keyword": UnfoldAdminTextInputWidget}
        help_texts = {
            "step": _("Steps of a scenario are played in this order."),
            "expected_keyword": _(
                "A word that the answer must hold, in any form of it; alternatives separated by |. Empty: nothing."
            ),
        }

    def clean_expected_keyword(self) -> str:
        expected = str(self.cleaned_data.get("expected_keyword") or "").strip()
        if expected and not alternatives(expected):
            raise forms.ValidationError(_("There is no word in it to look for."))
        return expected


@admin.register(TestDialog)
class TestDialogAdmin(OverUsers, LookOnly, ModelAdmin):
    """Scripts are written by operators. Results keep what they were asked."""

    form = TestDialogForm
    list_display = ("scenario", "step", "query", "expected_keyword")
    list_display_links = ("scenario", "step")
    list_filter = ("scenario",)
    search_fields = ("scenario", "query", "expected_keyword")
    ordering = ("scenario", "step")
    list_fullwidth = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return may(request, Role.OPERATOR)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return may(request, Role.OPERATOR)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return may(request, Role.OPERATOR)


@admin.register(TestSession)
class TestSessionAdmin(OverUsers, LookOnly, ModelAdmin):
    list_display = ("created_at", "status", "scenarios", "steps", "started_by", "finished_at")
    list_filter = ("status",)
    search_fields = ("=id", "started_by", "error")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)


@admin.register(TestRun)
class TestRunAdmin(OverUsers, LookOnly, ModelAdmin):
    list_display = ("created_at", "dialog", "status", "validation", "answer", "latency_ms", "model", "pipeline_run_id")
    list_filter = ("status", "validation", "model")
    search_fields = ("dialog__scenario", "answer", "=pipeline_run_id", "=session__id")
    list_select_related = ("dialog", "session")
    date_hierarchy = "created_at"
    ordering = ("-id",)
