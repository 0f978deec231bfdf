"""Goals: the list, and a sentence with its translation beside it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from contracts.doors import actor_of
from contracts.goal import Autonomy, GoalTranslation
from experiments.bundled import BUNDLED
from kernel.errors import DomainError, InvalidInput, NotAuthorised
from manager.services.campaigns import CYCLES, DIALOGUES, CampaignWish, campaign_launch, campaign_plan, goal_understand
from selflearn_site.pages.headline import goals_news
from selflearn_site.pages.page import page, show
from selflearn_site.pages.selectors.campaigns import constraint_words, dataset_names, goal_rows, target_words
from selflearn_site.pages.views.home import SUGGESTED
from tuner.registry import FACTORS

EXAMPLES = (
    SUGGESTED,
    "Lower hallucinations below 5 %, keep recall",
    "Поднять полноту поиска до 60 %, не теряя точности",
)
_LIMITS = {"cycles": 1000, "dialogues": 100_000}


@page
def goals(request: HttpRequest) -> HttpResponse:
    rows = goal_rows()
    running = sum(1 for row in rows for campaign in row.campaigns if campaign.status == "running")
    return show(request, "pages/goals.html", {"headline": goals_news(goals=len(rows), running=running), "rows": rows})


@page
def goal_new(request: HttpRequest) -> HttpResponse:
    """Empty, translated (POST do=translate), or begun (POST do=start). What is wrong is said beside the sentence."""
    context: dict[str, Any] = {
        "headline": _("What should get better?"),
        "examples": EXAMPLES,
        "text": request.POST.get("text", ""),
        "datasets": dataset_names(),
        "levels": list(Autonomy),
        "defaults": {"cycles": CYCLES, "dialogues": DIALOGUES},
        "form": request.POST,
    }
    if request.method == "POST":
        actor = actor_of(request)
        try:
            translation = goal_understand(context["text"])
            context |= understood(translation)
            if request.POST.get("do") == "start":
                campaign = campaign_plan(translation=translation, wish=_wish(request), actor=actor)
                campaign_launch(campaign_id=campaign.id, actor=actor, background=True)
                messages.success(request, _("Campaign %(number)s has begun.") % {"number": campaign.number})
                return redirect("pages:campaign", campaign.number)
        except NotAuthorised:
            raise
        except DomainError as error:
            context["problem"] = error.message
    return show(request, "pages/goal_new.html", context, status=422 if context.get("problem") else 200)


def understood(translation: GoalTranslation) -> dict[str, Any]:
    """The translation in words, for the right side of the page."""
    data = translation.to_json()
    impacts = translation.allowed_impacts
    return {
        "translation": translation,
        "headline": _("This is what was understood. Is it what you mean?"),
        "targets": [target_words(item) for item in data["targets"]],
        "constraints": [constraint_words(item) for item in data["constraints"]],
        "impacts": impacts,
        "all_impacts": set(impacts) >= set(FACTORS),
        "autonomy": str(translation.autonomy or Autonomy.SEMI_AUTO),
        "cycles": translation.budget.cycles or CYCLES,
    }


def _wish(request: HttpRequest) -> CampaignWish:
    level = request.POST.get("autonomy", "")
    if level and level not in list(Autonomy):
        raise InvalidInput(f"there is no autonomy level {level!r}", details={"field": "autonomy"})
    return CampaignWish(
        dataset=request.POST.get("dataset") or BUNDLED,
        autonomy=Autonomy(level) if level else None,
        cycles=_number(request, "cycles"),
        dialogues=_number(request, "dialogues"),
    )


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.POST.get(name, "").strip()
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= _LIMITS[name]:
        raise InvalidInput(f"{name}: a whole number from 1 to {_LIMITS[name]}", details={"field": name})
    return int(text)
