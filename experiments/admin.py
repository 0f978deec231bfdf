"""Experiments, results, passes and data sets in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from contracts.doors import LookOnly
from experiments.golden_access import GoldenRows, golden_rows
from experiments.importers.report import report_lines
from experiments.models import (
    Dataset,
    DiscoveryEntry,
    EvaluationExample,
    EvaluationPass,
    Experiment,
    ExperimentResult,
    GoldenExample,
    GoldenSeal,
    StandingTest,
)


@admin.register(Experiment)
class ExperimentAdmin(LookOnly, ModelAdmin):
    list_display = ("slug", "shown_status", "campaign", "cycle", "factor", "step", "metric", "planned_n", "decision",
                    "decision_reason", "created_at")  # fmt: skip
    list_filter = ("status", "decision", "factor", "metric", "dataset", "campaign")
    search_fields = ("slug", "factor", "decision_reason")
    list_select_related = ("campaign",)
    date_hierarchy = "created_at"
    readonly_fields = ("result",)
    list_fullwidth = True

    @display(
        description=_("status"),
        ordering="status",
        label={
            "running": "info", "completed": "info", "analyzed": "warning", "applied": "success",
            "rejected": "danger", "rolled_back": "danger",
        },
    )  # fmt: skip
    def shown_status(self, experiment: Experiment) -> str:
        return experiment.status

    @display(description=_("from → to"))
    def step(self, experiment: Experiment) -> str:
        return f"{experiment.from_value} → {experiment.to_value}"

    @display(description=_("result"))
    def result(self, experiment: Experiment) -> str:
        found = ExperimentResult.objects.filter(experiment_id=experiment.slug).only("id", "verdict").first()
        if found is None:
            return "–"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:experiments_experimentresult_change", args=[found.pk]), found.verdict
        )


@admin.register(ExperimentResult)
class ExperimentResultAdmin(LookOnly, ModelAdmin):
    list_display = ("experiment_id", "shown_verdict", "notes", "engine_version", "judge_version", "created_at")
    list_filter = ("verdict", "engine_version", "judge_version")
    search_fields = ("experiment_id", "notes")
    date_hierarchy = "created_at"
    readonly_fields = ("experiment",)
    exclude = ("samples",)  # thousands of rows; `replay` and the API read them

    @display(
        description=_("verdict"),
        ordering="verdict",
        label={"winner": "success", "loser": "danger", "inconclusive": "warning"},
    )
    def shown_verdict(self, result: ExperimentResult) -> str:
        return result.verdict

    @display(description=_("experiment"))
    def experiment(self, result: ExperimentResult) -> str:
        found = Experiment.objects.filter(slug=result.experiment_id).only("id", "slug").first()
        if found is None:
            return result.experiment_id
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:experiments_experiment_change", args=[found.pk]), found.slug
        )


@admin.register(DiscoveryEntry)
class DiscoveryEntryAdmin(LookOnly, ModelAdmin):
    list_display = ("stream", "place", "experiment", "p_value", "level", "discovery", "spent", "left", "next_level",
                    "entered_at")  # fmt: skip
    list_filter = ("stream", "discovery")
    search_fields = ("experiment",)
    list_fullwidth = True


@admin.register(StandingTest)
class StandingTestAdmin(LookOnly, ModelAdmin):
    list_display = ("slug", "metric", "verdict", "p_value", "n", "alike", "base_version", "started_at", "finished_at")
    list_filter = ("dataset", "metric", "verdict")
    search_fields = ("slug",)
    list_fullwidth = True


@admin.register(EvaluationPass)
class EvaluationPassAdmin(LookOnly, ModelAdmin):
    list_display = ("batch", "dataset", "split", "purpose", "experiment", "arms", "progress", "started_at",
                    "finished_at")  # fmt: skip
    list_filter = ("purpose", "split", "dataset")
    search_fields = ("batch", "experiment")
    date_hierarchy = "started_at"
    list_fullwidth = True

    @display(description=_("runs"))
    def progress(self, item: EvaluationPass) -> str:
        return f"{item.done} / {item.planned}"


@admin.register(Dataset)
class DatasetAdmin(LookOnly, ModelAdmin):
    list_display = ("name", "source", "taken", "skipped", "golden", "created_at")
    search_fields = ("name", "source")
    readonly_fields = ("account",)
    exclude = ("report",)  # said in words by `account`; the API gives it as it is

    @display(description=_("what the import took, and what it skipped"))
    def account(self, dataset: Dataset) -> str:
        return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in report_lines(dataset.report))) or "–"

    @display(description=_("golden hash"))
    def golden(self, dataset: Dataset) -> str:
        return f"{dataset.golden_hash[:12]}…" if dataset.golden_hash else "–"

    @display(description=_("questions"))
    def taken(self, dataset: Dataset) -> str:
        sizes = dataset.report.get("questions_by_split", {})
        return ", ".join(f"{count} {split}" for split, count in sizes.items() if count) or "–"

    @display(description=_("skipped"))
    def skipped(self, dataset: Dataset) -> int:
        return sum(item["count"] for item in dataset.report.get("skipped", []))


class ExampleAdmin(LookOnly, ModelAdmin):
    list_display: tuple[str, ...] = ("external_id", "dataset", "query", "category", "difficulty", "cluster",
                                     "should_retrieve", "asked_at")  # fmt: skip
    list_display_links = ("external_id", "query")
    list_filter: tuple[str, ...] = ("dataset", "category", "difficulty", "should_retrieve")
    search_fields = ("external_id", "query", "cluster", "=user_id")
    list_select_related = ("dataset",)
    list_fullwidth = True


@admin.register(EvaluationExample)
class EvaluationExampleAdmin(ExampleAdmin):
    list_filter = ("split", *ExampleAdmin.list_filter)


@admin.register(GoldenExample)
class GoldenExampleAdmin(ExampleAdmin):
    """For people only: learning never reads it, and the API does not show it."""

    list_display = (*ExampleAdmin.list_display, "added_in", "retired_in")

    def get_queryset(self, request: HttpRequest) -> GoldenRows:  # noqa: ARG002  Django's signature
        return golden_rows()


@admin.register(GoldenSeal)
class GoldenSealAdmin(LookOnly, ModelAdmin):
    list_display = ("dataset", "number", "change", "example", "content_hash", "reason", "actor", "created_at")
    list_filter = ("dataset", "change")
    search_fields = ("example", "reason", "actor", "content_hash")
    list_select_related = ("dataset",)
    list_fullwidth = True
