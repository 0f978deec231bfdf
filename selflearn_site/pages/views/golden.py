"""The golden set: how it stands, an example made by hand from a real conversation, an example retired."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from contracts.actor import Role
from contracts.doors import actor_of
from experiments.golden import golden_seal
from experiments.golden_editing import (
    CATEGORIES,
    DIFFICULTIES,
    REAL,
    GoldenDraft,
    exchange_memories,
    exchange_of,
    golden_example_add,
    golden_example_retire,
    golden_preview,
)
from kernel.errors import DomainError, InvalidInput, NotAuthorised
from selflearn_site.pages.page import action, page, show
from selflearn_site.pages.selectors.campaigns import dataset_names
from selflearn_site.pages.selectors.golden import (
    exchanges_to_choose,
    golden_history,
    golden_news,
    golden_sets,
    golden_shown,
)


@page
def golden(request: HttpRequest) -> HttpResponse:
    sets = golden_sets()
    return show(request, "pages/golden.html", {"headline": golden_news(sets), "sets": sets})


@page
def golden_set(request: HttpRequest, name: str) -> HttpResponse:
    """What one set holds, and every sealing of it. A meta-user may retire an example."""
    seal = golden_seal(dataset=name)
    shown = golden_shown(seal)
    context = {
        "headline": _("The golden set of %(name)s: %(n)s examples") % {"name": name, "n": len(shown)},
        "seal": seal,
        "shown": shown,
        "history": golden_history(seal),
    }
    return show(request, "pages/golden_set.html", context)


@page
def golden_choose(request: HttpRequest) -> HttpResponse:
    """Real exchanges of people who agreed; one of them becomes an example."""
    actor_of(request).require(Role.META_USER)
    found = exchanges_to_choose()
    headline = _("Which conversation is worth asking again?") if found else _("No conversation may be used yet.")
    return show(request, "pages/golden_choose.html", {"headline": headline, "exchanges": found})


@page
def golden_new(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Empty, previewed (POST do=preview), or sealed (POST do=seal). What is wrong is said beside the form."""
    actor = actor_of(request)
    actor.require(Role.META_USER)
    exchange = exchange_of(run_id)
    form = _form(request, exchange.query)
    context: dict[str, Any] = {
        "headline": _("What should have been remembered?"),
        "exchange": exchange,
        "answered": [exchange],
        "memories": exchange_memories(exchange),
        "form": form,
        "categories": CATEGORIES,
        "difficulties": DIFFICULTIES,
        "datasets": sorted({REAL, *dataset_names()}),
    }
    if request.method == "POST":
        try:
            draft = _draft(run_id, form)
            if request.POST.get("do") == "seal":
                seal = golden_example_add(draft=draft, dataset=form["dataset"], reason=form["reason"], actor=actor)
                said = _(
                    "Sealed as number %(number)s of %(name)s, with %(n)s examples. Campaigns that run keep theirs."
                )
                messages.success(request, said % {"number": seal.number, "name": form["dataset"], "n": seal.size})
                return redirect("pages:golden_set", form["dataset"])
            value, warnings = golden_preview(draft=draft, dataset=form["dataset"])
            chosen = set(value.expected_memory_ids)
            context |= {
                "headline": _("This is what would be sealed. Is it what you mean?"),
                "preview": value,
                "warnings": warnings,
                "expected": [text for name, text in context["memories"] if name in chosen],
            }
        except NotAuthorised:
            raise
        except DomainError as error:
            context["problem"] = error.message
    return show(request, "pages/golden_new.html", context, status=422 if context.get("problem") else 200)


@action
def golden_retire(request: HttpRequest, name: str) -> HttpResponse:
    seal = golden_example_retire(
        dataset=name,
        example=request.POST.get("example", ""),
        reason=request.POST.get("reason", ""),
        actor=actor_of(request),
    )
    said = _("Retired. The set is sealed anew as number %(number)s; earlier seals still hold the example.")
    messages.success(request, said % {"number": seal.number})
    return redirect("pages:golden_set", name)


def _form(request: HttpRequest, query: str) -> dict[str, Any]:
    given = request.POST
    return {
        "query": given.get("query", query),
        "category": given.get("category", CATEGORIES[0]),
        "difficulty": given.get("difficulty", "medium"),
        "key_facts": given.get("key_facts", ""),
        "forbidden": given.get("forbidden", ""),
        "dataset": given.get("dataset", REAL),
        "reason": given.get("reason", ""),
        "expected": given.getlist("expected"),
    }


def _draft(run_id: uuid.UUID, form: dict[str, Any]) -> GoldenDraft:
    try:
        expected = tuple(uuid.UUID(text) for text in form["expected"])
    except ValueError as error:
        raise InvalidInput("an expected memory is named wrongly", details={"field": "expected"}) from error
    return GoldenDraft(
        run_id=run_id,
        query=form["query"],
        expected_memory_ids=expected,
        category=form["category"],
        difficulty=form["difficulty"],
        key_facts=tuple(form["key_facts"].splitlines()),
        forbidden=tuple(form["forbidden"].splitlines()),
    )
