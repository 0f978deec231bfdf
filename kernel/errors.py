"""Errors are nouns of the domain under one root. HTTP status codes live in `selflearn_site/api/errors.py` alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """Something the domain refuses, with a stable code for programs and a sentence for people."""

    code = "DOMAIN_ERROR"

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None, code: str | None = None):
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})
        if code is not None:
            self.code = code


class RuleViolated(DomainError):
    """Input or a proposal breaks a rule; nothing has changed."""

    code = "RULE_VIOLATED"


class InvalidInput(RuleViolated):
    """What the caller gave cannot be understood; `details` names the field."""

    code = "INVALID_INPUT"


class NotFound(DomainError):
    """The thing asked for does not exist."""

    code = "NOT_FOUND"


class IllegalTransition(DomainError):
    """A lifecycle does not allow this step from the state that the thing is in."""

    code = "ILLEGAL_TRANSITION"


class NotAuthorised(DomainError):
    """The actor's role does not allow this."""

    code = "NOT_AUTHORISED"


class Conflict(DomainError):
    """Someone else changed it first; look again and decide anew."""

    code = "CONFLICT"


class Stale(Conflict):
    """The caller named what it had seen (`If-Match`), and that is another by now; `details.etag` is its tag now."""

    code = "STALE"


class Unavailable(DomainError):
    """A dependency (database, model endpoint) cannot be reached now."""

    code = "UNAVAILABLE"
