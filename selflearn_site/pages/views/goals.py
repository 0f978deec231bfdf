"""Goals: the list, and a sentence with its translation beside it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from contracts.doors import actor_of
from contracts.goal import Autonomy, GoalTranslation
from experiments.bundled import BUNDLED
from goals.models import Campaign
from goals.translation.editing import translation_edits
from kernel.errors import DomainError, InvalidInput, NotAuthorised
from manager.services.campaigns import CampaignWish, campaign_launch, campaign_plan, goal_understand
from selflearn_site.pages.goal_form import GoalForm
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
_SALT = "goal as it was read"


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
        "dataset": request.POST.get("dataset", ""),
    }
    if request.method == "POST":
        try:
            begun = _posted(request, context)
        except NotAuthorised:
            raise
        except DomainError as error:
            context["problem"] = error.message
        else:
            if begun is not None:
                messages.success(request, _("Campaign %(number)s has begun.") % {"number": begun.number})
                return redirect("pages:campaign", begun.number)
    return show(request, "pages/goal_new.html", context, status=422 if context.get("problem") else 200)


def _posted(request: HttpRequest, context: dict[str, Any]) -> Campaign | None:
    """Read the sentence, or take the adjusted translation; begin the campaign when that was asked for."""
    doing, read = request.POST.get("do"), _read_before(request)
    if doing == "translate" or read is None or read.text != context["text"]:
        understanding = goal_understand(context["text"])
        context |= understood(understanding) | {
            "form": GoalForm(understood=understanding),
            "signed": _signed(understanding),
        }
        if doing == "start" and read is not None:
            raise InvalidInput(_("The sentence has changed since it was read: look at what it means now."))
        if doing != "start":
            return None
        return _begin(request, understanding, understanding, {})
    form = GoalForm(posted=request.POST)
    context |= understood(read) | {"form": form, "signed": request.POST["understood"]}
    if not form.is_valid():
        raise InvalidInput(_("Something in the form cannot be taken; it is marked there."))
    wanted = form.translation(read)
    context |= understood(wanted) | {"edited": translation_edits(read, wanted)}
    return _begin(request, wanted, read, form.means.cleaned_data) if doing == "start" else None


def _begin(request: HttpRequest, wanted: GoalTranslation, read: GoalTranslation, means: dict[str, Any]) -> Campaign:
    """Goal, campaign and launch together: what is refused leaves nothing behind."""
    actor = actor_of(request)
    with transaction.atomic():
        campaign = campaign_plan(translation=wanted, understood=read, wish=_wish(request, means), actor=actor)
        return campaign_launch(campaign_id=campaign.id, actor=actor, background=True)


def _signed(translation: GoalTranslation) -> str:
    return signing.dumps(translation.model_dump(mode="json"), salt=_SALT, compress=True)


def _read_before(request: HttpRequest) -> GoalTranslation | None:
    """What the page showed as understood; signed, so that nobody can say that something else was read."""
    try:
        return GoalTranslation.model_validate(signing.loads(request.POST.get("understood", ""), salt=_SALT))
    except (signing.BadSignature, ValueError):
        return None


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
        "budget": translation.budget.model_dump(exclude_none=True),
    }


def _wish(request: HttpRequest, means: dict[str, Any]) -> CampaignWish:
    level = request.POST.get("autonomy", "")
    if level and level not in list(Autonomy):
        raise InvalidInput(f"there is no autonomy level {level!r}", details={"field": "autonomy"})
    return CampaignWish(
        dataset=request.POST.get("dataset") or BUNDLED,
        autonomy=Autonomy(level) if level else None,
        cycles=_number(request, "cycles"),
        dialogues=_number(request, "dialogues"),
        priority=means.get("priority"),
    )


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.POST.get(name, "").strip()
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= _LIMITS[name]:
        raise InvalidInput(f"{name}: a whole number from 1 to {_LIMITS[name]}", details={"field": name})
    return int(text)
