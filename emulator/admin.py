"""Emulated dialogues in the admin: batches with their progress, down to the single turn."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from contracts.doors import LookOnly
from emulator.models import EmulationBatch, EmulationDialogue, EmulationTurn


@admin.register(EmulationBatch)
class EmulationBatchAdmin(LookOnly, ModelAdmin):
    list_display = ("batch", "status", "dataset", "split", "experiment", "variant", "dialogues", "turns", "invalid",
                    "created_by", "created_at", "finished_at")  # fmt: skip
    list_filter = ("status", "dataset", "split")
    search_fields = ("batch", "experiment", "created_by")
    date_hierarchy = "created_at"
    list_fullwidth = True

    @display(description=_("dialogues"))
    def dialogues(self, batch: EmulationBatch) -> str:
        return f"{batch.dialogues_done} / {batch.dialogues_total}"

    @display(description=_("turns"))
    def turns(self, batch: EmulationBatch) -> str:
        failed = f" ({batch.turns_failed} ✗)" if batch.turns_failed else ""
        return f"{batch.turns_done} / {batch.turns_total}{failed}"

    @display(description=_("invalid"))
    def invalid(self, batch: EmulationBatch) -> str:
        return "–" if batch.invalid_rate is None else f"{batch.invalid_rate:.1%}"


@admin.register(EmulationDialogue)
class EmulationDialogueAdmin(LookOnly, ModelAdmin):
    list_display = ("dialogue", "batch", "scenario", "cluster", "split", "language", "persona", "ending", "is_valid",
                    "invalid_reason", "finished_at")  # fmt: skip
    list_filter = ("is_valid", "ending", "split", "language", "persona", "dataset")
    search_fields = ("dialogue", "scenario", "=user_id", "batch__batch")
    list_select_related = ("batch",)
    show_full_result_count = False


@admin.register(EmulationTurn)
class EmulationTurnAdmin(LookOnly, ModelAdmin):
    list_display = ("dialogue", "position", "act", "reason", "text", "query_kind", "category", "difficulty",
                    "run_status", "answer_excerpt", "understood", "truth_excluded", "finished_at")  # fmt: skip
    list_display_links = ("dialogue", "position", "text")
    list_filter = ("act", "run_status", "query_kind", "category", "difficulty")
    search_fields = ("text", "answer_excerpt", "dialogue__dialogue", "batch__batch", "=id")
    list_select_related = ("dialogue",)
    show_full_result_count = False
    list_fullwidth = True

    @display(description=_("understood"))
    def understood(self, turn: EmulationTurn) -> str:
        heard = turn.heard or {}
        missing = f" ({', '.join(heard['missing'])} ✗)" if heard.get("missing") else ""
        return f"{heard.get('kind', '–')}{missing}"
