"""The registry of hypotheses in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from contracts.doors import LookOnly
from hypotheses.models import Hypothesis


@admin.register(Hypothesis)
class HypothesisAdmin(LookOnly, ModelAdmin):
    list_display = ("name", "shown_status", "factor", "step", "metric", "direction", "expected_effect",
                    "needs_approval", "campaign", "related_experiments", "created_at", "resolved_at")  # fmt: skip
    list_filter = ("status", "metric", "factor", "needs_approval", "campaign")
    search_fields = ("name", "description", "rationale", "factor", "related_experiments")
    list_select_related = ("campaign",)
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    list_fullwidth = True

    @display(
        description=_("status"),
        ordering="status",
        label={"running": "info", "confirmed": "success", "rejected": "danger", "inconclusive": "warning"},
    )
    def shown_status(self, hypothesis: Hypothesis) -> str:
        return hypothesis.status

    @display(description=_("from → to"))
    def step(self, hypothesis: Hypothesis) -> str:
        return f"{hypothesis.from_value} → {hypothesis.to_value}"
