"""Talk to the memory service as oneself: conversations, what each answer rests on, feedback, consent.

Each account is one user of the student. Every form works by itself; the script asks for the same addresses with
`Accept: application/json` and puts the pieces that they answer with into the page.
"""

from __future__ import annotations

import uuid
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from contracts.maas import RunRequest
from kernel.canonical import derive_uuid
from kernel.errors import Conflict, DomainError, InvalidInput, NotAuthorised
from maas import conversations as student
from maas.domain.lifecycle import RunStatus
from maas.services import MAX_QUERY_LENGTH, feedback_record, run_submit
from selflearn_site.api.errors import status_of
from selflearn_site.pages.page import View, page, show

SHOWN, SHOWN_AT_MOST = 50, student.LONGEST_PAGE
"""Exchanges and conversations on a page: at first, and when earlier ones are asked for."""
_WORDS = {
    RunStatus.NEW: _lazy("waits for a worker"),
    RunStatus.ANALYZING: _lazy("searches the memories"),
    RunStatus.ANALYZED: _lazy("memories found"),
    RunStatus.ASSEMBLING: _lazy("puts the context together"),
    RunStatus.READY: _lazy("context ready"),
    RunStatus.RESPONDING: _lazy("writes the answer"),
    RunStatus.COMPLETED: _lazy("answered"),
}
STEPS = list(_WORDS.items())
_CONSENT = "chat_consent"


def told(view: View) -> View:
    """For addresses that the script asks for too: a refusal becomes the API's error shape, or a word on the page."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except NotAuthorised:
            raise
        except DomainError as error:
            if _scripted(request):
                return JsonResponse({"error": {"code": error.code, "message": error.message}}, status=status_of(error))
            if request.method != "POST" or status_of(error) == 404:
                raise
            messages.error(request, error.message)
            return HttpResponseRedirect(_address(kwargs.get("thread_id")))

    return wrapped


def posted(view: View) -> View:
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if request.method == "POST" else HttpResponseNotAllowed(["POST"])

    return wrapped


@page
@told
def chat(request: HttpRequest, thread_id: uuid.UUID | None = None) -> HttpResponse:
    """A conversation, or the beginning of a new one. POST says something in it."""
    user_id = chat_user(request)
    if request.method == "POST":
        return _said(request, user_id, thread_id)
    exchanges: list[student.Exchange] = []
    count = 0
    if thread_id is not None:
        exchanges, count = student.conversation(user_id=user_id, thread_id=thread_id, limit=_limit(request, "earlier"))
    side = _side(request, user_id, thread_id)
    context = {
        "headline": _headline(side["conversations"], thread_id),
        "exchanges": exchanges,
        "earlier": count - len(exchanges),
        "may_show_earlier": len(exchanges) < SHOWN_AT_MOST,
        "open": any(not item.settled for item in exchanges),
        "consent": consent_of(request, user_id),
        "next_run_id": uuid.uuid4(),
        "longest": MAX_QUERY_LENGTH,
        "steps": STEPS,
        **side,
    }
    return show(request, "pages/chat.html", context)


def _headline(found: list[student.Conversation], thread_id: uuid.UUID | None) -> str:
    if thread_id is None:
        return _("Talk to the memory service")
    words = next((item.first_words for item in found if item.thread_id == thread_id), _("An earlier conversation"))
    return Truncator(words).chars(90)


def _said(request: HttpRequest, user_id: uuid.UUID, thread_id: uuid.UUID | None) -> HttpResponse:
    if thread_id is not None:
        student.conversation(user_id=user_id, thread_id=thread_id, limit=1)  # another user's is not to be spoken in
    wanted = RunRequest(
        user_id=user_id,
        query=request.POST.get("text", "").replace("\r\n", "\n"),  # forms send lines as the web of old did
        client_kind="user",
        cycle_type="online",
        consent=consent_of(request, user_id),
    )
    try:
        run_id, thread = _submitted(wanted, _uuid(request.POST.get("run_id", "")) or uuid.uuid4(), thread_id)
    except Conflict:  # an old page, kept by the browser, that has sent something else already
        run_id, thread = _submitted(wanted, uuid.uuid4(), thread_id)
    address = _address(thread)
    if not _scripted(request):
        return HttpResponseRedirect(f"{address}#run-{run_id}")
    item = student.exchange(user_id=user_id, thread_id=thread, run_id=run_id)
    side = _side(request, user_id, thread)
    news = {
        "url": address,
        "headline": _headline(side["conversations"], thread),
        "side": render_to_string("pages/partials/chat_side.html", side, request),
        "next_run_id": str(uuid.uuid4()),
    }
    return JsonResponse(_piece(request, item) | news)


def _submitted(wanted: RunRequest, run_id: uuid.UUID, thread_id: uuid.UUID | None) -> tuple[uuid.UUID, uuid.UUID]:
    """The run and its thread. A new thread follows from the run: what is sent again, because the answer was lost on
    its way, is found where it was put."""
    thread = thread_id or derive_uuid("chat.thread", wanted.user_id, run_id)
    return run_submit(request=wanted.model_copy(update={"run_id": run_id, "thread_id": thread})), thread


@page
@told
def chat_status(request: HttpRequest, thread_id: uuid.UUID, run_id: uuid.UUID) -> HttpResponse:
    """How far a run is, for the script that watches it."""
    return JsonResponse(
        _piece(request, student.exchange(user_id=chat_user(request), thread_id=thread_id, run_id=run_id))
    )


@page
@posted
@told
def chat_feedback(request: HttpRequest, thread_id: uuid.UUID, run_id: uuid.UUID) -> HttpResponse:
    """1 to 5; the thumbs are 1 and 5. A later word replaces the earlier one."""
    user_id, score = chat_user(request), request.POST.get("score", "")
    student.exchange(user_id=user_id, thread_id=thread_id, run_id=run_id)
    if score not in ("1", "2", "3", "4", "5"):
        raise InvalidInput(_("Feedback is a whole number from 1 to 5."), details={"field": "score"})
    feedback_record(run_id=run_id, user_id=user_id, score=int(score))
    if not _scripted(request):
        return HttpResponseRedirect(f"{_address(thread_id)}#run-{run_id}")
    return JsonResponse(_piece(request, student.exchange(user_id=user_id, thread_id=thread_id, run_id=run_id)))


@page
@posted
@told
def chat_consent(request: HttpRequest) -> HttpResponse:
    """On counts for what is said from now on; off takes back all that was said before, too."""
    on = request.POST.get("consent") == "on"
    request.session[_CONSENT] = {"on": on, "at": timezone.now().isoformat()}
    if on:
        said = _("From now on what you say here may be learnt from, masked.")
    else:
        n = student.consent_withdraw(user_id=chat_user(request))
        said = _("Nothing that you have said here may be learnt from.")
        if n:
            said += " " + ngettext(
                "Taken back for %(n)s earlier exchange.", "Taken back for %(n)s earlier exchanges.", n
            ) % {"n": n}
    if _scripted(request):
        return JsonResponse({"consent": on, "said": said})
    messages.success(request, said)
    return HttpResponseRedirect(_address(_uuid(request.POST.get("thread", ""))))


def chat_user(request: HttpRequest) -> uuid.UUID:
    """The student's user behind an account; its name stays unknown to the student."""
    return derive_uuid("chat", request.user.pk)


def consent_of(request: HttpRequest, user_id: uuid.UUID) -> bool:
    """The person's last word: that of this session, unless something was said since; then what counts for that.

    So it outlives the session, and what is taken back in one browser is taken back in the others.
    """
    last = student.consent_last(user_id=user_id)
    word = request.session.get(_CONSENT)
    if word is None:
        return last is not None and last[0]
    at = parse_datetime(word["at"])
    if last is not None and at is not None and last[1] > at:
        return last[0]
    return bool(word["on"])


def _side(request: HttpRequest, user_id: uuid.UUID, thread_id: uuid.UUID | None) -> dict[str, Any]:
    found, count = student.conversations(user_id=user_id, limit=_limit(request, "all"))
    return {"conversations": found, "more": count - len(found), "thread_id": thread_id}


def _piece(request: HttpRequest, item: student.Exchange) -> dict[str, Any]:
    """`stamp` changes when the piece does; its HTML always does, for the token of its forms."""
    context = {"item": item, "steps": STEPS}
    seen = (item.status, item.settled, item.stalled, item.retry_count, item.feedback_score, item.consent)
    return {
        "run_id": str(item.run_id),
        "status": item.status,
        "failed": item.status == RunStatus.FAILED,
        "settled": item.settled,
        "stalled": item.stalled,
        "answer": item.answer,
        "stamp": "-".join(map(str, seen)),
        "html": render_to_string("pages/partials/chat_exchange.html", context, request),
    }


def _address(thread_id: uuid.UUID | None) -> str:
    return reverse("pages:chat_thread", args=[thread_id]) if thread_id else reverse("pages:chat")


def _limit(request: HttpRequest, name: str) -> int:
    return SHOWN_AT_MOST if name in request.GET else SHOWN


def _scripted(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
