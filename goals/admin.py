"""Goals and campaigns in the admin. They are started and stopped on their pages; here is every column."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from contracts.doors import LookOnly
from goals.models import Campaign, CampaignSpend, LearningGoal

# What hangs on a campaign is registered by rooms above; here only their addresses are known.
_OF_CAMPAIGN = (
    (_("cycles"), "admin:manager_cycle_changelist"),
    (_("experiments"), "admin:experiments_experiment_changelist"),
    (_("hypotheses"), "admin:hypotheses_hypothesis_changelist"),
    (_("approvals"), "admin:manager_approval_changelist"),
    (_("journal"), "admin:manager_journalentry_changelist"),
)


@admin.register(LearningGoal)
class LearningGoalAdmin(LookOnly, ModelAdmin):
    list_display = ("id", "text", "status", "autonomy", "priority", "language", "aims", "created_by", "created_at")
    list_display_links = ("id", "text")
    list_filter = ("status", "autonomy", "language")
    search_fields = ("text", "created_by")
    date_hierarchy = "created_at"
    readonly_fields = ("pursued_by",)

    @display(description=_("targets"))
    def aims(self, goal: LearningGoal) -> str:
        return ", ".join(f"{item['metric']} {item['direction']}" for item in goal.targets)

    @display(description=_("campaigns"))
    def pursued_by(self, goal: LearningGoal) -> SafeString | str:
        rows = ((reverse("admin:goals_campaign_change", args=[c.pk]), c) for c in goal.campaigns.all())
        return format_html_join(", ", '<a href="{}">{}</a>', rows) or "–"


@admin.register(Campaign)
class CampaignAdmin(LookOnly, ModelAdmin):
    list_display = ("number", "shown_status", "goal", "dataset", "autonomy", "max_cycles", "start_version",
                    "end_version", "end_reason", "created_by", "started_at", "finished_at")  # fmt: skip
    list_filter = ("status", "autonomy", "dataset")
    search_fields = ("=number", "goal__text", "end_reason", "created_by")
    list_select_related = ("goal",)
    date_hierarchy = "created_at"
    readonly_fields = ("related",)
    list_fullwidth = True

    @display(
        description=_("status"),
        ordering="status",
        label={"running": "info", "paused": "warning", "completed": "success", "failed": "danger"},
    )
    def shown_status(self, campaign: Campaign) -> str:
        return campaign.status

    @display(description=_("see also"))
    def related(self, campaign: Campaign) -> SafeString | str:
        rows = ((reverse(name), campaign.pk, title) for title, name in _OF_CAMPAIGN)
        return format_html_join(" · ", '<a href="{}?campaign__id__exact={}">{}</a>', rows)


@admin.register(CampaignSpend)
class CampaignSpendAdmin(LookOnly, ModelAdmin):
    list_display = ("what", "campaign", "tokens", "cost_usd")
    search_fields = ("what",)
    list_filter = ("campaign",)
