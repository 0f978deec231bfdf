"""A notice in the words of its reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from notifications.domain.events import Event, Severity
from notifications.links import link_of
from notifications.models import Notice

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """`title` is one sentence, `text` what it rests on (may be empty), `link` where to read more."""

    title: str
    text: str
    link: str
    severity: str


def message_of(notice: Notice, *, language: str) -> Message:
    """Stored sentences (reasons, titles of incidents) are in English; those that the site can say otherwise are."""
    with translation.override(language):
        title, text = _WORDS[Event(notice.event)](notice.facts)
        title = " ".join(title.split())  # one line: it becomes the subject of an e-mail
        return Message(title=title, text=text, link=link_of(notice.subject), severity=severity_word(notice.severity))


def severity_word(severity: str) -> str:
    return {
        Severity.INFO: _("for information"),
        Severity.WARNING: _("warning"),
        Severity.CRITICAL: _("critical"),
    }[Severity(severity)]


def event_word(event: str) -> str:
    """An event as a heading of lists and forms."""
    return {
        Event.INCIDENT_OPENED: _("an incident was opened"),
        Event.VERSION_ROLLED_BACK: _("a version was rolled back"),
        Event.CHANGE_APPLIED: _("a change was applied"),
        Event.APPROVAL_WAITING: _("a decision waits for a person"),
        Event.APPROVAL_REMINDER: _("a decision still waits"),
        Event.APPROVAL_EXPIRED: _("nobody decided in time"),
        Event.GOLDEN_REFUSED: _("the golden set refused a change"),
        Event.CAMPAIGN_FINISHED: _("a campaign ended"),
        Event.CAMPAIGN_OVER_BUDGET: _("a campaign spent its budget"),
        Event.CAMPAIGN_FAILED: _("a campaign failed"),
        Event.TEST: _("a test message"),
    }[Event(event)]


def _incident(facts: Facts) -> tuple[str, str]:
    return _("Incident: %(title)s") % {"title": _stored(facts["title"])}, _stored(facts["detail"])


def _rolled_back(facts: Facts) -> tuple[str, str]:
    title = _("Version %(old)s was rolled back; version %(new)s is active.")
    return title % {"old": facts["version"], "new": facts["active"]}, _stored(facts["reason"])


def _applied(facts: Facts) -> tuple[str, str]:
    title = _("%(change)s is applied: version %(version)s is active.")
    return title % {"change": _change(facts), "version": facts["version"]}, _stored(facts["reason"])


def _waiting(facts: Facts) -> tuple[str, str]:
    title = (
        _("An experiment waits for your permission: %(change)s.")
        if facts["kind"] == "start"
        else _("A change waits for your decision: %(change)s.")
    )
    return title % {"change": _change(facts)}, _why_and_until(facts)


def _reminder(facts: Facts) -> tuple[str, str]:
    title = _("A decision still waits for you, since %(since)s: %(change)s.")
    return title % {"since": _moment(facts["since"]), "change": _change(facts)}, _why_and_until(facts)


def _expired(facts: Facts) -> tuple[str, str]:
    title = _("Nobody decided before %(until)s: %(change)s is refused.")
    return title % {"until": _moment(facts["until"]), "change": _change(facts)}, _("It must be tested again.")


def _golden(facts: Facts) -> tuple[str, str]:
    title = _("The golden set refused %(change)s, which a test had proved.")
    return title % {"change": _change(facts)}, _stored(facts["reason"])


def _finished(facts: Facts) -> tuple[str, str]:
    title = _("Campaign %(number)s ended: “%(goal)s”.")
    return title % {"number": facts["number"], "goal": facts["goal"]}, _stored(facts["reason"])


def _over_budget(facts: Facts) -> tuple[str, str]:
    title = _("Campaign %(number)s has spent its budget and ended: “%(goal)s”.")
    return title % {"number": facts["number"], "goal": facts["goal"]}, _stored(facts["reason"])


def _failed(facts: Facts) -> tuple[str, str]:
    title = _("Campaign %(number)s failed and can go on: “%(goal)s”.")
    return title % {"number": facts["number"], "goal": facts["goal"]}, _stored(facts["reason"])


def _test(facts: Facts) -> tuple[str, str]:
    return _("This is a test message of the channel “%(name)s”.") % {"name": facts["channel"]}, _(
        "Whatever this channel chose to be told of will arrive here too."
    )


_WORDS: dict[Event, Callable[[Facts], tuple[str, str]]] = {
    Event.INCIDENT_OPENED: _incident,
    Event.VERSION_ROLLED_BACK: _rolled_back,
    Event.CHANGE_APPLIED: _applied,
    Event.APPROVAL_WAITING: _waiting,
    Event.APPROVAL_REMINDER: _reminder,
    Event.APPROVAL_EXPIRED: _expired,
    Event.GOLDEN_REFUSED: _golden,
    Event.CAMPAIGN_FINISHED: _finished,
    Event.CAMPAIGN_OVER_BUDGET: _over_budget,
    Event.CAMPAIGN_FAILED: _failed,
    Event.TEST: _test,
}


def _change(facts: Facts) -> str:
    return f"{facts['param']} {facts['from']} → {facts['to']}"


def _why_and_until(facts: Facts) -> str:
    until = _("It expires on %(until)s.") % {"until": _moment(facts["until"])}
    return "\n".join([*(_stored(reason) for reason in facts["reasons"]), until])


def _moment(text: str) -> str:
    at = parse_datetime(text)
    if at is None:
        return text
    local = timezone.localtime(at)
    return f"{date_format(local, 'j E Y, H:i')} {local:%Z}"


def _stored(text: str) -> str:
    found: str = import_string(settings.STORED_SENTENCES)(text)
    return found
