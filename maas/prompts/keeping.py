"""Adding a version of a prompt, and reading those that exist. A version's text never changes, since runs name it."""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction

from kernel.errors import Conflict, InvalidInput
from maas.access import as_service
from maas.models import SystemPrompt

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def prompt_create(*, role: str, version: str, template: str, description: str) -> int:
    """A new version of an agent's prompt, by its key. Raises `InvalidInput`, `Conflict` for a version that exists."""
    if not VERSION.fullmatch(version):
        raise InvalidInput("a version is letters, digits, dot, _ or -, at most 40", details={"field": "version"})
    if not template.strip():
        raise InvalidInput("a prompt has a text", details={"field": "template"})
    with as_service():
        if not SystemPrompt.objects.filter(role=role).exists():
            raise InvalidInput(f"no agent is called {role!r}", details={"field": "role"})
        try:
            with transaction.atomic(using="maas"):
                prompt = SystemPrompt.objects.create(
                    role=role, version=version, template=template, description=description
                )
        except IntegrityError as error:
            raise Conflict(f"there is a prompt {version} for the {role} already") from error
    return int(prompt.pk)


def prompt_texts(*, role: str) -> dict[str, str]:
    """Version to text of all prompts of a role, the oldest first."""
    with as_service():
        return dict(SystemPrompt.objects.filter(role=role).order_by("id").values_list("version", "template"))
