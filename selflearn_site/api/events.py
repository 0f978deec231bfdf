"""`GET /events`: what happens, as server-sent events."""

import random
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Header, Router

from contracts.actor import Role
from contracts.doors import actor_of
from selflearn_site.events.outbox import (
    cursor_now,
    cursor_read,
    cursor_text,
    events_after,
    events_forget,
    gap_after,
)
from selflearn_site.events.stream import CURSOR_HEADER

router = Router(tags=["events"])
_STREAM = {
    "description": "Frames of `id`, `event`, `data` (JSON)",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


@router.get(
    "/events",
    operation_id="events",
    summary="Cycles, verdicts, approvals, incidents and the journal, live",
    openapi_extra={"responses": {200: _STREAM}, "x-never": ["404", "409"]},
)
def events(
    request: HttpRequest, last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None
) -> HttpResponse:
    """Begins now, or after `Last-Event-ID`: events are kept for seven days. A stream ends after ten minutes, or
    when the client reads too slowly; coming again with the last id misses nothing. `event` is `cycle`, `verdict`,
    `approval`, `incident` or `journal`; `gap` comes first when events after `Last-Event-ID` are no longer kept."""
    actor_of(request).require(Role.VIEWER)
    cursor = cursor_read(last_event_id) if last_event_id else cursor_now()
    if random.random() < 0.01:  # noqa: S311 - housekeeping now and then, by whoever comes
        events_forget()
    missed = events_after(cursor)
    gap = gap_after(cursor) if last_event_id else None
    if missed:
        cursor = missed[-1].cursor
    body = b"retry: 1000\n\n" + b"".join(told.frame for told in [gap, *missed] if told)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", CURSOR_HEADER: cursor_text(cursor)}
    return HttpResponse(body, content_type="text/event-stream", headers=headers)
