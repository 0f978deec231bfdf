"""Reads: the parameters of a run (the hot path), versions, and their history."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.db.models import OuterRef, Subquery

from contracts.parameters import EffectiveParameters, ParameterChange, ParameterContext, ParameterValue
from kernel.errors import NotFound, Unavailable
from tuner import lastgood
from tuner.domain.content import diff
from tuner.domain.values import same_value
from tuner.models import ParameterActivation, ParameterVersion, TunerState, VersionKind
from tuner.registry import DEFAULTS, factor

_ACTIVE = "SELECT version, content_hash FROM public.experiment_parameters WHERE is_active"
_ARM = (
    "SELECT version, content_hash FROM public.experiment_parameters"
    " WHERE kind = 'experiment' AND experiment = %s AND variant = %s"
)
_TENANT = (
    "SELECT p.version, p.content_hash, true FROM public.experiment_parameters AS p"
    " WHERE p.version = (SELECT t.version FROM public.tenant_parameters AS t WHERE t.user_id = %s)"
    " AND p.rolled_back_at IS NULL"
    " UNION ALL SELECT version, content_hash, false FROM public.experiment_parameters WHERE is_active LIMIT 1"
)
"""A person's own version while it was not rolled back, else the active one: the second part is read only then."""
_PINNED = "SELECT version, content_hash FROM public.experiment_parameters WHERE version = %s"

_values_by_hash: dict[str, dict[str, Any]] = {}
"""Keyed by content, which never changes, so nothing here can be out of date."""

_Where = tuple[str | None, str | None, int | None, uuid.UUID | None]
_last_known: dict[_Where, tuple[int, str]] = {}
"""Where each kind of context pointed when the database was last reached; people without parameters of their own share
that of production."""

_CACHE_LIMIT = 4096
_lock = threading.Lock()


def effective_params(context: ParameterContext) -> EffectiveParameters:
    """The values that a run uses, and the version that they come from.

    A pinned version wins over an experiment's arm, an arm over a person's own version, that over production; an arm
    that the experiment does not have is `NotFound`, never silently production; an experiment named without a variant is
    production. Each call asks the database which version counts (one indexed row); values come from the process's
    memory. Without a database: the last known good, of production also that of an earlier process (`lastgood`);
    `Unavailable` if there is none.
    """
    bound = context.version is not None or (context.experiment is not None and context.variant is not None)
    production: _Where = (None, None, None, None)
    where: _Where = (context.experiment, context.variant, context.version, None) if bound else production
    try:
        version, digest, own = _pointer(context)
        if own:
            where = (None, None, None, context.user_id)
        elif not bound and context.user_id is not None:
            _last_known.pop((None, None, None, context.user_id), None)  # no version of their own any more
        values = _values_by_hash.get(digest)
        if values is None:
            values = version_get(version).stored_values
            _remember(_values_by_hash, digest, values)
        if _last_known.get(where) != (version, digest):
            _remember(_last_known, where, (version, digest))
            if where == production:
                lastgood.write(version, digest, values)
    except (OperationalError, InterfaceError) as error:
        # A thread that lives on would else never hear of another version: its broken connection stays broken.
        connection.close_if_unusable_or_obsolete()
        mine = None if bound or context.user_id is None else _last_known.get((None, None, None, context.user_id))
        known = mine or _last_known.get(where)
        if known is None and not bound and (kept := lastgood.read()) is not None:
            known = (kept.version, kept.content_hash)
            _remember(_values_by_hash, kept.content_hash, kept.values)
        if known is None or known[1] not in _values_by_hash:
            raise Unavailable("the parameter database cannot be reached and no earlier answer is known") from error
        version, digest = known
        values = _values_by_hash[digest]
    return EffectiveParameters(
        version=version,
        content_hash=digest,
        values={**DEFAULTS, **values},
        experiment=context.experiment,
        variant=context.variant,
    )


def active_version() -> ParameterVersion:
    return ParameterVersion.objects.get(is_active=True)


def version_get(version: int) -> ParameterVersion:
    """Raises `NotFound`."""
    found = ParameterVersion.objects.filter(version=version).first()
    if found is None:
        raise NotFound(f"there is no parameter version {version}", details={"version": version})
    return found


def version_values(version: int) -> dict[str, Any]:
    """Flat, merged with the registry's defaults. Raises `NotFound`."""
    return {**DEFAULTS, **version_get(version).stored_values}


def version_of(experiment: str) -> int | None:
    """The production version that an experiment led to, if any."""
    made = ParameterVersion.objects.filter(experiment=experiment, kind="production").order_by("-version")
    return made.values_list("version", flat=True).first()


def versions_diff(before: int, after: int) -> tuple[ParameterChange, ...]:
    """What changed between any two versions. Raises `NotFound`."""
    return diff(version_values(before), version_values(after))


def factor_moved(change: ParameterChange, *, base: int) -> str:
    """Why the change does not fit on `base`; empty when the factor has the value that the test started from."""
    now = version_values(base)[change.param]
    if same_value(now, change.from_value):
        return ""
    return f"{change.param} is {now} now, not {change.from_value} as it was when the change was tested"


def is_frozen() -> bool:
    return TunerState.objects.filter(frozen=True).exists()


def freeze_now() -> str | None:
    """Who froze all changes and why, for a sentence; None while nothing is frozen."""
    state = TunerState.objects.filter(frozen=True).first()
    return None if state is None else f"{state.frozen_by}: {state.reason}"


def rollback_candidates() -> list[ParameterVersion]:
    """Stable versions that were not rolled back, that which was active last first. The active one is none."""
    last = ParameterActivation.objects.filter(version=OuterRef("version")).order_by("-id").values("id")[:1]
    good = ParameterVersion.objects.filter(
        kind=VersionKind.PRODUCTION, is_active=False, stable_since__isnull=False, rolled_back_at__isnull=True
    )
    return list(good.annotate(last=Subquery(last)).filter(last__isnull=False).order_by("-last"))


@dataclass(frozen=True)
class FactorPoint:
    """A factor's value from `at` on, until the next point."""

    at: datetime
    version: int
    value: ParameterValue
    action: str
    actor: str
    reason: str
    experiment: str | None


def factor_history(param: str) -> list[FactorPoint]:
    """Oldest first: the factor's value in each version that became active, the seed included. Raises `NotFound`."""
    key = factor(param).key
    rows = list(ParameterActivation.objects.order_by("id"))
    versions = {v.version: v for v in ParameterVersion.objects.filter(version__in={row.version for row in rows})}
    return [
        FactorPoint(
            at=row.at,
            version=row.version,
            value=versions[row.version].stored_values.get(key, DEFAULTS[key]),
            action=row.action,
            actor=row.actor,
            reason=row.reason,
            experiment=row.experiment,
        )
        for row in rows
    ]


def version_active_at(moment: datetime) -> int:
    """Which version was active then. Raises `NotFound` for a time before the first one."""
    row = ParameterActivation.objects.filter(at__lte=moment).order_by("-id").first()
    if row is None:
        raise NotFound("no parameter version was active at that time", details={"at": moment.isoformat()})
    return row.version


def _pointer(context: ParameterContext) -> tuple[int, str, bool]:
    """Version, its content, and whether it holds for this person alone."""
    args: tuple[str | int, ...]
    if context.version is not None:
        sql, args, what = _PINNED, (context.version,), f"parameter version {context.version}"
    elif context.experiment is not None and context.variant is not None:
        sql, args = _ARM, (context.experiment, context.variant)
        what = f"arm {context.variant!r} of experiment {context.experiment!r}"
    elif context.user_id is not None:
        sql, args, what = _TENANT, (str(context.user_id),), "active parameter version: run migrate"
    else:
        sql, args, what = _ACTIVE, (), "active parameter version: run migrate"
    with connection.cursor() as cursor:
        cursor.execute(sql, args)
        row = cursor.fetchone()
    if row is None:
        raise NotFound(f"there is no {what}")
    return row[0], row[1], len(row) > 2 and bool(row[2])


def _remember(cache: dict[Any, Any], key: Any, value: Any) -> None:
    """Both caches are bounded; a full one starts anew, which costs one query per version in use."""
    with _lock:
        if len(cache) >= _CACHE_LIMIT:
            cache.clear()
        cache[key] = value
