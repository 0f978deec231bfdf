"""Safety checks of the whole house, in macro cycles and on demand: each result is kept, a failure is an incident."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django_q.models import Failure
from django_q.tasks import async_task

from audit.selectors import chain_verify
from contracts.actor import Actor, Role, component
from contracts.maas import SafetyFinding
from experiments.golden import golden_examples
from experiments.golden_files import files_problems
from experiments.models import GoldenSeal
from incidents.models import Incident, SafetyResult, SafetyRun
from incidents.services import incident_open
from kernel.errors import Conflict
from maas.client import safety_checks
from manager.models import Cycle, UpkeepCycle
from sensor.domain.masking import mask
from tuner.models import ParameterVersion

MANAGER = component("manager")
RUN_TASK = "manager.tasks.safety_task"
STALE = timedelta(minutes=15)
"""After so long a run that has not ended does not keep others from being made."""
SAMPLE, LONGEST = 200, 20_000
"""Newest texts of each kind that are looked through, and how much of each."""


def safety_run(*, actor: Actor, student: Callable[[], Sequence[SafetyFinding]] = safety_checks) -> list[SafetyResult]:
    """Make every check now, and return the results as they were stored. Raises `NotAuthorised` below operator.

    A check that cannot be made has failed. Only the student's, where the student runs elsewhere (`MAAS_URL`), are
    stored as not made: whoever runs it makes them there. The failure of one check keeps no other from being made, and
    the same failure seen again is the same incident until it is resolved.
    """
    actor.require(Role.OPERATOR)
    return _work(_started(actor, state="running"), actor, student)


def safety_begin(*, actor: Actor) -> SafetyRun:
    """Ask a worker to make every check; the run that is returned shows how far it is.

    Raises `Conflict` while a run is at work, `NotAuthorised` below operator. One that has shown nothing for `STALE` is
    closed as failed first: its worker died, or none runs.
    """
    actor.require(Role.OPERATOR)
    with transaction.atomic():
        run = _started(actor, state="queued")
        transaction.on_commit(lambda: async_task(RUN_TASK, str(run.id), task_name=f"safety checks {run.id}"))
    return run


def safety_work(*, run_id: uuid.UUID, student: Callable[[], Sequence[SafetyFinding]] = safety_checks) -> bool:
    """Make the checks of a queued run. False when another worker has it, or had it: asked twice is harmless."""
    if SafetyRun.objects.filter(id=run_id, state="queued").update(state="running") != 1:
        return False
    _work(SafetyRun.objects.get(id=run_id), MANAGER, student)
    return True


def _started(actor: Actor, *, state: str) -> SafetyRun:
    """A new run; the slot lets one be open at a time."""
    old = SafetyRun.objects.filter(slot=1, started_at__lt=timezone.now() - STALE)
    old.update(state="failed", slot=None, finished_at=timezone.now(), error="it has not ended: its worker died")
    if state == "running":  # whoever makes them now makes them for who waits for a worker, too
        SafetyRun.objects.filter(slot=1, state="queued").update(
            state="failed", slot=None, finished_at=timezone.now(), error="the checks were made elsewhere meanwhile"
        )
    try:
        with transaction.atomic():
            run = SafetyRun.objects.create(state=state, started_by=actor.label, planned=len(_CHECKS) + 1)
    except IntegrityError as error:
        raise Conflict("the safety checks are being made now: look at their results in a moment") from error
    run.refresh_from_db()
    return run


def _work(run: SafetyRun, actor: Actor, student: Callable[[], Sequence[SafetyFinding]]) -> list[SafetyResult]:
    try:
        results = _all_made(run, student)
        _keep(run, results, actor)
    except Exception as error:
        _end(run, state="failed", error=_could_not(error))
        raise
    return results


def _all_made(run: SafetyRun, student: Callable[[], Sequence[SafetyFinding]]) -> list[SafetyResult]:
    results = []
    for done, (name, check) in enumerate(_CHECKS.items()):
        SafetyRun.objects.filter(id=run.id).update(done=done, label=name)
        results.append(_result(run, name, *_made(check)))
    SafetyRun.objects.filter(id=run.id).update(done=len(_CHECKS), label="student")
    if settings.MAAS_URL:
        results.append(_result(run, "student", None, "the student runs elsewhere (MAAS_URL): check it there"))
    else:
        results += _of_student(run, student)
    return results


def _keep(run: SafetyRun, results: Sequence[SafetyResult], actor: Actor) -> None:
    """Results, incidents and the end of the run, together."""
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
        _end(run, state="completed")


def _end(run: SafetyRun, *, state: str, error: str = "") -> None:
    SafetyRun.objects.filter(id=run.id, slot=1).update(
        state=state, slot=None, finished_at=timezone.now(), done=F("planned"), label="", error=error
    )


def _of_student(run: SafetyRun, student: Callable[[], Sequence[SafetyFinding]]) -> list[SafetyResult]:
    try:
        return [_result(run, item.name, item.ok, item.detail) for item in student()]
    except Exception as error:  # whatever the reason, nothing was shown to be safe
        return [_result(run, "student", False, _could_not(error))]


def _made(check: Callable[[], tuple[str, str]]) -> tuple[bool, str]:
    try:
        with transaction.atomic():  # an error of the database ends this check alone
            wrong, looked_at = check()
    except Exception as error:  # as above
        return False, _could_not(error)
    return not wrong, wrong or looked_at


def _could_not(error: Exception) -> str:
    return f"could not be checked: {type(error).__name__}: {error}".splitlines()[0]


def _result(run: SafetyRun, name: str, ok: bool | None, detail: str) -> SafetyResult:
    return SafetyResult(run=run, name=name, ok=ok, detail=detail, actor=run.started_by)


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


def _own_logs() -> tuple[str, str]:
    """What went wrong in our own processes is kept as text and read by whoever runs them: no personal data is in it."""
    looked_at, hits = 0, []
    for name, rows in (
        ("failed task", Failure.objects.order_by("-stopped").values_list("id", "result")),
        ("cycle", Cycle.objects.exclude(error="").order_by("-created_at").values_list("id", "error")),
        ("upkeep cycle", UpkeepCycle.objects.exclude(error="").order_by("-created_at").values_list("id", "error")),
        ("incident", Incident.objects.order_by("-id").values_list("id", "detail")),
    ):
        for key, text in rows[:SAMPLE]:
            looked_at += 1
            if mask(str(text)[:LONGEST]).hidden:
                hits.append(f"{name} {key}")
    wrong = f"{len(hits)} of {looked_at} texts hold personal data, {hits[0]} first" if hits else ""
    return wrong, f"{looked_at} texts sampled"


_CHECKS: dict[str, Callable[[], tuple[str, str]]] = {
    "golden seal": _golden,
    "one active version": _one_active,
    "change log": _change_log,
    "personal data in our own logs": _own_logs,
}
