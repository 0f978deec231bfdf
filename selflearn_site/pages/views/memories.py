"""Memories: what the student has kept of everybody, how well each serves, and which to review."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from maas.client import memories_quality
from maas.memory_list import MOST, MemoryFilter, MemoryList
from selflearn_site.pages.page import page, show
from selflearn_site.pages.selectors.lists import paged
from selflearn_site.pages.selectors.prunings import prunings_shown

_LONGEST = 200


@page
def memories(request: HttpRequest) -> HttpResponse:
    """Filters: `person` (user id, or part of a speaker's name), `q` (part of the text, or a memory's id), `review`: 1
    of low quality now, 2 put up for review with a reason, 3 set aside."""
    chosen = MemoryFilter(
        person=request.GET.get("person", "").strip()[:_LONGEST],
        words=request.GET.get("q", "").strip()[:_LONGEST],
        review=request.GET.get("review") == "1",
        flagged=request.GET.get("review") == "2",
        aside=request.GET.get("review") == "3",
    )
    rows = paged(request, MemoryList(chosen))
    quality = memories_quality()
    waiting, decided = prunings_shown()
    context = {
        "headline": memories_news(
            shown=rows.paginator.count, narrowed=chosen.narrows, kept=quality.memories, review=quality.low
        ),
        "rows": rows,
        "chosen": chosen,
        "quality": quality,
        "most": MOST,
        "waiting": waiting,
        "decided": decided,
    }
    return show(request, "pages/memories.html", context)


def memories_news(*, shown: int, narrowed: bool, kept: int, review: int) -> str:
    """The title of the list."""
    if not kept:
        return _("Nothing is remembered yet.")
    if narrowed:
        if shown >= MOST:
            return _("More than %(n)s memories match.") % {"n": f"{MOST:,}"}
        return ngettext("%(n)s memory matches.", "%(n)s memories match.", shown) % {"n": f"{shown:,}"}
    text = ngettext("%(n)s memory is kept", "%(n)s memories are kept", kept) % {"n": f"{kept:,}"}
    if not review:
        return text + _("; none is often found and useless.")
    flagged = ngettext("%(n)s is often found and hardly helps", "%(n)s are often found and hardly help", review)
    return f"{text}; {flagged % {'n': f'{review:,}'}}."
