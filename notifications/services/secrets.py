"""The signing secret of a channel, made when it is needed and stored nowhere."""

from __future__ import annotations

import secrets

from django.utils.crypto import salted_hmac

from notifications.domain.signing import secret_text


def salt_new() -> str:
    return secrets.token_urlsafe(32)


def signing_key(salt: str) -> bytes:
    """32 bytes from SECRET_KEY and the channel's salt: a copy of the database alone signs nothing. Another SECRET_KEY
    makes other secrets, which receivers must then be given."""
    return salted_hmac("selflearn.notifications.webhook", salt, algorithm="sha256").digest()


def signing_secret(salt: str) -> str:
    return secret_text(signing_key(salt))
