"""Adding a version of an agent's prompt, written by a person or by a model.

Here and not in `maas/`: the act enters the change log, of which the student knows nothing.
"""

from __future__ import annotations

from django.db import transaction

from audit.services import entry_append
from contracts.actor import Actor, Role
from maas.client import prompt_create
from tuner.factor_services import prompt_value_register
from tuner.registry import FACTORS


@transaction.atomic
def prompt_add(*, role: str, version: str, template: str, description: str, actor: Actor) -> int:
    """A new version of an agent's prompt, by its key. Raises `NotAuthorised` below meta-user, `InvalidInput`,
    `Conflict` for a version that exists.

    Two databases, no common transaction: the prompt is committed first, the entry stands or falls with the caller's
    transaction. A prompt without its entry can do no harm: no parameters name it yet. From then on it is a value of
    its factor that experiments may test, and that only a won test makes active.
    """
    actor.require(Role.META_USER)
    key = prompt_create(role=role, version=version, template=template, description=description)
    entry_append(
        actor=actor,
        action="prompt.added",
        subject_type="prompt",
        subject_id=f"{role}:{version}",
        after={"description": description, "template": template},
    )
    if (factor := f"prompts.{role}") in FACTORS:
        prompt_value_register(key=factor, value=version, actor=actor, reason=description)
    return key
