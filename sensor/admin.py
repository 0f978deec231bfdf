"""What the Sensor recorded, in the admin. `sensor_ledger` has a composite key, which the admin cannot show."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from contracts.actor import Role
from contracts.doors import LookOnly, actor_of, may
from kernel.errors import DomainError
from sensor.listing import (
    CategoryFilter,
    CycleFilter,
    ErrorFilter,
    ModeFilter,
    MonthFilter,
    NewestPaginator,
    SplitFilter,
    StageFilter,
    StatusFilter,
)
from sensor.models import (
    CaptureCursor,
    ExternalEvent,
    RetentionPolicy,
    Rollup,
    RollupDelta,
    RunJudgement,
    RunTruth,
    SensorEvent,
    TelemetryEvent,
)
from sensor.services.retention_policy import EDITABLE, retention_change, retention_current


class FeedbackFilter(admin.SimpleListFilter):
    """By what the person thought of the answer. Its choices are named here: to ask for them reads every row."""

    title = _("feedback")
    parameter_name = "feedback"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002
        return [("given", _("given")), *((str(score), str(score)) for score in range(1, 6))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SensorEvent]) -> QuerySet[SensorEvent]:  # noqa: ARG002
        wanted = self.value()
        if wanted == "given":
            return queryset.filter(feedback_score__isnull=False)
        return queryset.filter(feedback_score=int(wanted)) if wanted in set("12345") else queryset


class ClientFilter(admin.SimpleListFilter):
    """Real users or simulated ones."""

    title = _("client")
    parameter_name = "client"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002
        return [("user", _("real users")), ("emulator", _("emulator"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SensorEvent]) -> QuerySet[SensorEvent]:  # noqa: ARG002
        return queryset.filter(client_kind=self.value()) if self.value() else queryset


@admin.register(SensorEvent)
class SensorEventAdmin(LookOnly, ModelAdmin):
    list_display = ("started_at", "status", "query", "consent", "feedback_score", "split", "category", "experiment",
                    "variant", "parameter_version", "memories_found", "memories_used", "latency_ms",
                    "context_utilized", "hallucination_detected", "isolation_ok")  # fmt: skip
    list_display_links = ("started_at", "query")
    list_filter = (MonthFilter, StatusFilter, SplitFilter, CategoryFilter, ModeFilter, CycleFilter,
                   "hallucination_detected", "isolation_ok", ClientFilter, "consent", FeedbackFilter)  # fmt: skip
    search_fields = ("=pipeline_run_id", "=user_id", "query", "answer", "experiment", "batch")
    ordering = ("-captured_at", "id")
    paginator = NewestPaginator
    list_before_template = "sensor/list_note.html"
    show_full_result_count = False
    list_fullwidth = True


@admin.register(TelemetryEvent)
class TelemetryEventAdmin(LookOnly, ModelAdmin):
    list_display = ("created_at", "stage", "latency_ms", "pipeline_id", "experiment", "variant", "cycle_type",
                    "hit_rate", "prompt_tokens", "completion_tokens", "total_cost_usd", "retry_count",
                    "error_type")  # fmt: skip
    list_filter = (MonthFilter, StageFilter, CycleFilter, "hit_rate", ErrorFilter)
    search_fields = ("=pipeline_id", "=user_id", "experiment")
    paginator = NewestPaginator
    list_before_template = "sensor/list_note.html"
    ordering = ("-created_at", "id")
    show_full_result_count = False
    list_fullwidth = True


@admin.register(RunTruth)
class RunTruthAdmin(LookOnly, ModelAdmin):
    list_display = ("run_id", "example_id", "batch", "split", "category", "difficulty", "should_retrieve",
                    "recorded_at", "applied_at")  # fmt: skip
    list_filter = ("split", "category", "difficulty", "should_retrieve")
    search_fields = ("=run_id", "example_id", "batch", "cluster")
    ordering = ("-recorded_at", "run_id")
    show_full_result_count = False


@admin.register(RunJudgement)
class RunJudgementAdmin(LookOnly, ModelAdmin):
    list_display = ("run_id", "judge_version", "repeat", "retrieval_relevant", "context_utilized",
                    "hallucination_detected", "reasons", "recorded_at", "applied_at")  # fmt: skip
    list_filter = ("judge_version", "retrieval_relevant", "context_utilized", "hallucination_detected")
    search_fields = ("=run_id",)
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(ExternalEvent)
class ExternalEventAdmin(LookOnly, ModelAdmin):
    list_display = ("event_id", "run_id", "source", "received_at")
    search_fields = ("=event_id",)
    ordering = ("event_id",)
    show_full_result_count = False


@admin.register(Rollup, RollupDelta)
class RollupAdmin(LookOnly, ModelAdmin):
    """Sums of both kinds; what is folded also says of which grain."""

    list_display = ("bucket", "metric", "stage", "client_kind", "cycle_type", "split", "experiment", "variant",
                    "category", "parameter_version", "n", "total")  # fmt: skip
    search_fields = ("=metric", "=experiment")
    ordering = ("-id",)
    show_full_result_count = False
    list_fullwidth = True


@admin.register(CaptureCursor)
class CaptureCursorAdmin(LookOnly, ModelAdmin):
    list_display = ("name", "position", "moved_at")


class RetentionForm(forms.ModelForm):  # type: ignore[type-arg]  # Django takes none at run time
    reason = forms.CharField(
        label=_("Reason"),
        widget=UnfoldAdminTextareaWidget,
        max_length=2000,
        help_text=_("Why rows are kept shorter or longer from now on. The change log keeps it."),
    )

    class Meta:
        model = RetentionPolicy
        fields = EDITABLE
        labels = {"production_months": _("Months of production")}


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(LookOnly, ModelAdmin):
    """One row. A change goes through the service, with a reason, into the change log; it removes nothing by itself."""

    form = RetentionForm
    list_display = ("__str__", "production", "evidence", "automatic", "recorded_from", "completed_at")
    readonly_fields = ("recorded_from", "completed_at")

    @display(description=_("runs of production"), ordering="production_months", empty_value=_("for ever"))
    def production(self, policy: RetentionPolicy) -> str | None:
        return _months(policy.production_months)

    @display(description=_("runs of experiments and batches"), ordering="evidence_months", empty_value=_("for ever"))
    def evidence(self, policy: RetentionPolicy) -> str | None:
        return _months(policy.evidence_months)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return may(request, Role.META_USER)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        own = ["reason"] if self.has_change_permission(request, obj) else []
        return [*EDITABLE, *self.readonly_fields, *own]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        retention_current()  # makes the row where nobody has needed it yet
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:  # noqa: ARG002
        changed = {name: form.cleaned_data[name] for name in form.changed_data if name in EDITABLE}
        if not changed:
            return
        try:
            retention_change(actor=actor_of(request), reason=form.cleaned_data["reason"], **changed)
        except DomainError as error:
            self.message_user(request, error.message, "ERROR")


def _months(number: int | None) -> str | None:
    return None if number is None else ngettext("%d month", "%d months", number) % number
