"""Changing what holds for a factor: within hard limits, by a meta-user, with a reason, into the change log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from audit.services import chain_lock, entry_append
from contracts.actor import Actor, Role
from kernel.errors import Conflict, InvalidInput, NotFound
from tuner.domain.overrides import NAMES, in_force, problems, stored
from tuner.factors import tag_of
from tuner.models import FactorSetting, PromptValue
from tuner.registry import FACTORS, factor

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def settings_seed() -> None:
    """A row for each factor of the registry, so that each has its form. Safe to repeat, and under an older schema too:
    it runs after every migration, backward ones as well, so it names the key alone."""
    with connection.cursor() as cursor:
        sql = "INSERT INTO public.factor_settings (key) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
        cursor.execute(sql, [list(FACTORS)])


@transaction.atomic
def factor_change(
    *, key: str, values: Mapping[str, Any], reason: str, actor: Actor, expected: str | None = None
) -> FactorSetting:
    """Set what is named in `values` (None: back to the registry's own), and leave the rest.

    `expected`: the tag (`FactorState.tag`) of what the caller looked at; `Conflict` when somebody changed it since.
    Raises `NotAuthorised` below meta-user, `NotFound`, `InvalidInput` with `details["fields"]` for a value beyond the
    hard limits, an end of a freeze that is past, an unknown field, or no reason. Setting what holds already changes
    nothing and writes nothing. A freeze that has run out holds no more; what ends a freeze takes its end away.
    """
    actor.require(Role.META_USER)
    definition = factor(key)
    unknown = sorted(set(values) - set(NAMES))
    if unknown:
        raise InvalidInput(f"a factor has no setting {unknown[0]!r}", details={"known": list(NAMES)})
    if not reason.strip():
        raise InvalidInput("a change of a factor needs a reason", details={"field": "reason"})
    chain_lock()
    settings_seed()
    row = FactorSetting.objects.select_for_update().get(key=definition.key)
    now = timezone.now()
    standing = in_force(stored(vars(row)), now)
    if expected is not None and expected != tag_of(standing):
        raise Conflict(
            f"{definition.key} has been changed since you looked at it; look again", details={"tag": tag_of(standing)}
        )
    before = asdict(standing)
    after = {**before, **values}
    if not after["frozen"] and values.get("frozen_until") is None:
        after["frozen_until"] = None
    wrong = problems(definition, stored(after))
    if (until := values.get("frozen_until")) is not None and until <= now:
        wrong.setdefault("frozen_until", "the end of a freeze lies ahead")
    if wrong:
        said = "; ".join(f"{name}: {text}" for name, text in wrong.items())
        raise InvalidInput(said, details={"fields": wrong})
    changed = {name: value for name, value in after.items() if value != before[name]}
    if not changed:
        return row
    for name, value in after.items():
        setattr(row, name, value)
    row.reason, row.changed_by, row.changed_at = reason, actor.label, now
    row.save()
    entry_append(
        actor=actor,
        action="factor.changed",
        subject_type="factor",
        subject_id=definition.key,
        parameter=definition.key,
        before={name: _json(before[name]) for name in changed},
        after={name: _json(value) for name, value in changed.items()},
        reason=reason,
    )
    return row


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def factor_freeze(
    *, key: str, until: datetime | None, reason: str, actor: Actor, expected: str | None = None
) -> FactorSetting:
    """Nobody changes this factor until then, or until it is thawed. Raises as `factor_change`."""
    values = {"frozen": True, "frozen_until": until}
    return factor_change(key=key, values=values, reason=reason, actor=actor, expected=expected)


def factor_thaw(*, key: str, reason: str, actor: Actor, expected: str | None = None) -> FactorSetting:
    values = {"frozen": None, "frozen_until": None}
    return factor_change(key=key, values=values, reason=reason, actor=actor, expected=expected)


def factor_reset(*, key: str, reason: str, actor: Actor, expected: str | None = None) -> FactorSetting:
    """Everything of this factor as the registry has it. Raises as `factor_change`."""
    return factor_change(key=key, values=dict.fromkeys(NAMES), reason=reason, actor=actor, expected=expected)


@transaction.atomic
def prompt_value_register(*, key: str, value: str, actor: Actor, reason: str = "") -> PromptValue:
    """Make a version of a prompt a value that experiments may test; it becomes active only after winning one.

    The version must exist in the student: who calls this has just written it there. Registered twice is registered
    once. Raises `NotAuthorised` below meta-user, `NotFound`, `InvalidInput` for a factor that is no prompt,
    `Conflict` for a version that came with the registry.
    """
    actor.require(Role.META_USER)
    definition = factor(key)
    if definition.type != "prompt":
        raise InvalidInput(f"{definition.key} is no prompt", details={"field": "key"})
    if not _VERSION.fullmatch(value):
        raise InvalidInput("a version is letters, digits, dot, _ or -, at most 40", details={"field": "value"})
    if value in definition.choices:
        raise Conflict(f"{definition.key} has a version {value} of the registry")
    known = PromptValue.objects.filter(key=definition.key, value=value).first()
    if known is not None:
        return known
    try:
        with transaction.atomic():
            row = PromptValue.objects.create(key=definition.key, value=value, registered_by=actor.label)
    except IntegrityError:
        return PromptValue.objects.get(key=definition.key, value=value)
    entry_append(
        actor=actor,
        action="factor.prompt_registered",
        subject_type="factor",
        subject_id=definition.key,
        parameter=definition.key,
        after={"value": value},
        reason=reason,
    )
    return row


@transaction.atomic
def prompt_value_offer(*, key: str, value: str, offered: bool, reason: str, actor: Actor) -> PromptValue:
    """Offer a registered version for tests, or not any more; versions in force and past ones stay valid."""
    actor.require(Role.META_USER)
    row = PromptValue.objects.select_for_update().filter(key=factor(key).key, value=value).first()
    if row is None:
        raise NotFound(f"{key} has no registered version {value}")
    if (row.withdrawn_at is None) == offered:
        return row
    row.withdrawn_at = None if offered else timezone.now()
    row.save(update_fields=["withdrawn_at"])
    entry_append(
        actor=actor,
        action="factor.prompt_offered" if offered else "factor.prompt_withdrawn",
        subject_type="factor",
        subject_id=row.key,
        parameter=row.key,
        before={"offered": not offered},
        after={"value": value, "offered": offered},
        reason=reason,
    )
    return row
