"""Notifications: who is told of what, and what became of each message."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contracts.doors import actor_of
from notifications.domain.events import Event, Severity
from notifications.domain.lifecycle import ENDED, DeliveryStatus
from notifications.selectors import (
    FILTERS,
    channels_with_last,
    deliveries_count,
    deliveries_recent,
    notices_chosen,
)
from notifications.services.channels import channel_test
from notifications.services.deliveries import delivery_resend
from notifications.wording import event_word, message_of, severity_word
from selflearn_site.pages.headline import in_words
from selflearn_site.pages.page import LIVE_SLOW, action, back, page, show
from selflearn_site.pages.selectors.lists import paged
from selflearn_site.templatetags.pages import delivery_word


@page
def notifications(request: HttpRequest) -> HttpResponse:
    """Filters: `channel` (a name), `event`, `severity`, `status` (of a delivery, or `nobody`)."""
    chosen = {name: request.GET.get(name, "")[:80] for name in FILTERS}
    rows = paged(request, notices_chosen(chosen))
    language = request.LANGUAGE_CODE
    channels = channels_with_last()
    context = {
        "headline": notifications_news(channels=len(channels), **deliveries_count()),
        "channels": [(one, [event_word(event) for event in one.events], last) for one, last in channels],
        "rows": rows,
        "notices": [
            (notice, message_of(notice, language=language), event_word(notice.event), deliveries_recent(notice))
            for notice in rows.object_list
        ],
        "chosen": chosen,
        "narrowed": any(chosen.values()),
        "names": [one.name for one, _last in channels],
        "events": [(event.value, event_word(event)) for event in Event],
        "severities": [(one.value, severity_word(one)) for one in Severity],
        "statuses": [(one.value, delivery_word(one)) for one in DeliveryStatus],
        "ended": ENDED,
    }
    return show(request, "pages/notifications.html", context, live=LIVE_SLOW)


@action
def notification_resend(request: HttpRequest, delivery_id: uuid.UUID) -> HttpResponse:
    delivery = delivery_resend(delivery_id=delivery_id, actor=actor_of(request))
    messages.success(request, _("It is on its way again to “%(name)s”.") % {"name": delivery.channel.name})
    return back(request, "pages:notifications")


@action
def notification_test(request: HttpRequest, channel_id: int) -> HttpResponse:
    delivery = channel_test(channel_id=channel_id, actor=actor_of(request))
    text = _("A test message is on its way to “%(name)s”; what came of it stands below.")
    messages.success(request, text % {"name": delivery.channel.name})
    return back(request, "pages:notifications")


def notifications_news(*, channels: int, failed: int, waiting: int) -> str:
    """The title. `failed`: within the last week; `waiting`: not delivered yet."""
    if not channels:
        return _("Nobody is told outside the site: there is no channel yet.")
    text = ngettext("%(count)s channel", "%(count)s channels", channels) % {"count": in_words(channels)}
    parts = []
    if failed:
        said = ngettext("%(count)s message failed within a week", "%(count)s messages failed within a week", failed)
        parts.append(said % {"count": in_words(failed)})
    if waiting:
        said = ngettext("%(count)s message is on its way", "%(count)s messages are on their way", waiting)
        parts.append(said % {"count": in_words(waiting)})
    told = ", ".join(parts) or _("everything was delivered")
    whole = f"{text}: {told}."
    return whole[:1].upper() + whole[1:]
