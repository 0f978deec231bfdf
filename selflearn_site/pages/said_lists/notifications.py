"""Patterns of what is stored of messages: why one failed, was not sent, or is tried again."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

# fmt: off
PATTERNS = [
    _("the receiver answered %(status)s"),
    _("the receiver redirects; give the final address"),
    _("the receiver cannot be reached, or its certificate is not valid"),
    _("the receiver closed the connection without an answer"),
    _("the connection broke while the answer was read"),
    _("the connection broke while the message was sent"),
    _("no answer within %(seconds)s seconds"),
    _("the name %(host)s is not known"),
    _("the name %(host)s was not found within %(seconds)s seconds"),
    _("refused: %(rest)s"),
    _("%(address)s is a link-local, metadata or reserved address"),
    _("%(address)s is a private address; SELFLEARN_NOTIFY_NETWORKS permits private networks"),
    _("http:// is not encrypted: use https:// outside permitted private networks"),
    _("not sent: no mail server is set (EMAIL_HOST)"),
    _("not sent: the channel is switched off"),
    _("the mail server answered %(status)s"),
    _("the mail server refused the addresses"),
    _("the mail server refused our login"),
    _("the mail server cannot be reached (%(error)s)"),
    _("no answer of the mail server within %(seconds)s s"),
    _("the worker died in each of the tries"),
    _("unexpected %(error)s"),
    _("%(step)s still waits for a person"),
    _("nobody has decided since %(since)s; it expires on %(until)s"),
    _("stopped by %(who)s: %(rest)s"),
]
WORDS = [
    _("reminder"),
    _("signed webhook"),
    _("chat (Slack format)"),
    _("e-mail"),
]
# fmt: on
