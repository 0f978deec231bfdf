"""A delivery as its channel wants it."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.utils import timezone

from notifications.delivery.http import post
from notifications.delivery.mail import mail
from notifications.delivery.outcome import Outcome
from notifications.domain.signing import sign
from notifications.domain.targets import Kind
from notifications.models import Delivery
from notifications.services.secrets import signing_key
from notifications.wording import Message, message_of

_JSON = {"Content-Type": "application/json; charset=utf-8"}


def send(delivery: Delivery) -> Outcome:
    """One try. Waits at most a bounded time, and raises nothing that a receiver can cause."""
    channel = delivery.channel
    message = message_of(delivery.notice, language=channel.language)
    if channel.kind == Kind.EMAIL:
        return mail(message, address=channel.address, message_id=str(delivery.id))
    if channel.kind == Kind.SLACK:
        body = _encoded(slack_body(message))
        return _post(channel.address, body, _JSON)
    body = _encoded(webhook_body(delivery, message))
    signed = sign(key=signing_key(channel.salt), message_id=str(delivery.id), at=timezone.now(), body=body)
    return _post(channel.address, body, {**_JSON, **signed})


def _post(url: str, body: bytes, headers: dict[str, str]) -> Outcome:
    return post(
        url,
        body=body,
        headers=headers,
        permitted=settings.SELFLEARN_NOTIFY_NETWORKS,
        timeout=settings.NOTIFY_TIMEOUT_SECONDS,
    )


def webhook_body(delivery: Delivery, message: Message) -> dict[str, Any]:
    """`type`, `timestamp` and `data` as Standard Webhooks has them; the words are in the channel's language."""
    notice = delivery.notice
    return {
        "type": notice.event,
        "timestamp": notice.at.isoformat(),
        "data": {
            "severity": notice.severity,
            "subject": notice.subject,
            "title": message.title,
            "text": message.text,
            "link": message.link,
            "language": delivery.channel.language,
            "facts": notice.facts,
        },
    }


def slack_body(message: Message) -> dict[str, str]:
    """What Slack's incoming webhooks take, and Mattermost, Rocket.Chat and Discord (`/slack`) too."""
    lines = [f"*{_escaped(message.title)}*", _escaped(message.text), f"{message.severity} · <{message.link}>"]
    return {"text": "\n".join(line for line in lines if line)}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _encoded(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
