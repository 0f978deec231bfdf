"""Emulations: the list and the form that starts one, one batch while it is played, one dialogue as it was held."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from contracts.actor import Role
from contracts.doors import actor_of, may
from emulator.models import EmulationBatch
from emulator.services.batches import batch_get
from emulator.standing import UNDER_WAY
from emulator.transcripts import dialogue_get, transcript
from kernel.errors import DomainError, NotAuthorised
from maas.client import get_client
from manager.services.emulations import emulation_halt, emulation_launch, emulation_resume
from manager.services.purging import purge_plan, training_purge
from selflearn_site.pages.page import LIVE_FAST, LIVE_SLOW, action, back, page, show
from selflearn_site.pages.selectors.emulations import (
    DEFAULTS,
    Form,
    arms,
    choices,
    emulation_news,
    emulations_news,
    person_names,
    plan_from,
    row_of,
)
from selflearn_site.pages.selectors.lists import paged

PER_PAGE = 20


@page
def emulations(request: HttpRequest) -> HttpResponse:
    """The list; a form that was refused comes back as it was filled in, with what is wrong."""
    form = Form(DEFAULTS, frozenset())
    if request.method == "POST":
        ticked = request.POST.getlist("scenario")
        values = {name: request.POST.get(name, "") for name in (*DEFAULTS, "name")}
        try:
            batch = emulation_launch(plan=plan_from(values, ticked), actor=actor_of(request))
            return HttpResponseRedirect(reverse("pages:emulation", args=[batch.pk]))
        except NotAuthorised:
            raise
        except DomainError as error:
            form = Form(values, frozenset(ticked), error.message, str(error.details.get("field", "")))
    rows = paged(request, EmulationBatch.objects.all(), per_page=PER_PAGE)
    running = EmulationBatch.objects.filter(status__in=UNDER_WAY).count()
    context = {
        "headline": emulations_news(rows.paginator.count, running),
        "rows": rows,
        "shown": [row_of(batch) for batch in rows],
        "form": form,
        "choices": choices(),
        "arms": arms(),
    }
    status = 422 if form.problem else 200
    live = None if form.problem else LIVE_FAST if running else LIVE_SLOW
    return show(request, "pages/emulations.html", context, status=status, live=live)


@page
def emulation(request: HttpRequest, batch_id: uuid.UUID) -> HttpResponse:
    row = row_of(batch_get(batch_id))
    wanted = request.GET.get("show", "")
    dialogues = row.batch.dialogues.order_by("ordinal")
    if wanted in ("valid", "invalid"):
        dialogues = dialogues.filter(is_valid=wanted == "valid", finished_at__isnull=False)
    context = {
        "headline": emulation_news(row),
        "row": row,
        "rows": paged(request, dialogues, per_page=PER_PAGE),
        "wanted": wanted,
        "people": person_names(),
        "purge": purge_plan(batches=[row.batch]) if may(request, Role.META_USER) and not row.live else None,
    }
    return show(request, "pages/emulation.html", context, live=LIVE_FAST if row.live else LIVE_SLOW)


@page
def emulation_dialogue(request: HttpRequest, batch_id: uuid.UUID, dialogue_id: uuid.UUID) -> HttpResponse:
    dialogue = dialogue_get(batch_id=batch_id, dialogue_id=dialogue_id)
    around = dialogue.batch.dialogues.filter(user_id=dialogue.user_id)
    context = {
        "headline": dialogue.goal or dialogue.dialogue,
        "dialogue": dialogue,
        "row": row_of(dialogue.batch),
        "people": person_names(),
        "exchanges": transcript(dialogue=dialogue, client=get_client()),
        "before": around.filter(ordinal__lt=dialogue.ordinal).order_by("-ordinal").first(),
        "after": around.filter(ordinal__gt=dialogue.ordinal).order_by("ordinal").first(),
    }
    return show(
        request, "pages/emulation_dialogue.html", context, live=None if dialogue.finished_at is not None else LIVE_FAST
    )


@action
def emulation_do(request: HttpRequest, batch_id: uuid.UUID, verb: str) -> HttpResponse:
    """`stop`, `resume`, `purge`: one service each."""
    if verb == "stop":
        batch = emulation_halt(batch_id=batch_id, actor=actor_of(request))
        said = _("It stops after the turns at hand.") if batch.status == "running" else _("It is stopped.")
        messages.success(request, said)
    elif verb == "resume":
        emulation_resume(batch_id=batch_id, actor=actor_of(request))
        messages.success(request, _("It goes on as soon as a worker is free. No finished turn is played again."))
    elif verb == "purge":
        done = training_purge(
            batches=[batch_get(batch_id)], actor=actor_of(request), reason=request.POST.get("reason", "")
        )
        for item in done.refused:
            messages.error(request, _("%(batch)s stays: %(reason)s.") % {"batch": item.batch, "reason": item.reason})
        if done.batches:
            messages.success(
                request,
                _("Purged: %(turns)s turns, %(memories)s memories. What was measured and decided stays.")
                % {"turns": done.counts.turns, "memories": done.counts.memories},
            )
            return HttpResponseRedirect(reverse("pages:emulations"))
    else:
        raise Http404
    return back(request, "pages:emulations")
