"""Versions change and are rolled back while people talk: no request is lost, and each run has exactly one version."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections

from contracts.actor import Actor, component
from contracts.maas import NewMemory, RunRequest
from maas import parameters
from maas.access import as_service
from maas.client import InProcessClient, memories_import
from tests.maas.conftest import START
from tests.maas.test_processes import wait_for
from tests.tuner.factories import next_step
from tuner import selectors, services
from tuner.models import ParameterActivation, ParameterVersion

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
USERS, ROUNDS, PER_ROUND = 8, 5, 3
"""Two processes with two workers each; in each round a change, runs, its rollback, runs."""


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "MAAS_PARAMETER_PROVIDER", "tuner.selectors.effective_params")
    parameters.forget()
    names = [connections[alias].settings_dict["NAME"] for alias in ("maas", "default")]
    command = [sys.executable, "-m", "tests.tuner.student_process", *map(str, names)]
    found = [subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=settings.BASE_DIR) for _ in range(2)]
    yield
    for process in found:
        process.terminate()
    for process in found:
        assert process.wait(timeout=20) == 0
    parameters.forget()


def told(user: uuid.UUID) -> None:
    memories_import(
        [
            NewMemory(
                memory_id=uuid.uuid4(), user_id=user, text=f"Bought a red cello in Kazan, string {number}.",
                simulated_at=START + timedelta(days=number),
            )
            for number in range(5)
        ]
    )  # fmt: skip


def test_rollback__under_live_traffic_of_four_workers__loses_no_request_and_each_run_has_one_version(
    workers: None, alice: Actor
) -> None:
    users, client = [uuid.uuid4() for _ in range(USERS)], InProcessClient()
    for user in users:
        told(user)

    def ask() -> None:
        for user in users:
            for _ in range(PER_ROUND):
                client.submit(RunRequest(user_id=user, query="Where did I buy the red cello?"))

    for _ in range(ROUNDS):
        ask()
        change = services.change_apply(
            proposal=next_step("retrieval.top_k", 2, approved_by="person:alice"), actor=component("manager")
        )
        ask()
        wait_for(f"EXISTS (SELECT FROM pipeline_runs WHERE parameter_version = {change.version})", seconds=60)
        services.parameters_rollback(actor=alice, reason="worse")
    requested = ROUNDS * 2 * USERS * PER_ROUND
    wait_for("count(*) = 0 FROM pipeline_runs WHERE finished_at IS NULL", seconds=60)

    with as_service() as cursor:
        cursor.execute("SELECT status, parameter_version, jsonb_array_length(retrieval -> 'found') FROM pipeline_runs")
        rows = cursor.fetchall()
    assert [status for status, *_ in rows] == ["COMPLETED"] * requested
    versions = ParameterVersion.objects.values_list("version", flat=True)
    top_k = {version: selectors.version_values(version)["retrieval.top_k"] for version in versions}
    assert {(version, found) for _, version, found in rows} <= {(version, top_k[version]) for version in top_k}
    used = {version for _, version, _ in rows}
    assert used == set(top_k), "each version was used by some run"
    assert ParameterActivation.objects.filter(action="rollback").count() == ROUNDS
