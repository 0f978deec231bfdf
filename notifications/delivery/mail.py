"""One e-mail, by the mail server of the settings."""

from __future__ import annotations

import smtplib
from email.utils import formatdate

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from notifications.delivery.outcome import Outcome, shortened
from notifications.domain.targets import recipients
from notifications.wording import Message

NO_SERVER = "not sent: no mail server is set (EMAIL_HOST)"
_SMTP = "django.core.mail.backends.smtp.EmailBackend"


def mail(message: Message, *, address: str, message_id: str) -> Outcome:
    """Send one message to all addresses of a channel. Without a mail server it is not sent, which is said.

    A message that is sent again has the `Message-ID` that it had: mailboxes show it once.
    """
    if not settings.EMAIL_HOST and settings.EMAIL_BACKEND == _SMTP:
        return Outcome(sent=False, unset=True, error=NO_SERVER)
    letter = EmailMessage(
        subject=f"[Selflearn] {message.title}"[:200],
        body=f"{message.title}\n\n{message.text}\n\n{message.link}\n"
        if message.text
        else f"{message.title}\n\n{message.link}\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=recipients(address),
        connection=get_connection(),
        headers={
            "Message-ID": f"<{message_id}@selflearn>",
            "Date": formatdate(localtime=False),
            "Auto-Submitted": "auto-generated",
        },
    )
    try:
        letter.send(fail_silently=False)
    except (OSError, smtplib.SMTPException) as error:
        return _failed(error)
    return Outcome(sent=True, status=250)


def _failed(error: Exception) -> Outcome:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _text in error.recipients.values()})
        later = all(code < 500 for code in codes)
        return Outcome(sent=False, again=later, status=codes[0], error="the mail server refused the addresses")
    if isinstance(error, smtplib.SMTPResponseException):
        login = isinstance(error, smtplib.SMTPAuthenticationError)
        said = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return Outcome(
            sent=False,
            again=True,
            status=error.smtp_code,
            answer="" if login else shortened(said),
            error="the mail server refused our login" if login else f"the mail server answered {error.smtp_code}",
        )
    if isinstance(error, TimeoutError):
        return Outcome(sent=False, again=True, error=f"no answer of the mail server within {settings.EMAIL_TIMEOUT} s")
    return Outcome(sent=False, again=True, error=f"the mail server cannot be reached ({type(error).__name__})")
