"""Safety checks of the whole house, in macro cycles and on demand: each result is kept, a failure is an incident."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import transaction

from audit.selectors import chain_verify
from contracts.actor import Actor, Role
from contracts.maas import SafetyFinding
from experiments.golden import golden_examples
from experiments.golden_files import files_problems
from experiments.models import GoldenSeal
from incidents.models import SafetyResult
from incidents.services import incident_open
from kernel.errors import Conflict
from maas.client import safety_checks
from tuner.models import ParameterVersion


def safety_run(*, actor: Actor, student: Callable[[], Sequence[SafetyFinding]] = safety_checks) -> list[SafetyResult]:
    """Make every check now, and return the results as they were stored. Raises `NotAuthorised` below operator.

    A check that cannot be made has failed. Only the student's, where the student runs elsewhere (`MAAS_URL`), are
    stored as not made: whoever runs it makes them there. The failure of one check keeps no other from being made, and
    the same failure seen again is the same incident until it is resolved.
    """
    actor.require(Role.OPERATOR)
    results = [_result(name, *_made(check), actor) for name, check in _CHECKS.items()]
    if settings.MAAS_URL:
        results.append(_result("student", None, "the student runs elsewhere (MAAS_URL): check it there", actor))
    else:
        results += _of_student(student, actor)
    with transaction.atomic():
        for result in results:
            result.save()
            if result.ok is False:
                incident_open(
                    kind="safety",
                    severity="critical",
                    title=f"A safety check failed: {result.name}",
                    detail=result.detail,
                    subject=f"safety:{result.name}",
                    actor=actor,
                )
    return results


def _of_student(student: Callable[[], Sequence[SafetyFinding]], actor: Actor) -> list[SafetyResult]:
    try:
        return [_result(item.name, item.ok, item.detail, actor) for item in student()]
    except Exception as error:  # whatever the reason, nothing was shown to be safe
        return [_result("student", False, _could_not(error), actor)]


def _made(check: Callable[[], tuple[str, str]]) -> tuple[bool, str]:
    try:
        with transaction.atomic():  # an error of the database ends this check alone
            wrong, looked_at = check()
    except Exception as error:  # as above
        return False, _could_not(error)
    return not wrong, wrong or looked_at


def _could_not(error: Exception) -> str:
    return f"could not be checked: {type(error).__name__}: {error}".splitlines()[0]


def _result(name: str, ok: bool | None, detail: str, actor: Actor) -> SafetyResult:
    return SafetyResult(name=name, ok=ok, detail=detail, actor=actor.label)


def _golden() -> tuple[str, str]:
    """Every sealed golden set, and the golden files of the repository, are what was sealed."""
    names = sorted(set(GoldenSeal.objects.values_list("dataset__name", flat=True)))
    wrong = files_problems()
    for name in names:
        try:
            golden_examples(dataset=name)
        except Conflict as refused:
            wrong.append(refused.message)
    return "; ".join(wrong), f"{len(names)} sealed sets, and the golden files"


def _one_active() -> tuple[str, str]:
    active = list(ParameterVersion.objects.filter(is_active=True).values_list("version", flat=True))
    return ("" if len(active) == 1 else f"{len(active)} active versions"), f"version {active[0] if active else '-'}"


def _change_log() -> tuple[str, str]:
    report = chain_verify()
    return ("" if report.ok else report.reason), f"{report.rows} rows"


_CHECKS: dict[str, Callable[[], tuple[str, str]]] = {
    "golden seal": _golden,
    "one active version": _one_active,
    "change log": _change_log,
}
