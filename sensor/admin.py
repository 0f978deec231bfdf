"""What the Sensor recorded, in the admin. `sensor_ledger` has a composite key, which the admin cannot show."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from contracts.doors import LookOnly
from sensor.models import CaptureCursor, RunJudgement, RunTruth, SensorEvent, TelemetryEvent


@admin.register(SensorEvent)
class SensorEventAdmin(LookOnly, ModelAdmin):
    list_display = ("started_at", "status", "query", "split", "category", "experiment", "variant",
                    "parameter_version", "memories_found", "memories_used", "latency_ms", "context_utilized",
                    "hallucination_detected", "isolation_ok", "feedback_score", "consent")  # fmt: skip
    list_display_links = ("started_at", "query")
    list_filter = ("status", "split", "category", "mode", "cycle_type", "hallucination_detected", "isolation_ok",
                   "client_kind", "consent", "feedback_score")  # fmt: skip
    search_fields = ("=pipeline_run_id", "=user_id", "query", "answer", "experiment", "batch")
    date_hierarchy = "started_at"
    ordering = ("-started_at", "id")
    show_full_result_count = False
    list_fullwidth = True


@admin.register(TelemetryEvent)
class TelemetryEventAdmin(LookOnly, ModelAdmin):
    list_display = ("created_at", "stage", "latency_ms", "pipeline_id", "experiment", "variant", "cycle_type",
                    "hit_rate", "prompt_tokens", "completion_tokens", "total_cost_usd", "retry_count",
                    "error_type")  # fmt: skip
    list_filter = ("stage", "cycle_type", "hit_rate", "error_type")
    search_fields = ("=pipeline_id", "=user_id", "experiment")
    date_hierarchy = "created_at"
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


@admin.register(CaptureCursor)
class CaptureCursorAdmin(LookOnly, ModelAdmin):
    list_display = ("name", "position", "moved_at")
