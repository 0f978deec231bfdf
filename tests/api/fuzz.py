"""Schemathesis over the whole schema: each made-up request is sent without login and as every role.

Requests go through the real WSGI application and the real databases; each is rolled back, so that every request meets
the same small world and what is found can be found again. What is looked for:

- no answer above 499, no status, content type, header or shape that the schema does not document;
- nothing is done for a caller whose role does not allow it, and nothing at all for one without login;
- a refused request leaves no row in the change log, except the refusals that are kept there on purpose.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks as known

from audit.models import AuditEntry
from contracts.actor import Role

NOBODY = "nobody"
RANK = {NOBODY: -1, Role.VIEWER.value: 0, Role.OPERATOR.value: 1, Role.META_USER.value: 2}
STREAMS = {"/api/v1/events"}
"""Never ends by itself: tests/events."""

VIEWER_MAY = {
    "run_create", "run_feedback", "maas_api_conversations_consent_put", "answers_found_right",
    "manager_api_goals_translate", "manager_api_policy_policy_look", "experiment_evaluate",
}  # fmt: skip
"""What a viewer may send: talking to the student as its users do, and asking what something means, which keeps
nothing."""
OPERATOR_MAY = {
    "manager_api_upkeep_upkeep_create", "manager_api_upkeep_upkeep_end", "manager_api_emulations_emulation_create",
    "manager_api_emulations_resume", "manager_api_emulations_stop", "manager_api_goals_pause",
    "manager_api_goals_start", "manager_api_goals_stop", "incidents_api_acknowledge", "incidents_api_resolve",
    "manager_api_judges_labels_add", "manager_api_judges_labels_undo", "manager_api_judges_rounds_draw",
    "memories_import", "notifications_api_test", "notifications_api_resend", "tuner_api_freeze",
    "telemetry_ingest", "telemetry_judgements", "telemetry_truths", "maas_api_test_runner_session_create",
    "maas_api_test_runner_resume", "maas_api_test_runner_stop", "manager_api_prunings_propose",
    "manager_api_prunings_keep", "manager_api_experiments_experiment_import",
    "experiment_plan", "experiment_stop", "experiment_validate", "manager_api_safety_safety_now",
}  # fmt: skip
"""What an operator may send besides. Whatever is in neither list needs the meta-user: a new route is held to the
strictest rule until somebody says here that it is open to others."""

CHECKS = [
    known.status_code_conformance,
    known.content_type_conformance,
    known.response_schema_conformance,
    known.response_headers_conformance,
    schemathesis.checks.not_a_server_error,
]


def needed(operation_id: str, method: str) -> str:
    """The least role that may do this."""
    if operation_id == "selflearn_site_api_health_health":
        return NOBODY
    if method.upper() in ("GET", "HEAD") or operation_id in VIEWER_MAY:
        return Role.VIEWER.value
    return Role.OPERATOR.value if operation_id in OPERATOR_MAY else Role.META_USER.value


@dataclass
class Found:
    """What a fuzz came to."""

    sent: Counter[str] = field(default_factory=Counter)
    made: int = 0
    operations: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)
    """By operation, role and kind: how it can be sent again."""

    def fault(self, name: str, example: str) -> None:
        self.faults.setdefault(name, example)

    def __str__(self) -> str:
        lines = [f"{self.operations} operations, {self.made} requests made up, {self.sent.total()} sent"]
        lines += [f"  as {role}: {count}" for role, count in self.sent.items()]
        lines += ["  answers: " + ", ".join(f"{status} × {n}" for status, n in sorted(self.statuses.items()))]
        return "\n".join([*lines, *(f"FAULT {name}\n    {example}" for name, example in self.faults.items())])


def fuzz(*, places: dict[str, Any], headers: dict[str, dict[str, str]], cases: int) -> Found:
    """`cases` made-up requests an operation, each sent as every caller of `headers`. `places` are ids that exist."""
    found = Found()
    with _connections_kept():
        schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
        for result in schema.get_all_operations():
            assert isinstance(result, Ok), result
            operation = result.ok()
            if operation.path in STREAMS:
                continue
            found.operations += 1
            _fuzz_one(operation, places, headers, cases, found)
    return found


def _fuzz_one(
    operation: Any, places: dict[str, Any], headers: dict[str, dict[str, str]], cases: int, found: Found
) -> None:
    has_input = bool(list(operation.iter_parameters()) or operation.body)
    sound = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    broken = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE) if has_input else sound

    @seed(zlib.crc32(operation.label.encode()))
    @settings(
        max_examples=cases if has_input else 1, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=st.one_of(sound, broken, sound), real=st.integers(0, 3))
    def send(case: Any, real: int) -> None:
        found.made += 1
        if real < 3:  # 0 is what hypothesis begins with
            _placed(case, places)
        for caller, carried in headers.items():
            _send(case, caller, carried, found)

    send()


def _placed(case: Any, places: dict[str, Any]) -> None:
    """Lead to what exists, unless the path is what is wrong with this request."""
    if case.path_parameters:
        for name in case.path_parameters:
            if name in places:
                case.path_parameters[name] = str(places[name])
    if case.query and "wait" in case.query:
        case.query["wait"] = 0


def _send(case: Any, caller: str, carried: dict[str, str], found: Found) -> None:
    operation_id = case.operation.definition.raw["operationId"]
    if isinstance(case.query, dict):
        case.query.pop("wait", None)  # up to half a minute
    with _undone():
        before = _done()
        response = case.call(headers=carried)
        after = _done()
    found.sent[caller] += 1
    found.statuses[response.status_code] += 1
    name = f"{case.operation.label} as {caller}"
    example = f"{case.as_curl_command(headers={}).strip()} → {response.status_code} {response.content[:300]!r}"
    if response.status_code < 300 and RANK[caller] < RANK[needed(operation_id, case.method)]:
        found.fault(f"{name}: allowed", example)
    if caller == NOBODY and needed(operation_id, case.method) != NOBODY and response.status_code not in (401, 403, 404):
        found.fault(f"{name}: looked at before the login", example)  # 403: a made-up cookie; 404: no such address
    if response.status_code >= 400 and after != before:
        found.fault(f"{name}: refused, and yet in the change log", example)
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        for failure in group.exceptions:
            if isinstance(failure, Failure):
                found.fault(f"{name}: {failure.title}: {failure.message[:300]}", example)
            else:
                raise


def _done() -> int:
    """Rows of the change log, without the refusals that the Tuner keeps on purpose."""
    return AuditEntry.objects.exclude(action="parameters.refused").count()


@contextmanager
def _connections_kept() -> Iterator[None]:
    """As Django's own test client does: the transaction around the requests must outlive them."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@contextmanager
def _undone() -> Iterator[None]:
    """What happens inside leaves no trace, in either database."""
    with transaction.atomic("default"), transaction.atomic("maas"):
        yield
        transaction.set_rollback(True, "default")
        transaction.set_rollback(True, "maas")
